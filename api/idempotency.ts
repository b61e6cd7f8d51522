import type { OperationName } from '@quorate/authority/operations'
import type { Operation } from '@quorate/authority/operations/operation'

/**
 * The header field by which a client may ask again without wanting it twice: ours, and read as
 * draft-ietf-httpapi-idempotency-key-header-07 has it. Nobody signs it: it is the server's word
 * alone, where an `externalId` is also the signers'.
 */
export const idempotencyKeyHeader = 'idempotency-key'
/** Of an answer that a key was looked at for: `true` if it is an earlier request's. */
export const replayedHeader = 'idempotent-replayed'

/** Longer than any UUID, and short enough to be of no other use. */
const keyLengthMax = 64
const visibleMin = 0x21
const visibleMax = 0x7e

/**
 * A string in quotes as RFC 8941 (section 3.3.3) writes it, or what most clients send, which is the
 * same without quotes.
 * @returns undefined for what is neither
 */
export function readIdempotencyKey(header: string): string | undefined {
  const isQuoted = header.length >= 2 && header.startsWith('"') && header.endsWith('"')
  const key = isQuoted ? header.slice(1, -1) : header
  const isVisible = [...key].every((one) => {
    const code = one.codePointAt(0) ?? 0
    return code >= visibleMin && code <= visibleMax && one !== '"' && one !== '\\'
  })
  return key !== '' && key.length <= keyLengthMax && isVisible ? key : undefined
}

/** Requests with a password in them, and answers that are shown once: no copy of these is kept. */
const withSecrets: ReadonlySet<OperationName> = new Set([
  ...(['auth.createCredential', 'auth.createCredentialCode', 'auth.delegatedLogin'] as const),
  ...(['auth.createServiceAccount', 'auth.createPersonalAccessToken'] as const),
  ...(['auth.createDelegatedRegistrationChallenge', 'auth.restartDelegatedRegistration'] as const),
  ...([
    'auth.createDelegatedRecoveryChallenge',
    'webhooks.createWebhook',
    'keys.deriveKey',
  ] as const),
])

/**
 * Everything that a user action is needed for, secrets excepted. What needs none changes nothing
 * that a repetition would change again.
 */
export function isAnswerKept({
  name,
  operation,
}: {
  readonly name: OperationName
  readonly operation: Pick<Operation, 'userAction'>
}): boolean {
  return operation.userAction && !withSecrets.has(name)
}
