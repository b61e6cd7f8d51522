import { getWalletProof } from '@quorate/api/trust'
import * as api from '@quorate/api/wallets'
import { createdName } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import type { Caller } from '../auth/caller.ts'
import { routing, type Route } from '../http/route.ts'
import { createSettled, type CreationDeps } from '../keys/create.ts'
import { pageOf, readPosition } from '../page.ts'
import { walletOf } from './entity.ts'
import { findWallet, walletRows } from './find.ts'
import { proofOf } from './proof.ts'
import { checkSuited } from './suited.ts'

const { route } = routing<Caller>()

export function walletRoutes(deps: CreationDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(api.createWallet, async ({ caller, raw, body }) => {
      await checkSuited(database, caller, body)
      const { request } = await createSettled(deps, caller, raw, { item: 'wallet', bearsKey })
      return walletOf(await findWallet(database, caller, createdName(request, 'wallet')))
    }),
    route(api.listWallets, async ({ caller, query }) => list(deps, caller, query)),
    route(api.getWallet, async ({ caller, params: { walletId } }) =>
      walletOf(await findWallet(database, caller, walletId)),
    ),
    route(getWalletProof, async ({ caller, params: { walletId } }) =>
      proofOf(database, await findWallet(database, caller, walletId)),
    ),
  ]
}

/** Does the signed body leave it to us to make a key? */
function bearsKey(payload: string): boolean {
  const body = parseJson(payload)
  const signingKey = isObject(body) ? body['signingKey'] : undefined
  return !isObject(signingKey) || signingKey['id'] === undefined
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
