import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toBase64url, toHex, toUtf8 } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import { deploy, type Deployed } from '@quorate/devnet/testing/deploy'
import { moneyRoutes } from '../money.ts'
import { moneyDeps, openEdge } from '../transfers/testing/edge.ts'
import { makeWallet, mine, network, startTreasury } from '../transfers/testing/treasury.ts'
import { payment, request, type Treasury } from '../transfers/testing/treasury.ts'
import type { WalletRow } from '../wallets/find.ts'
import { follow } from './follow.ts'
import { newFollower } from './follower.ts'
import { csvRowsMax, orgHistoryRows } from './organization.ts'
import { rowByBalance } from './record.ts'

type Item = Readonly<Record<string, string | undefined>>
const whole = 'startTime=2020-01-01&endTime=2100-01-01'

describe('the lists of an organization', () => {
  let treasury: Treasury
  let wallets: readonly [WalletRow, WalletRow]
  let coin: Deployed
  let app: ReturnType<typeof openEdge>
  before(async () => {
    treasury = await startTreasury()
    const { rpc } = treasury
    app = openEdge(treasury, moneyRoutes(moneyDeps(treasury)))
    wallets = [await makeWallet(treasury), await makeWallet(treasury)]
    coin = await deploy(rpc, 'Coin', ['=1+1', '=GLD', 6])
    for (const { address } of wallets) await mint(address, 5n)
    await mine(treasury, 3)
    await catchUp()
  })
  after(async () => {
    await app.close()
    await treasury.stop()
  })

  it('tell what has happened to all wallets, newest first, page by page', async () => {
    const first = await history(`${whole}&limit=1`)
    assert.equal(first.orgId, treasury.caller.orgId)
    const second = await history(`${whole}&limit=1&paginationToken=${first.nextPageToken}`)
    assert.equal(second.nextPageToken, undefined)
    const items = [...first.items, ...second.items]
    assert.deepEqual(
      items.map(({ walletId }) => walletId),
      wallets.map(({ wallet_id }) => wallet_id).toReversed(),
    )
    const [{ timestamp = '', txHash = '', from = '', asset = '', ...item } = {}] = items
    assert.match(txHash, /^0x[0-9a-f]{64}$/)
    assert.equal(asset.toLowerCase(), coin.address)
    assert.match(from, /^0x0{40}$/)
    assert.deepEqual(item, {
      ...{ walletId: wallets[1].wallet_id, network, direction: 'In', to: wallets[1].address },
      ...{ amount: '5', symbol: '=GLD', decimals: '6' },
    })
    assert.deepEqual((await history(`startTime=2020-01-01&endTime=${timestamp}`)).items, [
      ...items.filter((each) => (each['timestamp'] ?? '') < timestamp),
    ])
    const exactly = await history(`startTime=${timestamp}&endTime=2100-01-01`)
    assert.ok(exactly.items.some((each) => each['txHash'] === txHash))
  })

  it('tell nothing that is not settled, nor of another organization', async () => {
    await mint(wallets[0].address, 6n)
    await catchUp()
    const before = (await history(whole)).items
    assert.ok(!before.some(({ amount }) => amount === '6'))
    await mine(treasury, 3)
    await catchUp()
    assert.equal((await history(whole)).items[0]?.['amount'], '6')
    const { caller } = treasury
    const other = { ...caller, organization: new Uint8Array(32) }
    const theirs = openEdge({ ...treasury, caller: other }, moneyRoutes(moneyDeps(treasury)))
    for (const url of [`/wallets/all/history?${whole}`, '/orgs/transfers']) {
      const answer = await theirs.inject({ method: 'GET', url })
      assert.deepEqual([answer.statusCode, answer.json<{ items: [] }>().items], [200, []], url)
    }
    await theirs.close()
  })

  it('are a table for whoever asks for one, in which no spreadsheet computes anything', async () => {
    const answer = await app.inject({
      ...{ method: 'GET', url: `/wallets/all/history?${whole}`, headers: { accept: 'text/csv' } },
    })
    assert.equal(answer.headers['content-type'], 'text/csv; charset=utf-8')
    assert.equal(answer.headers['content-disposition'], 'attachment; filename="history.csv"')
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.equal(answer.headers['x-content-type-options'], 'nosniff')
    const lines = answer.body.split('\r\n')
    assert.match(lines[0] ?? '', /^"timestamp","walletId","network","direction"/)
    assert.ok(lines[1]?.includes(`,"'=GLD","6",`))
    assert.equal(lines.length, (await history(whole)).items.length + 2)
  })

  it('have a fee at each movement of its transaction, and a table has it once', async () => {
    const [{ address: from }, { address: to }] = wallets
    const { rpc } = treasury
    await rpc('anvil_impersonateAccount', [from])
    const word = (value: string) => value.replace('0x', '').toLowerCase().padStart(64, '0')
    const data = `0xa9059cbb${word(to ?? '')}${word('2')}`
    const sent = [
      await rpc('eth_sendTransaction', [{ from, to: coin.address, data }]),
      await rpc('eth_sendTransaction', [{ from, to, value: '0x5' }]),
    ]
    await mine(treasury, 3)
    await catchUp()
    const shown = (await history(whole)).items.filter(({ txHash }) => sent.includes(txHash))
    const what = shown.map(({ txHash, direction, asset, fee }) => [
      ...[sent.indexOf(txHash), direction, asset === 'Native', fee !== undefined],
    ])
    assert.deepEqual(what.toSorted(), [
      [0, 'In', false, false],
      [0, 'Out', false, true],
      [0, 'Out', true, true],
      [1, 'In', true, true],
      [1, 'Out', true, true],
    ])
    const url = `/wallets/all/history?${whole}`
    const answer = await app.inject({ method: 'GET', url, headers: { accept: 'text/csv' } })
    const rows = answer.body.split('\r\n').map((line) => line.slice(1, -1).split('","'))
    const [names = [], ...table] = rows
    const at = (name: string) => names.indexOf(name)
    const paid = table.filter((row) => sent.includes(row[at('txHash')]) && row[at('fee')] !== '')
    assert.deepEqual(
      paid.map((row) => [sent.indexOf(row[at('txHash')]), row[at('direction')], row[at('asset')]]),
      [
        [1, 'Out', 'Native'],
        [0, 'Out', 'Native'],
      ],
    )
  })

  it('refuse a time that is none', async () => {
    for (const query of ['', 'startTime=2020-01-01', 'startTime=now&endTime=2100-01-01']) {
      const url = `/wallets/all/history?${query}`
      assert.equal((await app.inject({ method: 'GET', url })).statusCode, 400, query)
    }
  })

  it('have transfers and transactions of all wallets, or the one of an external id', async () => {
    const [one, other] = wallets
    const rent = await request(treasury, one, { body: payment({ externalId: 'rent' }) })
    const plain = await request(treasury, other, { body: payment() })
    const listed = async (url: string) =>
      (await app.inject({ method: 'GET', url })).json<{ items: { id: string }[] }>().items
    const ids = async (url: string) => (await listed(url)).map(({ id }) => id)
    assert.deepEqual(await ids('/orgs/transfers'), [plain.name, rent.name])
    assert.deepEqual(await ids('/orgs/transfers?externalId=rent'), [rent.name])
    assert.deepEqual(await ids('/orgs/transfers?externalId=other'), [])
    assert.deepEqual(await ids('/orgs/transactions?externalId=rent'), [])
    const body = { kind: 'Transaction', transaction: { type: 2, to: one.address, value: '1' } }
    const sent = await request(treasury, one, { body, kind: 'transaction' })
    assert.deepEqual(await ids('/orgs/transactions'), [sent.name])
  })

  it('have each movement once, also where one block gave to several wallets unseen', async () => {
    const block = await settledBlock()
    const rows = wallets.map((wallet) => rowByBalance(wallet, block, 7n))
    await treasury.database.insertInto('history').values(rows).execute()
    assert.equal(new Set(rows.map(({ id }) => toHex(id))).size, 1)
    const only = spanOf(block)
    const whole = (await history(only)).items
    assert.equal(whole.filter(({ txHash }) => txHash === '').length, 2)
    const single: Item[] = []
    for (let token = ''; ;) {
      const { items, nextPageToken } = await history(`${only}&limit=1${token}`)
      single.push(...items)
      if (nextPageToken === undefined) break
      token = `&paginationToken=${nextPageToken}`
    }
    assert.deepEqual(single, whole)
  })

  it('refuse a token that does not say the wallet of the last row that was shown', async () => {
    const token = toBase64url(toUtf8(`1700000000000.${'00'.repeat(32)}`))
    const url = `/wallets/all/history?${whole}&paginationToken=${token}`
    const answer = await app.inject({ method: 'GET', url })
    assert.equal(answer.statusCode, 400)
    assert.match(answer.body, /not a token of this list/)
  })

  it('are a whole table, though one block gave to more wallets than are read at once', async () => {
    const [{ organization, key, tags }] = wallets
    const none = { name: null, external_id: null, owner: null, created_at: 0 }
    const many = Array.from({ length: 1_050 }, (_, i) => {
      const id = idOf(toUtf8(`wallet ${i}`), 'wallet')
      const address = `0x${toHex(id).slice(24)}`
      return {
        ...{ organization, key, tags, network },
        ...none,
        id,
        address,
        wallet_id: nameOf('wallet', id),
      }
    })
    const block = await settledBlock()
    const rows = many.map((wallet) => rowByBalance(wallet, block, 9n))
    for (let i = 0; i < many.length; i += 350) {
      const { database } = treasury
      await database
        .insertInto('wallets')
        .values(many.slice(i, i + 350))
        .execute()
      await database
        .insertInto('history')
        .values(rows.slice(i, i + 350))
        .execute()
    }
    const url = `/wallets/all/history?${spanOf(block)}`
    const answer = await app.inject({ method: 'GET', url, headers: { accept: 'text/csv' } })
    const names = answer.body.match(/wa-[0-9a-z-]+(?=",[^\r]*"9")/g) ?? []
    assert.deepEqual(names.toSorted(), many.map(({ wallet_id }) => wallet_id).toSorted())
  })

  it('are refused as a table that would have more rows than one may have, before its first page', async () => {
    const { database, chains, caller } = treasury
    const span = { start: Date.parse('2020-01-01'), end: Date.parse('2100-01-01') }
    const pages = (rowsMax: number) => orgHistoryRows({ database, chains, span }, caller, rowsMax)
    const rowsOf = async (rowsMax: number) => {
      let rows = 0
      for await (const page of pages(rowsMax)) rows += page.length
      return rows
    }
    const all = await rowsOf(csvRowsMax)
    assert.ok(all > 1_000, 'more than a page')
    assert.equal(await rowsOf(all), all)
    await assert.rejects(pages(all - 1).next(), /body.malformed/)
  })

  async function settledBlock() {
    return treasury.database
      .selectFrom('block_headers')
      .select(['number', 'hash', 'time'])
      .where('canonical', '=', true)
      .orderBy('number')
      .offset(1)
      .limit(1)
      .executeTakeFirstOrThrow()
  }

  function spanOf({ time }: { readonly time: number }): string {
    const at = (seconds: number) => new Date(seconds * 1000).toISOString()
    return `startTime=${at(time)}&endTime=${at(time + 1)}`
  }

  /** At a time of its own: blocks of one second have no order in a list of several chains. */
  async function mint(address: string | null, amount: bigint): Promise<void> {
    await treasury.rpc('evm_increaseTime', ['0x5'])
    await coin.invoke('mint', [address, amount])
  }

  async function history(query: string) {
    const answer = await app.inject({ method: 'GET', url: `/wallets/all/history?${query}` })
    assert.equal(answer.statusCode, 200, answer.body)
    return answer.json<{ orgId: string; items: Item[]; nextPageToken?: string }>()
  }

  async function catchUp(): Promise<void> {
    const { deps, chains } = treasury
    const follower = newFollower(chains.find(network))
    // Another follower of this test has the lease until its end.
    await treasury.database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
    while ((await follow(deps, follower)) === 'more');
  }
})
