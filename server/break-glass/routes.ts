import * as api from '@quorate/api/break-glass'
import type { Manifest } from '@quorate/authority/manifest'
import { nameOf } from '@quorate/core/id'
import type { Caller } from '../auth/caller.ts'
import { receiptOf } from '../auth/receipt.ts'
import { settleSigned, type SettleDeps } from '../auth/settle.ts'
import { Held, routing, type RawRequest, type Route } from '../http/route.ts'

const { route } = routing<Caller>()

export type BreakGlassDeps = SettleDeps & { readonly manifest: Manifest }

export function breakGlassRoutes(deps: BreakGlassDeps): readonly Route<Caller>[] {
  return [
    route(api.breakPolicy, async ({ caller, raw }) => sign(deps, caller, raw)),
    route(api.cancelBreak, async ({ caller, raw }) => cancel(deps, caller, raw)),
  ]
}

async function sign(deps: BreakGlassDeps, caller: Caller, raw: RawRequest) {
  const { inForce } = await settleSigned(deps, caller, raw, { kind: 'break' })
  const { operation } = inForce
  if (operation.kind !== 'break') throw new TypeError('not the end of a policy')
  const { policy, effectiveAt } = operation
  const policyId = nameOf('policy', policy)
  if (effectiveAt === undefined) return new Held({ policyId, status: 'Pending' as const })
  const endsAt = new Date(effectiveAt).toISOString()
  return { policyId, status: 'Waiting' as const, endsAt, ...receiptOf(inForce, deps.manifest) }
}

async function cancel(deps: BreakGlassDeps, caller: Caller, raw: RawRequest) {
  const { inForce } = await settleSigned(deps, caller, raw, { kind: 'breakEnd' })
  const { operation } = inForce
  if (operation.kind !== 'breakEnd') throw new TypeError('not what keeps a policy')
  const policyId = nameOf('policy', operation.policy)
  return { policyId, status: 'Cancelled' as const, ...receiptOf(inForce, deps.manifest) }
}
