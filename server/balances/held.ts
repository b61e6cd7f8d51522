import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { Place } from './watch.ts'

type Held = Place & { readonly time: number }

/** A block of the chain as we hold it, by its number. */
export async function findHeld(
  database: Database,
  network: string,
  number: number,
): Promise<Held | undefined> {
  return held(database, network).where('number', '=', number).limit(1).executeTakeFirst()
}

/** @returns nothing if a reorganization has taken it from the chain */
export async function isHeld(
  transaction: DatabaseTransaction,
  network: string,
  { hash }: Place,
): Promise<Held | undefined> {
  return held(transaction, network).where('hash', '=', hash).executeTakeFirst()
}

function held(database: Database | DatabaseTransaction, network: string) {
  return database
    .selectFrom('block_headers')
    .select(['number', 'hash', 'time'])
    .where('network', '=', network)
    .where('canonical', '=', true)
}
