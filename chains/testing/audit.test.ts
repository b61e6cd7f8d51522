import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { audit, type AuditedTx, type Evidence, type Told } from './audit.ts'

const [alice, shop] = ['0xa11ce', '0x5409']
const pay = (change: Partial<AuditedTx> = {}): AuditedTx => ({
  ...{ hash: '0x1', from: alice, to: shop, value: 5n, nonce: 0 },
  ...change,
})
const confirmed: Told = { name: 'one', status: 'Confirmed', hash: '0x1', height: 2 }
const wish = { from: alice, recipient: shop, amount: 5n, answers: ['one'] }
/** Paid in the second block, and said to be so when there were two blocks on it. */
const honest: Evidence = {
  blocks: [{ transactions: [] }, { transactions: [pay()] }, { transactions: [] }],
  handed: [pay()],
  pooled: [],
  confirmationsFinal: 2,
  wishes: [wish],
  told: [confirmed],
}
const kinds = (change: Partial<Evidence>) => audit({ ...honest, ...change }).map(({ kind }) => kind)

describe('an auditor of payments', () => {
  it('finds nothing where everything is right', () => {
    assert.deepEqual(kinds({}), [])
    const failed = { ...confirmed, status: 'Failed' as const }
    assert.deepEqual(kinds({ blocks: [], handed: [], told: [failed] }), [])
  })

  it('finds who was paid twice, or could have been', () => {
    const again = pay({ hash: '0x2', nonce: 1 })
    assert.deepEqual(kinds({ handed: [pay(), again] }), ['may be paid twice'])
    const blocks = [{ transactions: [] }, { transactions: [pay(), again] }, { transactions: [] }]
    assert.deepEqual(kinds({ blocks, handed: [pay(), again] }), ['paid twice', 'may be paid twice'])
  })

  it('takes two transactions at one nonce for one payment', () => {
    assert.deepEqual(kinds({ handed: [pay(), pay({ hash: '0x2' })] }), [])
  })

  it('finds another amount, and another payer', () => {
    assert.deepEqual(kinds({ handed: [pay({ value: 6n })] }), ['paid something else'])
    assert.deepEqual(kinds({ handed: [pay({ from: shop })] }), ['paid something else'])
  })

  it('finds words that were not true, or not yet', () => {
    assert.deepEqual(kinds({ told: [{ ...confirmed, height: 1 }] }), ['confirmed too early'])
    assert.deepEqual(kinds({ told: [{ ...confirmed, status: 'Failed' }] }), ['failed, yet paid'])
    const unpaid = kinds({ blocks: [] })
    assert.deepEqual(unpaid, ['confirmed, not paid', 'confirmed, not paid'])
    const first: Told = { ...confirmed, status: 'Failed' }
    assert.deepEqual(kinds({ told: [first, confirmed] }), ['taken back'])
  })

  it('finds what never came to an end, and what waits for a nonce that nobody uses', () => {
    assert.deepEqual(kinds({ told: [] }), ['lost'])
    assert.deepEqual(kinds({ told: [{ ...confirmed, status: 'Broadcasted' }] }), ['lost'])
    assert.deepEqual(kinds({ pooled: [pay({ hash: '0x3', nonce: 2 })] }), ['stuck nonce'])
  })
})
