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
  /** BIP 32 without secrets. Empty where there is no key, with a chance of less than 2^-127. */
  readonly childOf: (parent: ParentKey, path: ChildPath) => Uint8Array | undefined
}
export type ParentKey = { readonly publicKey: Uint8Array; readonly chainCode: Uint8Array }
export type NetworkTraits = {
  readonly scheme: Scheme
  readonly curve: Curve
  readonly separated: boolean
  readonly rawAllowed: boolean
}
export type PlanAsk = {
  readonly operation: OperationName
  readonly payload: string
  /** Of the wallet; empty when a key signs on its own. */
  readonly network: string
  readonly scheme: Scheme
  readonly curve: Curve
  readonly publicKey: Uint8Array
  readonly rawAllowed: boolean
  readonly maxFee: bigint | undefined
  readonly facts: Uint8Array
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
    }
  | { readonly ok: false; readonly reason: string }

/** One item under judgement. */
export type Judging = {
  readonly step: Step
  readonly item: Omit<Item, 'operation'>
  /** A renewal is judged as its request's first use was, but for the deadline. */
  readonly isRenewal: boolean
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
