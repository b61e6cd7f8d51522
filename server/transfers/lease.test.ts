import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { until } from '../coordinator/testing/platform.ts'
import type { WalletRow } from '../wallets/find.ts'
import { leaseRows } from './lease.ts'
import type { Outgoing } from './tables.ts'
import { nextStep } from './steps.ts'
import { makeWallet, mine, network, payment, request, reread } from './testing/treasury.ts'
import { startTreasury, type Treasury } from './testing/treasury.ts'
import { startWorker } from './worker.ts'

describe('the places of a worker, with fake networks that hang beside a real one', () => {
  let treasury: Treasury
  let wallet: WalletRow
  before(async () => {
    treasury = await startTreasury()
    wallet = await makeWallet(treasury)
  })
  after(() => treasury.stop())
  beforeEach(async () => {
    await treasury.database.deleteFrom('outgoing').execute()
  })

  async function add(on: string, count: number, dueAt: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      const { id } = await request(treasury, wallet, { body: payment() })
      const change = { network: on, due_at: dueAt }
      await treasury.database.updateTable('outgoing').set(change).where('id', '=', id).execute()
    }
  }

  /** Whose nodes answer nothing, except the real one's. */
  function startHanging() {
    const { chains, deps } = treasury
    const hung: string[] = []
    const over = Promise.withResolvers<void>()
    const stepIn: typeof nextStep = (row) => {
      const { network: on } = row as Outgoing
      if (on === network) return nextStep(row)
      return async () => {
        hung.push(on)
        await over.promise
        return { kind: 'wait', why: null }
      }
    }
    const find = () => chains.find(network)
    const worker = startWorker({ ...deps, stepIn, chains: { ...chains, find } })
    const stop = async () => {
      over.resolve()
      await worker.stop()
    }
    return { hung, stop }
  }

  async function isPaidBeside(names: readonly string[], rowsOfEach: number): Promise<void> {
    for (const name of names) await add(name, rowsOfEach, 0)
    const worker = startHanging()
    try {
      await until(() => worker.hung.length >= Math.min(8, rowsOfEach) && Promise.resolve(true))
      const row = await request(treasury, wallet, { body: payment() })
      await until(async () => {
        await mine(treasury)
        return (await reread(treasury, row)).state === 'confirmed'
      }, 8_000)
    } finally {
      await worker.stop()
    }
  }

  it('are not all taken by one network that hangs, however much of it is due', async () => {
    await isPaidBeside(['Hanging'], 80)
  })

  it('nor by many of them', async () => {
    await isPaidBeside(['One', 'Two', 'Three', 'Four', 'Five', 'Six', 'Seven', 'Eight'], 10)
  })

  it('are eight for one network alone', async () => {
    await add('Hanging', 12, 0)
    const worker = startHanging()
    await until(async () => worker.hung.length === 8)
    await worker.stop()
    assert.equal(worker.hung.length, 8)
  })

  it('are given to whoever has the fewest, and there to what is due longest', async () => {
    await add('Busy', 4, 1)
    await add('Quiet', 2, 2)
    const { database } = treasury
    const atHand = await leaseRows(database, 1, Date.now())
    assert.deepEqual(networks(atHand), ['Busy'])
    const take = (count: number, networkMax: number) =>
      leaseRows(database, count, Date.now(), { atHand, networkMax })
    assert.deepEqual(networks(await take(1, 2)), ['Quiet'])
    assert.deepEqual(networks(await take(4, 2)), ['Busy', 'Quiet'])
    assert.deepEqual(networks(await take(4, 1)), [])
  })
})

function networks(rows: readonly Outgoing[]): readonly string[] {
  return rows.map((row) => row.network).toSorted()
}
