import * as api from '@quorate/api/keys'
import { createdName } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import type { Caller } from '../auth/caller.ts'
import { receiptOf } from '../auth/receipt.ts'
import { settleSigned } from '../auth/settle.ts'
import { routing, type Route } from '../http/route.ts'
import { newestFirst, pageOf } from '../page.ts'
import { createSettled, type CreationDeps } from './create.ts'
import { checkDelegable } from './delegable.ts'
import { keyOf } from './entity.ts'
import { findKey, keyRows } from './find.ts'
import { checkMaster, derives } from './master.ts'
import { checkDelegation, checkOwner, ownerAsked } from './owner.ts'
import { checkNotArchived } from './reach.ts'
import { shownKey } from './shown.ts'

const { route } = routing<Caller>()

export function keyRoutes(deps: CreationDeps): readonly Route<Caller>[] {
  return [...readRoutes(deps), ...changeRoutes(deps)]
}

function readRoutes(deps: CreationDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(api.listKeys, async ({ caller, query }) => list(deps, caller, query)),
    route(api.getKey, async ({ caller, params: { keyId } }) =>
      shownKey(database, await findKey(database, caller, keyId)),
    ),
  ]
}

function changeRoutes(deps: CreationDeps): readonly Route<Caller>[] {
  const { database, log } = deps
  return [
    route(api.createKey, async ({ caller, raw, body }) => {
      const { request } = await createSettled(deps, caller, raw, {
        item: 'key',
        bearsKey: (payload) => !derives(parseJson(payload)),
        check: async () => {
          await checkMaster(database, caller, body)
          await checkDelegation(log, caller, body)
        },
      })
      return keyOf(await findKey(database, caller, createdName(request, 'key')))
    }),
    route(api.updateKey, async ({ caller, raw, params: { keyId } }) => {
      checkNotArchived(await findKey(database, caller, keyId))
      await settleSigned(deps, caller, raw, { kind: 'update' })
      return keyOf(await findKey(database, caller, keyId))
    }),
    route(api.deleteKey, async ({ caller, raw, params: { keyId } }) => {
      const found = await findKey(database, caller, keyId)
      const { inForce } = await settleSigned(deps, caller, raw, {
        kind: 'keyStatus',
        check: async () => checkNotArchived(found),
      })
      const key = keyOf(await findKey(database, caller, keyId))
      return { ...key, ...receiptOf(inForce, deps.manifest) }
    }),
    route(api.delegateKey, async ({ caller, raw, params: { keyId }, body: { delegateTo } }) => {
      const found = await findKey(database, caller, keyId)
      await settleSigned(deps, caller, raw, {
        kind: 'delegation',
        check: async () => {
          await checkDelegable(log, caller, found)
          await checkOwner(log, caller, delegateTo)
        },
      })
      return { keyId, status: 'Delegated' }
    }),
  ]
}

type Query = {
  readonly limit: number
  readonly paginationToken?: string | undefined
  readonly owner?: string | undefined
}

async function list({ database }: CreationDeps, caller: Caller, query: Query) {
  const asked = await ownerAsked(database, caller, query.owner)
  if (asked === undefined) return { items: [] }
  const rows = await keyRows(database, caller, asked.owner).$call(newestFirst(query)).execute()
  return pageOf(rows, query.limit, {
    positionAt: ({ created_at, id }) => ({ at: created_at, id }),
    itemOf: keyOf,
  })
}
