import { decodePreimage } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'

/** Who accepts twice has accepted once. */
export async function addAcceptance(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'agreement') throw new TypeError('not an agreement')
  const { user } = decodePreimage(evidence.preimage)
  if (user === undefined) throw new TypeError('nobody has accepted it')
  await transaction
    .insertInto('agreement_acceptances')
    .values({ organization, user, agreement_id: item.operation.id, accepted_at: time })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}
