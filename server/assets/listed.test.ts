import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Rpc } from '@quorate/chains/adapter'
import { evm } from '@quorate/chains/evm/index'
import { Failure } from '@quorate/core/failure'
import { deploy, type Deployed } from '@quorate/devnet/testing/deploy'
import { follow } from '../history/follow.ts'
import { newFollower } from '../history/follower.ts'
import { moneyRoutes } from '../money.ts'
import { moneyDeps, openEdge } from '../transfers/testing/edge.ts'
import { signedPost } from '../transfers/testing/signed-post.ts'
import { makeWallet, mine, network, startTreasury } from '../transfers/testing/treasury.ts'
import { stranger, type Treasury } from '../transfers/testing/treasury.ts'
import type { WalletRow } from '../wallets/find.ts'
import type { Listing } from './file.ts'
import { checkListings, findListed, keepListings } from './listed.ts'

const nowhere = evm.parseAddress(`0x${'12'.repeat(20)}`)

type Item = { readonly kind: string; readonly contract?: string; readonly verified?: boolean }

describe('an asset that the operator knows', () => {
  let treasury: Treasury
  let wallet: WalletRow
  let coin: Deployed
  let app: ReturnType<typeof openEdge>
  let listing: Listing
  const mark = { kind: 'Erc20', symbol: 'GLD' } as const
  before(async () => {
    treasury = await startTreasury()
    app = openEdge(treasury, moneyRoutes(moneyDeps(treasury)))
    wallet = await makeWallet(treasury)
    coin = await deploy(treasury.rpc, 'Coin', ['Gold', 'GLD', 6])
    const contract = evm.parseAddress(coin.address)
    listing = { ...mark, network, contract, decimals: 6 }
  })
  after(async () => {
    await app.close()
    await treasury.stop()
  })

  it('is verified in history, events, assets and balances as soon as its contract says the same', async () => {
    await coin.invoke('mint', [wallet.address, 5n])
    await settle()
    assert.deepEqual(await verifiedIn('history'), [false])
    assert.deepEqual(await verifiedIn('assets'), [true, false])
    await keepListings(treasury.database, [listing])
    assert.deepEqual(await verifiedIn('history'), [false], 'nobody has asked the contract yet')
    await settle()
    assert.deepEqual(await verifiedIn('history'), [true])
    assert.deepEqual(await verifiedIn('assets'), [true, true])
    await coin.invoke('mint', [wallet.address, 6n])
    await settle()
    const rows = await treasury.database.selectFrom('outbox').selectAll().orderBy('id').execute()
    const told = rows.filter(({ kind }) => kind === 'wallet.blockchainevent.detected')
    const { blockchainEvent } = JSON.parse(told.at(-1)?.data ?? '{}')
    const asset = { symbol: 'GLD', decimals: 6, verified: true }
    assert.deepEqual(blockchainEvent.metadata.asset, asset)
    assert.equal(blockchainEvent.verified, true)
  })

  it('is verified in the metadata of transfers', async () => {
    const body = { kind: 'Erc20', contract: coin.address, to: stranger, amount: '1' }
    const { metadata } = await ask(body)
    assert.deepEqual(metadata, { asset: { symbol: 'GLD', decimals: 6, verified: true } })
  })

  it('is among a wallet’s assets though nobody has seen it move there', async () => {
    const other = await makeWallet(treasury)
    assert.ok((await items(other, 'assets')).every(({ kind }) => kind === 'Native'))
    await coin.invoke('mint', [other.address, 1n])
    const found = await items(other, 'assets')
    assert.deepEqual(
      found.map(({ kind, verified }) => [kind, verified]),
      [
        ['Native', true],
        ['Erc20', true],
      ],
    )
  })

  it('is not verified when its contract says otherwise, which the log tells', async () => {
    for (const wrong of [
      { ...listing, decimals: 18 },
      { ...listing, symbol: 'SILVER' },
      { ...listing, kind: 'Erc721' as const, decimals: null },
    ]) {
      treasury.lines.splice(0)
      await keepListings(treasury.database, [wrong])
      await settle()
      assert.deepEqual(await verifiedIn('assets'), [true, false])
      const said = treasury.lines.filter((line) => line.startsWith('an asset of the operator’s'))
      assert.equal(said.length, 1, JSON.stringify(wrong))
    }
    await keepListings(treasury.database, [])
    assert.deepEqual(await treasury.database.selectFrom('listed_assets').selectAll().execute(), [])
  })

  it('is checked again where a fake node did not want to ask its contract', async () => {
    const { database, chains, lines, deps } = treasury
    await keepListings(database, [listing])
    const chain = chains.find(network)
    let refusals = 1
    const busy: Rpc = async (method, params) => {
      if (method !== 'eth_call' || refusals-- <= 0) return chain.rpc(method, params)
      throw new Failure('chain.refused', { network, reason: 'limit exceeded', code: -32_005 })
    }
    const check = (now: number) =>
      checkListings(database, { ...chain, rpc: busy }, { log: deps.log, now })
    lines.splice(0)
    await check(1)
    assert.deepEqual(await verifiedIn('assets'), [true, false])
    await check(2)
    const row = () => database.selectFrom('listed_assets').selectAll().executeTakeFirstOrThrow()
    assert.equal((await row()).checked_at, null)
    await check(15_001)
    assert.deepEqual(await verifiedIn('assets'), [true, true])
    assert.equal((await row()).contradiction, null)
    assert.deepEqual(lines, [])
  })

  it('is checked again where its contract is made after the operator has named it, which the log tells once', async () => {
    const { database, chains, lines, deps, rpc } = treasury
    const code = await rpc('eth_getCode', [coin.address, 'latest'])
    const contract = evm.parseAddress(`0x${'34'.repeat(20)}`)
    await keepListings(database, [{ ...listing, contract, symbol: 'NEW', decimals: 6 }])
    const check = (now: number) =>
      checkListings(database, chains.find(network), { log: deps.log, now })
    const row = () => database.selectFrom('listed_assets').selectAll().executeTakeFirstOrThrow()
    lines.splice(0)
    await check(1)
    const { checked_at, contradiction, due_at } = await row()
    assert.deepEqual([checked_at, contradiction, due_at], [null, null, 15_001])
    assert.deepEqual(await findListed(database, network), [])
    assert.equal(lines.length, 1)
    for (const now of [15_001, 10_000_000]) await check(now)
    assert.equal(lines.length, 1, 'it is said once')
    await rpc('anvil_setCode', [contract, code])
    await check(10_000_001)
    assert.equal((await row()).checked_at, null, 'not before its time')
    await check(10_060_000)
    assert.equal((await row()).checked_at, 10_060_000)
    assert.deepEqual(await findListed(database, network, [contract]), [
      { contract, kind: 'Erc20', symbol: 'NEW', decimals: 6 },
    ])
    for (let now = 1, looks = 0; looks < 12; looks++, now = (await row()).due_at) {
      if (looks === 0) await keepListings(database, [{ ...listing, contract: nowhere }])
      await check(now)
      assert.ok((await row()).due_at - now <= 60 * 60_000, 'an hour at most')
    }
    assert.equal(lines.splice(0).length, 2, 'of each of the two')
  })

  it('does not make an asset of what is none', async () => {
    await keepListings(treasury.database, [{ ...listing, contract: nowhere }])
    await settle()
    const body = { kind: 'Erc20', contract: nowhere, to: stranger, amount: '1' }
    const { error } = await ask(body)
    assert.equal(error?.message, 'Asset metadata not found')
  })

  type Answer = { readonly metadata?: object; readonly error?: { readonly message: string } }

  async function ask(body: object): Promise<Answer> {
    const { path, payload, headers } = await signedPost(treasury, wallet, { body })
    const answer = await app.inject({ method: 'POST', url: path, payload, headers })
    return answer.json<Answer>()
  }

  async function settle(): Promise<void> {
    await mine(treasury, 3)
    const follower = newFollower(treasury.chains.find(network))
    await treasury.database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
    while ((await follow(treasury.deps, follower)) !== 'same');
    await follow(treasury.deps, follower)
  }

  async function items(of: WalletRow, what: 'history' | 'assets'): Promise<readonly Item[]> {
    const url = `/wallets/${of.wallet_id}/${what}`
    const answer = await app.inject({ method: 'GET', url })
    assert.equal(answer.statusCode, 200, answer.body)
    const { items: listed, assets } = answer.json<{ items?: Item[]; assets?: Item[] }>()
    return listed ?? assets ?? []
  }

  async function verifiedIn(what: 'history' | 'assets') {
    return (await items(wallet, what)).map(({ verified }) => verified)
  }
})
