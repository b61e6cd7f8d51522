import { decodeBody } from '@quorate/authority/body'
import { eraseIn } from '@quorate/authority/erasure'
import { decodeRecord, erasureTable, recordKey, type Write } from '@quorate/authority/records'
import type { RootRecords } from '@quorate/authority/standing'
import { rootOf, streamCodec } from '@quorate/authority/stream'
import { encode } from '@quorate/core/codec'
import type { Database, DatabaseTransaction } from '../database/database.ts'

/** From a wallet to its key, to the owner, to his erasure; and once more with all of them at hand. */
const roundsMax = 4

/** The newest root records, as far as somebody has asked for them. */
export class KnownRecords {
  private readonly database: Database | DatabaseTransaction
  private readonly organization: Uint8Array
  private readonly values: Map<string, Uint8Array | undefined>

  /** @param writes of a step that comes after all that is in the database */
  constructor(
    database: Database | DatabaseTransaction,
    organization: Uint8Array,
    writes: readonly Write[] = [],
  ) {
    this.database = database
    this.organization = organization
    this.values = new Map(writes.map(({ key, value }) => [key, value]))
  }

  /** @param judge pure: it runs again whenever it has asked for what was not at hand */
  async read<T>(judge: (records: RootRecords) => T): Promise<T> {
    for (let round = 1; round <= roundsMax; round++) {
      const missing = new Set<string>()
      const result = judge({
        find: (table, ...name) => {
          const key = recordKey(table, ...name)
          if (!this.values.has(key)) missing.add(key)
          const value = this.values.get(key)
          return value && decodeRecord(table, value)
        },
      })
      if (missing.size === 0) return result
      await this.load([...missing])
    }
    throw new TypeError('whoever judges asks for something else each time')
  }

  private async load(names: readonly string[]): Promise<void> {
    for (const name of names) this.values.set(name, undefined)
    const rows = await this.database
      .selectFrom('records')
      .select(['name', 'value'])
      .where('organization', '=', this.organization)
      .where('stream', '=', encode(streamCodec, rootOf(this.organization)))
      .where('name', 'in', names)
      .orderBy('seq')
      .execute()
    for (const { name, value } of rows) this.values.set(name, value)
  }
}

/**
 * Names of the records that would say that somebody whom a body is about has been erased: as long as
 * there is none of them, all of it is kept.
 *
 * @param writes what its step has written into the root stream
 */
export async function erasuresOf(
  database: Database,
  organization: Uint8Array,
  { bytes, writes }: { readonly bytes: Uint8Array; readonly writes: readonly Write[] },
): Promise<readonly string[]> {
  const body = decodeBody(bytes)
  const names = new Set<string>()
  await new KnownRecords(database, organization, writes).read(({ find }) =>
    eraseIn(body, {
      find: (table, ...name) => {
        if (table.prefix !== erasureTable.prefix) return find(table, ...name)
        names.add(recordKey(table, ...name))
        return undefined
      },
    }),
  )
  return [...names]
}

/** What is kept of a body: replicas and earlier lives may come with what has been erased since. */
export async function withoutErased(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
  bytes: Uint8Array,
): Promise<Uint8Array> {
  const body = decodeBody(bytes)
  const known = new KnownRecords(transaction, organization)
  return (await known.read((records) => eraseIn(body, records))) ?? bytes
}
