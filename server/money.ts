import type { QuoteMaxFee } from './auth/action.ts'
import type { Caller } from './auth/caller.ts'
import { assetRoutes } from './assets/routes.ts'
import { balanceRoutes } from './balances/routes.ts'
import type { Chains } from './chain/chains.ts'
import { quoteMaxFee, type QuoteDeps } from './chain/quote.ts'
import { openSignatureFacts } from './chain/signature-facts.ts'
import { startFollowers } from './history/followers.ts'
import { historyRoutes } from './history/routes.ts'
import type { Route } from './http/route.ts'
import { networkRoutes } from './networks/routes.ts'
import type { ObserveFacts } from './signatures/execute.ts'
import { namesSponsor, quoteSponsored, type SponsoredQuoteDeps } from './sponsorships/quote.ts'
import { transactionRoutes } from './transactions/routes.ts'
import { isReplacing, quoteReplacement } from './transfers/quote-replacement.ts'
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
    ...balanceRoutes(deps),
    ...historyRoutes(deps),
    ...networkRoutes(deps),
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

/** What those need of the chain who have a user's request signed. */
export function openMoney(deps: QuoteDeps & SponsoredQuoteDeps): {
  readonly quoteMaxFee: QuoteMaxFee
  readonly observeFacts: ObserveFacts
  readonly takesWallets: Chains['takesWallets']
} {
  return {
    quoteMaxFee: (caller, match, body) => {
      if (isReplacing(match)) return quoteReplacement(deps, caller, match)
      if (namesSponsor(match, body)) return quoteSponsored(deps, caller, match, body)
      return quoteMaxFee(deps, caller, match, body)
    },
    observeFacts: openSignatureFacts(deps),
    takesWallets: deps.chains.takesWallets,
  }
}
