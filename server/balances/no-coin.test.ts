import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Rpc } from '@quorate/chains/adapter'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { openChains } from '../chain/chains.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import { follow } from '../history/follow.ts'
import { newFollower } from '../history/follower.ts'
import { fakeChain } from '../history/testing/fake-chain.ts'
import { address, addWallet } from '../history/testing/payments.ts'
import { compareBalances } from './compare.ts'

const network = 'Tempo'
/** What its nodes say of every address: docs.tempo.xyz, "EVM Differences". */
const saidOfAll = '0x9612084f0316e0ebd5182f398e5195a51b5ca47667d4c9b26c9b26c9b26c9b2'

describe('a chain without a coin, at a fake node', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createTestDatabase()
    database = openDatabase(home.url, () => undefined)
    await migrate(database)
    await addWallet(database)
    for (const table of ['wallets', 'balances'] as const)
      await database.updateTable(table).set({ network }).execute()
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('is followed past transactions of its own kind, and nobody is given what its nodes say of all', async () => {
    const known = openChains(
      new Map([[network, { rpcUrl: 'http://127.0.0.1:9', confirmations: 1 }]]),
    ).find(network)
    const asked = new Set<string>()
    const chain = fakeChain(known.network, {
      ...{ blocks: 3, transactions: 1, logs: 1, ours: [address], every: 1 },
    })
    const rpc: Rpc = async (method, params) => {
      asked.add(method)
      if (method === 'eth_getBalance') return saidOfAll
      const answer = await chain(method, params)
      return method === 'eth_getBlockByNumber' && params[1] === true ? withCalls(answer) : answer
    }
    const follower = newFollower({ ...known, rpc, ready: async () => undefined })
    const log = { warn: () => undefined, error: () => undefined }
    const deps = {
      ...{ database, log, now: Date.now },
      chains: { find: () => known, all: [known] },
    }
    while ((await follow(deps, follower)) === 'more');
    while ((await compareBalances(deps, follower)) === 'more');

    const rows = await database.selectFrom('history').selectAll().execute()
    const native = rows.filter(({ kind }) => kind === 'NativeTransfer')
    assert.deepEqual(
      native.map(({ direction, value, recipient }) => [direction, value, recipient]),
      Array.from({ length: 3 }, () => ['Out', '0', null]),
    )
    assert.equal(rows.filter(({ kind }) => kind === 'Erc20Transfer').length, 3)
    const balances = await database.selectFrom('balances').selectAll().execute()
    assert.deepEqual(balances.map(({ kind, held, balance }) => [kind, held, balance]).toSorted(), [
      ['Erc20', '0', null],
      ['Native', '0', null],
    ])
    assert.ok(asked.has('eth_call') && !asked.has('eth_getBalance'))
    assert.ok(!asked.has('debug_traceBlockByHash'))
  })
})

/** A block whose first transaction is ours, and of the kind that has calls in place of whom it is for and of value. */
function withCalls(block: unknown): unknown {
  const { transactions, ...header } = Object(block)
  const [first, ...others] = transactions
  const { to: _1, value: _2, input: _3, ...rest } = first
  const calls = [{ to: `0x20c0${'00'.repeat(18)}`, value: '0x0', input: '0x' }]
  return { ...header, transactions: [{ ...rest, type: '0x76', from: address, calls }, ...others] }
}
