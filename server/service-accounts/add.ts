import { idOf, nameOf } from '@quorate/core/id'
import { requestHash } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import { freeNames, settleName } from '../names.ts'
import { addUser } from '../orgs/add.ts'
import type { Applied } from '../orgs/apply.ts'
import { wordIn } from '../orgs/words.ts'
import { addAssignment } from '../permissions/add.ts'

/** Rows of a new service account: user, credential, token, its name, its first permission. */
export async function addServiceAccount(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'serviceAccount') throw new TypeError('not a service account')
  const { publicKey: spki, expiresAt, permission } = item.operation
  const request = requestHash(evidence.preimage)
  const [token, account] = [idOf(request, 'token'), idOf(request, 'user')]
  const name = wordIn(evidence, 'name') ?? ''
  const publicKey = wordIn(evidence, 'publicKey') ?? ''
  const externalId = wordIn(evidence, 'externalId') ?? undefined
  const kind = 'serviceAccount'
  const user = { organization, request, time, kind, username: name, externalId } as const
  await addUser(transaction, { ...user, token, publicKey, spki })
  await transaction
    .insertInto('tokens')
    .values({
      ...{ organization, id: token, token_id: nameOf('token', token), user: account },
      ...{ credential: idOf(request, 'credential'), name: null, external_id: null },
      ...{ archived_at: null, created_at: time, expires_at: expiresAt },
    })
    .execute()
  const named = { organization, scope: organization, name, holder: account, request }
  if (name !== '') await settleName(transaction, named)
  if (permission !== undefined)
    await addAssignment(transaction, {
      ...{ organization, request, permission, identity: account, time },
      identityId: nameOf('user', account),
    })
}

export async function renameServiceAccount(
  transaction: DatabaseTransaction,
  { organization, item, evidence }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'update') throw new TypeError('not an update')
  const { id } = item.operation
  const [name, externalId] = [wordIn(evidence, 'name'), wordIn(evidence, 'externalId')]
  const request = requestHash(evidence.preimage)
  await transaction
    .updateTable('users')
    .set({
      id,
      ...(name === undefined ? {} : { username: name ?? '', named_in: request }),
      ...(externalId === undefined ? {} : { external_id: externalId, external_id_in: request }),
    })
    .where('organization', '=', organization)
    .where('id', '=', id)
    .execute()
  if (name === null) await freeNames(transaction, { organization, holder: id })
  else if (name !== undefined)
    await settleName(transaction, { organization, scope: organization, name, holder: id, request })
}
