import * as api from '@quorate/api/users'
import type { Manifest } from '@quorate/authority/manifest'
import { credentialTable, userTable } from '@quorate/authority/records'
import type { RootItem } from '@quorate/authority/operations/operation'
import { isCredentialLive } from '@quorate/authority/standing'
import { toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { fingerprintWords } from '@quorate/core/words'
import type { Caller } from '../auth/caller.ts'
import { readRoot, type Root } from '../auth/log.ts'
import { receiptOf } from '../auth/receipt.ts'
import { settleSigned, type SettleDeps } from '../auth/settle.ts'
import type { Database } from '../database/database.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import { isAddress } from '../mail/queue.ts'
import { newestFirst, pageOf } from '../page.ts'
import { userOf, type UserRow } from './entity.ts'
import { eraseUser } from './erase.ts'
import { claimUsername, freeUsername, usernameOf } from './person.ts'

const { route } = routing<Caller>()

export type UserDeps = SettleDeps & { readonly manifest: Pick<Manifest, 'signers'> }

export function userRoutes(deps: UserDeps): readonly Route<Caller>[] {
  return [
    route(api.createUser, async ({ caller, raw, body }) => invite(deps, caller, raw, body.email)),
    route(api.listUsers, async ({ caller, query }) => list(deps, caller, query)),
    route(api.getUser, async ({ caller, params }) => shown(deps, caller, params.userId)),
    route(api.updateUser, async ({ caller, raw, params }) =>
      change(deps, { caller, raw, ...params, kind: 'userUpdate' }),
    ),
    route(api.activateUser, async ({ caller, raw, params }) =>
      change(deps, { caller, raw, ...params, kind: 'userStatus' }),
    ),
    ...[api.deactivateUser, api.archiveUser].map((endpoint) =>
      route(endpoint, async ({ caller, raw, params }) =>
        change(deps, { caller, raw, ...params, kind: 'userStatus' }),
      ),
    ),
    route(api.confirmUser, async ({ caller, raw, params }) =>
      change(deps, { caller, raw, ...params, kind: 'confirmation' }),
    ),
    route(api.eraseUser, async ({ caller, raw, params: { userId } }) => {
      const { id: user } = await rowNamed(deps.database, caller, userId)
      return eraseUser(deps, caller, raw, { user, userId })
    }),
    route(api.listUserCredentials, async ({ caller, params }) => ({
      items: await credentialsOf(deps, caller, params.userId),
    })),
  ]
}

async function invite(deps: SettleDeps, caller: Caller, raw: RawRequest, email: string) {
  const { database, now } = deps
  const { organization } = caller
  const username = usernameOf(email)
  if (!isAddress(username)) {
    const issues = [{ path: 'body.email', message: 'not a mail address' }]
    throw new Failure('body.malformed', { issues })
  }
  const named = (request: Uint8Array) => ({ organization, user: idOf(request, 'user') })
  const { action } = await settleSigned(deps, caller, raw, {
    kind: 'user',
    claim: (transaction, { request }) =>
      claimUsername(transaction, { ...named(request), kind: 'employee', username, now: now() }),
    giveBack: ({ request }) => freeUsername(database, named(request)),
  })
  return shown(deps, caller, nameOf('user', named(action.request).user))
}

/**
 * An update, another status or a confirmation: the rules have the say. What takes something away is
 * answered with who has acknowledged it; other answers leave that out.
 */
async function change(
  deps: UserDeps,
  asked: {
    readonly caller: Caller
    readonly raw: RawRequest
    readonly userId: string
    readonly kind: RootItem
  },
) {
  const { caller, raw, userId, kind } = asked
  await rowNamed(deps.database, caller, userId)
  const { inForce } = await settleSigned(deps, caller, raw, { kind })
  return { ...(await shown(deps, caller, userId)), ...receiptOf(inForce, deps.manifest) }
}

async function shown({ database, log }: SettleDeps, caller: Caller, userId: string) {
  const row = await rowNamed(database, caller, userId)
  return readRoot(log, caller.organization, (root) => userOf(root, row, caller.orgId))
}

/** @throws Failure `identity.not_found`, for a service account as well: those have paths of their own */
async function rowNamed(database: Database, { organization }: Caller, userId: string) {
  const row = await people(database, organization)
    .where('users.user_id', '=', userId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('identity.not_found', { identityId: userId })
  return row
}

function people(database: Database, organization: Uint8Array) {
  return database
    .selectFrom('users')
    .select(['users.id', 'users.user_id', 'users.kind', 'users.username', 'users.created_at'])
    .where('users.organization', '=', organization)
    .where('users.kind', '<>', 'serviceAccount')
    .$narrowType<UserRow>()
}

type Query = {
  readonly limit: number
  readonly paginationToken?: string | undefined
  readonly kind?: 'CustomerEmployee' | 'EndUser' | undefined
}

/** Whoever is archived has no name here any more, and is in no list. */
async function list({ database, log }: SettleDeps, caller: Caller, query: Query) {
  const { organization, orgId } = caller
  const kinds = { CustomerEmployee: ['employee'], EndUser: ['endUser'] } as const
  const rows = await people(database, organization)
    .innerJoin('usernames', (join) =>
      join.onRef('usernames.user', '=', 'users.id').on('usernames.organization', '=', organization),
    )
    .where('usernames.lapses_at', 'is', null)
    .where('users.kind', 'in', query.kind ? kinds[query.kind] : ['employee', 'endUser'])
    .$call(newestFirst(query, ['users.created_at', 'users.id']))
    .execute()
  return readRoot(log, organization, (root) =>
    pageOf(rows, query.limit, {
      positionAt: (row) => ({ at: row.created_at, id: row.id }),
      itemOf: (row) => userOf(root, row, orgId),
    }),
  )
}

/** For whoever is to vouch for them: he compares words with the newcomer, by another way than ours. */
async function credentialsOf({ database, log, now }: SettleDeps, caller: Caller, userId: string) {
  const { organization } = caller
  const { id: user } = await rowNamed(database, caller, userId)
  const rows = await database
    .selectFrom('credentials')
    .select(['id', 'name', 'fingerprint', 'created_at'])
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('token', 'is', null)
    .orderBy('created_at')
    .orderBy('id')
    .execute()
  return readRoot(log, organization, (root) =>
    rows.flatMap((row) => {
      const shownOne = credentialOf(root, { user, row, now: now() })
      return shownOne === undefined ? [] : [shownOne]
    }),
  )
}

type CredentialRow = {
  readonly id: Uint8Array
  readonly name: string | null
  readonly fingerprint: Uint8Array
  readonly created_at: number
}

function credentialOf(
  root: Root,
  { user, row, now }: { user: Uint8Array; row: CredentialRow; now: number },
) {
  const record = root.find(userTable, user)
  const credential = root.find(credentialTable, user, row.fingerprint)
  if (record === undefined || credential === undefined) return undefined
  return {
    credentialUuid: nameOf('credential', row.id),
    kind: credential.kind,
    name: row.name ?? '',
    fingerprint: toHex(row.fingerprint),
    words: [...fingerprintWords(row.fingerprint)],
    rank: credential.rank,
    isActive: isCredentialLive(record, credential, now),
    relyingPartyId: credential.relyingParty ?? '',
    dateCreated: new Date(row.created_at).toISOString(),
  }
}
