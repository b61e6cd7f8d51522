import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { deploy, type Deployed } from '@quorate/devnet/testing/deploy'
import { follow } from '../history/follow.ts'
import { newFollower, type Follower } from '../history/follower.ts'
import { moneyRoutes } from '../money.ts'
import { moneyDeps, openEdge } from '../transfers/testing/edge.ts'
import { ether, fund, makeWallet, mine, network } from '../transfers/testing/treasury.ts'
import { startTreasury, type Treasury } from '../transfers/testing/treasury.ts'
import type { WalletRow } from '../wallets/find.ts'
import { compareBalances } from './compare.ts'

type Item = Readonly<Record<string, unknown>>

describe('the balances of an organization', () => {
  let treasury: Treasury
  let wallets: readonly [WalletRow, WalletRow]
  let coin: Deployed
  let pieces: Deployed
  let app: ReturnType<typeof openEdge>
  let follower: Follower
  before(async () => {
    treasury = await startTreasury()
    app = openEdge(treasury, moneyRoutes(moneyDeps(treasury)))
    wallets = [await makeWallet(treasury), await makeWallet(treasury)]
    follower = newFollower(treasury.chains.find(network))
    const { rpc } = treasury
    coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    pieces = await deploy(rpc, 'Pieces')
    const [one, other] = wallets
    await coin.invoke('mint', [one.address, 5n])
    await coin.invoke('mint', [other.address, 7n])
    await pieces.invoke('mint', [one.address, 1n])
    await pieces.invoke('mint', [one.address, 2n])
    await settle()
  })
  after(async () => {
    await app.close()
    await treasury.stop()
  })

  it('are listed by wallet and asset, page by page, with the block of which they are', async () => {
    const { items } = await list('/orgs/balances')
    const [one, other] = wallets.map(({ wallet_id }) => wallet_id)
    const all = [
      [one, 'Erc20', 'GLD', '5'],
      [one, 'Erc721', 'PCS', '1'],
      [one, 'Erc721', 'PCS', '1'],
      [one, 'Native', 'ETH', String(ether)],
      [other, 'Erc20', 'GLD', '7'],
      [other, 'Native', 'ETH', String(ether)],
    ]
    assert.deepEqual(items.map(brief).toSorted(), all.toSorted())
    const paged: Item[] = []
    let token = ''
    do {
      const page: Page = await list(`/orgs/balances?limit=1${token}`)
      paged.push(...page.items)
      token = page.nextPageToken === undefined ? '' : `&paginationToken=${page.nextPageToken}`
    } while (token !== '' && paged.length < 10)
    assert.deepEqual(paged, items)
    assert.ok(items.every(({ blockNumber }) => typeof blockNumber === 'number'))
    assert.deepEqual((await list('/orgs/balances?network=Base')).items, [])
    assert.deepEqual((await list(`/orgs/balances?network=${network}`)).items, items)
  })

  it('have totals of each asset, which follow what moves', async () => {
    assert.deepEqual(await totals(), [
      ['Erc20', '12', 2],
      ['Erc721', '2', 2],
      ['Native', String(2n * ether), 2],
    ])
    const [one, other] = wallets
    await fund(treasury.rpc, one, 0n)
    await coin.invoke('mint', [other.address, 30n])
    await treasury.database.updateTable('balances').set({ due_at: 0 }).execute()
    await settle()
    assert.deepEqual(await totals(), [
      ['Erc20', '42', 2],
      ['Erc721', '2', 2],
      ['Native', String(ether), 1],
    ])
    const summed = await list('/orgs/balances/totals?limit=1')
    const past = `/orgs/balances/totals?limit=2&paginationToken=${summed.nextPageToken}`
    assert.deepEqual(
      (await list(past)).items.map(({ kind }) => kind),
      ['Erc721', 'Native'],
    )
  })

  it('stay as they were last known while a reorganization has them compared anew', async () => {
    const before = await totals()
    await treasury.rpc('anvil_reorg', [3, []])
    await catchUp()
    assert.deepEqual(await totals(), before)
    const { items } = await list('/orgs/balances')
    assert.ok(items.some(({ blockNumber }) => blockNumber === undefined))
  })

  it('are nobody else’s, and a page of another list is none of theirs', async () => {
    const { caller } = treasury
    const other = { ...caller, organization: new Uint8Array(32) }
    const theirs = openEdge({ ...treasury, caller: other }, moneyRoutes(moneyDeps(treasury)))
    for (const url of ['/orgs/balances', '/orgs/balances/totals']) {
      const answer = await theirs.inject({ method: 'GET', url })
      assert.deepEqual([answer.statusCode, answer.json<Page>().items], [200, []], url)
      const token = Buffer.from('1.2').toString('base64url')
      const wrong = await app.inject({ method: 'GET', url: `${url}?paginationToken=${token}` })
      assert.equal(wrong.statusCode, 400, url)
    }
    await theirs.close()
  })

  type Page = { readonly items: Item[]; readonly nextPageToken?: string }

  function brief({ walletId, kind, symbol, balance }: Item): readonly unknown[] {
    return [walletId, kind, symbol, balance]
  }

  async function list(url: string): Promise<Page> {
    const answer = await app.inject({ method: 'GET', url })
    assert.equal(answer.statusCode, 200, answer.body)
    return answer.json<Page>()
  }

  async function totals(): Promise<readonly (readonly unknown[])[]> {
    const { items } = await list('/orgs/balances/totals')
    return items.map(({ kind, balance, count }) => [kind, balance, count])
  }

  async function settle(): Promise<void> {
    await mine(treasury, 3)
    await catchUp()
    for (let turns = 0; turns < 50; turns++)
      if ((await compareBalances(treasury.deps, follower)) === 'idle') return
    assert.fail('the balances are never settled')
  }

  async function catchUp(): Promise<void> {
    while ((await follow(treasury.deps, follower)) === 'more');
  }
})
