import {
  acknowledgement,
  overridesOf,
  readStatement,
  refusedStatement,
  signedStatementBytesMax,
} from '@quorate/authority/statement'
import { decodeRecord, recordKey } from '@quorate/authority/records'
import type { Reader } from '@quorate/authority/reduce/judging'
import type { RootRecords } from '@quorate/authority/standing'
import { rootOf } from '@quorate/authority/stream'
import { isFailure } from '@quorate/core/failure'
import type { Clock } from './clock.ts'
import type { Self } from './self.ts'
import { newestReader, type Sealed } from './store/reader.ts'
import type { Store } from './store/store.ts'

/** Of one author in one organization: each is read at every vote there. */
const statementsMax = 64

export type Accepted =
  /** `signature`: this signer's, over `acknowledgement` of the statement. */
  | { readonly ok: true; readonly hash: Uint8Array; readonly signature: Uint8Array }
  | { readonly ok: false; readonly reason: string }

/**
 * Takes a statement in, for good: from the next vote and the next last round on, this signer judges
 * as if it stood in the log. It is a refusal and never a yes, so no order and no agreement is needed
 * and the log cannot fork over it.
 */
export function acceptStatement(
  { store, clock }: { readonly store: Store; readonly clock: Clock },
  { manifest, sign }: Pick<Self, 'manifest' | 'sign'>,
  signed: Uint8Array,
): Accepted {
  const read = readOrNothing(signed)
  if (read === undefined) return { ok: false, reason: 'it cannot be read' }
  const { hash, statement } = read
  const { organization, user: author } = statement
  if (!store.statements.has({ organization, hash })) {
    const reader = newestReader(store.log, organization)
    // A clock that has leapt is no reason to let anything go on: it was time at least so long ago.
    const now = clock.read()
    const time = now.ok ? now.time : clock.surely()
    const ahead = withStatements(store, organization, [])
    const restricted = recordsIn(organization, newestReader(store.log, organization, ahead))
    const reason = refusedStatement(recordsIn(organization, reader), read, time, restricted)
    if (reason !== undefined) return { ok: false, reason }
    if (store.statements.count({ organization, author }) >= statementsMax)
      return { ok: false, reason: 'the author has made too many' }
    store.statements.keep({ organization, hash, author, signed })
  }
  return { ok: true, hash, signature: sign(acknowledgement(manifest.hash, hash)) }
}

/** The root stream as the statements that this signer has taken in would leave it. */
export function withStatements(
  { log, statements }: Pick<Store, 'log' | 'statements'>,
  organization: Uint8Array,
  sealed: readonly Sealed[],
): readonly Sealed[] {
  const kept = statements.of(organization)
  if (kept.length === 0) return sealed
  const records = recordsIn(organization, newestReader(log, organization, sealed))
  const overrides = kept.flatMap((signed) => {
    const read = readStatement(signed)
    return read === undefined ? [] : overridesOf(records, read)
  })
  if (overrides.length === 0) return sealed
  const writes = [...sealed.flatMap((one) => one.writes), ...overrides]
  return [{ stream: rootOf(organization), writes }]
}

/** The root records of an organization, typed. */
export function recordsIn(organization: Uint8Array, reader: Reader): RootRecords {
  return {
    find: (table, ...name) => {
      const value = reader.read(rootOf(organization), recordKey(table, ...name))
      return value === undefined ? undefined : decodeRecord(table, value)
    },
  }
}

function readOrNothing(signed: Uint8Array) {
  if (signed.length > signedStatementBytesMax) return undefined
  try {
    return readStatement(signed)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}
