/**
 * Every failure a caller is meant to handle, with what it takes to handle it.
 * Codes are never renamed and never reused. What each means over HTTP is in `api/problems.ts`.
 */
export type Failures = {
  'bytes.malformed': { readonly expected: string }
  'json.malformed': { readonly reason: string }
  'address.malformed': { readonly text: string }
  'body.malformed': {
    readonly issues: readonly { readonly path: string; readonly message: string }[]
  }
  'body.too_large': { readonly bytesMax: number }
  'route.not_found': { readonly method: string; readonly path: string }
  'token.invalid': Readonly<Record<string, never>>
  /** Whatever is wrong with it: its bearer is told no more. */
  'identity_token.invalid': Readonly<Record<string, never>>
  /** The reason is for the log of whoever set the issuer up. */
  'issuer.unavailable': { readonly issuer: string; readonly reason: string }
  'caller.not_permitted': { readonly caller: string; readonly operation: string }
  'action.missing': Readonly<Record<string, never>>
  'action.used': Readonly<Record<string, never>>
  'idempotency_key.malformed': Readonly<Record<string, never>>
  /** Another request came under this key before. */
  'idempotency_key.reused': Readonly<Record<string, never>>
  'idempotency_key.in_flight': Readonly<Record<string, never>>
  /** The first request was begun, and nobody knows how it ended: so it is not begun again. */
  'idempotency_key.lost': Readonly<Record<string, never>>
  'idempotency_key.too_many': { readonly max: number }
  'challenge.invalid': Readonly<Record<string, never>>
  'code.invalid': Readonly<Record<string, never>>
  'code.expired': Readonly<Record<string, never>>
  'attempts.exceeded': { readonly retryAfterSeconds: number }
  'user.not_found': Readonly<Record<string, never>>
  'user.already_exists': Readonly<Record<string, never>>
  'user.deactivated': Readonly<Record<string, never>>
  'credential.unsuitable': Readonly<Record<string, never>>
  'credential.not_found': { readonly credentialUuid: string }
  'application.not_found': { readonly appId: string }
  'service_account.not_found': { readonly serviceAccountId: string }
  'service_account.name_taken': { readonly name: string }
  'personal_token.not_found': { readonly tokenId: string }
  'personal_token.name_taken': { readonly name: string }
  'credential.already_exists': Readonly<Record<string, never>>
  'permission.not_found': { readonly permissionId: string }
  'permission.already_assigned': { readonly permissionId: string; readonly identityId: string }
  'permission.name_taken': { readonly name: string }
  'permission.immutable': { readonly permissionId: string }
  'assignment.not_found': { readonly assignmentId: string }
  'identity.not_found': { readonly identityId: string }
  'recovery.not_found': { readonly recoveryId: string }
  'recovery_key.unsuitable': Readonly<Record<string, never>>
  'key.not_found': { readonly keyId: string }
  'key.unsuitable': { readonly reason: string }
  'key.already_exists': { readonly keyId: string; readonly path: string }
  /** The caller sees the key, and may not use it. */
  'key.not_usable': { readonly reason: string }
  'owner.unsuitable': { readonly userId: string }
  'agreement.not_found': { readonly agreementId: string }
  'wallet.not_found': { readonly walletId: string; readonly orgId?: string }
  'wallet.already_exists': { readonly keyId: string; readonly network: string }
  'signature.not_found': { readonly signatureId: string }
  'transfer.not_found': { readonly transferId: string }
  'transaction.not_found': { readonly transactionId: string }
  'transfer.wrong_state': { readonly from: string; readonly event: string }
  'external_id.conflict': {
    readonly kind: string
    readonly id: string
    readonly externalId: string
  }
  'request.refused': { readonly reason: string }
  /** A policy of the organization wants it approved first. */
  'policy.held': { readonly reason: string }
  /** What comes with a permission would wait, and the token in it could be shown to nobody. */
  'token.permission_held': Readonly<Record<string, never>>
  'policy.blocked': { readonly reason: string }
  /** Another change of the same thing is open. */
  'change.pending': { readonly approvalId: string }
  'policy.not_found': { readonly policyId: string }
  'policy.malformed': { readonly reason: string }
  'approval.not_pending': { readonly approvalId: string }
  'approval.decided': { readonly approvalId: string }
  'approval.not_approver': { readonly approvalId: string }
  'quota.exceeded': { readonly limit: number; readonly month: string }
  'approval.not_found': { readonly approvalId: string }
  'fee_sponsor.not_found': { readonly feeSponsorId: string }
  'fee_sponsor.archived': { readonly feeSponsorId: string }
  /** Of a wallet that cannot pay for others, or not again. */
  'fee_sponsor.unsuitable': { readonly reason: string }
  'fee_sponsor.not_for_end_users': { readonly feeSponsorId: string }
  'webhook.not_found': { readonly webhookId: string }
  'webhook_event.not_found': { readonly webhookEventId: string }
  'webhooks.too_many': { readonly max: number }
  'request.unsupported': { readonly reason: string }
  /** No asset of this kind is at this address, as far as the network's node can tell. */
  'asset.not_found': { readonly network: string; readonly kind: string; readonly contract: string }
  'funds.insufficient': { readonly needed: string; readonly available: string }
  'fee.above_ceiling': { readonly network: string; readonly fee: string; readonly ceiling: string }
  'signers.unavailable': { readonly missing: readonly string[] }
  'signing.failed': { readonly reason: string }
  /** More signers than can be corrupt say that this server's clock is off. */
  'clock.wrong': { readonly clock: 'ahead' | 'behind' }
  'chain.unavailable': { readonly network: string }
  /** `code` is the node's own (JSON-RPC 2.0, section 5.1), where it has given one. */
  'chain.refused': { readonly network: string; readonly reason: string; readonly code?: number }
  'organization.already_exists': Readonly<Record<string, never>>
}

export type FailureCode = keyof Failures

export class Failure<C extends FailureCode = FailureCode> extends Error {
  override readonly name = 'Failure'
  readonly code: C
  readonly context: Failures[C]

  constructor(code: C, context: Failures[C], options?: ErrorOptions) {
    super(code, options)
    this.code = code
    this.context = context
  }
}

/** Narrows a caught value, and with `code` its context too. */
export function isFailure<C extends FailureCode>(error: unknown, code?: C): error is Failure<C> {
  return error instanceof Failure && (code === undefined || error.code === code)
}
