import type { Json } from '@quorate/core/json'
import type { Match } from '@quorate/authority/operations'
import type { Caller } from './auth/caller.ts'
import { assetRoutes } from './assets/routes.ts'
import { quoteMaxFee, type QuoteDeps } from './chain/quote.ts'
import { startFollowers } from './history/followers.ts'
import { historyRoutes } from './history/routes.ts'
import type { Route } from './http/route.ts'
import { transactionRoutes } from './transactions/routes.ts'
import type { RequestDeps } from './transfers/request.ts'
import { transferRoutes } from './transfers/routes.ts'
import type { WorkDeps } from './transfers/work.ts'
import { startWorker } from './transfers/worker.ts'

export type MoneyWorkers = { wake(): void; stop(): Promise<void> }

/** Everything that moves money, or tells what moved. */
export function moneyRoutes(deps: RequestDeps): readonly Route<Caller>[] {
  return [
    ...transferRoutes(deps),
    ...transactionRoutes(deps),
    ...assetRoutes(deps),
    ...historyRoutes(deps),
  ]
}

/** Runs beside the workers of any number of other servers. */
export function startMoneyWorkers(deps: WorkDeps): MoneyWorkers {
  const worker = startWorker(deps)
  const followers = startFollowers(deps)
  return {
    wake: worker.wake,
    stop: async () => {
      await Promise.all([worker.stop(), followers.stop()])
    },
  }
}

/** As the challenge for a user action needs it. */
export function openQuotes(deps: QuoteDeps) {
  return (caller: Caller, match: Match, body: Json) => quoteMaxFee(deps, caller, match, body)
}
