import { idOf, nameOf } from '@quorate/core/id'
import { fingerprintOf } from '@quorate/authority/credential'
import { requestHash } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import { freeNames, settleName } from '../names.ts'
import type { Applied } from '../orgs/apply.ts'
import { wordIn } from '../orgs/words.ts'
import { addAssignment } from '../permissions/add.ts'

/** Rows of a new personal access token: its credential, itself, its name, its first permission. */
export async function addPat(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'token') throw new TypeError('not a token')
  const { user, publicKey: spki, expiresAt, permission } = item.operation
  const request = requestHash(evidence.preimage)
  const name = wordIn(evidence, 'name') ?? null
  const [id, credential] = [idOf(request, 'token'), idOf(request, 'credential')]
  await transaction
    .insertInto('credentials')
    .values({
      ...{ organization, id: credential, user, token: id, created_at: time },
      cred_id: nameOf('credential', credential),
      fingerprint: fingerprintOf(spki),
      public_key: wordIn(evidence, 'publicKey') ?? '',
    })
    .execute()
  await transaction
    .insertInto('tokens')
    .values({
      ...{ organization, id, token_id: nameOf('token', id), user, credential, name },
      ...{ external_id: wordIn(evidence, 'externalId') ?? null, archived_at: null },
      ...{ created_at: time, expires_at: expiresAt },
    })
    .execute()
  if (name !== null)
    await settleName(transaction, { organization, scope: user, name, holder: id, request })
  if (permission !== undefined)
    await addAssignment(transaction, {
      ...{ organization, request, permission, identity: id, time },
      identityId: nameOf('token', id),
    })
}

/** What is archived is listed no more, and its name is free. */
export async function changePatStatus(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'tokenStatus') throw new TypeError('not the status of a token')
  const { token, status } = item.operation
  if (status !== 'archived') return
  await transaction
    .updateTable('tokens')
    .set({ archived_at: time })
    .where('organization', '=', organization)
    .where('id', '=', token)
    .execute()
  await freeNames(transaction, { organization, holder: token })
}

export async function renamePat(
  transaction: DatabaseTransaction,
  { organization, item, evidence }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'update') throw new TypeError('not an update')
  const { id } = item.operation
  const [name, externalId] = [wordIn(evidence, 'name'), wordIn(evidence, 'externalId')]
  const { user } = await transaction
    .updateTable('tokens')
    .set({
      id,
      ...(name === undefined ? {} : { name }),
      ...(externalId === undefined ? {} : { external_id: externalId }),
    })
    .where('organization', '=', organization)
    .where('id', '=', id)
    .returning('user')
    .executeTakeFirstOrThrow()
  const request = requestHash(evidence.preimage)
  if (name === null) await freeNames(transaction, { organization, holder: id })
  else if (name !== undefined)
    await settleName(transaction, { organization, scope: user, name, holder: id, request })
}

/** With their user, be it a person or a service account, whose own name is free as well. */
export async function archiveTokens(
  transaction: DatabaseTransaction,
  gone: {
    readonly organization: Uint8Array
    readonly user: Uint8Array
    readonly time: number
  },
): Promise<void> {
  const { organization, user, time } = gone
  await transaction
    .updateTable('tokens')
    .set({ archived_at: time })
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('archived_at', 'is', null)
    .execute()
  await freeNames(transaction, { organization, holder: user })
}
