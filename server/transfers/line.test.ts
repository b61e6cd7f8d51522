import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Rpc } from '@quorate/chains/adapter'
import { isFailure } from '@quorate/core/failure'
import type { WalletRow } from '../wallets/find.ts'
import { leaseRows, postpone, recallRows } from './lease.ts'
import { inLine } from './line.ts'
import type { Outgoing } from './tables.ts'
import { evidenceOf } from './reading.ts'
import { takeSlot } from './take-slot.ts'
import { makeWallet, network, payment, request, reread } from './testing/treasury.ts'
import { startTreasury, step, stepTo, type Treasury } from './testing/treasury.ts'
import { startWorker } from './worker.ts'

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
    const why = 'not signed within its time'
    assert.deepEqual([gone.state, gone.slot, gone.reason], ['expired', null, why])
    // By the rules of everybody who would have to agree on it.
    await assert.rejects(
      coordinator.sign({ organization, key, evidence: evidenceOf({ ...late, facts: next.facts }) }),
      (error) => isFailure(error, 'request.refused') && /expired/.test(error.context.reason),
    )
    const free = await stepTo(treasury, await ask(), 'slotted')
    assert.equal(free.slot, next.slot)
  })

  /** Its day is over before the fees come down. */
  const dear = () => request(treasury, wallet, { body: payment(), maxFee: 1n })
  const tooDear = 'fees are above what was signed for'

  /** At the desk and back again. */
  async function standBack(row: Outgoing): Promise<Outgoing> {
    await stepTo(treasury, row, 'slotted')
    await step(treasury, await reread(treasury, row))
    const back = await reread(treasury, row)
    assert.deepEqual([back.state, back.waiting], ['requested', tooDear])
    return back
  }

  it('is not called on by those who stand back, of whom each does so for his five seconds', async () => {
    const [first, second, third] = [await dear(), await dear(), await ask()]
    const before = Date.now()
    assert.ok(((await standBack(first)).due_at ?? 0) >= before + 5_000)
    await standBack(second)
    // The younger one is called in their place.
    assert.ok(((await reread(treasury, third)).due_at ?? 0) >= before)
    assert.equal((await reread(treasury, first)).due_at, null)
  })

  it('is gone through while some stand back, who wait for a free desk and not before the others', async () => {
    const [first, second, third] = [await dear(), await ask(), await ask()]
    await standBack(first)
    await stepTo(treasury, second, 'slotted')
    await step(treasury, await reread(treasury, first))
    const still = await reread(treasury, first)
    assert.deepEqual([still.waiting, still.attempts], [tooDear, 0])
    await stepTo(treasury, second, 'prepared')
    const before = Date.now()
    await step(treasury, await reread(treasury, second))
    assert.ok(((await reread(treasury, third)).due_at ?? 0) >= before)
    await stepTo(treasury, third, 'signed')
    // As soon as it is free, it is theirs.
    await stepTo(treasury, first, 'slotted')
  })

  it('runs by itself beside those who stand back, and asks for them seldom', async () => {
    const rows = [await dear(), await dear(), await dear(), await ask(), await ask()]
    const { database } = treasury
    await database.updateTable('outgoing').set({ due_at: null }).execute()
    const chain = treasury.chains.find(network)
    let fees = 0
    const rpc: Rpc = (method, params) => {
      if (method === 'eth_feeHistory') fees += 1
      return chain.rpc(method, params)
    }
    const chains = { ...treasury.chains, find: () => ({ ...chain, rpc }) }
    const due = database.updateTable('outgoing').set({ due_at: Date.now() })
    await due.where('wallet', '=', wallet.id).execute()
    const worker = startWorker({ ...treasury.deps, chains })
    await sleep(4_000)
    await worker.stop()
    const states = await Promise.all(rows.map(async (row) => (await reread(treasury, row)).state))
    const waits = ['requested', 'requested', 'requested']
    assert.deepEqual(states, [...waits, 'broadcasted', 'broadcasted'])
    assert.ok(fees >= rows.length && fees <= 2 * rows.length, `${fees} times`)
  })

  const others = () => treasury.database.updateTable('outgoing').where('wallet', '=', wallet.id)

  /** The last of so many, each of which came at a time of its own. */
  async function lastOf(count: number, wish: () => Promise<Outgoing> = ask): Promise<Outgoing> {
    const older = await Promise.all(Array.from({ length: count - 1 }, ask))
    for (const [i, { id }] of older.entries())
      await others().set({ created_at: i }).where('id', '=', id).execute()
    return wish()
  }

  function looking(row: Outgoing, change: { readonly rpc?: Rpc } = {}) {
    const chain = { ...treasury.chains.find(network), ...change }
    return takeSlot({ ...treasury.deps, chain, now: Date.now() }, row)
  }

  const nobodyAsked: Rpc = async () => assert.fail('a node was asked')
  const wait = (ms: number, why: string = inLine.desk) => ({ kind: 'wait', why, ms })

  it('is looked at the less often the longer it is, and no node is asked for those far back', async () => {
    const last = await lastOf(21)
    assert.deepEqual(await looking(last, { rpc: nobodyAsked }), wait(20_000))
    const oldest = others().set({ due_at: 0 }).where('created_at', '=', 0).returningAll()
    assert.equal((await looking(await oldest.executeTakeFirstOrThrow())).kind, 'move')
  })

  it('is looked at as seldom while the pool is full', async () => {
    const last = await lastOf(8)
    const real = treasury.chains.find(network).rpc
    const rpc: Rpc = (method, params) =>
      params[1] === 'pending' ? Promise.resolve('0x10') : real(method, params)
    assert.deepEqual(await looking(last, { rpc }), wait(7_000, inLine.pool))
  })

  it('lets nobody wait for his turn past his time', async () => {
    const executeBefore = Date.now() + 15_000
    const late = await lastOf(21, () =>
      request(treasury, wallet, { body: payment(), executeBefore }),
    )
    const outcome = await looking(late)
    assert.ok(outcome.kind === 'wait' && outcome.ms !== undefined)
    assert.ok(outcome.ms <= 15_000 && outcome.ms > 10_000, String(outcome.ms))
  })

  it('is passed by those behind a crowd that stands back, whose own looks are as seldom', async () => {
    const last = await lastOf(21)
    const back = { waiting: tooDear, attempts: 0 }
    await others().set(back).where('id', '!=', last.id).execute()
    assert.equal((await looking(last)).kind, 'move')
    await stepTo(treasury, last, 'slotted')
    const [first, nineteenth] = await Promise.all(
      [0, 19].map((created_at) =>
        others().set(back).where('created_at', '=', created_at).returningAll().executeTakeFirst(),
      ),
    )
    assert.ok(first && nineteenth)
    const still = { isStill: true }
    assert.deepEqual(await looking(first), { ...wait(5_000, tooDear), ...still })
    assert.deepEqual(await looking(nineteenth), { ...wait(19_000, tooDear), ...still })
  })

  it('is not recalled as if a clock had been wrong', async () => {
    const row = await ask()
    const { database } = treasury
    for (const [state, ms, isRecalled] of [
      ['requested', 300_000, false],
      ['requested', 400_000, true],
      ['prepared', 300_000, true],
    ] as const) {
      const now = Date.now()
      const due_at = now + ms
      await others().set({ state, due_at }).where('id', '=', row.id).execute()
      await recallRows(database, now)
      assert.equal((await reread(treasury, row)).due_at === now, isRecalled, `${state} ${ms}`)
    }
  })

  it('hears a call that comes while it still looks whether it may come', async () => {
    const [first, second] = [await ask(), await ask()]
    await stepTo(treasury, first, 'prepared')
    const leased = await lease(second)
    await step(treasury, await reread(treasury, first))
    const called = await reread(treasury, second)
    assert.notEqual(called.due_at, leased.due_at)
    const until = { dueAt: Date.now() + far, waiting: 'for a test', refusedAt: null, attempts: 1 }
    await postpone(treasury.database, leased, until)
    const { due_at, lease_holder } = await reread(treasury, second)
    assert.deepEqual([due_at, lease_holder], [called.due_at, null])
    const again = await lease(second)
    const dueAt = Date.now() + far
    await postpone(treasury.database, again, { dueAt, waiting: null, refusedAt: null, attempts: 1 })
    assert.equal((await reread(treasury, second)).due_at, dueAt)
  })
})
