import type { Manifest } from '@quorate/authority/manifest'
import * as api from '@quorate/api/service-accounts'
import type { ServiceAccount } from '@quorate/api/service-accounts'
import { parse } from '@quorate/api/parse'
import { readPublicKey } from '@quorate/authority/public-key'
import { userTable } from '@quorate/authority/records'
import { Failure } from '@quorate/core/failure'
import { idOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { receiptOf } from '../auth/receipt.ts'
import type { Caller } from '../auth/caller.ts'
import { readRoot, type Root } from '../auth/log.ts'
import { settleSigned, type Settled } from '../auth/settle.ts'
import { grantsOf, isActive } from '../auth/standing.ts'
import type { Tokens } from '../auth/tokens.ts'
import { subjectNamed, type SignedAction } from '../auth/use-action.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import { claimName, giveNameBack, namesMax } from '../names.ts'
import { accessTokenOf, tokens as tokenRows, type TokenRow } from '../pats/entity.ts'
import { settleWithToken, type SettleWithTokenDeps } from '../pats/settle-with-token.ts'

const { route } = routing<Caller>()

export type ServiceAccountDeps = SettleWithTokenDeps & {
  readonly manifest: Manifest
  readonly tokens: Tokens
}

export function serviceAccountRoutes(deps: ServiceAccountDeps): readonly Route<Caller>[] {
  return [
    route(api.createServiceAccount, async ({ caller, raw }) => create(deps, caller, raw)),
    route(api.listServiceAccounts, async ({ caller }) => ({ items: await list(deps, caller) })),
    route(api.getServiceAccount, async ({ caller, params: { serviceAccountId } }) =>
      shown(deps, caller, serviceAccountId),
    ),
    route(api.updateServiceAccount, async ({ caller, raw, params: { serviceAccountId } }) => {
      await settleSigned(deps, caller, raw, {
        kind: 'update',
        check: (action) => checkThere(deps, { caller, action, serviceAccountId }),
        claim: (transaction, action) => claimRename(deps, transaction, { caller, action }),
        giveBack: ({ request }) =>
          giveNameBack(deps.database, { organization: caller.organization, request }),
      })
      return shown(deps, caller, serviceAccountId)
    }),
    route(api.activateServiceAccount, async ({ caller, raw, params: { serviceAccountId } }) => {
      await changeStatus(deps, caller, raw, serviceAccountId)
      return shown(deps, caller, serviceAccountId)
    }),
    route(api.deactivateServiceAccount, async ({ caller, raw, params: { serviceAccountId } }) =>
      restrict(deps, caller, raw, serviceAccountId),
    ),
    route(api.archiveServiceAccount, async ({ caller, raw, params: { serviceAccountId } }) =>
      restrict(deps, caller, raw, serviceAccountId),
    ),
  ]
}

async function list({ database, log, now }: ServiceAccountDeps, caller: Caller) {
  const { organization, orgId } = caller
  const rows = await accounts(database, organization)
    .where('tokens.archived_at', 'is', null)
    .orderBy('users.created_at', 'desc')
    .limit(namesMax)
    .execute()
  return readRoot(log, organization, (root) =>
    rows.map((row) => accountOf(row, { root, orgId, now: now() })),
  )
}

async function create(deps: ServiceAccountDeps, caller: Caller, raw: RawRequest) {
  const { organization } = caller
  const { action } = await settleWithToken(deps, caller, raw, {
    kind: 'serviceAccount',
    claim: (transaction, used) => claimNew(deps, transaction, { caller, action: used }),
    giveBack: ({ request }) => giveNameBack(deps.database, { organization, request }),
  })
  return made(deps, caller, action)
}

async function made(deps: ServiceAccountDeps, caller: Caller, action: SignedAction) {
  const { database, log, tokens, now } = deps
  const { organization, orgId } = caller
  const row = await accounts(database, organization)
    .where('users.id', '=', idOf(action.request, 'user'))
    .executeTakeFirstOrThrow()
  const { userInfo, accessTokens } = await readRoot(log, organization, (root) =>
    accountOf(row, { root, orgId, now: now() }),
  )
  const { userId, username, tokenId, expiresAt } = row
  const accessToken = await tokens.issue(
    { orgId, userId, username, tokenKind: 'ServiceAccount', tokenId },
    { from: now(), until: expiresAt },
  )
  return { userInfo, accessTokens: accessTokens.map((one) => ({ ...one, accessToken })) }
}

type Used = { readonly caller: Caller; readonly action: SignedAction }

/** Two accounts of one name could not be told apart. */
async function claimNew(
  { now }: ServiceAccountDeps,
  transaction: DatabaseTransaction,
  { caller: { organization }, action: { request, payload } }: Used,
): Promise<void> {
  const { name, publicKey } = parse(api.createServiceAccount.body, parseJson(payload), 'payload')
  if (readPublicKey(publicKey) === undefined) {
    const issues = [{ path: 'payload.publicKey', message: 'not a key that may sign here' }]
    throw new Failure('body.malformed', { issues })
  }
  const holder = idOf(request, 'user')
  const claim = { organization, scope: organization, name, holder, request }
  if (!(await claimName(transaction, claim, now())))
    throw new Failure('service_account.name_taken', { name })
}

async function claimRename(
  deps: ServiceAccountDeps,
  transaction: DatabaseTransaction,
  { caller: { organization }, action }: Used,
): Promise<void> {
  const { request, payload } = action
  const body = parseJson(payload === '' ? '{}' : payload)
  const { name } = parse(api.updateServiceAccount.body, body, 'payload')
  if (name === undefined) return
  const holder = subjectNamed(action, 'serviceAccountId')
  const claim = { organization, scope: organization, name, holder, request }
  if (!(await claimName(transaction, claim, deps.now())))
    throw new Failure('service_account.name_taken', { name })
}

/** A person is none, and one that has been archived is not there any more. */
async function checkThere(
  { log }: ServiceAccountDeps,
  { caller, action, serviceAccountId }: Used & { readonly serviceAccountId: string },
): Promise<void> {
  const account = await readRoot(log, caller.organization, ({ find }) =>
    find(userTable, subjectNamed(action, 'serviceAccountId')),
  )
  if (account?.kind !== 'serviceAccount' || account.status === 'archived')
    throw new Failure('service_account.not_found', { serviceAccountId })
}

/** `force` would go past policies that name the account as an approver, of which there are none. */
function changeStatus(
  deps: ServiceAccountDeps,
  caller: Caller,
  raw: RawRequest,
  serviceAccountId: string,
): Promise<Settled> {
  return settleSigned(deps, caller, raw, {
    kind: 'userStatus',
    check: (action) => checkThere(deps, { caller, action, serviceAccountId }),
  })
}

async function restrict(
  deps: ServiceAccountDeps,
  caller: Caller,
  raw: RawRequest,
  serviceAccountId: string,
) {
  const { inForce } = await changeStatus(deps, caller, raw, serviceAccountId)
  const account = await shown(deps, caller, serviceAccountId)
  return { ...account, ...receiptOf(inForce, deps.manifest) }
}

async function shown(
  { database, log, now }: ServiceAccountDeps,
  caller: Caller,
  serviceAccountId: string,
): Promise<ServiceAccount> {
  const { organization, orgId } = caller
  const row = await accounts(database, organization)
    .where('users.user_id', '=', serviceAccountId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('service_account.not_found', { serviceAccountId })
  return readRoot(log, organization, (root) => accountOf(row, { root, orgId, now: now() }))
}

function accounts(database: Database, organization: Uint8Array) {
  return tokenRows(database, organization).where('users.kind', '=', 'serviceAccount')
}

function accountOf(
  row: TokenRow,
  seen: { readonly root: Root; readonly orgId: string; readonly now: number },
): ServiceAccount {
  const { root, orgId } = seen
  const { userId, username, credId } = row
  const named = { username, name: username, userId, credentialUuid: credId, orgId }
  return {
    userInfo: {
      ...named,
      kind: 'CustomerEmployee',
      isActive: isActive(root, row.user),
      isServiceAccount: true,
      isRegistered: true,
      permissionAssignments: grantsOf(root, row.user),
    },
    accessTokens: [accessTokenOf(row, 'ServiceAccount', seen)],
  }
}
