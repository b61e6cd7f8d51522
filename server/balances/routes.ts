import { listOrgBalances, listOrgBalanceTotals } from '@quorate/api/balances'
import type { Caller } from '../auth/caller.ts'
import { routing, type Route } from '../http/route.ts'
import { type BalanceDeps, listBalances, listTotals } from './find.ts'

const { route } = routing<Caller>()

/** What an organization holds, without a question to any chain. */
export function balanceRoutes(deps: BalanceDeps): readonly Route<Caller>[] {
  return [
    route(listOrgBalances, ({ caller, query }) => listBalances(deps, caller, query)),
    route(listOrgBalanceTotals, ({ caller, query }) => listTotals(deps, caller, query)),
  ]
}
