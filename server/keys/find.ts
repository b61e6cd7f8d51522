import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import type { IdentityTables } from '../auth/tables.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'

export type KeyRow = IdentityTables['keys']

/** @throws Failure `key.not_found`, for another organization's key too */
export async function findKey(
  database: Database | DatabaseTransaction,
  { organization }: Pick<Caller, 'organization'>,
  keyId: string,
): Promise<KeyRow> {
  const row = await database
    .selectFrom('keys')
    .selectAll()
    .where('organization', '=', organization)
    .where('key_id', '=', keyId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('key.not_found', { keyId })
  return row
}
