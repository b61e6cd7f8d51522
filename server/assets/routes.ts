import { readTokenUri } from '@quorate/chains/evm/index'
import { inPieces } from '@quorate/chains/evm/pieces'
import { getWalletAssets, getWalletNfts } from '@quorate/api/wallets'
import type { Caller } from '../auth/caller.ts'
import type { Chain, Chains } from '../chain/chains.ts'
import type { Database } from '../database/database.ts'
import type { Opine } from '../facts/file.ts'
import { findTokenWords } from '../history/tokens.ts'
import { routing, type Route } from '../http/route.ts'
import { findWallet, type WalletRow } from '../wallets/find.ts'
import { listCandidates } from './candidates.ts'
import { holdingsOf, newestHash, unlessDisputed } from './holdings.ts'
import { findListed, type Listed } from './listed.ts'
import { quoteOf } from './quotes.ts'

const { route } = routing<Caller>()

type AssetDeps = {
  readonly database: Database
  readonly chains: Chains
  readonly opine: Opine
  readonly now: () => number
}

/** What a wallet holds, by the word of the chain's newest block. */
export function assetRoutes(deps: AssetDeps): readonly Route<Caller>[] {
  const { database, chains } = deps
  return [
    route(getWalletAssets, async ({ caller, query, params: { walletId } }) => {
      const wallet = await findWallet(database, caller, walletId)
      const { network, address } = wallet
      // A key that stands for no chain holds nothing.
      if (address === null) return { walletId, network, assets: [] }
      const held = await assetsOf(deps, chains.find(network), { ...wallet, address })
      if (query.netWorth === undefined)
        return { walletId, network, assets: held.map(({ asset }) => asset) }
      const assets = held.map(({ asset, price }) =>
        price === undefined ? asset : { ...asset, quotes: { USD: price.unit } },
      )
      const worth = held.reduce((sum, { price }) => sum + (price?.worth ?? 0), 0)
      return { walletId, network, assets, netWorth: { USD: worth } }
    }),
    route(getWalletNfts, async ({ caller, params: { walletId } }) => {
      const wallet = await findWallet(database, caller, walletId)
      const { network, address } = wallet
      if (address === null) return { walletId, network, nfts: [] }
      const nfts = await piecesOf(deps, chains.find(network), { ...wallet, address })
      return { walletId, network, nfts }
    }),
  ]
}

type Owner = WalletRow & { readonly address: string }

/** The native asset, even if there is none of it, and the coins that ever moved. */
async function assetsOf({ database, opine, now }: AssetDeps, chain: Chain, wallet: Owner) {
  await chain.ready()
  const { address } = wallet
  const blockHash = await newestHash(chain)
  const { id, nativeAsset, noCoin } = chain.network
  const balance = noCoin ? 0n : await chain.adapter.balance(chain.rpc, address, blockHash)
  const { candidates, listed } = await withListed(database, wallet)
  const coins = await holdingsOf(chain, { address, blockHash, listed }, candidates)
  const words = await findTokenWords(
    database,
    id,
    coins.map(({ contract }) => contract),
  )
  const quote = (asset: string, amount: bigint) =>
    quoteOf(opine, { asset: `${id}/${asset}`, balance: amount }, now())
  const { price } = await quote('Native', balance)
  const { symbol, decimals } = nativeAsset
  const native = {
    asset: { kind: 'Native' as const, symbol, decimals, verified: true, balance: `${balance}` },
    price,
  }
  const others = coins.map(async ({ contract, balance: units }) => {
    const { isListed, price: own } = await quote(`Erc20/${contract.toLowerCase()}`, units)
    const said = { decimals: 0, verified: isListed, ...words.get(contract) }
    const asset = { kind: 'Erc20' as const, contract, ...said, balance: `${units}` }
    return { asset, price: own }
  })
  return [native, ...(await Promise.all(others))]
}

/** What has moved, and what the operator knows, whether or not anybody has seen it move. */
async function withListed(database: Database, wallet: Owner) {
  const moved = await listCandidates(database, wallet, ['Erc20'])
  const seen = new Set(moved.map(({ contract }) => contract))
  const listed = await findListed(database, wallet.network)
  const others = listed.filter(({ kind, contract }) => kind === 'Erc20' && !seen.has(contract))
  const kind = 'Erc20' as const
  const unseen = others.map(({ contract }) => ({ kind, contract, token_id: '' }))
  return { candidates: [...moved, ...unseen], listed: namesOf(listed) }
}

function namesOf(listed: readonly Listed[]): ReadonlySet<string> {
  return new Set(listed.map(({ contract }) => contract))
}

async function piecesOf({ database }: AssetDeps, chain: Chain, wallet: Owner) {
  await chain.ready()
  const { address } = wallet
  const candidates = await listCandidates(database, wallet, ['Erc721', 'Erc1155'])
  const blockHash = await newestHash(chain)
  const listed = namesOf(await findListed(database, wallet.network))
  const holder = { address, blockHash, listed }
  const pieces = await holdingsOf(chain, holder, candidates)
  const contracts = pieces.map(({ contract }) => contract)
  const words = await findTokenWords(database, wallet.network, contracts)
  const shown = await inPieces(pieces, async ({ kind, contract, token_id: tokenId, balance }) => {
    const { symbol } = words.get(contract) ?? {}
    const own = { contract, tokenId, ...(symbol === undefined ? {} : { symbol }) }
    if (kind === 'Erc1155') return { kind, ...own, balance: `${balance}` }
    const asked = readTokenUri(chain.rpc, { contract, tokenId: BigInt(tokenId), blockHash })
    const tokenUri = await unlessDisputed(chain, { ...holder, contract }, asked)
    return { kind: 'Erc721' as const, ...own, ...(tokenUri === undefined ? {} : { tokenUri }) }
  })
  return [...shown]
}
