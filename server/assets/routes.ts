import { getWalletAssets } from '@quorate/api/wallets'
import type { Caller } from '../auth/caller.ts'
import type { Chains } from '../chain/chains.ts'
import type { Database } from '../database/database.ts'
import { routing, type Route } from '../http/route.ts'
import { findWallet } from '../wallets/find.ts'

const { route } = routing<Caller>()

/** What a wallet holds, by the word of the chain's newest block. */
export function assetRoutes(deps: {
  readonly database: Database
  readonly chains: Chains
}): readonly Route<Caller>[] {
  const { database, chains } = deps
  return [
    route(getWalletAssets, async ({ caller, params: { walletId } }) => {
      const { network, address } = await findWallet(database, caller, walletId)
      // A key that stands for no chain holds nothing.
      if (address === null) return { walletId, network, assets: [] }
      const chain = chains.find(network)
      await chain.ready()
      const balance = await chain.adapter.balance(chain.rpc, address)
      const { symbol, decimals } = chain.network.nativeAsset
      const asset = { kind: 'Native' as const, symbol, decimals, verified: true }
      return { walletId, network, assets: [{ ...asset, balance: balance.toString() }] }
    }),
  ]
}
