import type { Tables } from '../database/tables.ts'

/** What a rebuild does with a table. */
export type Origin =
  /** `own`: the columns of it that no step says. `where`: the rows of it that follow from steps. */
  | { readonly is: 'derived'; readonly own: readonly string[]; readonly where: string }
  | { readonly is: 'log' }
  /** Secrets, mail, money under way, the chain: nobody could work it out again. */
  | { readonly is: 'kept' }

const derived: Origin = { is: 'derived', own: [], where: 'true' }
/** A claim that has not lapsed and is not in force yet is nobody's word but the server's. */
const claims: Origin = { ...derived, where: 'lapses_at is null' }
const log: Origin = { is: 'log' }
const kept: Origin = { is: 'kept' }

/** Every table, and whether `rowsOf` and the ledger make it of certified steps alone. */
export const origins: { readonly [Name in keyof Tables]: Origin } = {
  steps: log,
  records: derived,
  request_places: derived,
  // A key's certificate comes before the step that names it, which may never come.
  key_certificates: {
    ...derived,
    where: '(organization, key) in (select organization, id from keys)',
  },
  root_applied: { ...derived, where: 'seq >= 0' },
  organizations: derived,
  users: derived,
  usernames: claims,
  names: claims,
  credentials: derived,
  tokens: derived,
  permissions: derived,
  assignments: derived,
  keys: derived,
  wallets: derived,
  // The mail that is taken back if it is cancelled.
  recoveries: { ...derived, own: ['last_mail'] },
  settings_proposals: derived,
  organization_origins: derived,
  agreement_acceptances: derived,
  // What is left to do, and what has been done.
  approvals: {
    ...derived,
    own: [
      ...[
        'explained',
        'approvers',
        'announced_at',
        'told_at',
        'due_at',
        'lease_holder',
        'lease_until',
      ],
      ...['attempts', 'outcome', 'outcome_reason', 'finished_at'],
    ],
  },
  approval_decisions: derived,
  policies: derived,
  fee_sponsors: derived,
  proposals: kept,
  signatures: kept,
  signer_pairs: kept,
  burned_pairs: kept,
  accusations: kept,
  pooled_keys: kept,
  pooled_kinds: kept,
  stream_leases: kept,
  challenges: kept,
  logins: kept,
  sessions: kept,
  local_credentials: kept,
  issuer_secrets: kept,
  oidc_states: kept,
  one_time_codes: kept,
  attempts: kept,
  kept_answers: kept,
  newcomer_challenges: kept,
  external_ids: kept,
  outbox: kept,
  webhooks: kept,
  webhook_changes: kept,
  deliveries: kept,
  mails: kept,
  erasures_due: kept,
  signature_requests: kept,
  outgoing: kept,
  slot_queues: kept,
  slots: kept,
  signature_usage: kept,
  chain_heads: kept,
  block_headers: kept,
  history: kept,
  token_words: kept,
  wallet_tokens: kept,
  listed_assets: kept,
  unanswered_tokens: kept,
  balances: kept,
  balance_totals: kept,
}
