import type { Delivered, ToldEvent } from '@quorate/api/events'
import { equalBytes, fromHex, fromUtf8, toUtf8 } from '@quorate/core/bytes'
import { hmacSha256 } from '@quorate/core/hash'

/** As documented: between the server's clock when it sends, and the receiver's. */
export const ageMsMax = 300_000

export type Arrived = {
  /** As it was shown when the webhook was made, with its `whs-`. */
  readonly secret: string
  /** The header `x-dfns-webhook-signature`, as the HTTP library gives it. */
  readonly signature: string | readonly string[] | null | undefined
  /** As it came: a parser between would give other bytes. */
  readonly body: string | Uint8Array
  /** Milliseconds since 1970. */
  readonly now: number
}

export type ReadEvent =
  | { readonly ok: true; readonly event: ToldEvent }
  /**
   * `not-signed`: somebody else has sent it, or another webhook's secret was given. `not-now`: it was sent
   * more than `ageMsMax` before or after `now`. `malformed`: signed, and nothing that this version reads.
   */
  | { readonly ok: false; readonly why: 'not-signed' | 'not-now' | 'malformed' }

/**
 * An event, if whoever knows the webhook's secret has sent it within the last five minutes. Within those it
 * may be sent again, by the server or by who has seen it: what `id` was taken already is to be ignored.
 *
 * The signature says that the server has told of it, and no more: no signer vouches for it. Of its shape
 * only what is common to all events is looked at; a newer server may tell of kinds that no type here names.
 */
export function readEvent({ secret, signature, body, now }: Arrived): ReadEvent {
  const bytes = typeof body === 'string' ? toUtf8(body) : body
  if (!isSigned(secret, bytes, signature)) return { ok: false, why: 'not-signed' }
  const event = parsed(bytes)
  if (!isEvent(event)) return { ok: false, why: 'malformed' }
  const isNow = Math.abs(now - event.timestampSent * 1_000) < ageMsMax
  return isNow ? { ok: true, event } : { ok: false, why: 'not-now' }
}

function isSigned(secret: string, body: Uint8Array, signature: Arrived['signature']): boolean {
  const [, hex] = (typeof signature === 'string' && /^sha256=([0-9a-f]{64})$/.exec(signature)) || []
  // Nobody's secret: what is signed under an empty one, anybody can sign.
  if (hex === undefined || secret === '') return false
  return equalBytes(hmacSha256(toUtf8(secret), body), fromHex(hex))
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(body))
  } catch {
    // Neither UTF-8 nor JSON: whatever it was signed for, it is no event.
    return undefined
  }
}

function isEvent(value: unknown): value is ToldEvent {
  if (typeof value !== 'object' || value === null) return false
  const {
    id,
    kind,
    date,
    data,
    timestampSent,
    deliveryAttempt,
  }: Partial<Record<keyof Delivered | 'kind' | 'data', unknown>> = value
  const isTold = [id, kind, date].every((one) => typeof one === 'string')
  const isCounted = [timestampSent, deliveryAttempt].every((one) => Number.isSafeInteger(one))
  return isTold && isCounted && typeof data === 'object' && data !== null
}
