import type { Reader } from '@quorate/authority/reduce/judging'
import { decodeRecord, nameTable, recordKey, type Table } from '@quorate/authority/records'
import type { RootItem } from '@quorate/authority/operations/operation'
import type { Certificate } from '@quorate/authority/agreement/messages'
import type { Evidence, ItemOperation } from '@quorate/authority/step'
import { rootOf, type StreamId } from '@quorate/authority/stream'
import { isName, type IdKind } from '@quorate/core/id'
import type { ClockState } from '../coordinator/hours.ts'

/** In force since a moment, by the word of these signers. */
export type InForce = {
  readonly time: number
  /** When this server had the whole certificate in its hands, by its own clock. */
  readonly knownAt: number
  /** What the rules made of the request. */
  readonly operation: ItemOperation
  readonly certificate: Certificate
}

/** Everything but the use of a key: that ends in a signature. */
export type SettledKind = RootItem | 'approval' | 'decision'

/** What these rooms need of the coordinator: put something in force, and see what is. */
export type Log = {
  /** @throws Failure `request.refused`, `policy.held`, `policy.blocked`, `signers.unavailable` */
  readonly settle: (ask: {
    readonly organization: Uint8Array
    readonly kind: SettledKind
    readonly evidence: Evidence
    /** The root unless said: approvals and decisions stand with what they are about. */
    readonly stream?: StreamId
  }) => Promise<InForce>
  /** Runs a pure function on the newest records; it may run several times. */
  readonly read: <T>(organization: Uint8Array, judge: (reader: Reader) => T) => Promise<T>
}

/** `read` on what is known here already, for whoever has been read for in this very request. */
export type KnownLog = { readonly readKnown: Log['read'] }

/** Of what was proposed in a stream: see `coordinator/coordinator.ts`. */
export type Concluding = {
  readonly conclude: (organization: Uint8Array, stream: StreamId) => Promise<void>
}

/** What signers say of this server's clock: see `coordinator/hours.ts`. */
export type Timed = { readonly clock: () => Promise<ClockState> }

/** The root records of one organization, typed. */
export type Root = {
  readonly organization: Uint8Array
  readonly find: <T>(table: Table<T>, ...name: readonly (Uint8Array | string)[]) => T | undefined
}

/** @param judge pure, since it may run several times; it may throw failures */
export function readRoot<T>(
  { read }: Pick<Log, 'read'>,
  organization: Uint8Array,
  judge: (root: Root) => T,
): Promise<T> {
  const stream = rootOf(organization)
  return read(organization, (reader) =>
    judge({
      organization,
      find: (table, ...name) => {
        const value = reader.read(stream, recordKey(table, ...name))
        return value === undefined ? undefined : decodeRecord(table, value)
      },
    }),
  )
}

/** The full id behind a name on the wire, if this organization has such a thing. */
export function idNamed(root: Root, kind: IdKind, name: string): Uint8Array | undefined {
  return isName(kind, name) ? root.find(nameTable, name)?.id : undefined
}
