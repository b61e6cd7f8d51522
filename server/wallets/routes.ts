import * as api from '@quorate/api/wallets'
import { createdName } from '@quorate/core/id'
import { Failure } from '@quorate/core/failure'
import { isObject, parseJson } from '@quorate/core/json'
import type { Caller } from '../auth/caller.ts'
import { routing, type Route } from '../http/route.ts'
import { createSettled, type CreationDeps } from '../keys/create.ts'
import { findKey } from '../keys/find.ts'
import { pageOf, readPosition } from '../page.ts'
import { walletOf } from './entity.ts'
import { findWallet, walletRows } from './find.ts'

const { route } = routing<Caller>()

export function walletRoutes(deps: CreationDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(api.createWallet, async ({ caller, raw, body: { network, signingKey } }) => {
      const keyId = signingKey?.id
      if (keyId !== undefined) await checkJoinable(deps, caller, { keyId, network })
      const { request } = await createSettled(deps, caller, raw, { item: 'wallet', bearsKey })
      return walletOf(await findWallet(database, caller, createdName(request, 'wallet')))
    }),
    route(api.listWallets, async ({ caller, query }) => list(deps, caller, query)),
    route(api.getWallet, async ({ caller, params: { walletId } }) =>
      walletOf(await findWallet(database, caller, walletId)),
    ),
  ]
}

/** Does the signed body leave it to us to make a key? */
function bearsKey(payload: string): boolean {
  const body = parseJson(payload)
  const signingKey = isObject(body) ? body['signingKey'] : undefined
  return !isObject(signingKey) || signingKey['id'] === undefined
}

/** Only for a better answer: the rules refuse a second wallet of a key on a network by themselves. */
async function checkJoinable(
  { database }: CreationDeps,
  caller: Caller,
  { keyId, network }: { readonly keyId: string; readonly network: string },
): Promise<void> {
  const key = await findKey(database, caller, keyId)
  const twin = await database
    .selectFrom('wallets')
    .select('id')
    .where('organization', '=', caller.organization)
    .where('key', '=', key.id)
    .where('network', '=', network)
    .executeTakeFirst()
  if (twin !== undefined) throw new Failure('wallet.already_exists', { keyId, network })
}

type Query = {
  readonly limit: number
  readonly paginationToken?: string | undefined
  readonly owner?: string | undefined
  readonly ownerId?: string | undefined
  readonly ownerUsername?: string | undefined
}

async function list({ database }: CreationDeps, caller: Caller, query: Query) {
  const after = readPosition(query.paginationToken)
  const owner = query.owner ?? query.ownerId ?? query.ownerUsername
  // Every wallet is the organization's own until wallets can be delegated: no user owns any.
  if (owner !== undefined) return { items: [] }
  const rows = await walletRows(database, caller)
    .where((eb) =>
      after === undefined
        ? eb.lit(true)
        : eb(eb.refTuple('wallets.created_at', 'wallets.id'), '<', eb.tuple(after.at, after.id)),
    )
    .orderBy('wallets.created_at', 'desc')
    .orderBy('wallets.id', 'desc')
    .limit(query.limit + 1)
    .execute()
  return pageOf(rows, query.limit, {
    positionAt: ({ created_at, id }) => ({ at: created_at, id }),
    itemOf: walletOf,
  })
}
