import type { Failure, FailureCode, Failures } from '@quorate/core/failure'

/** What a failure means to an HTTP client. There are no codes on the wire: clients match messages. */
export type Problem = {
  readonly status: number
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}
type Describe<C extends FailureCode> = (context: Failures[C]) => Problem

/**
 * Messages with the vendor's own wording, capitals and full stops included, are those that existing
 * clients compare with. A failure that is not in this table does not compile.
 */
const problems: { readonly [C in FailureCode]: Describe<C> } = {
  'bytes.malformed': ({ expected }) => invalid(`expected ${expected}`),
  'json.malformed': ({ reason }) => invalid(`the body is not valid JSON: ${reason}`),
  'address.malformed': ({ text }) => invalid('the address is not valid on this network', { text }),
  'body.malformed': ({ issues }) => invalid('the request is not valid', { issues }),
  'body.too_large': ({ bytesMax }) => ({
    status: 413,
    message: 'the body is too large',
    details: { bytesMax },
  }),
  'route.not_found': () => missing('route'),
  'token.invalid': () => ({ status: 401, message: 'Not Authorized.' }),
  'identity_token.invalid': () => ({ status: 401, message: 'Not Authorized.' }),
  // What lies behind an address that a customer chose is not told: it would map our network.
  'issuer.unavailable': () => unavailable('the identity provider does not answer as it should'),
  'caller.not_permitted': ({ caller, operation }) =>
    forbidden(`${caller} is not authorized to perform operation (${operation})`),
  'action.missing': () => forbidden('user action signature is missing or invalid'),
  'action.used': () => invalid('user action has already been used'),
  'idempotency_key.malformed': () =>
    invalid('an idempotency key is 1 to 64 visible characters of ASCII'),
  'idempotency_key.reused': () =>
    problem(422, 'another request was made under this idempotency key'),
  'idempotency_key.in_flight': () =>
    conflict('the request under this idempotency key is still being carried out'),
  'idempotency_key.lost': () =>
    conflict(
      'how the request under this idempotency key ended is not known: look for what it made',
    ),
  'idempotency_key.too_many': (context) =>
    problem(429, 'too many idempotency keys within a day', context),
  'challenge.invalid': () => invalid('Challenge token is not valid.'),
  'code.invalid': () => forbidden('Invalid code'),
  'code.expired': () => invalid('Registration code expired'),
  'attempts.exceeded': (context) => problem(429, 'too many attempts', context),
  'user.not_found': () => ({ status: 401, message: 'User not found' }),
  'user.already_exists': () => ({ status: 401, message: 'User already exists.' }),
  'user.deactivated': () => invalid('User account has been deactivated.'),
  'credential.unsuitable': () => ({
    status: 401,
    message: 'User does not have a credential that can be used for the application.',
  }),
  'credential.not_found': (context) => missing('credential', context),
  'application.not_found': (context) => missing('application', context),
  'service_account.not_found': (context) => missing('service account', context),
  'service_account.name_taken': (context) =>
    conflict('a service account with this name already exists', context),
  'personal_token.not_found': (context) => missing('personal access token', context),
  'personal_token.name_taken': (context) =>
    conflict('a personal access token with this name already exists', context),
  'credential.already_exists': () => conflict('this public key is in use already'),
  'permission.not_found': (context) => missing('permission', context),
  'permission.already_assigned': (context) => conflict('permission already assigned', context),
  'permission.name_taken': (context) =>
    conflict('a permission with this name already exists', context),
  'permission.immutable': (context) => invalid('the permission is immutable', context),
  'assignment.not_found': (context) => missing('assignment', context),
  'identity.not_found': (context) => missing('identity', context),
  'recovery.not_found': (context) => missing('recovery', context),
  'recovery_key.unsuitable': () => ({
    status: 401,
    message: 'Credential cannot be used as a recovery factor.',
  }),
  'key.not_found': (context) => missing('key', context),
  'key.unsuitable': ({ reason }) => invalid(`the key is not suitable: ${reason}`),
  'key.already_exists': (context) =>
    problem(409, 'there is a key at this path of the master key', context),
  'key.not_usable': ({ reason }) => forbidden(reason),
  'owner.unsuitable': (context) => invalid('keys are delegated to active end users alone', context),
  'agreement.not_found': (context) => missing('agreement', context),
  'wallet.not_found': (context) => missing('wallet', context),
  'wallet.already_exists': (context) =>
    conflict('the key already has a wallet on this network', context),
  'signature.not_found': (context) => missing('signature', context),
  'transfer.not_found': (context) => missing('transfer', context),
  'transaction.not_found': (context) => missing('transaction', context),
  'transfer.wrong_state': ({ from, event }) =>
    conflict(`a transfer that is ${from} cannot ${event}`, { from, event }),
  'external_id.conflict': ({ kind, id, externalId }) =>
    conflict(`Conflicting ${kind} with same externalId`, { duplicate: { id, externalId } }),
  'policy.held': ({ reason }) => forbidden('Approval required by policy', { reason }),
  'token.permission_held': () =>
    forbidden(
      'A policy wants this permission approved: create without permissionId, and assign it then',
    ),
  'policy.blocked': ({ reason }) => forbidden('Blocked by policy', { reason }),
  'change.pending': (context) => ({
    ...{ status: 409, message: 'A change of this waits for its approval', details: context },
  }),
  'policy.not_found': (context) => missing('policy', context),
  'policy.malformed': ({ reason }) => ({
    status: 400,
    message: 'Invalid policy',
    details: { reason },
  }),
  'approval.not_pending': (context) => ({
    ...{ status: 400, message: 'Approval is not pending', details: context },
  }),
  'approval.decided': (context) => ({
    ...{ status: 409, message: 'User has already decided on this approval', details: context },
  }),
  'approval.not_approver': (context) => forbidden('User may not decide on this approval', context),
  // The vendor names no status for it.
  'quota.exceeded': (context) => problem(402, 'Monthly signatures limit reached', context),
  'approval.not_found': (context) => missing('approval', context),
  'fee_sponsor.not_found': (context) => missing('fee sponsor', context),
  'fee_sponsor.archived': (context) => invalid('the fee sponsor is archived', context),
  'fee_sponsor.unsuitable': ({ reason }) => invalid(reason),
  // As documented: 401, although he is known.
  'fee_sponsor.not_for_end_users': (context) =>
    problem(401, 'the fee sponsor is not for end users', context),
  'webhook.not_found': (context) => missing('webhook', context),
  'webhook_event.not_found': (context) => missing('webhook event', context),
  'webhooks.too_many': (context) => invalid('there are as many webhooks as there may be', context),
  'request.refused': ({ reason }) => forbidden(`the signers refused: ${reason}`, { reason }),
  'request.unsupported': ({ reason }) => invalid(reason),
  'asset.not_found': (context) => invalid('Asset metadata not found', context),
  'funds.insufficient': (context) => invalid('insufficient funds', context),
  'fee.above_ceiling': (context) => invalid('the fee is above the ceiling of the network', context),
  'signers.unavailable': ({ missing: signers }) =>
    unavailable(`signers unavailable: ${signers.join(', ')}`, { missing: signers }),
  'signing.failed': ({ reason }) => unavailable(`signing failed: ${reason}`, { reason }),
  'clock.wrong': ({ clock }) =>
    unavailable(`the clock of this server is ${clock}: ask again later`, { clock }),
  'chain.unavailable': ({ network }) => unavailable(`no node of ${network} answers`, { network }),
  'chain.refused': ({ network, reason }) =>
    invalid(`${network} refused: ${reason}`, { network, reason }),
  'organization.already_exists': () => conflict('the setup token has been used'),
}

export function problemOf<C extends FailureCode>(failure: Failure<C>): Problem {
  return problems[failure.code](failure.context)
}

type Details = Readonly<Record<string, unknown>>

function problem(status: number, message: string, details?: Details): Problem {
  return details === undefined ? { status, message } : { status, message, details }
}

function invalid(message: string, details?: Details): Problem {
  return problem(400, message, details)
}
function forbidden(message: string, details?: Details): Problem {
  return problem(403, message, details)
}
function missing(what: string, details?: Details): Problem {
  return problem(404, `${what} not found`, details)
}
function conflict(message: string, details?: Details): Problem {
  return problem(409, message, details)
}
function unavailable(message: string, details?: Details): Problem {
  return problem(503, message, details)
}
