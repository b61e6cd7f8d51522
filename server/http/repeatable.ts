import { idempotencyKeyHeader, isAnswerKept, readIdempotencyKey } from '@quorate/api/idempotency'
import type { Match } from '@quorate/authority/operations'
import { toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { hashOf } from '@quorate/core/hash'
import type { RawRequest } from './route.ts'

/** An answer as it goes onto the wire. */
export type Written = { readonly status: number; readonly text: string }
export type Kept = Written & { readonly isRepeated: boolean }

/** A request that its caller has given a key, by which he may ask again. */
export type Repeatable<Caller> = {
  readonly caller: Caller
  readonly key: string
  /** Hash of method, path and body: whatever differs in one of them is another request. */
  readonly request: Uint8Array
  readonly userAction: string | undefined
}

/** @param carryOut by the user action with this hash, be it the one that came or an earlier one */
export type KeepAnswer<Caller> = (
  asked: Repeatable<Caller>,
  carryOut: (action: Uint8Array | undefined) => Promise<Written>,
) => Promise<Kept>

/**
 * The key of a request, where there is one and its answer is kept.
 * @throws Failure `idempotency_key.malformed`
 */
export function keyOf(
  match: Match,
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
): string | undefined {
  const given = headers[idempotencyKeyHeader]
  if (given === undefined || !isAnswerKept(match)) return undefined
  const key = typeof given === 'string' ? readIdempotencyKey(given) : undefined
  if (key === undefined) throw new Failure('idempotency_key.malformed', {})
  return key
}

export function requestHashOf({ method, url, body }: RawRequest): Uint8Array {
  return hashOf('quorate/idempotency-key/request/1', ...[method, url, body].map(toUtf8))
}
