import { equalBytes } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { decodeRecord, recordKey, requestTable, slotTable } from '@quorate/authority/records'
import { keyStream, streamCodec } from '@quorate/authority/stream'
import type { Database, DatabaseTransaction } from '../database/database.ts'

/** Where slots are counted: an address on a network, and the key whose stream remembers them. */
export type SlotPlace = {
  readonly organization: Uint8Array
  readonly key: Uint8Array
  readonly network: string
  readonly address: string
}

/** So many are looked at together; hardly ever are more of one address under way. */
const windowSize = 64
/** A chain's pool holds a few dozen of one sender: further ahead, something else is wrong. */
const windowsMax = 64

/** Until the transaction ends, nobody else looks for a slot of this address. */
export async function lockQueue(
  transaction: DatabaseTransaction,
  { network, address }: SlotPlace,
): Promise<void> {
  await transaction
    .insertInto('slot_queues')
    .values({ network, address })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  await transaction
    .selectFrom('slot_queues')
    .select('address')
    .where('network', '=', network)
    .where('address', '=', address)
    .forUpdate()
    .executeTakeFirstOrThrow()
}

/**
 * The lowest slot that is nobody's: not used on the chain, not given to a request of ours, and not
 * agreed on by the signers, who would refuse it to another request for ever.
 *
 * @param pending the chain's own count, what waits in its pool included
 */
export async function lowestFreeSlot(
  database: Database | DatabaseTransaction,
  place: SlotPlace,
  pending: number,
): Promise<number | undefined> {
  for (let window = 0; window < windowsMax; window++) {
    const from = pending + window * windowSize
    const slots = Array.from({ length: windowSize }, (_, i) => from + i)
    const taken = await takenAmong(database, place, slots)
    const free = slots.find((slot) => !taken.has(slot))
    if (free !== undefined) return free
  }
  return undefined
}

export async function holdSlot(
  transaction: DatabaseTransaction,
  { network, address }: SlotPlace,
  { slot, request }: { readonly slot: number; readonly request: Uint8Array },
): Promise<void> {
  await transaction
    .insertInto('slots')
    .values({ network, address, slot, request })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** For a request that never came into any key's stream: its slot is the next one's. */
export async function releaseSlot(
  transaction: DatabaseTransaction,
  request: Uint8Array,
): Promise<void> {
  await transaction.deleteFrom('slots').where('request', '=', request).execute()
}

/** Has the key's stream given this slot to any request? */
export async function isAgreedOn(
  database: Database | DatabaseTransaction,
  place: SlotPlace,
  slot: number,
): Promise<boolean> {
  return (await agreedAmong(database, place, [slot])).size > 0
}

/** Several have a slot that a user has named: then it is its own as well. */
export type Holder = 'nobody' | 'itself' | 'another'

/** To whom has the key's stream given this slot, as seen from a request? All of it is read at once. */
export async function holderOf(
  database: Database | DatabaseTransaction,
  { request, ...place }: Omit<SlotPlace, 'address'> & { readonly request: Uint8Array },
  slot: number,
): Promise<Holder> {
  const uses = await usesAt(database, place, slot)
  if (uses.length === 0) return 'nobody'
  return uses.some((use) => equalBytes(use, request)) ? 'itself' : 'another'
}

/** The requests to which the key's stream has given this slot, each under its name in the log. */
export async function usesAt(
  database: Database | DatabaseTransaction,
  { organization, key, network }: Omit<SlotPlace, 'address'>,
  slot: number,
): Promise<readonly Uint8Array[]> {
  const record = await database
    .selectFrom('records')
    .select('value')
    .where('organization', '=', organization)
    .where('stream', '=', encode(streamCodec, keyStream(key)))
    .where('name', '=', recordKey(slotTable, network, BigInt(slot)))
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (record === undefined) return []
  return decodeRecord(slotTable, record.value).uses.map(({ request }) => request)
}

/** The slot that the key's stream has given to this request, if it has. */
export async function agreedSlot(
  database: Database | DatabaseTransaction,
  { organization, key }: Pick<SlotPlace, 'organization' | 'key'>,
  request: Uint8Array,
): Promise<number | undefined> {
  const record = await database
    .selectFrom('records')
    .select('value')
    .where('organization', '=', organization)
    .where('stream', '=', encode(streamCodec, keyStream(key)))
    .where('name', '=', recordKey(requestTable, request))
    .executeTakeFirst()
  const slot = record && decodeRecord(requestTable, record.value).slot
  return slot === undefined ? undefined : Number(slot)
}

async function takenAmong(
  database: Database | DatabaseTransaction,
  place: SlotPlace,
  slots: readonly number[],
): Promise<ReadonlySet<number>> {
  const held = await database
    .selectFrom('slots')
    .select('slot')
    .where('network', '=', place.network)
    .where('address', '=', place.address)
    .where('slot', 'in', slots)
    .execute()
  const agreed = await agreedAmong(database, place, slots)
  return new Set([...held.map(({ slot }) => slot), ...agreed])
}

async function agreedAmong(
  database: Database | DatabaseTransaction,
  { organization, key, network }: SlotPlace,
  slots: readonly number[],
): Promise<ReadonlySet<number>> {
  const slotsByName = new Map(
    slots.map((slot) => [recordKey(slotTable, network, BigInt(slot)), slot]),
  )
  const records = await database
    .selectFrom('records')
    .select('name')
    .where('organization', '=', organization)
    .where('stream', '=', encode(streamCodec, keyStream(key)))
    .where('name', 'in', [...slotsByName.keys()])
    .execute()
  return new Set(records.flatMap(({ name }) => slotsByName.get(name) ?? []))
}
