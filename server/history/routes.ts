import type { Network } from '@quorate/chains/adapter'
import { getWalletHistory, listOrgWalletHistory } from '@quorate/api/wallets'
import type { Caller } from '../auth/caller.ts'
import type { Chains } from '../chain/chains.ts'
import type { Database } from '../database/database.ts'
import { csvOf } from '../http/csv.ts'
import { routing, type Route } from '../http/route.ts'
import { findWallet } from '../wallets/find.ts'
import { listHistory, settledNumber } from './find.ts'
import { listOrgHistory, orgHistoryRows } from './organization.ts'

const { route } = routing<Caller>()

type HistoryDeps = { readonly database: Database; readonly chains: Chains }

export function historyRoutes(deps: HistoryDeps): readonly Route<Caller>[] {
  const { database, chains } = deps
  return [
    route(getWalletHistory, async ({ caller, query, params: { walletId } }) => {
      const wallet = await findWallet(database, caller, walletId)
      const about = { walletId, network: wallet.network }
      // A key that stands for no chain has nothing happen to it.
      if (wallet.address === null) return { ...about, items: [] }
      const network = await networkRead(deps, wallet.network)
      return { ...about, ...(await listHistory(database, { wallet, network }, query)) }
    }),
    route(listOrgWalletHistory, async ({ caller, query, raw }) => {
      const span = { start: Date.parse(query.startTime), end: Date.parse(query.endTime) }
      const asked = { database, chains, span }
      return raw.wantsCsv === true
        ? csvOf(columns, cellsOf(orgHistoryRows(asked, caller)))
        : listOrgHistory(asked, caller, query)
    }),
  ]
}

/**
 * What was read before its nodes were taken away is still told.
 * @throws Failure `chain.unavailable` of a chain that nobody has read
 */
async function networkRead({ database, chains }: HistoryDeps, id: string): Promise<Network> {
  const network = chains.named(id)
  const isLost = chains.all.every((chain) => chain.network.id !== id)
  if (isLost && (await settledNumber(database, network)) >= 0) return network
  return chains.find(id).network
}

const columns = [
  ...(['timestamp', 'walletId', 'network', 'direction', 'from', 'to', 'amount'] as const),
  ...(['tokenId', 'asset', 'symbol', 'decimals', 'fee', 'feeSymbol', 'feeDecimals'] as const),
  'txHash' as const,
]

async function* cellsOf(pages: ReturnType<typeof orgHistoryRows>) {
  for await (const items of pages)
    yield items.map((item) => columns.map((name) => item[name] ?? ''))
}
