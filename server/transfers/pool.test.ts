import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { openChains } from '../chain/chains.ts'
import { until } from '../coordinator/testing/platform.ts'
import type { Outgoing } from './tables.ts'
import { startFakePool, type FakePool, type PoolLimits } from './testing/fake-pool.ts'
import {
  makeDue,
  makeWallet,
  mine,
  network,
  payment,
  request,
  reread,
  startTreasury,
  step,
  stepTo,
  stranger,
  type Treasury,
} from './testing/treasury.ts'
import { startWorker } from './worker.ts'

let treasury: Treasury
/** What has to be closed again, whatever a test has found. */
const opened: (() => Promise<void>)[] = []
before(async () => {
  treasury = await startTreasury()
})
after(async () => {
  for (const close of opened) await close()
  await treasury.stop()
})

/** The same treasury, whose transactions pass a fake pool before they come to the real node. */
async function behind(limits: PoolLimits): Promise<{ pool: FakePool; through: Treasury }> {
  const pool = await startFakePool(treasury.node.rpcUrl, limits)
  opened.push(pool.close)
  const chains = openChains(new Map([[network, { rpcUrl: pool.url, confirmations: 2 }]]))
  return { pool, through: { ...treasury, deps: { ...treasury.deps, chains } } }
}

async function requested(wallet: Parameters<typeof request>[1], count: number) {
  const rows: Outgoing[] = []
  for (let i = 0; i < count; i++) rows.push(await request(treasury, wallet, { body: payment() }))
  return rows
}

async function inState(rows: readonly Outgoing[], state: Outgoing['state']): Promise<number> {
  const found = await Promise.all(rows.map((row) => reread(treasury, row)))
  return found.filter((row) => row.state === state).length
}

const waitMsMax = 90_000

describe('the pool of a node', () => {
  it('gets sixteen transactions of one account at a time, and each of them once', async () => {
    const { pool, through } = await behind({ pooled: 16, queued: 64 })
    const rows = await requested(await makeWallet(treasury), 20)
    const worker = startWorker(through.deps)
    opened.unshift(worker.stop)
    await until(async () => (await inState(rows, 'broadcasted')) === 16, waitMsMax)
    await until(async () => {
      await makeDue(treasury)
      const told = await treasury.database
        .selectFrom('outgoing')
        .select('waiting')
        .where('state', '=', 'requested')
        .where('waiting', 'like', 'as many of this wallet%')
        .execute()
      return told.length === rows.length - 16
    }, waitMsMax)
    await until(async () => {
      await mine(treasury)
      await makeDue(treasury)
      return (await inState(rows, 'confirmed')) === rows.length
    }, waitMsMax)
    await worker.stop()
    assert.deepEqual([pool.most(), pool.refusals], [16, []])
  })

  it('gets one at a time of an account that runs code', async () => {
    const { pool, through } = await behind({ pooled: 1, queued: 0 })
    const wallet = await makeWallet(treasury)
    await treasury.rpc('anvil_setCode', [wallet.address, `0xef0100${'00'.repeat(19)}fe`])
    const [first, second] = await requested(wallet, 2)
    assert.ok(first && second)
    await stepTo(through, first, 'broadcasted')
    await step(through, second)
    const { state, waiting } = await reread(treasury, second)
    assert.deepEqual([state, waiting?.startsWith('as many of this wallet')], ['requested', true])
    const named = { kind: 'Transaction', transaction: { to: stranger, value: '1', nonce: 1 } }
    const third = await request(treasury, wallet, { body: named, kind: 'transaction' })
    await step(through, third)
    assert.equal((await reread(treasury, third)).state, 'requested')
    await mine(treasury, 2)
    await stepTo(through, second, 'broadcasted')
    assert.deepEqual([pool.most(), pool.refusals], [1, []])
    await mine(treasury)
  })

  it('gets nothing that lies so far behind a gap that it would not be kept', async () => {
    const { pool, through } = await behind({ pooled: 16, queued: 64 })
    const wallet = await makeWallet(treasury)
    for (const [nonce, state] of [
      [63, 'broadcasted'],
      [64, 'requested'],
    ] as const) {
      const transaction = { to: stranger, value: '1', nonce, gasLimit: '21000' }
      const body = { kind: 'Transaction', transaction }
      const row = await request(treasury, wallet, { body, kind: 'transaction' })
      await step(through, row)
      assert.equal((await reread(treasury, row)).state, state === 'requested' ? state : 'slotted')
      if (state === 'broadcasted') await stepTo(through, row, state)
    }
    assert.deepEqual(pool.refusals, [])
  })
})
