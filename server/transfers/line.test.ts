import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { WalletRow } from '../wallets/find.ts'
import { leaseRows, postpone } from './lease.ts'
import type { Outgoing } from './tables.ts'
import { takeSlot } from './take-slot.ts'
import { makeWallet, network, payment, request, reread } from './testing/treasury.ts'
import { startTreasury, step, stepTo, type Treasury } from './testing/treasury.ts'

describe('the line before the desk of a wallet', () => {
  let treasury: Treasury
  let wallet: WalletRow
  before(async () => {
    treasury = await startTreasury()
  })
  after(() => treasury.stop())
  beforeEach(async () => {
    wallet = await makeWallet(treasury)
  })
  const ask = () => request(treasury, wallet, { body: payment() })
  const far = 60_000

  async function lease({ id }: Outgoing): Promise<Outgoing> {
    const { database } = treasury
    await database.updateTable('outgoing').set({ due_at: null }).where('id', '!=', id).execute()
    await database.updateTable('outgoing').set({ due_at: 0 }).where('id', '=', id).execute()
    const [leased] = await leaseRows(database, 1, Date.now())
    return leased ?? assert.fail('the row can be leased')
  }

  it('asks no node while another one is at the desk, and seldom after long', async () => {
    const [first, second] = [await ask(), await ask()]
    await stepTo(treasury, first, 'slotted')
    const chain = {
      ...treasury.chains.find(network),
      rpc: async () => assert.fail('a node was asked'),
    }
    const deps = { ...treasury.deps, chain, now: Date.now() }
    const waits = [0, 1, 40].map((attempts) => takeSlot(deps, { ...second, attempts }))
    const why = 'another one of this wallet comes first'
    assert.deepEqual(
      await Promise.all(waits),
      [2_000, 3_000, 10_000].map((ms) => ({ kind: 'wait', why, ms })),
    )
  })

  it('is called on by whoever was called and goes away', async () => {
    const [first, second, third] = [await ask(), await ask(), await ask()]
    await stepTo(treasury, first, 'signed')
    const over = { execute_before: 0 }
    const { database } = treasury
    await database.updateTable('outgoing').set(over).where('id', '=', second.id).execute()
    const before = Date.now()
    await step(treasury, await reread(treasury, second))
    assert.equal((await reread(treasury, second)).state, 'expired')
    assert.ok(((await reread(treasury, third)).due_at ?? 0) >= before)
  })

  it('hears a call that comes while it still looks whether it may come', async () => {
    const [first, second] = [await ask(), await ask()]
    await stepTo(treasury, first, 'prepared')
    const leased = await lease(second)
    await step(treasury, await reread(treasury, first))
    const called = await reread(treasury, second)
    assert.notEqual(called.due_at, leased.due_at)
    await postpone(treasury.database, leased, { dueAt: Date.now() + far, waiting: 'for a test' })
    const { due_at, lease_holder } = await reread(treasury, second)
    assert.deepEqual([due_at, lease_holder], [called.due_at, null])
    const again = await lease(second)
    const dueAt = Date.now() + far
    await postpone(treasury.database, again, { dueAt, waiting: null })
    assert.equal((await reread(treasury, second)).due_at, dueAt)
  })
})
