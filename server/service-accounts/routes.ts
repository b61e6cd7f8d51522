import * as api from '@quorate/api/service-accounts'
import type { ServiceAccount } from '@quorate/api/service-accounts'
import { Failure } from '@quorate/core/failure'
import { idOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { parse } from '@quorate/api/parse'
import { readPublicKey } from '@quorate/authority/public-key'
import type { Caller } from '../auth/caller.ts'
import { signWithinMs } from '../auth/challenge.ts'
import { readRoot, type Log, type Root } from '../auth/log.ts'
import { grantsOf, isActive, isTokenLive } from '../auth/standing.ts'
import type { Tokens } from '../auth/tokens.ts'
import { settleSigned } from '../auth/settle.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'

const { route } = routing<Caller>()

/** The documented list has no pages; an organization with more has made them by a mistake. */
const serviceAccountsMax = 1000

export type ServiceAccountDeps = {
  readonly database: Database
  readonly log: Log
  readonly tokens: Tokens
  readonly now: () => number
}

export function serviceAccountRoutes(deps: ServiceAccountDeps): readonly Route<Caller>[] {
  const { database, log, now } = deps
  return [
    route(api.createServiceAccount, async ({ caller, raw }) => create(deps, caller, raw)),
    route(api.listServiceAccounts, async ({ caller }) => {
      const rows = await accounts(database, caller.organization)
        .orderBy('users.created_at', 'desc')
        .limit(serviceAccountsMax)
        .execute()
      const items = await readRoot(log, caller.organization, (root) =>
        rows.map((row) => accountOf(row, { root, caller, now: now() })),
      )
      return { items }
    }),
    route(api.getServiceAccount, async ({ caller, params: { serviceAccountId } }) => {
      const row = await accounts(database, caller.organization)
        .where('users.user_id', '=', serviceAccountId)
        .executeTakeFirst()
      if (row === undefined) throw new Failure('service_account.not_found', { serviceAccountId })
      return readRoot(log, caller.organization, (root) =>
        accountOf(row, { root, caller, now: now() }),
      )
    }),
  ]
}

async function create(deps: ServiceAccountDeps, caller: Caller, raw: RawRequest) {
  const { database, log, tokens, now } = deps
  const { organization, orgId } = caller
  const { action } = await settleSigned(deps, caller, raw, {
    kind: 'serviceAccount',
    claim: (transaction, used) => claimName(transaction, caller, { ...used, now: now() }),
    giveBack: ({ request }) => freeName(database, organization, request),
  })
  const row = await accounts(database, organization)
    .where('users.id', '=', idOf(action.request, 'user'))
    .executeTakeFirstOrThrow()
  const { userInfo, accessTokens } = await readRoot(log, organization, (root) =>
    accountOf(row, { root, caller, now: now() }),
  )
  const accessToken = await tokens.issue(
    {
      orgId,
      userId: row.userId,
      username: row.name,
      tokenKind: 'ServiceAccount',
      tokenId: row.tokenId,
    },
    { from: now(), until: row.expiresAt },
  )
  return { userInfo, accessTokens: accessTokens.map((one) => ({ ...one, accessToken })) }
}

/** Two accounts of one name could not be told apart. A claim lapses with its request. */
async function claimName(
  transaction: DatabaseTransaction,
  { organization }: Caller,
  action: { readonly request: Uint8Array; readonly payload: string; readonly now: number },
): Promise<void> {
  const body = parseJson(action.payload)
  const { name, publicKey } = parse(api.createServiceAccount.body, body, 'payload')
  if (readPublicKey(publicKey) === undefined) {
    const issues = [{ path: 'payload.publicKey', message: 'not a key that may sign here' }]
    throw new Failure('body.malformed', { issues })
  }
  const claim = { request: action.request, lapses_at: action.now + signWithinMs }
  const claimed = await transaction
    .insertInto('service_account_names')
    .values({ organization, name, ...claim })
    .onConflict((conflict) =>
      conflict
        .columns(['organization', 'name'])
        .doUpdateSet(claim)
        .where('service_account_names.lapses_at', '<', action.now),
    )
    .executeTakeFirst()
  if (claimed.numInsertedOrUpdatedRows !== 1n)
    throw new Failure('service_account.name_taken', { name })
}

/** Nothing came of it, so the name is free. */
async function freeName(
  database: Database,
  organization: Uint8Array,
  request: Uint8Array,
): Promise<void> {
  await database
    .deleteFrom('service_account_names')
    .where('organization', '=', organization)
    .where('request', '=', request)
    .where('lapses_at', 'is not', null)
    .execute()
}

function accounts(database: Database, organization: Uint8Array) {
  return database
    .selectFrom('users')
    .innerJoin('tokens', (join) =>
      join.onRef('tokens.user', '=', 'users.id').on('tokens.organization', '=', organization),
    )
    .innerJoin('credentials', (join) =>
      join
        .onRef('credentials.id', '=', 'tokens.credential')
        .on('credentials.organization', '=', organization),
    )
    .select([
      'users.id as user',
      'users.user_id as userId',
      'users.username as name',
      'tokens.id as token',
      'tokens.token_id as tokenId',
      'tokens.created_at as createdAt',
      'tokens.expires_at as expiresAt',
      'credentials.cred_id as credId',
      'credentials.public_key as publicKey',
    ])
    .where('users.organization', '=', organization)
    .where('users.kind', '=', 'serviceAccount')
}

type Row = Awaited<ReturnType<ReturnType<typeof accounts>['executeTakeFirstOrThrow']>>

function accountOf(
  row: Row,
  { root, caller, now }: { root: Root; caller: Caller; now: number },
): ServiceAccount {
  const { orgId } = caller
  const { userId, name, credId } = row
  const permissionAssignments = grantsOf(root, row.user)
  return {
    userInfo: {
      ...{ username: name, name, userId, kind: 'CustomerEmployee', credentialUuid: credId, orgId },
      isActive: isActive(root, row.user),
      isServiceAccount: true,
      isRegistered: true,
      permissionAssignments,
    },
    accessTokens: [
      {
        dateCreated: new Date(row.createdAt).toISOString(),
        credId,
        isActive: isTokenLive(root, row.token, now),
        kind: 'ServiceAccount',
        linkedUserId: userId,
        linkedAppId: '',
        name,
        orgId,
        permissionAssignments,
        publicKey: row.publicKey,
        tokenId: row.tokenId,
      },
    ],
  }
}
