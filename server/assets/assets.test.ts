import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Rpc } from '@quorate/chains/adapter'
import { evm } from '@quorate/chains/evm/index'
import { Failure } from '@quorate/core/failure'
import { deploy, type Deployed } from '@quorate/devnet/testing/deploy'
import type { Opine } from '../facts/file.ts'
import { follow } from '../history/follow.ts'
import { newFollower } from '../history/follower.ts'
import { openEdge } from '../transfers/testing/edge.ts'
import { makeWallet, mine, network, startTreasury } from '../transfers/testing/treasury.ts'
import { stranger, type Treasury } from '../transfers/testing/treasury.ts'
import type { WalletRow } from '../wallets/find.ts'
import { assetRoutes } from './routes.ts'

const now = Date.parse('2026-01-31T12:00:00Z')

describe('what a wallet holds', () => {
  let treasury: Treasury
  let wallet: WalletRow
  let coin: Deployed
  let fake: Deployed
  let pieces: Deployed
  let sets: Deployed
  let app: ReturnType<typeof openEdge>
  let noCoin: { readonly noCoin?: true } = {}
  let prices: Awaited<ReturnType<Opine>>['prices'] = []
  /** Answers instead of the real node, where it is one. */
  let answer: (method: string, params: readonly unknown[]) => Promise<unknown> | undefined
  before(async () => {
    treasury = await startTreasury()
    answer = () => undefined
    const { database, rpc } = treasury
    const chains = changed(treasury.chains)
    const opine: Opine = async ({ movements }) => ({
      prices: prices.filter(({ asset }) => movements.some((moved) => moved.asset === asset)),
      screenings: [],
    })
    const routes = assetRoutes({ database, chains, opine, now: () => now })
    app = openEdge(treasury, routes)
    wallet = await makeWallet(treasury, 5n * 10n ** 17n)
    coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    fake = await deploy(rpc, 'Boaster')
    pieces = await deploy(rpc, 'Pieces')
    sets = await deploy(rpc, 'Sets')
    await coin.invoke('mint', [wallet.address, 2_500_000n])
    for (const id of [7n, 8n]) await pieces.invoke('mint', [wallet.address, id])
    await sets.invoke('mintSome', [wallet.address, [1n, 2n], [3n, 4n]])
    await catchUp()
  })
  after(async () => {
    await app.close()
    await treasury.stop()
  })

  it('is told with coins that were seen to move, as much as their contracts say there is', async () => {
    prices = []
    const { assets, netWorth } = await get('assets')
    assert.equal(netWorth, undefined)
    const words = { symbol: 'GLD', decimals: 6, verified: false }
    assert.deepEqual(assets, [
      {
        kind: 'Native',
        symbol: 'ETH',
        decimals: 18,
        verified: true,
        balance: `${5n * 10n ** 17n}`,
      },
      { kind: 'Erc20', contract: named(coin), ...words, balance: '2500000' },
    ])
  })

  it('is none of the native asset where there is no coin, whatever a fake node says', async () => {
    answer = async (method, params) =>
      method === 'eth_getBalance' ? `0x${'42'.repeat(32)}` : treasury.rpc(method, params)
    noCoin = { noCoin: true }
    const { assets } = await get('assets')
    assert.deepEqual(
      assets.map((one: { kind: string; balance: string }) => [one.kind, one.balance]),
      [
        ['Native', '0'],
        ['Erc20', '2500000'],
      ],
    )
    noCoin = {}
    answer = () => undefined
  })

  it('is priced when asked, by fresh facts of the operator, who so lists a coin', async () => {
    const gold = `${network}/Erc20/${coin.address.toLowerCase()}`
    const price = { currency: 'USD' as const, source: 'treasury', at: now }
    prices = [
      { ...price, asset: `${network}/Native`, micros: 2_000_000_000n, decimals: 18 },
      { ...price, asset: gold, micros: 1_500_000n, decimals: 6 },
    ]
    const { assets, netWorth } = await get('assets?netWorth=true')
    assert.deepEqual(netWorth, { USD: 1_000 + 3.75 })
    const [native, coins] = assets
    assert.deepEqual([native.quotes, coins.quotes], [{ USD: 2_000 }, { USD: 1.5 }])
    assert.equal(coins.verified, true)
    prices = prices.map((one) => ({ ...one, at: now - 3 * 60 * 60_000 }))
    const stale = await get('assets?netWorth=true')
    assert.deepEqual(stale.netWorth, { USD: 0 })
    assert.equal(stale.assets[0].quotes, undefined)
    const { assets: plain } = await get('assets')
    assert.equal(plain[0].quotes, undefined)
  })

  it('has its pieces of collections, and units of pieces', async () => {
    const { nfts } = await get('nfts')
    const piece = { kind: 'Erc721', contract: named(pieces), symbol: 'PCS' }
    const set = { kind: 'Erc1155', contract: named(sets) }
    const byToken = (a: { tokenId: string }, b: { tokenId: string }) => +a.tokenId - +b.tokenId
    assert.deepEqual(nfts.toSorted(byToken), [
      { ...set, tokenId: '1', balance: '3' },
      { ...set, tokenId: '2', balance: '4' },
      { ...piece, tokenId: '7' },
      { ...piece, tokenId: '8' },
    ])
  })

  it('is what the chain says now: not what came once and is gone, nor what never moved', async () => {
    const { rpc } = treasury
    await rpc('anvil_impersonateAccount', [wallet.address])
    const pad = (value: string) => value.replace('0x', '').toLowerCase().padStart(64, '0')
    const moved = `0x42842e0e${pad(wallet.address ?? '')}${pad(stranger)}${pad('7')}`
    const sent = { from: wallet.address, to: pieces.address, data: moved }
    await rpc('eth_sendTransaction', [sent])
    await mine(treasury)
    const { nfts } = await get('nfts')
    assert.ok(!nfts.some(({ tokenId }: { tokenId: string }) => tokenId === '7'))
    const { assets } = await get('assets')
    assert.ok(!assets.some(({ contract }: { contract?: string }) => contract === named(fake)))
  })

  it('leaves out a coin that does not answer, and stays an answer', async () => {
    const { rpc } = treasury
    const code = await rpc('eth_getCode', [coin.address, 'latest'])
    await rpc('anvil_setCode', [coin.address, '0xfe'])
    await mine(treasury)
    assert.equal((await get('assets')).assets.length, 1)
    await rpc('anvil_setCode', [coin.address, code])
  })

  it('leaves out a coin about which fake nodes disagree, unless the operator vouches for it', async () => {
    answer = (method, params) => (isOf(coin)(method, params) ? disputed() : undefined)
    assert.equal((await get('assets')).assets.length, 1)
    const said = {
      network,
      contract: named(coin),
      kind: 'Erc20',
      symbol: 'GLD',
      decimals: 6,
    } as const
    await treasury.database
      .insertInto('listed_assets')
      .values({ ...said, checked_at: 1 })
      .execute()
    assert.equal(await statusOf('assets'), 503)
    await treasury.database.deleteFrom('listed_assets').execute()
    answer = () => undefined
    assert.equal((await get('assets')).assets.length, 2)
  })

  it('leaves out pieces about which fake nodes disagree, and where they say that pictures are', async () => {
    const before = (await get('nfts')).nfts
    answer = (method, params) => (isOf(sets)(method, params) ? disputed() : undefined)
    const { nfts } = await get('nfts')
    assert.deepEqual(
      nfts.map(({ kind }: { kind: string }) => kind),
      before.map(({ kind }: { kind: string }) => kind).filter((kind: string) => kind === 'Erc721'),
    )
    answer = (method, params) => (isUri(method, params) ? disputed() : undefined)
    assert.deepEqual((await get('nfts')).nfts, before)
    answer = () => undefined
  })

  it('is not told where a fake node is away in the middle of it', async () => {
    answer = (method, params) => {
      if (isOf(coin)(method, params)) gone = true
      return gone && method !== 'eth_getBlockByNumber' ? disputed() : undefined
    }
    let gone = false
    assert.equal(await statusOf('assets'), 503)
    answer = () => undefined
  })

  it('is asked sixteen pieces at a time where their pictures are', async () => {
    for (let id = 100n; id < 140n; id++) await pieces.invoke('mint', [wallet.address, id])
    await catchUp()
    let [asking, most] = [0, 0]
    answer = (method, params) => {
      if (!isUri(method, params)) return undefined
      most = Math.max(most, (asking += 1))
      return treasury.rpc(method, params).finally(() => (asking -= 1))
    }
    assert.ok((await get('nfts')).nfts.length >= 40)
    assert.equal(most, 16)
    answer = () => undefined
  })

  const isOf =
    ({ address }: Deployed) =>
    (method: string, [call]: readonly unknown[]): boolean =>
      method === 'eth_call' && String(Object(call).to).toLowerCase() === address.toLowerCase()
  /** Of `tokenURI(uint256)`. */
  const isUri = (method: string, [call]: readonly unknown[]): boolean =>
    method === 'eth_call' && String(Object(call).data).startsWith('0xc87b56dd')
  const disputed = () => Promise.reject(new Failure('chain.unavailable', { network }))

  function changed(chains: Treasury['chains']): Treasury['chains'] {
    const find: typeof chains.find = (id) => {
      const chain = chains.find(id)
      const rpc: Rpc = (method, params) => answer(method, params) ?? chain.rpc(method, params)
      return { ...chain, rpc, network: { ...chain.network, ...noCoin } }
    }
    return { ...chains, find }
  }

  async function statusOf(what: string): Promise<number> {
    const url = `/wallets/${wallet.wallet_id}/${what}`
    const headers = { authorization: 'Bearer any' }
    return (await app.inject({ method: 'GET', url, headers })).statusCode
  }

  async function get(what: string) {
    const url = `/wallets/${wallet.wallet_id}/${what}`
    const headers = { authorization: 'Bearer any' }
    const answer = await app.inject({ method: 'GET', url, headers })
    assert.equal(answer.statusCode, 200, answer.body)
    return answer.json()
  }

  async function catchUp(): Promise<void> {
    const { deps, chains, database } = treasury
    // As if the lease of whoever has followed had ended.
    await database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
    const follower = newFollower(chains.find(network))
    while ((await follow(deps, follower)) === 'more');
  }
})

/** With its checksum. */
function named({ address }: Deployed): string {
  return evm.parseAddress(address)
}
