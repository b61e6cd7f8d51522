import { parseJson } from '@quorate/core/json'
import { nameOfCause } from '@quorate/authority/reduce/step'
import { addCredentials, broughtIn } from '../auth/add-credentials.ts'
import { endCode } from '../auth/codes.ts'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'

/** Rows of what a newcomer has brought; his code has done its work. */
export async function addRegistration(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'registration') throw new TypeError('not a registration')
  const { user, credentials } = item.operation
  const request = nameOfCause(item.cause)
  const given = broughtIn(parseJson(evidence.payload))
  await addCredentials(transaction, { organization, user, request, time, credentials, given })
  await endCode(transaction, { organization, user }, 'registration')
}
