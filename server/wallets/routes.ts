import { getWalletProof } from '@quorate/api/trust'
import * as api from '@quorate/api/wallets'
import { createdName } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import type { Caller } from '../auth/caller.ts'
import { settleSigned } from '../auth/settle.ts'
import { routing, type Route } from '../http/route.ts'
import { createSettled, type CreationDeps } from '../keys/create.ts'
import { checkDelegable } from '../keys/delegable.ts'
import { derives } from '../keys/master.ts'
import { checkDelegation, checkOwner, ownerAsked } from '../keys/owner.ts'
import { checkNotArchived } from '../keys/reach.ts'
import { newestFirst, pageOf } from '../page.ts'
import { walletOf } from './entity.ts'
import { findWallet, walletRows } from './find.ts'
import { proofOf } from './proof.ts'
import { checkSuited } from './suited.ts'

const { route } = routing<Caller>()

export function walletRoutes(deps: CreationDeps): readonly Route<Caller>[] {
  return [...readRoutes(deps), ...changeRoutes(deps), ...tagRoutes(deps)]
}

function readRoutes(deps: CreationDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(api.listWallets, async ({ caller, query }) => list(deps, caller, query)),
    route(api.getWallet, async ({ caller, params: { walletId } }) =>
      walletOf(await findWallet(database, caller, walletId)),
    ),
    route(getWalletProof, async ({ caller, params: { walletId } }) =>
      proofOf(database, await findWallet(database, caller, walletId)),
    ),
  ]
}

function changeRoutes(deps: CreationDeps): readonly Route<Caller>[] {
  const { database, log } = deps
  return [
    route(api.createWallet, async ({ caller, raw, body }) => {
      const { request } = await createSettled(deps, caller, raw, {
        item: 'wallet',
        bearsKey,
        check: async () => {
          await checkSuited(deps, caller, body)
          await checkDelegation(log, caller, body)
        },
      })
      return walletOf(await findWallet(database, caller, createdName(request, 'wallet')))
    }),
    route(api.updateWallet, async ({ caller, raw, params: { walletId } }) => {
      checkNotArchived(await findWallet(database, caller, walletId))
      await settleSigned(deps, caller, raw, { kind: 'update' })
      return walletOf(await findWallet(database, caller, walletId))
    }),
    route(api.delegateWallet, async ({ caller, raw, params: { walletId }, body: { userId } }) => {
      const found = await findWallet(database, caller, walletId)
      await settleSigned(deps, caller, raw, {
        kind: 'delegation',
        check: async () => {
          await checkDelegable(log, caller, found)
          await checkOwner(log, caller, userId)
        },
      })
      return { walletId, status: 'Delegated' }
    }),
  ]
}

function tagRoutes(deps: CreationDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [api.tagWallet, api.untagWallet].map((endpoint) =>
    route(endpoint, async ({ caller, raw, params: { walletId } }) => {
      checkNotArchived(await findWallet(database, caller, walletId))
      await settleSigned(deps, caller, raw, { kind: 'tags' })
      return {}
    }),
  )
}

/** Does the signed body leave it to us to make a key? */
function bearsKey(payload: string): boolean {
  const body = parseJson(payload)
  const signingKey = isObject(body) ? body['signingKey'] : undefined
  return !isObject(signingKey) || (signingKey['id'] === undefined && !derives(signingKey))
}

type Query = {
  readonly limit: number
  readonly paginationToken?: string | undefined
  readonly owner?: string | undefined
  readonly ownerId?: string | undefined
  readonly ownerUsername?: string | undefined
}

async function list({ database }: CreationDeps, caller: Caller, query: Query) {
  const named = query.owner ?? query.ownerId ?? query.ownerUsername
  const asked = await ownerAsked(database, caller, named)
  if (asked === undefined) return { items: [] }
  const rows = await walletRows(database, caller, asked.owner)
    .$call(newestFirst(query, ['wallets.created_at', 'wallets.id']))
    .execute()
  return pageOf(rows, query.limit, {
    positionAt: ({ created_at, id }) => ({ at: created_at, id }),
    itemOf: walletOf,
  })
}
