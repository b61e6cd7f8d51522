import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { Failure, isFailure } from '@quorate/core/failure'
import { startEthereum, type RunningEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { compareBalances } from '../balances/compare.ts'
import { type Chain, openChains } from '../chain/chains.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import type { WalletRow } from '../wallets/find.ts'
import { readEarlier } from './earlier.ts'
import { listHistory } from './find.ts'
import { follow } from './follow.ts'
import { newFollower, type Follower } from './follower.ts'
import { address, addWallet, mine, network, pay } from './testing/payments.ts'

const ether = 10n ** 18n

describe('a chain that is to be read from an earlier block than it was', () => {
  let keeper: TestDatabase
  let home: TestDatabase
  let database: Database
  let node: RunningEthereum
  let wallet: WalletRow
  /** Where the reading has begun: everything but the last payment is before it. */
  let beginning: number
  let lines: string[]
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-earlier-'))
  before(async () => {
    ;[keeper, node] = await Promise.all([createTestDatabase(), startEthereum({ dataDir })])
    const { rpc } = chainFrom(0)
    await rpc('evm_setIntervalMining', [0])
    await rpc('evm_setAutomine', [false])
    const coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    await coin.invoke('mint', [address, 7n])
    await pay(node, ether)
    await mine(rpc, 20)
    await rpc('anvil_impersonateAccount', [address])
    const to = `0x${'77'.repeat(20)}`
    await rpc('eth_sendTransaction', [{ from: address, to, value: '0x3' }])
    await mine(rpc, 20)
    beginning = Number(await rpc('eth_blockNumber', []))
    await coin.invoke('mint', [address, 2n])
    await mine(rpc, 3)
  })
  beforeEach(async () => {
    lines = []
    home = await createTestDatabase()
    database = openDatabase(home.url, () => undefined)
    await migrate(database)
    wallet = await addWallet(database)
    await settle(newFollower(chainFrom(beginning)))
    const told = (await movements()).map(({ kind, seenBy }) => [kind, seenBy])
    assert.deepEqual(told, [
      ['Erc20Transfer', undefined],
      ['NativeTransfer', 'Balance'],
    ])
    assert.equal(await eventCount(), 2)
    const row = database.selectFrom('balances').selectAll().where('kind', '=', 'Erc20')
    assert.equal((await row.executeTakeFirstOrThrow()).unexplained, '7')
    lines = []
  })
  afterEach(async () => {
    await database.destroy()
    await home.drop()
  })
  after(async () => {
    await keeper.drop()
    await node.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('has all that came before in its history, in place of what was there at its beginning', async () => {
    const follower = await restarted(chainFrom(0))
    assert.deepEqual(await readAll(follower), { turns: turnsFor(beginning) })
    const told = (await movements()).map(({ direction, kind, value }) => [direction, kind, value])
    assert.deepEqual(told, [
      ['In', 'Erc20Transfer', '2'],
      ['Out', 'NativeTransfer', '3'],
      ['In', 'NativeTransfer', String(ether)],
      ['In', 'Erc20Transfer', '7'],
    ])
    assert.ok((await movements()).every(({ seenBy }) => seenBy === undefined))
    assert.equal(await eventCount(), 2, 'nobody is told again of what was there')
    await mine(follower.chain.rpc, 1)
    await settle(follower)
    assert.equal((await movements()).length, 4)
    const rows = await database.selectFrom('balances').selectAll().orderBy('kind').execute()
    const { rpc } = chainFrom(0)
    const left = BigInt(String(await rpc('eth_getBalance', [address, 'latest'])))
    assert.deepEqual(
      rows.map(({ kind, balance, unexplained }) => [kind, balance, unexplained]),
      [
        ['Erc20', '9', '0'],
        ['Native', String(left), '0'],
      ],
    )
    assert.deepEqual(lines, [])
  })

  it('has tokens asked what they are that moved before its beginning alone', async () => {
    const follower = await restarted(chainFrom(0))
    const words = () => database.selectFrom('token_words').select(['symbol', 'met_at']).execute()
    // As if the contract had moved nothing since.
    await database.deleteFrom('token_words').execute()
    await readAll(follower)
    assert.deepEqual(await words(), [{ symbol: null, met_at: 0 }])
    await follow(deps(), follower)
    assert.deepEqual(await words(), [{ symbol: 'GLD', met_at: 0 }])
  })

  it('has what was there at its beginning told of, though it is explained before its turn', async () => {
    const follower = await restarted(chainFrom(0))
    await database.updateTable('history').set({ told: false }).where('opening', '=', true).execute()
    const [opening] = await untold()
    await readAll(follower)
    await follow(deps(), follower)
    assert.equal(await eventCount(), 3)
    const events = await database.selectFrom('outbox').select('data').orderBy('id').execute()
    const { blockchainEvent } = JSON.parse(events.at(-1)?.data ?? '{}')
    assert.deepEqual([blockchainEvent.seenBy, blockchainEvent.value], ['Balance', opening?.value])
    assert.deepEqual(await untold(), [])
  })

  it('is read down to there and no further, and what was there then is its opening', async () => {
    const middle = beginning - 30
    const follower = await restarted(chainFrom(middle))
    await readAll(follower)
    const told = (await movements()).map(({ direction, value, seenBy }) => [
      direction,
      value,
      seenBy,
    ])
    assert.deepEqual(told.slice(1), [
      ['In', String(ether), 'Balance'],
      ['Out', '3', undefined],
    ])
    const later = await restarted(chainFrom(0))
    assert.deepEqual(await readAll(later), { turns: turnsFor(middle) })
    assert.equal((await movements()).length, 4)
    assert.equal(await readEarlier(deps(), await restarted(chainFrom(beginning))), 'done')
  })

  it('goes on where it was interrupted, and has nothing twice', async () => {
    const chain = chainFrom(0)
    let asked = 0
    let failing = true
    const rpc: Chain['rpc'] = async (method, params) => {
      if (failing && method === 'eth_getLogs' && (asked += 1) % 19 === 0)
        throw new Failure('chain.unavailable', { network })
      return chain.rpc(method, params)
    }
    let broken = 0
    for (let starts = 0; starts < 50; starts++) {
      const follower = await restarted({ ...chain, rpc })
      failing = starts < 5
      try {
        await readAll(follower)
        break
      } catch (error) {
        if (!isFailure(error, 'chain.unavailable')) throw error
        broken += 1
      }
    }
    assert.ok(broken > 0)
    assert.equal((await movements()).length, 4)
    assert.equal(await eventCount(), 2)
  })

  it('is not read by who does not follow it, nor from a node of another past', async () => {
    const idle = newFollower(chainFrom(0))
    assert.equal(await readEarlier(deps(), idle), 'idle')
    const chain = chainFrom(0)
    const rpc: Chain['rpc'] = async (method, params) => {
      const answer = await chain.rpc(method, params)
      const isEarlier = method === 'eth_getBlockByNumber' && Number(params[0]) < beginning
      return isEarlier ? { ...Object(answer), hash: `0x${'11'.repeat(32)}` } : answer
    }
    const follower = await restarted({ ...chain, rpc })
    const read = readEarlier(deps(), follower)
    await assert.rejects(read, { code: 'chain.unavailable' })
    assert.equal((await movements()).length, 2)
  })

  const deps = () => {
    const say = (context: object, message: string) =>
      void lines.push(`${message} ${JSON.stringify(context)}`)
    const chains = { find: () => chainFrom(0), all: [] }
    return { database, chains, log: { warn: say, error: say }, now: Date.now }
  }

  function chainFrom(firstBlock: number): Chain {
    const entry = { rpcUrl: node.rpcUrl, confirmations: 2, firstBlock }
    return openChains(new Map([[network, entry]])).find(network)
  }

  /** Another server, which follows from now on. */
  async function restarted(chain: Chain): Promise<Follower> {
    await database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
    const follower = newFollower(chain)
    while ((await follow(deps(), follower)) === 'more');
    return follower
  }

  async function settle(follower: Follower): Promise<void> {
    while ((await follow(deps(), follower)) === 'more');
    while ((await compareBalances(deps(), follower)) === 'more');
    await follow(deps(), follower)
  }

  async function readAll(follower: Follower): Promise<{ readonly turns: number }> {
    for (let turns = 0; turns < 100; turns++)
      if ((await readEarlier(deps(), follower)) === 'done') return { turns }
    return assert.fail('there is always more to read')
  }

  const turnsFor = (blocks: number): number => Math.ceil(blocks / 16)

  async function movements() {
    const query = { limit: 500 }
    const about = { wallet, network: chainFrom(0).network }
    return (await listHistory(database, about, query)).items as readonly Shown[]
  }

  async function untold() {
    return database.selectFrom('history').selectAll().where('told', '=', false).execute()
  }

  async function eventCount(): Promise<number> {
    const rows = await database.selectFrom('outbox').select('id').execute()
    return rows.length
  }
})

type Shown = {
  readonly direction: string
  readonly kind: string
  readonly value?: string
  readonly seenBy?: string
}
