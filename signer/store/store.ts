import type { VoterState } from '@quorate/authority/agreement/voter'
import type { Write } from '@quorate/authority/records'
import type { StreamId } from '@quorate/authority/stream'

/**
 * All that a signer must remember. Whatever an answer rests on is in here, and on the disk, before
 * the answer leaves: `commit` is the only way to write, and comes back when it is durable.
 */
export interface Store {
  readonly log: LogTable
  readonly shares: ShareTable
  readonly pairs: PairTable
  readonly peers: PeerTable
  readonly memory: MemoryTable
  readonly statements: StatementTable
  readonly recoveries: RecoveryTable
  readonly breaks: BreakTable
  readonly sweeps: SweepTable
  /** Of transactions that have written: never the same twice, so that a restored store shows. */
  readonly sequence: number
  /** All of it is durable, or none of it has happened. */
  commit<T>(work: () => T): T
  /** Within a commit: what it does is undone if it throws, and what was done before it stays. */
  part<T>(work: () => T): T
  /**
   * Writes the file anew, of what is in force alone, and empties the write-ahead log: of what was
   * replaced or deleted nothing is left in either. Not within a commit. It takes as long as a copy.
   */
  compact(): void
  isOpen(): boolean
  close(): void
}

export type Place = { readonly organization: Uint8Array; readonly stream: StreamId }

/** A certified step. */
export type StoredStep = {
  readonly hash: Uint8Array
  readonly time: number
  readonly body: Uint8Array
  readonly certificate: Uint8Array
}

export interface LogTable {
  voter(place: Place): VoterState
  putVoter(place: Place, state: VoterState): void
  stepAt(place: Place, seq: number): StoredStep | undefined
  /** Without the body, which may be large. */
  headAt(place: Place, seq: number): Pick<StoredStep, 'hash' | 'time'> | undefined
  /** Of the certified steps; -1 when there is none. */
  newestSeq(place: Place): number
  addStep(place: Place, seq: number, step: StoredStep, writes: readonly Write[]): void
  /** The value that the newest step up to `seqMax` gave this record. */
  recordAt(place: Place, key: string, seqMax: number): Uint8Array | undefined
}

export type ShareName = { readonly key: Uint8Array; readonly statement: Uint8Array }
export type Owned = { readonly organization: Uint8Array }
export type PendingShare = ShareName &
  Owned & {
    /** Whose registration makes the key; of nobody when its author has signed for it. */
    readonly newcomer: Uint8Array | undefined
    /** After this, no step can name the key any more. */
    readonly signBefore: number
    readonly sealed: Uint8Array
  }

export type PooledShare = Pick<PendingShare, 'statement' | 'organization' | 'sealed'> & {
  /** After this, no step can bind the key any more. */
  readonly bindBefore: number
}

export interface ShareTable {
  addPending(share: PendingShare): void
  addPooled(share: PooledShare): void
  /** Of an organization, or of all, those in the pool that are not yet `expired`. */
  countPooled(of: { readonly organization?: Uint8Array; readonly expired: number }): number
  /** @returns how many were begun in this hour, this one among them */
  countBirth(of: Owned & { readonly hour: number }): number
  pooled(statement: Uint8Array): Uint8Array | undefined
  /** Takes it out of the pool: from now on it is pending under this key's name. */
  bind(name: ShareName, sealed: Uint8Array): void
  /** Of a key: all of them, however old. */
  countPending(key: Uint8Array): number
  /** Of an organization, or of all, those that a request which is not yet `expired` may still name. */
  countLive(of: { readonly organization?: Uint8Array; readonly expired: number }): number
  /** The same of what one newcomer's registrations would make, by whatever challenge. */
  countOfNewcomer(of: { readonly newcomer: Uint8Array; readonly expired: number }): number
  /** Of a key in force alone. */
  active(name: ShareName): Uint8Array | undefined
  /** Puts this one in force and deletes what else was pending for the key. */
  activate(name: ShareName): void
  /** Those in the pool too. */
  pendingBefore(organization: Uint8Array, time: number): readonly ShareName[]
  /** The oldest first, of whatever organization, those in the pool too. */
  oldestPending(before: number, max: number): readonly (ShareName & Owned)[]
  deletePending(name: ShareName): void
}

export type PairName = { readonly organization: Uint8Array; readonly peer: number }
export type StoredPair = {
  readonly epoch: Uint8Array
  readonly status: 'usable' | 'burned'
  /** When its setup began. */
  readonly born: number
  /** How often a word of the peer was tested against its secrets. */
  readonly tests: number
  readonly sealed: Uint8Array
}

export interface PairTable {
  find(name: PairName): StoredPair | undefined
  /** In the place of the present one, if that is not burned. */
  put(name: PairName, pair: Omit<StoredPair, 'status' | 'tests'>): void
  /**
   * Before every test, whatever comes of it: a store that cannot write then ends this life after a
   * won guess as well as after a lost one, and says nothing by it.
   */
  countTest(name: PairName): void
  /** @returns how many setups there were in this hour, this one among them */
  countSetup(name: PairName, hour: number): number
  /** No signer makes it usable again. Also where there is no pair yet. */
  burn(name: PairName): void
  burned(): readonly PairName[]
  /** At an operator's wish: there is no pair then. @returns false when it is not burned */
  release(name: PairName): boolean
}

export type Strike = { readonly peer: number; readonly reason: string; readonly at: number }
export type Strikes = Omit<Strike, 'at'> & { readonly count: number; readonly last: number }

/** What this signer holds against others, for all organizations. */
export interface PeerTable {
  /** @param evidence what the peer has signed, the last time */
  strike(strike: Strike & { readonly evidence: Uint8Array }): void
  strikes(): readonly Strikes[]
  ban(peer: number): void
  unban(peer: number): boolean
  banned(): readonly number[]
}

/** `evidence` is the request that showed it. */
export type Stop = {
  readonly organization: Uint8Array
  readonly detail: string
  readonly evidence: Uint8Array
}

export interface MemoryTable {
  /** @returns false when this id has been used: then nothing may be sent under it */
  useSession(id: Uint8Array, expires: number): boolean
  forgetSessions(before: number): void
  externalId(tag: Uint8Array): Uint8Array | undefined
  keepExternalId(tag: Uint8Array, request: Uint8Array): void
  /** Why this organization stands still, if it does. */
  stopped(organization: Uint8Array): string | undefined
  stops(): readonly Stop[]
  stop(organization: Uint8Array, detail: string, evidence: Uint8Array): void
  liftStop(organization: Uint8Array): void
  number(name: NumberName): number
  setNumber(name: NumberName, value: number): void
  bytes(name: BytesName): Uint8Array | undefined
  setBytes(name: BytesName, value: Uint8Array): void
}

export type StoredStatement = {
  readonly organization: Uint8Array
  readonly hash: Uint8Array
  readonly author: Uint8Array
  readonly signed: Uint8Array
}

/** Grows and never shrinks: what was taken away once is taken away here for good. */
export interface StatementTable {
  has(named: Pick<StoredStatement, 'organization' | 'hash'>): boolean
  keep(statement: StoredStatement): void
  of(organization: Uint8Array): readonly Uint8Array[]
  count(by: Pick<StoredStatement, 'organization' | 'author'>): number
}

export type StoredRecovery = {
  readonly organization: Uint8Array
  readonly id: Uint8Array
  readonly user: Uint8Array
  /** Of the credentials that it brings. */
  readonly generation: number
  readonly waitMs: number
  /** By the clock of this signer; nothing while that cannot be read. */
  readonly seen: number | undefined
}

/** When this signer itself first heard of a recovery that somebody must wait for. */
export interface RecoveryTable {
  /** The first word of it stays. */
  keep(recovery: StoredRecovery): void
  of(whose: Pick<StoredRecovery, 'organization' | 'user'>): readonly StoredRecovery[]
  see(named: Pick<StoredRecovery, 'organization' | 'id'>, seen: number): void
  forget(named: Pick<StoredRecovery, 'organization' | 'id'>): void
}

export type StoredBreak = {
  readonly organization: Uint8Array
  readonly policy: Uint8Array
  readonly waitMs: number
  /** By the clock of this signer; nothing while that cannot be read. */
  readonly seen: number | undefined
}

/** When this signer itself first heard that a policy is to end without its approvers. */
export interface BreakTable {
  /** The first word of it stays. */
  keep(one: StoredBreak): void
  of(organization: Uint8Array): readonly StoredBreak[]
  see(named: Pick<StoredBreak, 'organization' | 'policy'>, seen: number): void
  forget(named: Pick<StoredBreak, 'organization' | 'policy'>): void
}

/** How far an organization's bodies have been gone through since its last erasure. */
export type Sweep = {
  readonly organization: Uint8Array
  /** The last that was looked at. */
  readonly step: { readonly stream: string; readonly seq: number }
  readonly voter: string
  /** All of them; only the file itself is still to be compacted. */
  readonly isDone: boolean
}

/** Bodies in the order of their streams, whose names are those of `streamName`. */
export interface SweepTable {
  /** From the first body on, also where one is under way. */
  begin(organization: Uint8Array): void
  /** One that is not done, as long as there is any. */
  next(): Sweep | undefined
  advance(sweep: Sweep): void
  /** Forgets those that are done. */
  end(): void
  stepsAfter(
    sweep: Sweep,
    limit: number,
  ): readonly { readonly stream: string; readonly seq: number; readonly body: Uint8Array }[]
  replaceBody(
    organization: Uint8Array,
    to: { readonly stream: string; readonly seq: number; readonly body: Uint8Array },
  ): void
  votersAfter(
    sweep: Sweep,
    limit: number,
  ): readonly { readonly stream: string; readonly state: Uint8Array }[]
  replaceVoter(
    organization: Uint8Array,
    to: { readonly stream: string; readonly state: Uint8Array },
  ): void
}

/** `clock`: how late it surely is. `restored`: 1 once this store was found to be an old one. */
export type NumberName = 'clock' | 'restored'
/** `owner`: the identity key of the signer whose store it is. */
export type BytesName = 'owner' | 'external-id-key'
