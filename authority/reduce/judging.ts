import type { Json } from '@quorate/core/json'
import type { Outflow, Spending } from '@quorate/core/outflow'
import type { ChildPath } from '../child-path.ts'
import type { Manifest } from '../manifest.ts'
import type { OperationName } from '../operations.ts'
import type { Preimage } from '../request.ts'
import { decodeRecord, recordKey, type Table, type Write } from '../records.ts'
import { rootOf, type StreamId } from '../stream.ts'
import type { RootRecords } from '../standing.ts'
import type { Evidence, Item, Step } from '../step.ts'
import type { Curve, Scheme } from '../key-certificate.ts'

/** Records as of some heads. The reducer sees the world through this and nothing else. */
export interface Reader {
  read(stream: StreamId, key: string): Uint8Array | undefined
}

/** What the reducer needs of the rooms that it may not import; `judge/` has the one body. */
export type Rules = {
  readonly manifest: Manifest
  readonly networkOf: (id: string) => NetworkTraits | undefined
  readonly plan: (ask: PlanAsk) => Plan
  /** The same request, as the key signs it that pays the fees. */
  readonly planSponsorship: (ask: SponsorshipAsk) => Plan
  /** BIP 32 without secrets. Empty where there is no key, with a chance of less than 2^-127. */
  readonly childOf: (parent: ParentKey, path: ChildPath) => Uint8Array | undefined
  readonly policies: PolicyRules
}
/** What policies say is the business of their own room; who has approved is the rules'. */
export type PolicyRules = {
  /** @returns the canonical form of what was signed, or why it is no policy */
  readonly read: (
    body: Json,
  ) =>
    | { readonly ok: true; readonly definition: Uint8Array }
    | { readonly ok: false; readonly reason: string }
  readonly view: (definition: Uint8Array) => PolicyView
  readonly evaluate: (ask: PolicyAsk) => PolicyVerdict
  /** What leaves, in millionths of a dollar, if these facts say what it is worth. */
  readonly worth: (outflow: Outflow, facts: Uint8Array, time: number) => bigint | undefined
}
/** What the rules need to know of a policy. Names are those of the wire. */
export type PolicyView = {
  readonly kind: string
  readonly groups: readonly ApprovalGroup[]
  /** Minutes until nobody decides any more. */
  readonly autoRejectTimeout: number | undefined
  /** Things that it is about. */
  readonly ids: readonly string[]
}
export type ApprovalGroup = {
  readonly quorum: number
  /** Absent: anybody of the organization. */
  readonly approvers: readonly string[] | undefined
  readonly initiatorCanApprove: boolean
  readonly serviceAccountsCanApprove: boolean
}
export type PolicyAsk = {
  readonly policies: readonly { readonly id: string; readonly definition: Uint8Array }[]
  readonly activity: Activity
  /** Those on which the use rests: what somebody says of prices and recipients is among them. */
  readonly facts: Uint8Array
  readonly spending: Spending
  readonly time: number
}
export type Activity =
  | {
      readonly kind: 'Wallets:Sign'
      readonly wallets: readonly { readonly id: string; readonly tags: readonly string[] }[]
      readonly outflow: Outflow
      /** Counted already: a renewal signs once more what was agreed, a replacement lets nothing leave twice. */
      readonly isCounted: boolean
      /** Of a replacement: what it may cost more than was counted. */
      readonly excess: Outflow['fee']
    }
  | {
      readonly kind:
        | 'Permissions:Modify'
        | 'Permissions:Assign'
        | 'Policies:Modify'
        | 'Policies:Create'
      /** The permission or policy; empty for what does not exist yet. */
      readonly id: string
    }
export type PolicyVerdict = {
  readonly verdict: 'allow' | 'hold' | 'deny'
  /** Those that want an approval, by the name on the wire. */
  readonly heldBy: readonly string[]
  /** In words; empty when nothing stands in the way. */
  readonly reason: string
  /** Of each policy that looked at it. */
  readonly evaluations: readonly PolicyEvaluation[]
}
export type PolicyEvaluation = {
  readonly policyId: string
  readonly triggered: boolean
  readonly reason: string
}
export type ParentKey = { readonly publicKey: Uint8Array; readonly chainCode: Uint8Array }
export type NetworkTraits = {
  readonly scheme: Scheme
  readonly curve: Curve
  readonly separated: boolean
  readonly rawAllowed: boolean
  /** Nothing new begins there, and what exists stays usable. */
  readonly isRetired: boolean
  /** Can one wallet pay the fees of what another one does? */
  readonly hasSponsors: boolean
}
export type PlanAsk = {
  readonly operation: OperationName
  readonly payload: string
  /** Of the wallet; empty when a key signs on its own. */
  readonly network: string
  readonly scheme: Scheme
  readonly curve: Curve
  /** Of a Schnorr key: does it sign as itself? */
  readonly untweaked: boolean
  readonly publicKey: Uint8Array
  readonly rawAllowed: boolean
  readonly maxFee: bigint | undefined
  readonly facts: Uint8Array
  /** Who pays the fees, if that is somebody else. */
  readonly sponsored?: Sponsored | undefined
}
export type Sponsored = {
  /** SHA-256 of the pre-image: what bears it, an account does once. */
  readonly request: Uint8Array
  /** As it was signed: milliseconds since 1970. */
  readonly executeBefore: number
  /** Public key of the wallet that pays. */
  readonly sponsor: Uint8Array
}
export type SponsorshipAsk = Pick<
  PlanAsk,
  'operation' | 'payload' | 'network' | 'maxFee' | 'facts'
> & {
  /** Of the wallet whose fees are paid. */
  readonly publicKey: Uint8Array
  readonly sponsored: Sponsored
  /** Nothing is to be paid for any more: what is signed only takes the slot. */
  readonly fills: boolean
}
/** What these bytes would do, rebuilt from payload and facts; or why they may not be signed. */
export type Plan =
  | {
      readonly ok: true
      readonly network: string
      readonly slot: bigint | undefined
      /** Did the signed payload itself name the slot? Then it may take one that is taken. */
      readonly slotNamed: boolean
      readonly fee: bigint
      readonly digests: readonly Uint8Array[]
      /** What the signers sign, one for each digest. */
      readonly messages: readonly Uint8Array[]
      readonly outflow: Outflow
      /** Of what can only take the place of another: the request whose effect it has, if it has any. */
      readonly replaces?: { readonly effect: Uint8Array | undefined }
    }
  | { readonly ok: false; readonly reason: string }

export type SignablePlan = Extract<Plan, { ok: true }>

/** One item under judgement. */
export type Judging = {
  readonly step: Step
  readonly item: Omit<Item, 'operation'>
  /** A renewal is judged as its request's first use was, but for the deadline. */
  readonly isRenewal: boolean
  /** The standing rule by which another key acts around a request; most often there is none. */
  readonly rule: Uint8Array | undefined
  /** Of what acts by a rule: how many of its own it has outbid. */
  readonly bid: number
  readonly evidence: Evidence
  readonly preimage: Preimage
  /** What names whatever the item creates: the hash of its request, or of what completed it. */
  readonly request: Uint8Array
  /** SHA-256 of the pre-image: a challenge is used once. */
  readonly challenge: Uint8Array
  readonly reader: Reader
  readonly rules: Rules
}

/** Never leaves this folder: `reduceStep` makes an outcome of it. */
export class Refused extends Error {}

export function refuse(reason: string): never {
  throw new Refused(reason)
}

export function find<T>(
  { reader, step }: Pick<Judging, 'reader' | 'step'>,
  table: Table<T>,
  ...name: readonly (Uint8Array | string)[]
): T | undefined {
  const value = reader.read(rootOf(step.organization), recordKey(table, ...name))
  return value === undefined ? undefined : decodeRecord(table, value)
}

/** The organization's records as this judgement sees them. */
export function recordsOf(judging: Pick<Judging, 'reader' | 'step'>): RootRecords {
  return { find: (table, ...name) => find(judging, table, ...name) }
}

export type { Write }
