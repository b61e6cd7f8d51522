import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Rpc } from '@quorate/chains/adapter'
import type { Chains } from '../chain/chains.ts'
import { until } from '../coordinator/testing/platform.ts'
import { keepingLease, type Keeping } from './keep-lease.ts'
import { leaseMs, leaseRows } from './lease.ts'
import { makeWallet, network, payment, request, reread } from './testing/treasury.ts'
import { startTreasury, type Treasury } from './testing/treasury.ts'
import { startWorker } from './worker.ts'

describe('a lease whose row takes longer, with a fake delay before a real node', () => {
  let treasury: Treasury
  before(async () => {
    treasury = await startTreasury()
  })
  after(() => treasury.stop())

  /** @param delay before each call */
  function behind(delay: (method: string) => Promise<unknown>): Chains {
    const chain = treasury.chains.find(network)
    const rpc: Rpc = async (method, params) => {
      await delay(method)
      return chain.rpc(method, params)
    }
    return { ...treasury.chains, find: () => ({ ...chain, rpc }) }
  }

  async function broadcast(chains: Chains, keeping: Keeping, servers = 1): Promise<void> {
    // Nobody makes a block: what other tests have sent would be looked at for ever.
    await treasury.database.updateTable('outgoing').set({ due_at: null }).execute()
    const row = await request(treasury, await makeWallet(treasury), { body: payment() })
    const deps = { ...treasury.deps, chains }
    const workers = Array.from({ length: servers }, () => startWorker(deps, keeping))
    try {
      await until(async () => (await reread(treasury, row)).state === 'broadcasted', 20_000)
    } finally {
      await Promise.all(workers.map((worker) => worker.stop()))
    }
  }

  it('is kept while a slow node answers, so that what it says is written down the first time', async () => {
    const asked: string[] = []
    const slow = behind(async (method) => {
      asked.push(method)
      await sleep(500)
    })
    await broadcast(slow, { leaseMs: 600 }, 2)
    assert.equal(asked.filter((method) => method === 'eth_sendRawTransaction').length, 1)
    assert.equal(asked.filter((method) => method === 'eth_estimateGas').length, 1)
    assert.deepEqual(treasury.lines, [])
  })

  it('is kept by whoever has the row at hand alone, although its database was away meanwhile', async () => {
    let estimates = 0
    const { database } = treasury
    const forgetful = behind(async (method) => {
      if (method !== 'eth_estimateGas') return
      estimates += 1
      // As long as it was away, nobody could say that he still works on it.
      await database.updateTable('outgoing').set({ lease_until: 0 }).execute()
      await sleep(700)
    })
    await broadcast(forgetful, { leaseMs: 60_000 })
    assert.deepEqual([estimates, treasury.lines], [1, []])
  })

  it('is known to be over, by his clock, to whoever stood still, and when another one has it', async () => {
    const asked = await request(treasury, await makeWallet(treasury), { body: payment() })
    const { database } = treasury
    const at = Date.now()
    await database
      .updateTable('outgoing')
      .set({ due_at: null })
      .where('id', '!=', asked.id)
      .execute()
    const [row = assert.fail()] = await leaseRows(database, 1, at)
    let time = at
    const log = { warn: assert.fail, error: assert.fail }
    const deps = { database, now: () => time, log }
    await keepingLease(deps, row, async (isHeld) => {
      assert.equal(isHeld(), true)
      time = at + leaseMs + 1
      assert.equal(isHeld(), false)
    })
    time = at
    const keeping = { leaseMs: 300 }
    await keepingLease(
      deps,
      row,
      async (isHeld) => {
        time = at + leaseMs + 1
        await until(() => isHeld())
        await database
          .updateTable('outgoing')
          .set({ lease_holder: 'x' })
          .where('id', '=', row.id)
          .execute()
        time += 1_000
        await sleep(400)
        assert.equal(isHeld(), false)
      },
      keeping,
    )
    await database.updateTable('outgoing').set({ lease_holder: null, lease_until: 0 }).execute()
  })

  it('ends for a row that hangs, which others may take, and whose place is free', async () => {
    let hung = 0
    const hanging = behind(async () => {
      if (hung++ === 0) await new Promise(() => undefined)
    })
    await broadcast(hanging, { leaseMs: 600, keptMsMax: 1_500 })
    assert.equal(treasury.lines.splice(0).length, 1)
  })
})
