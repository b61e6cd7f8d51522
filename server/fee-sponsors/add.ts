import { createFeeSponsor } from '@quorate/api/fee-sponsors'
import { parse } from '@quorate/api/parse'
import { requestHash } from '@quorate/authority/request'
import { idOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'

/** Its name, which no rule reads, is a word of the organization's and of nobody's person. */
export async function addFeeSponsor(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'feeSponsor') throw new TypeError('not a fee sponsor')
  const { wallet } = item.operation
  const { name = null } = parse(createFeeSponsor.body, parseJson(evidence.payload), 'payload')
  const id = idOf(requestHash(evidence.preimage), 'feeSponsor')
  await transaction
    .insertInto('fee_sponsors')
    .values({ organization, id, wallet, name, created_at: time })
    .execute()
}
