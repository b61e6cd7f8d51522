import { parseJson } from '@quorate/core/json'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import { addCredentials } from '../auth/add-credentials.ts'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'

/** The row of a credential that was added to those of its user. */
export async function addCredential(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'credential') throw new TypeError('not a credential')
  const { user, credential } = item.operation
  await addCredentials(transaction, {
    ...{ organization, user, time, credentials: [credential] },
    request: nameOfCause(item.cause),
    given: [parseJson(evidence.payload)],
  })
}
