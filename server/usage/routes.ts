import { getUsage } from '@quorate/api/usage'
import type { Caller } from '../auth/caller.ts'
import type { Database } from '../database/database.ts'
import { routing, type Route } from '../http/route.ts'
import type { Quota } from './quota.ts'

const { route } = routing<Caller>()

export function usageRoutes(deps: {
  readonly database: Database
  readonly quota: Quota
  readonly now: () => number
}): readonly Route<Caller>[] {
  const { database, quota, now } = deps
  return [
    route(getUsage, async ({ caller: { organization } }) => {
      const { month, used, limit, resetsAt } = await quota.read(database, organization, now())
      return {
        month,
        signatures: { used, ...(limit === undefined ? {} : { limit }) },
        dateReset: new Date(resetsAt).toISOString(),
      }
    }),
  ]
}
