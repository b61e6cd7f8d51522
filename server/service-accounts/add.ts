import { idOf, nameOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { parse } from '@quorate/api/parse'
import { createServiceAccount } from '@quorate/api/service-accounts'
import { requestHash } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import { addUser } from '../orgs/add.ts'
import type { Applied } from '../orgs/apply.ts'

/** Rows of a new service account: user, credential, token, and its name for good. */
export async function addServiceAccount(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'serviceAccount') throw new TypeError('not a service account')
  const { publicKey: spki, expiresAt } = item.operation
  const request = requestHash(evidence.preimage)
  const token = idOf(request, 'token')
  const body = parse(createServiceAccount.body, parseJson(evidence.payload), 'payload')
  const { name, externalId, publicKey } = body
  const kind = 'serviceAccount'
  const user = { organization, request, time, kind, username: name, externalId } as const
  await addUser(transaction, { ...user, token, publicKey, spki })
  await transaction
    .insertInto('tokens')
    .values({
      ...{ organization, id: token, token_id: nameOf('token', token) },
      user: idOf(request, 'user'),
      credential: idOf(request, 'credential'),
      created_at: time,
      expires_at: expiresAt,
    })
    .execute()
  await transaction
    .insertInto('service_account_names')
    .values({ organization, name, request, lapses_at: null })
    .onConflict((conflict) =>
      conflict.columns(['organization', 'name']).doUpdateSet({ request, lapses_at: null }),
    )
    .execute()
}
