import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeFunctionData, pad, parseAbi, toEventSelector, toHex } from 'viem'
import { audit, type CarriedOut, ether, type Evidence, type Handed, type Told } from './audit.ts'

const [alice, shop, gold] = [accountOf('11'), accountOf('22'), accountOf('90')]
const pay = (change: Partial<CarriedOut> = {}): CarriedOut & Handed => ({
  ...{ hash: '0x1', from: alice, to: shop, value: 5n, data: '0x', nonce: 0 },
  ...{ succeeded: true, logs: [], at: 7 },
  ...change,
})
const confirmed: Told = { name: 'one', status: 'Confirmed', hash: '0x1', height: 2 }
const wish = {
  ...{ from: alice, recipient: shop, asset: ether, amount: 5n },
  ...{ allowedSince: 0, answers: ['one'] },
}
/** Paid in the second block, and said to be so when there were two blocks on it. */
const honest: Evidence = {
  blocks: [{ transactions: [] }, { transactions: [pay()] }, { transactions: [] }],
  handed: [pay()],
  pooled: [],
  outside: new Set(),
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

  it('finds who was paid without anybody’s wish, unless an owner has done it by himself', () => {
    const theft = pay({ hash: '0x2', to: accountOf('66'), nonce: 1 })
    const handed = [pay(), theft]
    assert.deepEqual(kinds({ handed }), ['paid something else'])
    assert.deepEqual(kinds({ handed, outside: new Set([theft.hash]) }), [])
    const fill = { hash: '0x2', to: alice, value: 0n, nonce: 1 }
    assert.deepEqual(kinds({ handed: [pay(), pay(fill)] }), [])
    assert.deepEqual(kinds({ handed: [pay(), pay({ ...fill, data: '0x095ea7b3' })] }), [
      'paid something else',
    ])
  })

  it('finds what was handed out before anybody had approved it, paid or not', () => {
    const kindsFor = (allowedSince: number | undefined) =>
      kinds({ wishes: [{ ...wish, allowedSince }] })
    assert.deepEqual(kindsFor(7), [])
    assert.deepEqual(kindsFor(8), ['paid without approval'])
    assert.deepEqual(kindsFor(undefined), ['paid without approval'])
    const told: Told[] = [{ ...confirmed, status: 'Rejected' }]
    const rejected = { wishes: [{ ...wish, allowedSince: undefined }], blocks: [], told }
    assert.deepEqual(kinds(rejected), ['paid without approval'])
    assert.deepEqual(kinds({ ...rejected, handed: [] }), [])
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

/** The same, in units of a coin. */
const inCoin = (change: Partial<CarriedOut> = {}, amount = 5n): CarriedOut & Handed => {
  const data = encodeFunctionData({ abi, args: [shop, amount] })
  const topics = [toEventSelector('Transfer(address,address,uint256)'), pad(alice), pad(shop)]
  const logs = [{ address: gold, topics, data: pad(toHex(amount)) }]
  return pay({ to: gold, value: 0n, data, logs, ...change })
}
const abi = parseAbi(['function transfer(address to, uint256 amount)'])
const failed: Partial<CarriedOut> = { succeeded: false, logs: [] }

describe('an auditor of payments in a coin', () => {
  const tokenKinds = (tx: CarriedOut & Handed, change: Partial<Evidence> = {}) =>
    kinds({
      blocks: [{ transactions: [] }, { transactions: [tx] }, { transactions: [] }],
      ...{ handed: [tx], wishes: [{ ...wish, asset: gold }], ...change },
    })

  it('finds nothing where everything is right', () => {
    assert.deepEqual(tokenKinds(inCoin()), [])
  })

  it('finds another amount, another coin, and ether instead', () => {
    assert.deepEqual(tokenKinds(inCoin({}, 6n)), ['paid something else'])
    const other = inCoin({ to: accountOf('91') })
    assert.deepEqual(tokenKinds(other), ['paid something else'])
    assert.deepEqual(tokenKinds(pay()), ['paid something else'])
    assert.deepEqual(tokenKinds(inCoin({ value: 1n })), ['paid something else'])
  })

  it('goes by what was moved, and not by what was asked for', () => {
    const less = inCoin({ logs: inCoin({}, 4n).logs })
    assert.deepEqual(tokenKinds(less), ['paid something else'])
    assert.deepEqual(tokenKinds(inCoin({ logs: [] })), ['confirmed, not paid'])
  })

  it('takes what has failed for no payment, and its nonce for used', () => {
    const told: Told[] = [{ ...confirmed, status: 'Failed' }]
    assert.deepEqual(tokenKinds(inCoin(failed), { told }), [])
    assert.deepEqual(tokenKinds(inCoin(failed)), ['confirmed, not paid', 'confirmed, not paid'])
    assert.deepEqual(tokenKinds(inCoin(), { told }), ['failed, yet paid'])
    assert.deepEqual(tokenKinds(inCoin(failed), { told, pooled: [inCoin({ hash: '0x3' })] }), [])
  })

  it('finds who may be paid twice, though nothing was moved at the first nonce', () => {
    const handed = [inCoin(), inCoin({ hash: '0x2', nonce: 1 })]
    const told: Told[] = [{ ...confirmed, status: 'Failed' }]
    assert.deepEqual(tokenKinds(inCoin(failed), { handed, told }), ['may be paid twice'])
  })
})

function accountOf(byte: string): `0x${string}` {
  return `0x${byte.repeat(20)}`
}
