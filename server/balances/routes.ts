import { listOrgBalances, listOrgBalanceTotals } from '@quorate/api/balances'
import type { Caller } from '../auth/caller.ts'
import type { Database } from '../database/database.ts'
import { routing, type Route } from '../http/route.ts'
import { listBalances, listTotals } from './find.ts'

const { route } = routing<Caller>()

/** What an organization holds, without a question to any chain. */
export function balanceRoutes({ database }: { database: Database }): readonly Route<Caller>[] {
  return [
    route(listOrgBalances, ({ caller, query }) => listBalances(database, caller, query)),
    route(listOrgBalanceTotals, ({ caller, query }) => listTotals(database, caller, query)),
  ]
}
