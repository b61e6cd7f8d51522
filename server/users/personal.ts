import type { Tables } from '../database/tables.ts'

/**
 * What an erasure finds in each table. A new table does not compile until somebody has thought of
 * it; `erase-rows.ts` does what is said here.
 */
export const personal: { readonly [Name in keyof Tables]: Found } = {
  steps: erasedIn('the bodies lose personal members, and the salts that would prove a guess'),
  proposals: erasedIn('as steps do: what was proposed and never came into force'),
  users: erasedIn('name and external id go; what he called a service account as well'),
  usernames: erasedIn('deleted; claims that lapsed too, whosever they were'),
  names: erasedIn('deleted where he bears one, or has given one'),
  credentials: erasedIn('the name and what a client has sealed go; public key and handle stay'),
  tokens: erasedIn('name and external id go'),
  keys: erasedIn('the name goes if he gave it, or the key is his'),
  wallets: erasedIn('name and external id, as of a key'),
  challenges: erasedIn('deleted: his own, those about him, and all that have expired'),
  newcomer_challenges: erasedIn('deleted'),
  one_time_codes: erasedIn('deleted'),
  sessions: erasedIn('deleted: when he was here is nobody’s business any more'),
  local_credentials: erasedIn('deleted: a name, the hash of a password, a sealed secret'),
  mails: erasedIn('what still waits for him is deleted; what was sent has no address any more'),
  external_ids: erasedIn('those of his requests are deleted; signers know them by keyed hashes'),
  outbox: erasedIn('events lose names and external ids of what he made or named'),
  signature_requests: erasedIn('external id and personal members of the evidence go'),
  outgoing: erasedIn('external id and personal members of the evidence go'),
  approval_decisions: erasedIn('why he decided so goes'),
  kept_answers: erasedIn(
    'answers go, and what they answered; their keys stay for the day, and refuse. The others have one within it or go',
  ),
  attempts: erasedIn('hashes of names that were tried: gone a quarter of an hour later'),

  records: nothing('what rules read is never personal: ids, keys, rights'),
  request_places: nothing('hashes and places'),
  key_certificates: nothing('what signers say of a key'),
  pooled_keys: nothing('what signers say of keys that are nobody’s'),
  pooled_kinds: nothing('which kinds of keys an organization uses'),
  root_applied: nothing('a number'),
  erasures_due: nothing('who is erased at the moment'),
  organizations: nothing('the name of a company'),
  organization_origins: nothing('pages of a company'),
  permissions: nothing('ids and times'),
  assignments: nothing('ids'),
  recoveries: nothing('ids and times'),
  policies: nothing('ids and times'),
  fee_sponsors: nothing('what a company calls its own wallet'),
  approvals: nothing('ids, times, and what policies say of them'),
  settings_proposals: nothing('settings of a company'),
  agreement_acceptances: nothing('ids'),
  signatures: nothing('signatures'),
  signer_pairs: nothing('numbers'),
  burned_pairs: nothing('numbers'),
  accusations: nothing('numbers'),
  stream_leases: nothing('which server is at work'),
  webhooks: nothing('where a company wants to be told of events'),
  webhook_changes: nothing('the same, as it was signed'),
  deliveries: nothing('ids and times; what there is to tell is in the outbox'),
  logins: nothing('hashes of challenges'),
  issuer_secrets: nothing('what providers know this server by'),
  oidc_states: nothing('hashes of answers'),
  slot_queues: nothing('addresses of wallets'),
  signature_usage: nothing('a number of a month'),
  slots: nothing('addresses of wallets'),
  chain_heads: nothing('of a chain'),
  block_headers: nothing('of a chain'),
  history: nothing('what anybody can read on the chain'),
  token_words: nothing('what a contract says to anybody'),
  wallet_tokens: nothing('what anybody can read on the chain'),
  listed_assets: nothing('what the operator says of tokens'),
  unanswered_tokens: nothing('when to ask a contract again'),
  balances: nothing('what anybody can read on the chain'),
  balance_totals: nothing('sums of the same'),
}

type Found = { readonly is: 'erased' | 'nothing'; readonly why: string }

function erasedIn(why: string): Found {
  return { is: 'erased', why }
}

function nothing(why: string): Found {
  return { is: 'nothing', why }
}
