import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { isFailure } from '@quorate/core/failure'
import type { WalletRow } from '../wallets/find.ts'
import { leaseRows, postpone } from './lease.ts'
import type { Outgoing } from './tables.ts'
import { evidenceOf } from './reading.ts'
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

  const minute = 60_000
  const asked = (minutesAgo: number) => {
    const issuedAt = Date.now() - minutesAgo * minute
    return request(treasury, wallet, {
      ...{ body: payment(), issuedAt, signBefore: issuedAt + 60 * minute },
    })
  }

  it('pays whoever has stood in it for most of an hour', async () => {
    const row = await stepTo(treasury, await asked(59), 'broadcasted')
    assert.ok(row.hash)
  })

  it('ends for whoever is too late, before he takes a place and after, and says that he may come again', async () => {
    const { coordinator } = treasury.platform
    const waiting = await asked(61)
    const { organization, key } = waiting
    await step(treasury, waiting)
    const ended = await reread(treasury, waiting)
    assert.deepEqual([ended.state, ended.slot], ['expired', null])
    assert.match(ended.reason ?? '', /too many stood before it .* may be asked for anew/)
    const next = await stepTo(treasury, await asked(59), 'prepared')
    // So that its time is over while it is at the desk.
    const late = { ...next, evidence: waiting.evidence }
    const { evidence } = late
    const { database } = treasury
    await database.updateTable('outgoing').set({ evidence }).where('id', '=', next.id).execute()
    await step(treasury, next)
    const gone = await reread(treasury, next)
    assert.deepEqual([gone.state, gone.slot, gone.reason], ['expired', null, ended.reason])
    // By the rules of everybody who would have to agree on it.
    await assert.rejects(
      coordinator.sign({ organization, key, evidence: evidenceOf({ ...late, facts: next.facts }) }),
      (error) => isFailure(error, 'request.refused') && /expired/.test(error.context.reason),
    )
    const free = await stepTo(treasury, await ask(), 'slotted')
    assert.equal(free.slot, next.slot)
  })

  it('hears a call that comes while it still looks whether it may come', async () => {
    const [first, second] = [await ask(), await ask()]
    await stepTo(treasury, first, 'prepared')
    const leased = await lease(second)
    await step(treasury, await reread(treasury, first))
    const called = await reread(treasury, second)
    assert.notEqual(called.due_at, leased.due_at)
    const until = { dueAt: Date.now() + far, waiting: 'for a test', refusedAt: null }
    await postpone(treasury.database, leased, until)
    const { due_at, lease_holder } = await reread(treasury, second)
    assert.deepEqual([due_at, lease_holder], [called.due_at, null])
    const again = await lease(second)
    const dueAt = Date.now() + far
    await postpone(treasury.database, again, { dueAt, waiting: null, refusedAt: null })
    assert.equal((await reread(treasury, second)).due_at, dueAt)
  })
})
