import * as api from '@quorate/api/keys'
import { createdName } from '@quorate/core/id'
import type { Caller } from '../auth/caller.ts'
import { routing, type Route } from '../http/route.ts'
import { pageOf, readPosition } from '../page.ts'
import { createSettled, type CreationDeps } from './create.ts'
import { keyOf } from './entity.ts'
import { findKey } from './find.ts'

const { route } = routing<Caller>()

export function keyRoutes(deps: CreationDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(api.createKey, async ({ caller, raw }) => {
      const { request } = await createSettled(deps, caller, raw, {
        item: 'key',
        bearsKey: () => true,
      })
      return keyOf(await findKey(database, caller, createdName(request, 'key')))
    }),
    route(api.listKeys, async ({ caller, query }) => list(deps, caller, query)),
    route(api.getKey, async ({ caller, params: { keyId } }) => {
      const key = await findKey(database, caller, keyId)
      const wallets = await database
        .selectFrom('wallets')
        .select(['wallet_id as id', 'network'])
        .where('organization', '=', caller.organization)
        .where('key', '=', key.id)
        .orderBy('network')
        .execute()
      return { ...keyOf(key), wallets, store: { id: storeId, kind: 'Mpc', keyId } }
    }),
  ]
}

/** The one store there is: the signers of this cluster together. */
const storeId = 'signers'

type Query = {
  readonly limit: number
  readonly paginationToken?: string | undefined
  readonly owner?: string | undefined
}

async function list({ database }: CreationDeps, { organization }: Caller, query: Query) {
  const after = readPosition(query.paginationToken)
  // Every key is the organization's own until keys can be delegated: no user owns any.
  if (query.owner !== undefined) return { items: [] }
  const rows = await database
    .selectFrom('keys')
    .selectAll()
    .where('organization', '=', organization)
    .where((eb) =>
      after === undefined
        ? eb.lit(true)
        : eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(after.at, after.id)),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute()
  return pageOf(rows, query.limit, {
    positionAt: ({ created_at, id }) => ({ at: created_at, id }),
    itemOf: keyOf,
  })
}
