import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Rpc } from '@quorate/chains/adapter'
import { findHeader } from '@quorate/chains/evm/blocks'
import { Failure, isFailure } from '@quorate/core/failure'
import { startEthereum, type RunningEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { type Chain, openChains } from '../chain/chains.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import type { WalletRow } from '../wallets/find.ts'
import { conditionOf } from './condition.ts'
import { readEarlier } from './earlier.ts'
import { type HistoryQuery, listHistory } from './find.ts'
import { follow } from './follow.ts'
import { newFollower, type Follower } from './follower.ts'
import { rowByBalance } from './record.ts'
import { address, addWallet, mine, network, pay, payBy } from './testing/payments.ts'
import { learnTokens } from './tokens.ts'

const elsewhere = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const stranger = '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359'

describe('the follower of a chain', () => {
  /** Keeps the cluster of databases up from one test to the next. */
  let keeper: TestDatabase
  let home: TestDatabase | undefined
  let database: Database
  let node: RunningEthereum
  let rpc: Rpc
  let chain: Chain
  let wallet: WalletRow
  let lines: string[]
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-follow-'))
  before(async () => {
    ;[keeper, node] = await Promise.all([createTestDatabase(), startEthereum({ dataDir })])
    chain = openChains(new Map([[network, { rpcUrl: node.rpcUrl, confirmations: 2 }]])).find(
      network,
    )
    rpc = chain.rpc
    await rpc('evm_setIntervalMining', [0])
    await rpc('evm_setAutomine', [false])
  })
  beforeEach(async () => {
    lines = []
    await leave()
    home = await createTestDatabase()
    database = openDatabase(home.url, () => undefined)
    await migrate(database)
    wallet = await addWallet(database)
  })
  after(async () => {
    await leave()
    await keeper.drop()
    await node.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('follows nothing until somebody has a wallet there', async () => {
    await database.deleteFrom('wallets').execute()
    assert.equal(await follow(deps(), newFollower(chain)), 'idle')
    assert.deepEqual(await database.selectFrom('block_headers').selectAll().execute(), [])
  })

  it('reads a short chain from its beginning, and tells of what comes in', async () => {
    const hash = await pay(node, 5n)
    await mine(rpc, 2)
    await catchUp(newFollower(chain))
    const { items } = await history()
    const [first] = items
    assert.ok(first?.kind === 'NativeTransfer')
    assert.deepEqual([first.txHash, first.direction, first.value], [hash, 'In', '5'])
    const events = await database.selectFrom('outbox').select(['kind', 'data']).execute()
    const told = events.find(({ data }) => data.includes(hash))
    assert.equal(told?.kind, 'wallet.blockchainevent.detected')
    const { blockchainEvent, wallet: owner } = JSON.parse(told?.data ?? '{}')
    assert.deepEqual([blockchainEvent, owner.id], [first, wallet.wallet_id])
  })

  it('shows what is settled and nothing before', async () => {
    const follower = newFollower(chain)
    const hash = await pay(node, 6n)
    await mine(rpc, 1)
    await catchUp(follower)
    assert.ok(!(await history()).items.some(({ txHash }) => txHash === hash))
    await mine(rpc, 1)
    await catchUp(follower)
    assert.ok((await history()).items.some(({ txHash }) => txHash === hash))
  })

  it('forgets what a reorganization took back, and knows it again in its new block', async () => {
    const follower = newFollower(chain)
    await mine(rpc, 3)
    const hash = await pay(node, 7n)
    await mine(rpc, 2)
    await catchUp(follower)
    const [before] = (await history()).items
    assert.equal(before?.txHash, hash)
    await rpc('anvil_reorg', [2, []])
    await mine(rpc, 1)
    await catchUp(follower)
    assert.ok(!(await history()).items.some(({ txHash }) => txHash === hash))
    const gone = await database.selectFrom('history').selectAll().where('hash', '=', hash).execute()
    assert.deepEqual(
      gone.map(({ canonical }) => canonical),
      [false],
    )
    const again = await pay(node, 8n)
    await mine(rpc, 2)
    await catchUp(follower)
    assert.equal((await history()).items[0]?.txHash, again)
  })

  it('tells of a movement once it is settled, and of none that a reorganization took back', async () => {
    const follower = newFollower(chain)
    await mine(rpc, 2)
    const gone = await pay(node, 21n)
    await mine(rpc, 1)
    await catchUp(follower)
    assert.deepEqual(await toldOf(gone), [])
    await rpc('anvil_reorg', [1, []])
    await mine(rpc, 3)
    await catchUp(follower)
    assert.deepEqual(await toldOf(gone), [])
    const kept = await pay(node, 22n)
    await mine(rpc, 1)
    await catchUp(follower)
    assert.deepEqual(await toldOf(kept), [])
    await mine(rpc, 1)
    await catchUp(follower)
    assert.deepEqual(await toldOf(kept), (await history()).items.slice(0, 1))
  })

  it('tells once of what came in another block in the end', async () => {
    const follower = newFollower(chain)
    await mine(rpc, 2)
    const hash = await pay(node, 23n)
    await mine(rpc, 1)
    await catchUp(follower)
    const bytes = await rpc('eth_getRawTransactionByHash', [hash])
    await rpc('anvil_reorg', [1, []])
    await rpc('eth_sendRawTransaction', [bytes])
    await mine(rpc, 1)
    await catchUp(follower)
    assert.deepEqual(await toldOf(hash), [])
    const rows = await database.selectFrom('history').select('canonical').where('hash', '=', hash)
    assert.equal((await rows.execute()).length, 2, 'one of each block')
    await mine(rpc, 3)
    await catchUp(follower)
    const [first] = (await history()).items
    assert.equal(first?.txHash, hash)
    assert.deepEqual(await toldOf(hash), [first])
  })

  it('tells once of a movement, though the server dies between the event and its mark', async () => {
    await catchUp(newFollower(chain))
    const hash = await pay(node, 24n)
    await mine(rpc, 2)
    await sql`create function die() returns trigger language plpgsql
      as $$ begin raise exception 'killed'; end $$`.execute(database)
    for (const writes of ['insert on outbox', 'update of told on history']) {
      await sql
        .raw(`create trigger dying after ${writes} for each row execute function die()`)
        .execute(database)
      await handOver()
      await assert.rejects(catchUp(newFollower(chain)), /killed/)
      await sql.raw(`drop trigger dying on ${writes.split(' on ')[1]}`).execute(database)
      assert.deepEqual(await toldOf(hash), [])
    }
    for (const _ of [1, 2]) {
      await handOver()
      await catchUp(newFollower(chain))
      assert.equal((await toldOf(hash)).length, 1)
    }
  })

  it('tells nothing again that stopped counting for a while, nor anything of no block it holds', async () => {
    const follower = newFollower(chain)
    const hash = await pay(node, 25n)
    await mine(rpc, 2)
    await catchUp(follower)
    assert.equal((await toldOf(hash)).length, 1)
    const rows = await database.updateTable('history').set({ canonical: false }).returningAll()
    const moved = (await rows.execute()).find((row) => row.hash === hash)
    await database
      .deleteFrom('block_headers')
      .where('number', '>=', moved?.block_number ?? 0)
      .execute()
    const stale = rowByBalance(wallet, { number: 1, hash: '0xaa', time: 0 }, 5n)
    await database.insertInto('history').values(stale).execute()
    await catchUp(follower)
    assert.equal((await history()).items[0]?.txHash, hash, 'it counts again')
    assert.equal((await toldOf(hash)).length, 1)
    assert.deepEqual(await toldOf(''), [])
  })

  it('tells of tokens, by the word of their contracts, and lists them by kind and contract', async () => {
    const [coin, pieces, sets] = [
      await deploy(rpc, 'Coin', ['Gold', 'GLD', 6]),
      await deploy(rpc, 'Pieces'),
      await deploy(rpc, 'Sets'),
    ]
    await coin.invoke('mint', [address, 5n])
    await pieces.invoke('mint', [address, 7n])
    await sets.invoke('mintSome', [address, [1n, 2n], [3n, 4n]])
    await mine(rpc, 2)
    await catchUp(newFollower(chain))
    const kinds = async (query: Partial<HistoryQuery>) =>
      (await history(query)).items.map(({ kind }) => kind)
    assert.deepEqual((await kinds({})).slice(0, 4), [
      ...['Erc1155Transfer', 'Erc1155Transfer', 'Erc721Transfer', 'Erc20Transfer'],
    ])
    assert.deepEqual(await kinds({ contract: coin.address }), ['Erc20Transfer'])
    assert.deepEqual(await kinds({ contract: pieces.address.toLowerCase() }), ['Erc721Transfer'])
    assert.deepEqual(await kinds({ contract: coin.address, kind: 'Erc721Transfer' }), [])
    assert.deepEqual(await kinds({ contract: 'nowhere' }), [])
    assert.deepEqual(await kinds({ kind: 'SplTransfer' }), [])
    assert.deepEqual(await kinds({ kind: 'Erc20Transfer', direction: 'Out' }), [])
    const [moved] = (await history({ kind: 'Erc20Transfer', direction: 'In' })).items
    assert.ok(moved?.kind === 'Erc20Transfer')
    assert.deepEqual([moved.value, moved.symbol, moved.decimals], ['5', 'GLD', 6])
    assert.deepEqual(moved.metadata, { asset: { symbol: 'GLD', decimals: 6, verified: false } })
    const events = await database.selectFrom('outbox').select('data').execute()
    const told = events.map(({ data }) => JSON.parse(data).blockchainEvent)
    assert.deepEqual(
      told.find(({ kind }) => kind === 'Erc20Transfer'),
      moved,
    )
    const firstPage = await history({ kind: 'Erc1155Transfer', limit: 1 })
    const next = { limit: 1, paginationToken: firstPage.nextPageToken }
    const secondPage = await history({ kind: 'Erc1155Transfer', ...next })
    assert.equal(secondPage.nextPageToken, undefined)
    const pages = [...firstPage.items, ...secondPage.items]
    const values = pages.flatMap((item) => ('value' in item ? item.value : []))
    assert.deepEqual(values.toSorted(), ['3', '4'])
  })

  it('takes back what a reorganization took back of tokens', async () => {
    const follower = newFollower(chain)
    const coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    await mine(rpc, 3)
    await coin.invoke('mint', [address, 5n])
    await mine(rpc, 2)
    await catchUp(follower)
    assert.equal((await history({ contract: coin.address })).items.length, 1)
    await rpc('anvil_reorg', [3, []])
    await mine(rpc, 1)
    await catchUp(follower)
    assert.deepEqual((await history({ contract: coin.address })).items, [])
  })

  it('writes nothing of a block whose logs a node has not got yet, and reads it later', async () => {
    const follower = newFollower(chain)
    const coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    await catchUp(follower)
    const before = await headers()
    await coin.invoke('mint', [address, 5n])
    await mine(rpc, 1)
    const behind: Rpc = async (method, params) => {
      const answer = await rpc(method, params)
      return method === 'eth_getLogs' ? [] : answer
    }
    await assert.rejects(
      follow(deps(), { ...follower, chain: { ...chain, rpc: behind } }),
      (error) => isFailure(error, 'chain.refused'),
    )
    assert.equal(await headers(), before)
    await catchUp(follower)
    assert.equal((await history({ contract: coin.address })).items.length, 1)
  })

  it('tells of what contracts pay on, by traces, and of nothing that failed', async () => {
    const follower = newFollower(chain)
    const payer = await deploy(rpc, 'Payer')
    const ours = { functionName: 'pass', args: [address] }
    const hash = await payBy(node, rpc, { payer, ...ours })
    await payBy(node, rpc, { payer, ...ours, functionName: 'passAndFail' })
    await mine(rpc, 2)
    await catchUp(follower)
    const { items } = await history({ kind: 'NativeTransfer' })
    const [first, second] = items
    assert.ok(first?.kind === 'NativeTransfer')
    assert.deepEqual([first.value, first.direction, first.txHash], ['9', 'In', hash])
    assert.deepEqual([first.from?.toLowerCase(), first.to], [payer.address, address])
    assert.equal(first.fee, undefined)
    assert.notEqual(second?.txHash, hash)
  })

  it('goes on without traces where a node has none, and says so once', async () => {
    const payer = await deploy(rpc, 'Payer')
    await payBy(node, rpc, { payer, functionName: 'pass', args: [address] })
    const hash = await pay(node, 3n)
    await mine(rpc, 2)
    const without: Rpc = async (method, params) => {
      if (!method.startsWith('debug_')) return rpc(method, params)
      throw new Failure('chain.refused', { network, reason: 'the method does not exist' })
    }
    const follower = newFollower({ ...chain, rpc: without })
    // The first block has no transactions, and nothing to trace.
    assert.equal(await follow(deps(), follower), 'more')
    for (const _ of [1, 2])
      await assert.rejects(follow(deps(), follower), (error) => isFailure(error, 'chain.refused'))
    await catchUp(follower)
    assert.equal((await history()).items[0]?.txHash, hash)
    assert.deepEqual(lines, ['what contracts pay on is seen by balances alone: no traces'])
  })

  it('loses what contracts pay on in no block but one that a fake node takes too long over', async () => {
    const follower = newFollower(chain)
    const payer = await deploy(rpc, 'Payer')
    await catchUp(follower)
    const call = { payer, functionName: 'pass', args: [address] }
    const [untraced, traced] = [await payBy(node, rpc, call), await payBy(node, rpc, call)]
    await mine(rpc, 2)
    const { blockHash } = Object(await rpc('eth_getTransactionReceipt', [untraced]))
    const slow: Rpc = async (method, params) => {
      if (method !== 'debug_traceBlockByHash' || params[0] !== blockHash) return rpc(method, params)
      throw new Failure('chain.unavailable', { network })
    }
    const slowed = { ...follower, chain: { ...chain, rpc: slow } }
    for (const _ of [1, 2])
      await assert.rejects(follow(deps(), slowed), (error) => isFailure(error, 'chain.unavailable'))
    await catchUp(slowed)
    const hashes = (await history()).items.map(({ txHash }) => txHash)
    assert.ok(hashes.includes(traced))
    assert.ok(!hashes.includes(untraced))
    assert.deepEqual(lines, ['what contracts pay on in a block is not traced'])
  })

  it('goes on without traces also for one transaction that a fake node refuses to trace', async () => {
    const follower = newFollower(chain)
    const payer = await deploy(rpc, 'Payer')
    await catchUp(follower)
    const call = { payer, functionName: 'pass', args: [address] }
    const to = payer.address as `0x${string}`
    // A stranger's, and the dearest: it is the first of its block.
    const [from] = (await rpc('eth_accounts', [])) as [string]
    const gasPrice = '0x174876e800'
    const refused = await rpc('eth_sendTransaction', [{ from, to, gas: '0x30d40', gasPrice }])
    const [first, second] = [await payBy(node, rpc, call), await payBy(node, rpc, call)]
    await mine(rpc, 2)
    const { blockHash } = Object(await rpc('eth_getTransactionReceipt', [refused]))
    const refusing: Rpc = async (method, params) => {
      const isRefused = params[0] === blockHash || params[0] === refused
      if (!method.startsWith('debug_trace') || !isRefused) return rpc(method, params)
      throw new Failure('chain.refused', { network, reason: 'the answer is too long' })
    }
    await catchUp({ ...follower, chain: { ...chain, rpc: refusing } })
    const hashes = (await history()).items.map(({ txHash }) => txHash)
    assert.deepEqual(hashes.slice(0, 2), [second, first])
    assert.deepEqual(lines, [])
  })

  it('goes on without traces also where the next block is one that needs none', async () => {
    const firstBlock = Number(await rpc('eth_blockNumber', []))
    await mine(rpc, 1)
    const hash = await pay(node, 3n)
    await mine(rpc, 2)
    const without: Rpc = async (method, params) => {
      if (!method.startsWith('debug_')) return rpc(method, params)
      throw new Failure('chain.refused', { network, reason: 'the method does not exist' })
    }
    const follower = newFollower({ ...chain, firstBlock: BigInt(firstBlock), rpc: without })
    // The first one that is held may have been traced in vain as well.
    const failedMax = 5
    for (let i = 0; i < failedMax; i++)
      await catchUp(follower).catch((error: unknown) => {
        if (!isFailure(error, 'chain.refused')) throw error
      })
    assert.equal((await history()).items[0]?.txHash, hash)
  })

  it('is held up by nothing that a node’s own command has made', async () => {
    const follower = newFollower(chain)
    await rpc('anvil_setBalance', [address, '0xffffffffffffffff'])
    const hash = await pay(node, 4n)
    await mine(rpc, 2)
    await catchUp(follower)
    assert.equal((await history()).items[0]?.txHash, hash)
  })

  it('asks some new contracts at a time what they are, and the others later', async () => {
    const strangers = Array.from({ length: 40 }, (_, i) => `0x${String(i).padStart(40, '0')}`)
    const at = String((await findHeader(rpc, 'latest'))?.hash)
    await learnTokens(database, chain, { contracts: strangers, at, now: 1 })
    const unasked = async () =>
      (
        await database
          .selectFrom('token_words')
          .select('contract')
          .where('asked_at', 'is', null)
          .execute()
      ).length
    assert.equal(await unasked(), 8)
    await learnTokens(database, chain, { contracts: strangers, at, now: 2 })
    assert.equal(await unasked(), 0)
  })

  it('asks a contract again that a fake node did not want to ask, and the others meanwhile', async () => {
    const coins = [
      await deploy(rpc, 'Coin', ['Gold', 'GLD', 6]),
      await deploy(rpc, 'Coin', ['Silver', 'SLV', 2]),
    ]
    const [gold, silver] = coins.map((coin) => coin.address)
    let refusals = 0
    const busy: Rpc = async (method, params) => {
      const [call] = params as [{ readonly to?: string } | undefined]
      if (method !== 'eth_call' || call?.to?.toLowerCase() !== gold) return rpc(method, params)
      refusals++
      throw new Failure('chain.refused', { network, reason: 'limit exceeded', code: -32_005 })
    }
    const contracts = coins.map((coin) => coin.address)
    const at = String((await findHeader(rpc, 'latest'))?.hash)
    const learn = (now: number, from = busy) =>
      learnTokens(database, { ...chain, rpc: from }, { contracts, at, now })
    const words = async () => {
      const rows = await database.selectFrom('token_words').selectAll().execute()
      return new Map(rows.map(({ contract, symbol, asked_at }) => [contract, { symbol, asked_at }]))
    }
    await learn(1)
    assert.deepEqual((await words()).get(String(gold)), { symbol: null, asked_at: null })
    assert.deepEqual((await words()).get(String(silver)), { symbol: 'SLV', asked_at: 1 })
    const asked = refusals
    await learn(15_000)
    assert.equal(refusals, asked, 'not before its time')
    await learn(15_001)
    assert.ok(refusals > asked)
    await learn(30_001, rpc)
    assert.equal((await words()).get(String(gold))?.asked_at, null, 'it waits longer each time')
    await learn(45_001, rpc)
    assert.deepEqual((await words()).get(String(gold)), { symbol: 'GLD', asked_at: 45_001 })
    assert.deepEqual(await database.selectFrom('unanswered_tokens').selectAll().execute(), [])
  })

  it('is one at a time: another one waits for its lease to end', async () => {
    const [one, other] = [newFollower(chain), newFollower(chain)]
    assert.equal(await follow(deps(), one), 'more')
    assert.equal(await follow(deps(), other), 'idle')
    let now = Date.now()
    const later = () => (now += 60_000)
    assert.notEqual(await follow({ ...deps(), now: later }, other), 'idle')
    await catchUp(other, later)
  })

  it('writes nothing when its lease has gone to another while it looked', async () => {
    const follower = newFollower(chain)
    await catchUp(follower)
    const before = await headers()
    await mine(rpc, 1)
    let looks = 0
    const stolen: Chain = {
      ...chain,
      ready: async () => {
        looks += 1
        await database.updateTable('chain_heads').set({ lease_holder: 'another' }).execute()
      },
    }
    await assert.rejects(follow(deps(), { ...follower, chain: stolen }), /another server/)
    assert.equal(looks, 1)
    assert.equal(await headers(), before)
  })

  it('sees wallets that are made while it follows, also those that another one has met first', async () => {
    const [one, other] = [newFollower(chain), newFollower(chain)]
    await catchUp(one)
    await addWallet(database, elsewhere)
    await pay(node, 11n, elsewhere)
    await mine(rpc, 2)
    await catchUp(one)
    await addWallet(database, stranger)
    await handOver()
    await mine(rpc, 1)
    await catchUp(other)
    await handOver()
    await pay(node, 12n, stranger)
    await mine(rpc, 2)
    await catchUp(one)
    const rows = await database
      .selectFrom('history')
      .select('value')
      .where('value', 'in', ['11', '12'])
      .orderBy('value')
      .execute()
    assert.deepEqual(
      rows.map(({ value }) => value),
      ['11', '12'],
    )
  })

  it('begins where the operator says, and goes on after a long while', async () => {
    const number = Number(await rpc('eth_blockNumber', []))
    await mine(rpc, 100)
    const from = newFollower({ ...chain, firstBlock: BigInt(number + 10) })
    await catchUp(from)
    const numbers = async () =>
      (await database.selectFrom('block_headers').select('number').orderBy('number').execute()).map(
        (row) => row.number,
      )
    assert.deepEqual(
      await numbers(),
      Array.from({ length: 91 }, (_, i) => number + 10 + i),
    )
    await mine(rpc, 150)
    const hash = await pay(node, 6n)
    await mine(rpc, 150)
    const late = newFollower(chain)
    await catchUp(late, () => Date.now() + 60_000)
    assert.equal((await numbers()).length, 91 + 300)
    assert.ok((await history()).items.some(({ txHash }) => txHash === hash))
    const ahead = newFollower({ ...chain, firstBlock: 1_000_000n })
    await database.deleteFrom('block_headers').execute()
    for (const _ of [1, 2])
      assert.equal(await follow({ ...deps(), now: () => Date.now() + 180_000 }, ahead), 'same')
    assert.deepEqual(await numbers(), [])
    assert.deepEqual(lines, [
      'a chain is not followed before it has come to the first block of the nodes file',
    ])
  })

  it('begins at the newest block where a fake node has the operator’s first one no more', async () => {
    await mine(rpc, 3)
    const pruned: Rpc = (method, params) =>
      method === 'eth_getBlockByNumber' && params[0] === '0x1'
        ? Promise.resolve(null)
        : rpc(method, params)
    const follower = newFollower({ ...chain, firstBlock: 1n, rpc: pruned })
    await catchUp(follower)
    assert.equal(await headers(), 1)
    await mine(rpc, 2)
    await catchUp(follower)
    const read = async () => {
      while ((await readEarlier(deps(), follower)) === 'more');
    }
    await assert.rejects(read, (error) => isFailure(error, 'chain.unavailable'))
  })

  it('says when all that it holds is gone from the chain, and goes by it no more', async () => {
    const follower = newFollower(chain)
    await catchUp(follower)
    const hash = { hash: '0xaa', parent_hash: '0xab' }
    await database.deleteFrom('block_headers').execute()
    const row = { network, number: 1, time: 0, canonical: true, ...hash }
    await database.insertInto('block_headers').values(row).execute()
    assert.equal(await follow(deps(), follower), 'idle')
    assert.equal((await conditionOf(database, network))?.name, 'too-deep')
    assert.equal(lines.length, 1)
    assert.equal(await follow(deps(), follower), 'idle')
    assert.equal(lines.length, 1)
  })

  it('sees what is now at once on a long chain that is to be read from its beginning, and that later', async () => {
    const old = await pay(node, 31n)
    await mine(rpc, 1_100)
    const follower = newFollower({ ...chain, firstBlock: 0n })
    await follow(deps(), follower)
    const hash = await pay(node, 32n)
    await mine(rpc, 2)
    await catchUp(follower)
    assert.equal((await toldOf(hash)).length, 1)
    assert.equal(await headers(), 3)
    while ((await readEarlier(deps(), follower)) === 'more');
    const hashes = (await history()).items.map(({ txHash }) => txHash)
    assert.ok(hashes.includes(old))
    assert.deepEqual(await toldOf(old), [], 'it is no news')
  })

  /** Of one transaction, or of what no transaction tells of. */
  async function toldOf(hash: string) {
    const events = await database.selectFrom('outbox').selectAll().orderBy('id').execute()
    assert.ok(events.every(({ kind }) => kind === 'wallet.blockchainevent.detected'))
    const told = events.map(({ data }) => JSON.parse(data).blockchainEvent)
    return told.filter(({ txHash }) => txHash === hash)
  }

  async function leave(): Promise<void> {
    if (home === undefined) return
    await database.destroy()
    await home.drop()
  }

  function deps() {
    const say = (_: object, message: string) => void lines.push(message)
    return {
      database,
      chains: { find: () => chain, all: [chain] },
      log: { warn: say, error: say },
      now: Date.now,
    }
  }

  /** As if the lease of whoever has followed had ended. */
  async function handOver(): Promise<void> {
    await database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
  }

  async function catchUp(follower: Follower, now = Date.now): Promise<void> {
    while ((await follow({ ...deps(), now }, follower)) === 'more');
  }

  async function headers(): Promise<number> {
    return (await database.selectFrom('block_headers').select('hash').execute()).length
  }

  function history(query: Partial<HistoryQuery> = {}) {
    return listHistory(database, { wallet, network: chain.network }, { limit: 50, ...query })
  }
})
