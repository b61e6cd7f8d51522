import { idOf, nameOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { genesisPayload } from '@quorate/api/genesis'
import { parse } from '@quorate/api/parse'
import { fingerprintOf } from '@quorate/authority/credential'
import { requestHash } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import { addUsername, usernameOf } from '../users/person.ts'
import { addAssignment, unchanged } from '../permissions/add.ts'
import type { Applied } from './apply.ts'

/** The managed permissions, in the order in which a genesis makes them. */
const managedPermissions = ['fullAccess', 'endUsers'] as const

/** Rows of a genesis: the organization, its administrator, the permissions that every one has. */
export async function addOrganization(
  transaction: DatabaseTransaction,
  { organization, item, evidence, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'genesis') throw new TypeError('not a genesis')
  const request = requestHash(evidence.preimage)
  const { name, username, publicKey } = parse(
    genesisPayload,
    parseJson(evidence.payload),
    'payload',
  )
  const org_id = nameOf('organization', organization)
  await transaction
    .insertInto('organizations')
    .values({ id: organization, org_id, name, created_at: time })
    .execute()
  await addUser(transaction, {
    organization,
    request,
    time,
    ...{ kind: 'employee', username, externalId: undefined, token: undefined, publicKey },
    spki: item.operation.administrator,
  })
  for (const [index, managed] of managedPermissions.entries()) {
    const id = idOf(request, 'permission', index)
    await transaction
      .insertInto('permissions')
      .values({ organization, id, ...unchanged, managed, created_at: time })
      .execute()
  }
  const user = idOf(request, 'user')
  await addAssignment(transaction, {
    ...{ organization, request, permission: idOf(request, 'permission'), time },
    ...{ identity: user, identityId: nameOf('user', user) },
  })
}

export type NewUser = {
  readonly organization: Uint8Array
  readonly request: Uint8Array
  readonly time: number
  readonly kind: 'employee' | 'serviceAccount'
  readonly username: string
  readonly externalId: string | undefined
  readonly token: Uint8Array | undefined
  /** As it was given, and as it counts. */
  readonly publicKey: string
  readonly spki: Uint8Array
}

/** A user with the one credential that he was made with. */
export async function addUser(transaction: DatabaseTransaction, made: NewUser): Promise<void> {
  const { organization, request, time: created_at, kind } = made
  const username = kind === 'serviceAccount' ? made.username : usernameOf(made.username)
  const id = idOf(request, 'user')
  const user_id = nameOf('user', id)
  const external_id = made.externalId ?? null
  await transaction
    .insertInto('users')
    .values({
      ...{ organization, id, user_id, kind, username, external_id, created_at },
      ...{ named_in: request, external_id_in: request },
    })
    .execute()
  // A service account's name is a claim of its own.
  if (kind === 'employee')
    await addUsername(transaction, { organization, user: id, kind, username })
  const credential = idOf(request, 'credential')
  await transaction
    .insertInto('credentials')
    .values({
      ...{ organization, id: credential, user: id, created_at },
      cred_id: nameOf('credential', credential),
      token: made.token ?? null,
      fingerprint: fingerprintOf(made.spki),
      public_key: made.publicKey,
    })
    .execute()
}
