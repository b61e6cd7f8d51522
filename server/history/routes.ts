import { getWalletHistory } from '@quorate/api/wallets'
import type { Caller } from '../auth/caller.ts'
import type { Chains } from '../chain/chains.ts'
import type { Database } from '../database/database.ts'
import { routing, type Route } from '../http/route.ts'
import { findWallet } from '../wallets/find.ts'
import { listHistory } from './find.ts'

const { route } = routing<Caller>()

export function historyRoutes(deps: {
  readonly database: Database
  readonly chains: Chains
}): readonly Route<Caller>[] {
  const { database, chains } = deps
  return [
    route(getWalletHistory, async ({ caller, query, params: { walletId } }) => {
      const wallet = await findWallet(database, caller, walletId)
      const about = { walletId, network: wallet.network }
      // A key that stands for no chain has nothing happen to it.
      if (wallet.address === null) return { ...about, items: [] }
      const { network } = chains.find(wallet.network)
      return { ...about, ...(await listHistory(database, { wallet, network }, query)) }
    }),
  ]
}
