import { idOf } from '@quorate/core/id'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'

/** What it says is in the records; the row is for the list. */
export async function addPolicy(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'policy') throw new TypeError('not a policy')
  const id = idOf(nameOfCause(item.cause), 'policy')
  await transaction
    .insertInto('policies')
    .values({ organization, id, status: 'Active', created_at: time, updated_at: time })
    .execute()
}

export async function changePolicy(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'policyUpdate') throw new TypeError('not a changed policy')
  const { policy, status } = item.operation
  await transaction
    .updateTable('policies')
    .set({ status: status === 'active' ? 'Active' : 'Archived', updated_at: time })
    .where('organization', '=', organization)
    .where('id', '=', policy)
    .execute()
}
