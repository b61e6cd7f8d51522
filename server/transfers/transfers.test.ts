import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  makeWallet,
  mine,
  payment,
  request,
  reread,
  startTreasury,
  step,
  stepTo,
  stranger,
  type Treasury,
} from './testing/treasury.ts'
import type { WalletRow } from '../wallets/find.ts'

describe('outgoing money, with four signer processes and a real chain', () => {
  let treasury: Treasury
  let wallet: WalletRow
  before(async () => {
    treasury = await startTreasury()
    wallet = await makeWallet(treasury)
  })
  after(() => treasury.stop())

  it('goes through the states one by one, and pays once', async () => {
    const { chains } = treasury
    const { adapter, rpc } = chains.find('EthereumSepolia')
    const paid = await adapter.balance(rpc, stranger)
    const row = await request(treasury, wallet, { body: payment() })
    assert.equal(row.state, 'requested')
    for (const state of ['slotted', 'prepared', 'signed', 'broadcasted']) {
      await step(treasury, row)
      assert.equal((await reread(treasury, row)).state, state)
    }
    await mine(treasury)
    await stepTo(treasury, row, 'included')
    await mine(treasury)
    const done = await stepTo(treasury, row, 'confirmed')
    assert.equal(await adapter.balance(rpc, stranger), paid + 1000n)
    assert.equal(done.due_at, null)
    assert.deepEqual(treasury.lines, [])
  })
})
