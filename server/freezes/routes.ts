import * as api from '@quorate/api/freezes'
import type { Manifest } from '@quorate/authority/manifest'
import { nameOf } from '@quorate/core/id'
import type { Caller } from '../auth/caller.ts'
import { receiptOf } from '../auth/receipt.ts'
import { settleSigned, type SettleDeps } from '../auth/settle.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'

const { route } = routing<Caller>()

export type FreezeDeps = SettleDeps & { readonly manifest: Manifest }

export function freezeRoutes(deps: FreezeDeps): readonly Route<Caller>[] {
  return [
    route(api.freeze, async ({ caller, raw }) => settle(deps, caller, raw)),
    route(api.unfreeze, async ({ caller, raw }) => settle(deps, caller, raw)),
  ]
}

const kinds = { organization: 'Organization', user: 'User', key: 'Key' } as const

async function settle(deps: FreezeDeps, caller: Caller, raw: RawRequest) {
  const { inForce } = await settleSigned(deps, caller, raw, { kind: 'freeze' })
  const { operation } = inForce
  if (operation.kind !== 'freeze') throw new TypeError('not a freeze')
  return {
    id: nameOf('freeze', operation.freeze),
    kind: kinds[operation.what],
    status: operation.status === 'active' ? ('Active' as const) : ('Ended' as const),
    ...receiptOf(inForce, deps.manifest),
  }
}
