import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import type { IdentityTables } from '../auth/tables.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { ownerSeen, type Reach } from './reach.ts'

export type KeyRow = IdentityTables['keys']

/** Keys that the caller may see, or those of one owner among them. */
export function keyRows(
  database: Database | DatabaseTransaction,
  { organization }: Pick<Caller, 'organization'>,
  owner: Uint8Array | undefined,
) {
  const rows = database.selectFrom('keys').selectAll().where('organization', '=', organization)
  return owner === undefined ? rows : rows.where('owner', '=', owner)
}

/** @throws Failure `key.not_found`, for a key of others too */
export async function findKey(
  database: Database | DatabaseTransaction,
  caller: Omit<Reach, 'orgId'>,
  keyId: string,
): Promise<KeyRow> {
  const row = await keyRows(database, caller, ownerSeen(caller))
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('key.not_found', { keyId })
  return row
}
