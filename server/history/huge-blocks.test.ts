import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Rpc } from '@quorate/chains/adapter'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { type Chain, openChains } from '../chain/chains.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import { follow } from './follow.ts'
import { newFollower } from './follower.ts'
import { fakeChain } from './testing/fake-chain.ts'
import { address, addWallet, network } from './testing/payments.ts'

const transactions = 2_000
const logs = 20_000

describe('a fake node with blocks of thousands', () => {
  let home: TestDatabase
  let database: Database
  let known: Chain
  before(async () => {
    home = await createTestDatabase()
    database = openDatabase(home.url, () => undefined)
    await migrate(database)
    await addWallet(database)
    known = openChains(
      new Map([[network, { rpcUrl: 'http://127.0.0.1:9', confirmations: 1 }]]),
    ).find(network)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('is read in pieces, few at a time, and what is ours is written as it comes', async () => {
    const shape = { blocks: 3, transactions, logs, ours: [address], every: 4, listMax: 1_000 }
    const fake = fakeChain(known.network, shape)
    // Its contracts say nothing of themselves, and are not waited for.
    const { rpc, busiest } = counting(async (method, params) =>
      method === 'eth_call' ? '0x' : fake(method, params),
    )
    const follower = newFollower({ ...known, rpc, ready: async () => undefined })
    follower.untracedUntil = Infinity
    const say = (_: object, message: string) => assert.fail(message)
    const log = { warn: say, error: say }
    const chains = { find: () => known, all: [known] }
    const written: number[] = []
    const told: number[] = [0]
    for (let looks = 0; looks < 20; looks++) {
      if ((await follow({ database, chains, log, now: Date.now }, follower)) !== 'more') break
      written.push(await rowsOf('block_headers'))
      told.push(await rowsOf('outbox'))
    }
    assert.deepEqual(written.slice(0, 4), [1, 2, 3, 3], 'a look ends where it has found enough')
    assert.ok(told.every((count, i) => count - (told[i - 1] ?? 0) <= 2_000))
    assert.equal(await rowsOf('history'), (3 * (transactions + logs)) / 4)
    assert.equal(await rowsOf('outbox'), (3 * (transactions + logs)) / 4)
    assert.ok(busiest() <= 16, `${busiest()} questions at a time`)
  })

  it('has more movements in one block than a call takes arguments', async () => {
    const shape = { blocks: 4, transactions: 1, logs: 1, ours: [address], every: 1 }
    const inner = fakeChain(known.network, shape)
    // The same movement so many times over is one row: what counts is how many are read.
    const repeating: Rpc = async (method, params) => {
      const answer = await inner(method, params)
      if (method !== 'eth_getLogs') return answer
      return Array.from({ length: 200_000 }, () => (answer as readonly object[])[0])
    }
    const follower = newFollower({ ...known, rpc: repeating, ready: async () => undefined })
    follower.untracedUntil = Infinity
    const log = { warn: () => undefined, error: () => undefined }
    const chains = { find: () => known, all: [known] }
    await database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
    const before = await rowsOf('history')
    assert.equal(await follow({ database, chains, log, now: Date.now }, follower), 'more')
    assert.equal(await rowsOf('history'), before + 2)
  })

  function counting(inner: Rpc): { readonly rpc: Rpc; busiest(): number } {
    let [open, most] = [0, 0]
    const rpc: Rpc = async (method, params) => {
      open += 1
      most = Math.max(most, open)
      try {
        return await inner(method, params)
      } finally {
        open -= 1
      }
    }
    return { rpc, busiest: () => most }
  }

  async function rowsOf(table: 'block_headers' | 'history' | 'outbox'): Promise<number> {
    const { count } = await database
      .selectFrom(table)
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return count
  }
})
