import { isFailure } from '@quorate/core/failure'
import type { Tokens } from '../auth/tokens.ts'
import { noAnswerWords, type Receivers } from './receivers.ts'
import { openSecret, signatureOf } from './secret.ts'
import type { WebhookRow } from './tables.ts'

export type SendDeps = {
  readonly receivers: Pick<Receivers, 'fetch'>
  readonly tokens: Pick<Tokens, 'keyFor'>
}

/** What a receiver reads. The order of members is the order in which they are printed. */
export type Told = {
  readonly id: string
  readonly kind: string
  readonly date: string
  readonly data: unknown
  readonly deliveryAttempt: number
  readonly retryOf?: string
}

export type Received = {
  /** An HTTP status, or a word why there is none. */
  readonly status: string
  readonly error?: string
}

/** The one status that says that an event has been received. */
export const received = '200'
/** Documented as a few seconds. A receiver that has more to do does it afterwards. */
export const sendMsMax = 5_000

/**
 * Sends one event, signed for this moment. Whatever comes back is an answer, no failure; so is a
 * secret that was sealed under a key that this server has no more.
 */
export async function sendTo(
  { receivers, tokens }: SendDeps,
  webhook: WebhookRow,
  told: Told,
  now: number,
): Promise<Received> {
  const secret = secretOf(tokens, webhook)
  if (secret === undefined)
    return { status: 'no-secret', error: 'the secret cannot be read: make the webhook anew' }
  const body = JSON.stringify({ ...told, timestampSent: Math.floor(now / 1000) })
  const answer = await receivers.fetch({
    ...{ url: webhook.url, method: 'POST', body },
    headers: {
      'content-type': 'application/json',
      'user-agent': 'quorate',
      'x-dfns-webhook-signature': signatureOf(secret, body),
    },
    ...{ timeoutMs: sendMsMax, isCut: true },
  })
  if (!answer.ok) return { status: answer.why, error: noAnswerWords[answer.why] }
  const status = String(answer.status)
  return status === received ? { status } : { status, error: `the receiver answered ${status}` }
}

function secretOf(tokens: SendDeps['tokens'], webhook: WebhookRow): string | undefined {
  try {
    return openSecret(tokens, webhook)
  } catch (error) {
    if (!isFailure(error, 'challenge.invalid')) throw error
    return undefined
  }
}
