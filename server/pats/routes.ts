import type { Manifest } from '@quorate/authority/manifest'
import * as api from '@quorate/api/pats'
import { parse } from '@quorate/api/parse'
import { fingerprintOf } from '@quorate/authority/credential'
import { readPublicKey } from '@quorate/authority/public-key'
import { credentialTable, permissionTable, tokenTable } from '@quorate/authority/records'
import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { idOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { receiptOf } from '../auth/receipt.ts'
import type { Caller } from '../auth/caller.ts'
import { readRoot } from '../auth/log.ts'
import { settleSigned, type Settled } from '../auth/settle.ts'
import type { Tokens } from '../auth/tokens.ts'
import { subjectNamed, type SignedAction } from '../auth/use-action.ts'
import type { DatabaseTransaction } from '../database/database.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import { claimName, giveNameBack, namesMax } from '../names.ts'
import { accessTokenOf, tokens as tokenRows, type TokenRow } from './entity.ts'
import { settleWithToken, type SettleWithTokenDeps } from './settle-with-token.ts'

const { route } = routing<Caller>()

export type PatDeps = SettleWithTokenDeps & {
  readonly manifest: Manifest
  readonly tokens: Tokens
}

/** One's own tokens and nobody else's: another's is not there. */
export function patRoutes(deps: PatDeps): readonly Route<Caller>[] {
  return [
    route(api.createPersonalAccessToken, async ({ caller, raw }) => create(deps, caller, raw)),
    route(api.listPersonalAccessTokens, async ({ caller }) => ({
      items: await list(deps, caller),
    })),
    route(api.getPersonalAccessToken, async ({ caller, params: { tokenId } }) =>
      shown(deps, caller, await ownToken(deps, caller, tokenId)),
    ),
    route(api.updatePersonalAccessToken, async ({ caller, raw, params: { tokenId } }) => {
      await settleSigned(deps, caller, raw, {
        kind: 'update',
        check: (action) => checkOwn(deps, caller, { action, tokenId }),
        claim: (transaction, action) => claimRename(deps, transaction, { caller, action }),
        giveBack: ({ request }) =>
          giveNameBack(deps.database, { organization: caller.organization, request }),
      })
      return shown(deps, caller, await ownToken(deps, caller, tokenId))
    }),
    route(api.activatePersonalAccessToken, async ({ caller, raw, params: { tokenId } }) => {
      await changeStatus(deps, caller, raw, tokenId)
      return shown(deps, caller, await ownToken(deps, caller, tokenId))
    }),
    route(api.deactivatePersonalAccessToken, async ({ caller, raw, params: { tokenId } }) =>
      restrict(deps, caller, raw, tokenId),
    ),
    route(api.archivePersonalAccessToken, async ({ caller, raw, params: { tokenId } }) =>
      restrict(deps, caller, raw, tokenId),
    ),
  ]
}

async function create(deps: PatDeps, caller: Caller, raw: RawRequest) {
  const { organization } = caller
  const { action } = await settleWithToken(deps, caller, raw, {
    kind: 'token',
    check: (action) => checkNew(deps, { caller, action }),
    claim: (transaction, action) => claimNew(deps, transaction, { caller, action }),
    giveBack: ({ request }) => giveNameBack(deps.database, { organization, request }),
  })
  return made(deps, caller, action)
}

async function made(deps: PatDeps, caller: Caller, action: SignedAction) {
  const { database, now } = deps
  const { organization, orgId, userId, username } = caller
  const row = await tokenRows(database, organization)
    .where('tokens.id', '=', idOf(action.request, 'token'))
    .executeTakeFirstOrThrow()
  const { tokenId, expiresAt } = row
  const accessToken = await deps.tokens.issue(
    { orgId, userId, username, tokenKind: 'Pat', tokenId },
    { from: now(), until: expiresAt },
  )
  return { ...(await shown(deps, caller, row)), accessToken }
}

type Used = { readonly caller: Caller; readonly action: SignedAction }

/** What the rules would refuse without words that a client knows. */
async function checkNew({ log }: PatDeps, { caller, action }: Used): Promise<void> {
  const { organization, user } = caller
  const body = parseJson(action.payload)
  const { publicKey, permissionId } = parse(api.createPersonalAccessToken.body, body, 'payload')
  const spki = readPublicKey(publicKey)
  if (spki === undefined) {
    const issues = [{ path: 'payload.publicKey', message: 'not a key that may sign here' }]
    throw new Failure('body.malformed', { issues })
  }
  await readRoot(log, organization, ({ find }) => {
    if (find(credentialTable, user, fingerprintOf(spki)) !== undefined)
      throw new Failure('credential.already_exists', {})
    if (permissionId === undefined) return
    const permission = find(permissionTable, subjectNamed(action, 'permissionId'))
    if (permission?.status !== 'active') throw new Failure('permission.not_found', { permissionId })
  })
}

async function claimNew(
  { now }: PatDeps,
  transaction: DatabaseTransaction,
  { caller: { organization, user }, action: { request, payload } }: Used,
): Promise<void> {
  const { name } = parse(api.createPersonalAccessToken.body, parseJson(payload), 'payload')
  const claim = { organization, scope: user, name, holder: idOf(request, 'token'), request }
  if (!(await claimName(transaction, claim, now())))
    throw new Failure('personal_token.name_taken', { name })
}

async function claimRename(
  deps: PatDeps,
  transaction: DatabaseTransaction,
  { caller: { organization, user }, action }: Used,
): Promise<void> {
  const body = parseJson(action.payload === '' ? '{}' : action.payload)
  const { name } = parse(api.updatePersonalAccessToken.body, body, 'payload')
  if (name === undefined) return
  const { request } = action
  const holder = subjectNamed(action, 'tokenId')
  const claim = { organization, scope: user, name, holder, request }
  if (!(await claimName(transaction, claim, deps.now())))
    throw new Failure('personal_token.name_taken', { name })
}

/** Somebody else's token, and one that has been archived, are not there. */
async function checkOwn(
  { log }: PatDeps,
  { organization, user }: Caller,
  { action, tokenId }: Pick<Used, 'action'> & { readonly tokenId: string },
): Promise<void> {
  const record = await readRoot(log, organization, ({ find }) =>
    find(tokenTable, subjectNamed(action, 'tokenId')),
  )
  const isOwn = record?.kind === 'Pat' && equalBytes(record.user, user)
  if (!isOwn || record.status === 'archived')
    throw new Failure('personal_token.not_found', { tokenId })
}

function changeStatus(
  deps: PatDeps,
  caller: Caller,
  raw: RawRequest,
  tokenId: string,
): Promise<Settled> {
  return settleSigned(deps, caller, raw, {
    kind: 'tokenStatus',
    check: (action) => checkOwn(deps, caller, { action, tokenId }),
  })
}

async function restrict(deps: PatDeps, caller: Caller, raw: RawRequest, tokenId: string) {
  const { inForce } = await changeStatus(deps, caller, raw, tokenId)
  const row = await ownToken(deps, caller, tokenId)
  return { ...(await shown(deps, caller, row)), ...receiptOf(inForce, deps.manifest) }
}

function ownTokens({ database }: PatDeps, { organization, user }: Caller) {
  return tokenRows(database, organization)
    .where('tokens.user', '=', user)
    .where('users.kind', '<>', 'serviceAccount')
}

async function ownToken(deps: PatDeps, caller: Caller, tokenId: string): Promise<TokenRow> {
  const row = await ownTokens(deps, caller)
    .where('tokens.token_id', '=', tokenId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('personal_token.not_found', { tokenId })
  return row
}

async function list(deps: PatDeps, caller: Caller) {
  const rows = await ownTokens(deps, caller)
    .where('tokens.archived_at', 'is', null)
    .orderBy('tokens.created_at', 'desc')
    .limit(namesMax)
    .execute()
  const { orgId, organization } = caller
  return readRoot(deps.log, organization, (root) =>
    rows.map((row) => accessTokenOf(row, 'Pat', { root, orgId, now: deps.now() })),
  )
}

function shown({ log, now }: PatDeps, { organization, orgId }: Caller, row: TokenRow) {
  return readRoot(log, organization, (root) =>
    accessTokenOf(row, 'Pat', { root, orgId, now: now() }),
  )
}
