import type { Curve, Scheme } from '@quorate/authority/key-certificate'
import type { ApprovalTables } from '../approvals/tables.ts'
import type { IdentityTables } from '../auth/tables.ts'
import type { FeeSponsorTables } from '../fee-sponsors/tables.ts'
import type { ChainTables } from '../history/tables.ts'
import type { KeptAnswerTables } from '../http/kept-answers.ts'
import type { MailTables } from '../mail/tables.ts'
import type { OidcTables } from '../oidc/tables.ts'
import type { SettingsTables } from '../settings/tables.ts'
import type { OutgoingTables } from '../transfers/tables.ts'
import type { PolicyTables } from '../policies/tables.ts'
import type { RecoveryTables } from '../recovery/tables.ts'
import type { UsageTables } from '../usage/quota.ts'
import type { PeopleTables } from '../users/tables.ts'
import type { WebhookTables } from '../webhooks/tables.ts'

/**
 * The rows of `migrations/`, by hand. A stream is its canonical bytes; times are milliseconds since
 * 1970. The organization leads every key, so that one tenant's rows lie together.
 */
export type Tables = LogTables &
  IdentityTables &
  OutgoingTables &
  ChainTables &
  MailTables &
  OidcTables &
  PeopleTables &
  ApprovalTables &
  PolicyTables &
  FeeSponsorTables &
  SettingsTables &
  RecoveryTables &
  UsageTables &
  WebhookTables &
  KeptAnswerTables

type LogTables = {
  readonly proposals: {
    readonly organization: Uint8Array
    readonly stream: Uint8Array
    readonly seq: number
    readonly ballot: number
    readonly hash: Uint8Array
    readonly body: Uint8Array
    readonly proposed_at: number
  }
  readonly steps: {
    readonly organization: Uint8Array
    readonly stream: Uint8Array
    readonly seq: number
    readonly hash: Uint8Array
    readonly time: number
    readonly body: Uint8Array
    readonly certificate: Uint8Array
  }
  readonly records: {
    readonly organization: Uint8Array
    readonly stream: Uint8Array
    readonly name: string
    readonly seq: number
    readonly value: Uint8Array
  }
  readonly request_places: {
    readonly organization: Uint8Array
    readonly request: Uint8Array
    readonly stream: Uint8Array
    readonly seq: number
    readonly item: number
  }
  readonly key_certificates: {
    readonly organization: Uint8Array
    readonly key: Uint8Array
    readonly request: Uint8Array
    readonly statement_hash: Uint8Array
    readonly certificate: Uint8Array
  }
  readonly signatures: {
    readonly organization: Uint8Array
    readonly request: Uint8Array
    readonly digest: number
    readonly signature: Uint8Array
    readonly recovery: number | null
  }
  readonly pooled_keys: {
    readonly statement_hash: Uint8Array
    readonly organization: Uint8Array
    readonly scheme: Scheme
    readonly curve: Curve
    readonly bind_before: number
    readonly certificate: Uint8Array
  }
  readonly pooled_kinds: {
    readonly organization: Uint8Array
    readonly scheme: Scheme
    readonly curve: Curve
    readonly wanted_at: number
  }
  readonly signer_pairs: {
    readonly organization: Uint8Array
    readonly low: number
    readonly high: number
  }
  readonly burned_pairs: {
    readonly organization: Uint8Array
    readonly low: number
    readonly high: number
    readonly said_at: number
  }
  readonly accusations: {
    readonly accuser: number
    readonly accused: number
    readonly reason: string
    readonly last_at: number
  }
  readonly stream_leases: {
    readonly organization: Uint8Array
    readonly stream: Uint8Array
    readonly holder: string
    readonly until: number
  }
}
