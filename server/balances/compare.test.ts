import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { Rpc } from '@quorate/chains/adapter'
import { Failure, isFailure } from '@quorate/core/failure'
import { startEthereum, type RunningEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { encodeAbiParameters, keccak256 } from 'viem'
import { type Chain, openChains } from '../chain/chains.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import { listHistory } from '../history/find.ts'
import { follow } from '../history/follow.ts'
import { newFollower, type Follower } from '../history/follower.ts'
import { address, addWallet, mine, network, pay, payBy } from '../history/testing/payments.ts'
import type { WalletRow } from '../wallets/find.ts'
import { compareBalances } from './compare.ts'

const ether = 10n ** 18n

describe('what a wallet holds by its history, and by the chain', () => {
  /** Keeps the cluster of databases up from one test to the next. */
  let keeper: TestDatabase
  let home: TestDatabase
  let database: Database
  let node: RunningEthereum
  let rpc: Rpc
  let chain: Chain
  let wallet: WalletRow
  let lines: string[]
  let dataDir: string
  before(async () => {
    keeper = await createTestDatabase()
  })
  beforeEach(async () => {
    lines = []
    dataDir = mkdtempSync(join(tmpdir(), 'quorate-balances-'))
    ;[home, node] = await Promise.all([createTestDatabase(), startEthereum({ dataDir })])
    const nodes = new Map([[network, { rpcUrl: node.rpcUrl, confirmations: 2 }]])
    chain = openChains(nodes).find(network)
    rpc = chain.rpc
    await rpc('evm_setIntervalMining', [0])
    await rpc('evm_setAutomine', [false])
    // It may have made some by itself, or none: now there is one that is settled, at any rate.
    await mine(rpc, 3)
    database = openDatabase(home.url, () => undefined)
    await migrate(database)
    wallet = await addWallet(database)
  })
  afterEach(async () => {
    await database.destroy()
    await home.drop()
    await node.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })
  after(() => keeper.drop())

  it('is the same for what came in and went out as transactions do', async () => {
    const follower = newFollower(chain)
    await pay(node, 5n)
    const payer = await deploy(rpc, 'Payer')
    await payBy(node, rpc, { payer, functionName: 'pass', args: [address] })
    const coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    await coin.invoke('mint', [address, 7n])
    await mine(rpc, 2)
    await settleAll(follower)
    assert.deepEqual(lines, [])
    const earlier = await movements()
    await fund(ether)
    await settleAll(follower)
    await payFrom(3n)
    await mine(rpc, 3)
    await settleAll(follower)
    const told = (await movements()).map(({ direction, seenBy }) => [direction, seenBy])
    assert.deepEqual(told.slice(0, 2), [
      ['Out', undefined],
      ['In', 'Balance'],
    ])
    assert.deepEqual((await movements()).slice(2), earlier)
    assert.equal(lines.length, 1, 'of what was funded alone')
    assert.equal((await rowOf('Native')).balance, String(await chain.adapter.balance(rpc, address)))
    assert.equal((await rowOf('Erc20', coin.address)).balance, '7')
    assert.equal((await rowOf('Erc20', coin.address)).unexplained, '0')
  })

  it('differs where contracts pay on without traces: that it came in is told, and not whence', async () => {
    const follower = newFollower(withoutTraces())
    await settleAll(follower)
    const payer = await deploy(rpc, 'Payer')
    await payBy(node, rpc, { payer, functionName: 'pass', args: [address] })
    const number = Number(await rpc('eth_blockNumber', []))
    await mine(rpc, 5)
    await passTime()
    await settleAll(follower)
    const [first] = await movements()
    const { timestamp, ...told } = first ?? {}
    assert.ok(timestamp)
    const asset = { symbol: 'ETH', decimals: 18, verified: true }
    assert.deepEqual(told, {
      ...{ kind: 'NativeTransfer', walletId: wallet.wallet_id, network, direction: 'In' },
      ...{ blockNumber: number, txHash: '', seenBy: 'Balance', value: '9', ...asset },
      metadata: { asset },
    })
    await catchUp(follower)
    const events = await database.selectFrom('outbox').select('data').orderBy('id').execute()
    assert.deepEqual(JSON.parse(events.at(-1)?.data ?? '{}').blockchainEvent, first)
    await mine(rpc, 5)
    await settleAll(follower)
    assert.deepEqual((await movements())[0], first, 'and once')
  })

  it('differs where something was missed: the block is read again, and it is there', async () => {
    const follower = newFollower(withoutTraces())
    await settleAll(follower)
    const payer = await deploy(rpc, 'Payer')
    await mine(rpc, 3)
    const hash = await payBy(node, rpc, { payer, functionName: 'pass', args: [address] })
    await mine(rpc, 3)
    await catchUp(follower)
    await passTime()
    const tracing = newFollower(chain)
    await settleAll({ ...tracing, holder: follower.holder })
    const [first] = await movements()
    assert.deepEqual([first?.txHash, first?.seenBy], [hash, undefined])
    assert.ok(first?.kind === 'NativeTransfer')
    assert.deepEqual([first.from?.toLowerCase(), first.value], [payer.address, '9'])
  })

  it('differs in a token that hid a movement, until it is read again', async () => {
    const coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    const hiding = newFollower(changed('eth_getLogs', async () => []))
    await settleAll(newFollower(chain))
    await coin.invoke('mint', [address, 1n])
    await mine(rpc, 2)
    await takeOver()
    await settleAll(newFollower(chain))
    await coin.invoke('mint', [address, 20n])
    await mine(rpc, 2)
    await takeOver()
    await catchUp({ ...hiding, chain: withoutBloom(hiding.chain) })
    assert.equal((await movements('Erc20Transfer')).length, 1)
    await coin.invoke('mint', [address, 300n])
    await mine(rpc, 2)
    await takeOver()
    await settleAll(newFollower(chain))
    const values = (await movements('Erc20Transfer')).map((item) => 'value' in item && item.value)
    assert.deepEqual(values, ['300', '20', '1'])
    const row = await rowOf('Erc20', coin.address)
    assert.deepEqual([row.balance, row.unexplained], ['321', '0'])
  })

  it('differs in a token that grows by itself: how much of it nothing explains is kept', async () => {
    const follower = newFollower(chain)
    const coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    await coin.invoke('mint', [address, 7n])
    await mine(rpc, 2)
    await settleAll(follower)
    const types = [{ type: 'address' }, { type: 'uint256' }] as const
    // Where Solidity keeps the fourth of a contract's variables, a mapping, for one key.
    const slot = keccak256(encodeAbiParameters(types, [address, 3n]))
    await rpc('anvil_setStorageAt', [coin.address, slot, `0x${'9'.padStart(64, '0')}`])
    await mine(rpc, 3)
    await passTime()
    await settleAll(follower)
    const row = await rowOf('Erc20', coin.address)
    assert.deepEqual([row.balance, row.unexplained], ['9', '2'])
    assert.equal((await movements('Erc20Transfer')).length, 1)
  })

  it('tells what was there before, and what a node’s own command takes away', async () => {
    await fund(ether)
    await mine(rpc, 2)
    const follower = newFollower(chain)
    const head = await rpc('eth_blockNumber', [])
    await startAt(follower, Number(head) - 1)
    await mine(rpc, 3)
    await settleAll(follower)
    const [first, ...others] = await movements()
    assert.ok(first?.kind === 'NativeTransfer')
    assert.deepEqual([first.direction, first.value], ['In', String(ether)])
    assert.deepEqual(others, [])
    await fund(ether - 5n)
    const hash = await pay(node, 2n)
    await mine(rpc, 3)
    await settleAll(follower)
    const [paid, taken] = await movements()
    assert.ok(taken?.kind === 'NativeTransfer' && paid?.kind === 'NativeTransfer')
    assert.deepEqual([taken.direction, taken.value, taken.seenBy], ['Out', '5', 'Balance'])
    assert.deepEqual([paid.value, paid.txHash], ['2', hash])
  })

  it('is told at the first block that a node remembers, which has forgotten those before', async () => {
    const untraced = withoutTraces()
    const follower = newFollower(untraced)
    await mine(rpc, 3)
    await settleAll(follower)
    const payer = await deploy(rpc, 'Payer')
    await payBy(node, rpc, { payer, functionName: 'pass', args: [address] })
    const number = Number(await rpc('eth_blockNumber', []))
    await mine(rpc, 60)
    const remembered = new Set(await hashesAfter(number + 40))
    const forgetful = changed(
      'eth_getBalance',
      async (params) => {
        const [, at] = params as [string, { readonly blockHash: string }]
        if (remembered.has(at.blockHash)) return rpc('eth_getBalance', params)
        throw new Failure('chain.refused', { network, reason: 'missing trie node' })
      },
      untraced,
    )
    await passTime()
    await settleAll(follower, { chain: forgetful })
    const [first] = await movements()
    assert.ok(first?.kind === 'NativeTransfer')
    assert.deepEqual([first.value, first.blockNumber], ['9', number + 41])
  })

  it('is compared at once though strangers send a thousand tokens before it', async () => {
    const follower = newFollower(chain)
    await pay(node, 5n)
    await mine(rpc, 2)
    await settleAll(follower)
    const { block_number, block_hash } = await rowOf('Native')
    await pay(node, 6n)
    await mine(rpc, 1)
    await catchUp(follower)
    const { moved_number } = await rowOf('Native')
    await sql`insert into balances
      select organization, wallet, 'Erc1155', ${`0x${'5a'.repeat(20)}`}, id::text, network,
        ${block_number}, ${block_hash}, null, '0', ${moved_number - 1}, 0, 0, 0
      from balances, generate_series(1, 1000) id where kind = 'Native'`.execute(database)
    await mine(rpc, 1)
    await catchUp(follower)
    await compareBalances(deps(), follower)
    const { block_number: at, balance } = await rowOf('Native')
    assert.ok(at !== null && at >= moved_number)
    assert.equal(balance, String(await chain.adapter.balance(rpc, address)))
  })

  it('tells of tokens in a block whose logs no fake node gives, which holds up none after it', async () => {
    const follower = newFollower(chain)
    const coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    const other = await deploy(rpc, 'Coin', ['Silver', 'SLV', 6])
    await coin.invoke('mint', [address, 7n])
    await mine(rpc, 3)
    await settleAll(follower)
    await coin.invoke('mint', [address, 20n])
    const { hash: long, transactions } = Object(
      await rpc('eth_getBlockByNumber', ['latest', false]),
    )
    await other.invoke('mint', [address, 300n])
    const paid = await pay(node, 5n)
    await mine(rpc, 3)
    const refusing: Rpc = async (method, params) => {
      const { blockHash, topics } = Object(params[0])
      const isOfBlock = blockHash === long && topics?.[0]?.[0] !== long
      if (!(method === 'eth_getLogs' && isOfBlock) && params[0] !== transactions[0])
        return rpc(method, params)
      throw new Failure('chain.refused', { network, reason: 'the answer is too long' })
    }
    const following = { ...follower, chain: { ...chain, rpc: refusing } }
    for (const _ of [1, 2])
      await assert.rejects(follow(deps(), following), (error) => isFailure(error, 'chain.refused'))
    assert.deepEqual(lines.splice(0), [])
    await catchUp(following)
    assert.deepEqual(lines.splice(0), [
      'a block is passed without all of its receipts: what they tell is seen by balances alone',
    ])
    assert.equal((await movements())[0]?.txHash, paid)
    const values = (await movements('Erc20Transfer')).map((item) => 'value' in item && item.value)
    assert.deepEqual(values, ['300', '7'])
    await settleAll(following)
    const row = await rowOf('Erc20', coin.address)
    assert.deepEqual([row.balance, row.unexplained], ['27', '20'])
    assert.deepEqual(lines, ['a balance was not what history said: what it tells is written down'])
  })

  it('tells of what a wallet has paid where no fake node gives the receipt', async () => {
    const follower = newFollower(chain)
    await fund(ether)
    await settleAll(follower)
    lines.splice(0)
    await payFrom(3n)
    await mine(rpc, 1)
    const { hash: long, transactions } = Object(
      await rpc('eth_getBlockByNumber', ['latest', false]),
    )
    await mine(rpc, 3)
    const refusing: Rpc = async (method, params) => {
      const { blockHash, topics } = Object(params[0])
      const isWhole = blockHash === long && topics === undefined
      const isReceipt = method === 'eth_getTransactionReceipt' && params[0] === transactions[0]
      if (!isReceipt && !(method === 'eth_getLogs' && isWhole)) return rpc(method, params)
      throw new Failure('chain.refused', { network, reason: 'the answer is too long' })
    }
    const following = { ...follower, chain: { ...chain, rpc: refusing } }
    for (const _ of [1, 2])
      await assert.rejects(follow(deps(), following), (error) => isFailure(error, 'chain.refused'))
    await catchUp(following)
    await passTime()
    await settleAll(following)
    const [first] = await movements()
    assert.deepEqual([first?.direction, first?.seenBy], ['Out', 'Balance'])
    assert.equal((await rowOf('Native')).balance, String(await chain.adapter.balance(rpc, address)))
  })

  it('waits where a node remembers nothing, says so once, and goes on when it does', async () => {
    const follower = newFollower(chain)
    const forgetful = changed('eth_getBalance', async () => {
      throw new Failure('chain.refused', { network, reason: 'missing trie node' })
    })
    const forgetting = { ...follower, chain: forgetful }
    await mine(rpc, 3)
    await catchUp(forgetting)
    await compareBalances(deps(), forgetting)
    await compareBalances(deps(), forgetting)
    const said = 'the node does not say what wallets hold: their history is not compared'
    assert.deepEqual(lines, [said])
    assert.equal((await rowOf('Native')).attempts, 1)
    await passTime()
    await settleAll(forgetting, { chain })
    assert.equal((await rowOf('Native')).attempts, 0)
  })

  it('is what it was where a fake node refuses a question about a token, and compared later', async () => {
    const follower = newFollower(chain)
    const coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    await coin.invoke('mint', [address, 7n])
    await mine(rpc, 2)
    await settleAll(follower)
    const busy = changed('eth_call', async () => {
      throw new Failure('chain.refused', { network, reason: 'limit exceeded', code: -32_005 })
    })
    await mine(rpc, 2)
    await passTime()
    await settleAll(follower, { chain: busy })
    const { balance, unexplained, attempts } = await rowOf('Erc20', coin.address)
    assert.deepEqual([balance, unexplained, attempts], ['7', '0', 1])
    await passTime()
    await settleAll(follower)
    const later = await rowOf('Erc20', coin.address)
    assert.deepEqual([later.balance, later.unexplained, later.attempts], ['7', '0', 0])
  })

  it('is compared beside a token about which fake nodes disagree, and that later', async () => {
    const follower = newFollower(chain)
    const [coin, other] = [
      await deploy(rpc, 'Coin', ['Gold', 'GLD', 6]),
      await deploy(rpc, 'Coin', ['Silver', 'SLV', 6]),
    ]
    for (const one of [coin, other]) await one.invoke('mint', [address, 7n])
    await mine(rpc, 2)
    await settleAll(follower)
    const disputed = changed('eth_call', async (params) => {
      const [{ to }] = params as [{ readonly to: string }]
      if (to.toLowerCase() !== coin.address.toLowerCase()) return rpc('eth_call', params)
      throw new Failure('chain.unavailable', { network }, { cause: new Error('nodes disagree') })
    })
    await pay(node, 5n)
    await mine(rpc, 3)
    await passTime()
    await settleAll(follower, { chain: disputed })
    assert.equal((await rowOf('Native')).balance, '5')
    assert.equal((await rowOf('Erc20', coin.address)).attempts, 1)
    const { attempts, due_at } = await rowOf('Erc20', other.address)
    assert.ok(attempts === 0 && due_at > Date.now())
    assert.deepEqual(lines.slice(-1), [
      'the node does not say what wallets hold: their history is not compared',
    ])
    // Also where that one alone is due.
    await database.updateTable('balances').set({ due_at: 0 }).where('attempts', '=', 1).execute()
    await settleAll(follower, { chain: disputed })
    assert.equal((await rowOf('Erc20', coin.address)).attempts, 2)
  })

  it('is compared beside a token of which history cannot be summed up', async () => {
    const follower = newFollower(chain)
    const coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    await coin.invoke('mint', [address, 7n])
    await pay(node, 5n)
    await mine(rpc, 2)
    await catchUp(follower)
    await database
      .updateTable('history')
      .set({ value: 'much' })
      .where('kind', '=', 'Erc20Transfer')
      .execute()
    await settleAll(follower)
    assert.equal((await rowOf('Native')).balance, '5')
    assert.equal((await rowOf('Erc20', coin.address)).attempts, 1)
    assert.deepEqual(lines, ['a balance could not be compared'])
  })

  it('is put off where fake nodes disagree about what a token was before', async () => {
    const follower = newFollower(chain)
    const coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
    await coin.invoke('mint', [address, 7n])
    await mine(rpc, 2)
    await settleAll(follower)
    await database
      .updateTable('balances')
      .set({ balance: '6' })
      .where('contract', '<>', '')
      .execute()
    const { block_hash } = await rowOf('Erc20', coin.address)
    await mine(rpc, 20)
    let asked = 0
    const disputed = changed('eth_call', async (params) => {
      if ((asked += 1) === 1) return rpc('eth_call', params)
      throw new Failure('chain.unavailable', { network }, { cause: new Error('nodes disagree') })
    })
    await passTime()
    await settleAll(follower, { chain: disputed })
    const row = await rowOf('Erc20', coin.address)
    assert.deepEqual([row.attempts, row.balance, row.block_hash], [1, '6', block_hash])
  })

  it('is put off by no fake node that is away', async () => {
    const follower = newFollower(chain)
    await mine(rpc, 3)
    await catchUp(follower)
    const away = changed('', async () => {
      throw new Failure('chain.unavailable', { network })
    })
    await assert.rejects(compareBalances(deps(), { ...follower, chain: away }), (error) =>
      isFailure(error, 'chain.unavailable'),
    )
    assert.equal((await rowOf('Native')).attempts, 0)
  })

  it('is compared anew from where a reorganization has begun', async () => {
    const follower = newFollower(withoutTraces())
    await settleAll(follower)
    const payer = await deploy(rpc, 'Payer')
    await mine(rpc, 2)
    await payBy(node, rpc, { payer, functionName: 'pass', args: [address] })
    await mine(rpc, 3)
    await passTime()
    await settleAll(follower)
    const told = await movements()
    assert.equal(told[0]?.seenBy, 'Balance')
    await rpc('anvil_reorg', [5, []])
    await mine(rpc, 4)
    await settleAll(follower)
    assert.deepEqual(await movements(), told.slice(1))
    const { balance, block_hash } = await rowOf('Native')
    assert.equal(balance, String(await chain.adapter.balance(rpc, address)))
    const header = await database
      .selectFrom('block_headers')
      .select('canonical')
      .where('hash', '=', block_hash)
      .executeTakeFirst()
    assert.equal(header?.canonical, true)
  })

  it('is not read again in a block that the node has replaced, which nobody knows of yet', async () => {
    const { follower } = await missed()
    lines.splice(0)
    const tracing = { ...newFollower(chain), holder: follower.holder }
    const replacing = once('eth_getBlockByNumber', async (method, params) => {
      await rpc('anvil_reorg', [8, []])
      return rpc(method, params)
    })
    await compareBalances(deps(), { ...tracing, chain: replacing })
    assert.deepEqual(await movements(), [])
    assert.equal((await rowOf('Native')).attempts, 1)
    assert.deepEqual(lines.splice(0), [
      'the node does not say what wallets hold: their history is not compared',
    ])
    await passTime()
    await settleAll(tracing)
    assert.deepEqual(await movements(), [], 'it was paid on the other branch alone')
    assert.equal((await rowOf('Native')).balance, '0')
  })

  it('is not written down of a block that was replaced while it was read again', async () => {
    const { follower } = await missed()
    const before = await rowOf('Native')
    const replacing = once('eth_getLogs', async (method, params) => {
      const answer = await rpc(method, params)
      await reorganize(follower)
      return answer
    })
    lines.splice(0)
    await compareBalances(deps(), { ...follower, chain: replacing })
    assert.deepEqual(lines, [])
    assert.deepEqual(await movements(), [])
    const { balance, attempts, block_hash } = await rowOf('Native')
    assert.deepEqual([balance, attempts, block_hash], ['0', 0, before.block_hash])
    await settleAll(follower)
    assert.deepEqual(await movements(), [])
  })

  it('is known up to no block that was replaced while the node was asked', async () => {
    const follower = newFollower(withoutTraces())
    await settleAll(follower)
    await mine(rpc, 10)
    await catchUp(follower)
    await passTime()
    const replacing = once('eth_getBalance', async (method, params) => {
      const answer = await rpc(method, params)
      await reorganize(follower)
      return answer
    })
    const before = await rowOf('Native')
    await compareBalances(deps(), { ...follower, chain: replacing })
    assert.equal((await rowOf('Native')).block_hash, before.block_hash)
    await settleAll(follower)
    assert.notEqual((await rowOf('Native')).block_hash, before.block_hash)
  })

  it('is written down by nobody whose lease has gone to another', async () => {
    const follower = newFollower(chain)
    await mine(rpc, 3)
    await catchUp(follower)
    const stealing = changed('eth_getBalance', async (params) => {
      await database.updateTable('chain_heads').set({ lease_holder: 'another' }).execute()
      return rpc('eth_getBalance', params)
    })
    await assert.rejects(
      compareBalances(deps(), { ...follower, chain: stealing }),
      /another server/,
    )
    assert.equal((await rowOf('Native')).balance, null)
    assert.equal(await compareBalances(deps(), follower), 'idle')
  })

  function deps() {
    const say = (_: object, message: string) => void lines.push(message)
    return {
      database,
      chains: { find: () => chain, all: [chain] },
      log: { warn: say, error: say },
      now: Date.now,
    }
  }

  /** What came in by a contract's payment without traces, and is due to be compared. */
  async function missed() {
    const follower = newFollower(withoutTraces())
    await settleAll(follower)
    const payer = await deploy(rpc, 'Payer')
    await mine(rpc, 3)
    await payBy(node, rpc, { payer, functionName: 'pass', args: [address] })
    await mine(rpc, 5)
    await catchUp(follower)
    await passTime()
    return { follower }
  }

  /** The newest blocks are others, without a payment, and that is known here. */
  async function reorganize(follower: Follower): Promise<void> {
    await rpc('anvil_reorg', [8, []])
    await mine(rpc, 1)
    await catchUp(follower)
  }

  /** The node without traces, but for what happens at the first question of a name. */
  function once(name: string, answer: Rpc): Chain {
    const { rpc: others } = withoutTraces()
    let isFirst = true
    const other: Rpc = (method, params) => {
      if (!isFirst || method !== name) return others(method, params)
      isFirst = false
      return answer(method, params)
    }
    return { ...chain, rpc: other }
  }

  function withoutTraces(): Chain {
    return changed('debug_', async () => {
      throw new Failure('chain.refused', { network, reason: 'the method does not exist' })
    })
  }

  /** The real node, but for the answers to questions that begin so. */
  function changed(
    name: string,
    answer: (params: readonly unknown[]) => Promise<unknown>,
    from = chain,
  ): Chain {
    const other: Rpc = (method, params) =>
      method.startsWith(name) ? answer(params) : from.rpc(method, params)
    return { ...from, rpc: other }
  }

  function withoutBloom(from: Chain): Chain {
    const other: Rpc = async (method, params) => {
      const answer = await from.rpc(method, params)
      return method === 'eth_getBlockByNumber' ? { ...(answer as object), logsBloom: null } : answer
    }
    return { ...from, rpc: other }
  }

  async function catchUp(follower: Follower): Promise<void> {
    for (let looks = 0; looks < 100; looks++)
      try {
        if ((await follow(deps(), follower)) !== 'more') return
      } catch (error) {
        // Traces are asked for three times before they are given up.
        if (!(error instanceof Failure)) throw error
      }
    assert.fail('the chain has no end')
  }

  async function settleAll(
    follower: Follower,
    others: { readonly chain?: Chain } = {},
  ): Promise<void> {
    const following = others.chain === undefined ? follower : { ...follower, chain: others.chain }
    await catchUp(following)
    for (let turns = 0; turns < 50; turns++)
      if ((await compareBalances(deps(), following)) === 'idle') return
    assert.fail('the balances are never settled')
  }

  /** As if all that was compared had been compared long ago. */
  async function passTime(): Promise<void> {
    await database.updateTable('balances').set({ due_at: 0 }).execute()
  }

  /** As if the lease of whoever has followed had ended. */
  async function takeOver(): Promise<void> {
    await database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
  }

  /** As an operator's long chain would begin: at one of its newer blocks. */
  async function startAt(follower: Follower, number: number): Promise<void> {
    const beginning: Rpc = (method, params) =>
      method === 'eth_getBlockByNumber' && params[0] === '0x0'
        ? rpc(method, [`0x${number.toString(16)}`, params[1]])
        : rpc(method, params)
    await follow(deps(), { ...follower, chain: { ...chain, rpc: beginning } })
  }

  async function hashesAfter(number: number): Promise<readonly string[]> {
    const hashes: string[] = []
    const head = Number(await rpc('eth_blockNumber', []))
    for (let at = number + 1; at <= head; at++) {
      const block = await rpc('eth_getBlockByNumber', [`0x${at.toString(16)}`, false])
      hashes.push((block as { readonly hash: string }).hash)
    }
    return hashes
  }

  async function movements(kind?: string) {
    const query = kind === undefined ? { limit: 500 } : { limit: 500, kind }
    return (await listHistory(database, { wallet, network: chain.network }, query)).items
  }

  async function rowOf(kind: 'Native' | 'Erc20', contract = '') {
    const rows = await database
      .selectFrom('balances')
      .selectAll()
      .where('kind', '=', kind)
      .execute()
    const row = rows.find((one) => one.contract.toLowerCase() === contract.toLowerCase())
    assert.ok(row)
    return row
  }

  async function fund(wei: bigint): Promise<void> {
    await rpc('anvil_setBalance', [address, `0x${wei.toString(16)}`])
    await mine(rpc, 3)
  }

  async function payFrom(value: bigint): Promise<void> {
    await rpc('anvil_impersonateAccount', [address])
    const to = `0x${'77'.repeat(20)}`
    await rpc('eth_sendTransaction', [{ from: address, to, value: `0x${value.toString(16)}` }])
  }
})
