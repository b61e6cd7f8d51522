import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bigToBytes, fromHex, toHex as hexOfBytes } from '@quorate/core/bytes'
import { encodeFunctionData, pad, parseAbi, toEventSelector, toHex } from 'viem'
import { accountAddress, type AccountOperation, relayData } from '../evm/account/account.ts'
import {
  audit,
  type CarriedOut,
  ether,
  type Evidence,
  type Handed,
  type Told,
  type Wish,
} from './audit.ts'

const [alice, shop, gold] = [accountOf('11'), accountOf('22'), accountOf('90')]
const pay = (change: Partial<CarriedOut & Handed> = {}): CarriedOut & Handed => ({
  ...{ hash: '0x1', from: alice, to: shop, value: 5n, data: '0x', nonce: 0 },
  ...{ succeeded: true, logs: [], at: 7 },
  ...change,
})
const confirmed: Told = { name: 'one', status: 'Confirmed', hash: '0x1', at: 9, height: 2 }
const wish: Wish = {
  ...{ from: alice, recipient: shop, asset: ether, amount: 5n },
  ...{ allowedSince: 0, answers: ['one'], isUnanswered: false, refusedAt: undefined },
  places: [],
  hardships: [{ what: 'whatever', since: 9 }],
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
  shown: new Set(['one']),
  open: [],
  filled: new Set(),
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
    for (const wrong of [{ data: '0x095ea7b3' }, { value: 1n }])
      assert.deepEqual(kinds({ handed: [pay(), pay({ ...fill, ...wrong })] }), [
        'paid something else',
      ])
  })

  it('finds what was handed out before anybody had approved it, paid or not', () => {
    const kindsFor = (allowedSince: number | undefined) =>
      kinds({ wishes: [{ ...wish, allowedSince }] })
    assert.deepEqual(kindsFor(7), [])
    assert.deepEqual(kindsFor(8), ['paid without approval'])
    assert.deepEqual(kindsFor(undefined), ['paid without approval'])
    // Two about one payment: each is judged by its own approval.
    const [first, second] = [pay({ digest: 'a' }), pay({ hash: '0x2', digest: 'b', at: 9 })]
    const both = (allowedBy: ReadonlyMap<string, number>) =>
      kinds({ wishes: [{ ...wish, allowedSince: 8, allowedBy }], handed: [first, second] })
    assert.deepEqual(both(new Map([...'ab'].map((digest, i) => [digest, 7 + i]))), [])
    assert.deepEqual(both(new Map([...'ba'].map((digest, i) => [digest, 7 + i]))), [
      'paid without approval',
    ])
    assert.deepEqual(both(new Map([['b', 8]])), ['paid without approval'])
    const told: Told[] = [{ ...confirmed, status: 'Rejected' }]
    const rejected = { wishes: [{ ...wish, allowedSince: undefined }], blocks: [], told }
    assert.deepEqual(kinds(rejected), ['paid without approval'])
    assert.deepEqual(kinds({ ...rejected, handed: [] }), [])
  })

  it('finds words that were not true, or not yet', () => {
    assert.deepEqual(kinds({ told: [{ ...confirmed, height: 1 }] }), ['confirmed too early'])
    assert.deepEqual(kinds({ told: [{ ...confirmed, status: 'Failed' }] }), ['failed, yet paid'])
    const failing = { transactions: [pay({ succeeded: false })] }
    for (const blocks of [[], [{ transactions: [] }, failing, { transactions: [] }]])
      assert.deepEqual(kinds({ blocks }), ['confirmed, not paid', 'confirmed, not paid'])
    const first: Told = { ...confirmed, status: 'Failed' }
    assert.deepEqual(kinds({ told: [first, confirmed] }), ['taken back'])
  })

  it('finds who was paid nothing, and nothing was done to him before he was told so', () => {
    const told: Told[] = [{ ...confirmed, status: 'Failed' }]
    const kindsFor = (change: Partial<Wish>, more: Partial<Evidence> = {}) =>
      kinds({ blocks: [], told, ...more, wishes: [{ ...wish, ...change }] })
    assert.deepEqual(kindsFor({}), [])
    for (const hardships of [[], [{ what: 'too late', since: 10 }]])
      assert.deepEqual(kindsFor({ hardships }), ['failed for nothing'])
    const turnedAway = { answers: [], hardships: [], refusedAt: 9 }
    assert.deepEqual(kindsFor(turnedAway, { handed: [], told: [] }), ['failed for nothing'])
    const later = { ...turnedAway, hardships: wish.hardships }
    assert.deepEqual(kindsFor(later, { handed: [], told: [] }), [])
  })

  it('takes another transaction at its nonce for a reason where its owner has brought that about', () => {
    const told: Told[] = [{ ...confirmed, status: 'Failed' }]
    const kindsAfter = (other: Partial<CarriedOut>, more: Partial<Evidence> = {}) => {
      const winner = pay({ hash: '0x2', to: alice, value: 0n, ...other })
      const wishes = [{ ...wish, hardships: [] }, ...(more.wishes ?? [])]
      const handed = [pay(), winner]
      return kinds({ told, handed, blocks: [{ transactions: [winner] }], ...more, wishes })
    }
    assert.deepEqual(kindsAfter({}), ['failed for nothing'])
    assert.deepEqual(kindsAfter({}, { filled: new Set([alice]) }), [])
    assert.deepEqual(kindsAfter({}, { filled: new Set([shop]) }), ['failed for nothing'])
    const theirs = { to: accountOf('66'), value: 1n }
    assert.deepEqual(kindsAfter(theirs, { outside: new Set(['0x2']) }), [])
    const beside = { ...wish, recipient: accountOf('66'), amount: 1n, answers: ['two'] }
    const both = { told: [...told, { ...confirmed, name: 'two', hash: '0x2', height: 1 }] }
    const more = { ...both, shown: new Set(['one', 'two']) }
    assert.deepEqual(kindsAfter(theirs, { ...more, wishes: [beside] }), ['failed for nothing'])
    assert.deepEqual(kindsAfter(theirs, { ...more, wishes: [{ ...beside, places: [0] }] }), [])
    const named = { wishes: [{ ...wish, hardships: [], places: [0] }] }
    const kindsIn = (tx: CarriedOut) => kinds({ told, blocks: [{ transactions: [tx] }], ...named })
    assert.deepEqual(kindsIn(pay({ to: gold })), [])
    // An account may sign a nonce away, by a transaction that another one sends.
    const signedAway = (nonce: number) =>
      pay({ from: shop, to: gold, authorizations: [{ authority: alice, address: gold, nonce }] })
    assert.deepEqual(kindsIn(signedAway(0)), [])
    assert.deepEqual(kindsIn(signedAway(1)), ['failed for nothing'])
  })

  it('finds two that are said to be confirmed by one payment', () => {
    const wishes = [{ ...wish, answers: ['one', 'two'] }]
    const shown = new Set(['one', 'two'])
    const told: Told[] = [confirmed, { ...confirmed, name: 'two' }]
    assert.deepEqual(kinds({ wishes, shown, told }), ['confirmed, not paid'])
    const failedOne: Told = { ...confirmed, name: 'two', status: 'Failed' }
    assert.deepEqual(kinds({ wishes, shown, told: [confirmed, failedOne] }), [])
  })

  it('finds what was said and is not there any more, and who never heard anything', () => {
    assert.deepEqual(kinds({ shown: new Set() }), ['lost'])
    assert.deepEqual(kinds({ open: ['a cancellation'] }), ['lost'])
    const cancelled: Told = { ...confirmed, name: 'a cancellation', status: 'Executing' }
    assert.deepEqual(kinds({ told: [confirmed, cancelled] }), ['lost'])
    assert.deepEqual(kinds({ wishes: [{ ...wish, isUnanswered: true }] }), ['unanswered'])
    assert.deepEqual(kinds({ wishes: [{ ...wish, answers: [] }] }), ['failed, yet paid'])
    const changed: Told[] = ['Failed', 'Executing', 'Failed'].map((status) => {
      return { ...cancelled, status: status as Told['status'] }
    })
    const shown = new Set(['one', 'a cancellation'])
    assert.deepEqual(kinds({ shown, told: [confirmed, ...changed] }), ['taken back'])
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

const sponsor = accountOf('55')
const toShop: AccountOperation = { to: shop, value: 5n, data: new Uint8Array() }
const coinsToShop: AccountOperation = { to: gold, value: 0n, data: fromHex(inCoin().data.slice(2)) }
type Inner = {
  readonly account?: string
  readonly operations?: (typeof toShop)[]
  readonly nonce?: bigint
}
/** By a sponsor, of what alice has signed. */
const relay = (inner: Inner = {}, change: Partial<CarriedOut> = {}): CarriedOut & Handed => {
  const { account = alice, operations = [toShop], nonce = 3n } = inner
  const terms = { account, operations, nonce: bigToBytes(nonce, 32), deadline: 2n ** 40n }
  const data = `0x${hexOfBytes(relayData(terms, { r: 1n, s: 2n, yParity: 0 }))}`
  const topics = [toEventSelector('Executed(bytes32)'), pad(toHex(nonce))]
  const logs = [{ address: account, topics, data: '0x' }]
  const to = accountAddress.toLowerCase()
  return pay({ from: sponsor, to, value: 0n, data, logs, ...change })
}
const authorizing = { authority: alice, address: accountAddress.toLowerCase(), nonce: 0 }

describe('an auditor of payments whose fees somebody else pays', () => {
  const relayKinds = (tx: CarriedOut & Handed, change: Partial<Evidence> = {}) =>
    kinds({
      blocks: [{ transactions: [] }, { transactions: [tx] }, { transactions: [] }],
      ...{ handed: [tx], ...change },
    })

  it('finds nothing where everything is right', () => {
    assert.deepEqual(relayKinds(relay()), [])
    assert.deepEqual(relayKinds(relay({}, { authorizations: [authorizing] })), [])
    const told: Told[] = [{ ...confirmed, status: 'Failed' }]
    assert.deepEqual(relayKinds(relay({}, failed), { told }), [])
    const many = ['22', '23'].map(accountOf)
    const operations = many.map((to) => ({ ...toShop, to }))
    const wishes = many.map((recipient) => ({ ...wish, recipient }))
    assert.deepEqual(relayKinds(relay({ operations }), { wishes }), [])
  })

  it('takes all transactions around what an account has signed once for one payment', () => {
    const bids = [
      { hash: '0x2' },
      { hash: '0x3', nonce: 4 },
      { hash: '0x4', from: accountOf('56') },
    ]
    const handed = [relay(), ...bids.map((bid) => relay({}, bid))]
    assert.deepEqual(relayKinds(relay(), { handed }), [])
  })

  it('finds who was paid twice, or could have been, since an account has signed twice', () => {
    const again = relay({ nonce: 4n }, { hash: '0x2' })
    const handed = [relay(), again]
    assert.deepEqual(relayKinds(relay(), { handed }), ['may be paid twice'])
    const blocks = [{ transactions: [] }, { transactions: handed }, { transactions: [] }]
    assert.deepEqual(kinds({ blocks, handed }), ['paid twice', 'may be paid twice'])
    const byItself = pay({ hash: '0x2', nonce: 3 })
    assert.deepEqual(relayKinds(relay(), { handed: [relay(), byItself] }), ['may be paid twice'])
  })

  it('finds a contract that does twice what was signed once', () => {
    const handed = [relay(), relay({}, { hash: '0x2', nonce: 1 })]
    const blocks = [{ transactions: [] }, { transactions: handed }, { transactions: [] }]
    assert.deepEqual(kinds({ blocks, handed }), ['paid twice'])
  })

  it('finds another amount, and another account than the one whose wish it was', () => {
    const dear = relay({ operations: [{ ...toShop, value: 6n }] })
    assert.deepEqual(relayKinds(dear), ['paid something else'])
    assert.deepEqual(relayKinds(relay({ account: sponsor })), ['paid something else'])
    assert.deepEqual(relayKinds(relay({ operations: [coinsToShop] }), { blocks: [], told: [] }), [
      ...['paid something else', 'lost'],
    ])
  })

  it('finds whatever is nobody’s wish among what an account does', () => {
    const also = (operation: AccountOperation) => relay({ operations: [toShop, operation] })
    const data = fromHex('095ea7b3')
    const wrongs = [
      also({ ...toShop, to: accountOf('66') }),
      also({ ...toShop, value: 0n, data }),
      also({ ...toShop, to: alice, value: 0n }),
      also({ ...coinsToShop, to: accountOf('66'), data }),
    ]
    for (const wrong of wrongs) assert.deepEqual(relayKinds(wrong), ['paid something else'])
  })

  it('finds what the contract is sent that is no call of an account’s', () => {
    const { data } = relay()
    // Of the operations' length: one byte less, and one more than there is of the first.
    const lengthAs = (byte: string) =>
      `${data.slice(0, 8 + 7 * 64)}${byte}${data.slice(10 + 7 * 64)}`
    const dataLengthAs = (byte: string) =>
      `${data.slice(0, 8 + 7 * 64 + 168)}${byte}${data.slice(10 + 7 * 64 + 168)}`
    const wrongs = [
      relay({ operations: [] }),
      ...[lengthAs('53'), lengthAs('14'), lengthAs('80'), dataLengthAs('01')].map((wrong) =>
        relay({}, { data: wrong }),
      ),
      ...[
        data.slice(0, -64),
        lengthAs('60').slice(0, -24),
        '0x84c169d9',
        '0x',
        `0xfe255a18${data.slice(10)}`,
      ].map((wrong) => relay({}, { data: wrong })),
      relay({}, { value: 1n }),
      relay({}, { to: accountOf('66') }),
    ]
    const told: Told[] = [{ ...confirmed, status: 'Failed' }]
    for (const wrong of wrongs)
      assert.deepEqual(relayKinds(wrong, { blocks: [], told }), ['paid something else'], wrong.data)
  })

  it('finds nobody paid of whom the account does not say so', () => {
    const unpaid = ['confirmed, not paid']
    const [log] = relay().logs
    assert.ok(log)
    const wrongs = [
      [],
      [{ ...log, address: sponsor }],
      [{ ...log, topics: [log.topics[0] ?? '', pad('0x4')] }],
      [{ ...log, topics: [pad('0x0'), log.topics[1] ?? ''] }],
    ]
    for (const logs of wrongs) assert.deepEqual(relayKinds(relay({}, { logs })), unpaid)
    assert.deepEqual(relayKinds(relay({}, failed)), [...unpaid, ...unpaid])
    const told: Told[] = [{ ...confirmed, status: 'Failed' }]
    assert.deepEqual(relayKinds(relay(), { told }), ['failed, yet paid'])
  })

  it('goes by what was moved of a coin', () => {
    const wishes = [{ ...wish, asset: gold }]
    const inner = { operations: [coinsToShop] }
    const logs = [...relay(inner).logs, ...inCoin().logs]
    assert.deepEqual(relayKinds(relay(inner, { logs }), { wishes }), [])
    assert.deepEqual(relayKinds(relay(inner), { wishes }), ['confirmed, not paid'])
    const less = [...relay(inner).logs, ...inCoin({}, 4n).logs]
    assert.deepEqual(relayKinds(relay(inner, { logs: less }), { wishes }), ['paid something else'])
  })

  it('finds an account that is made to run other code, or for what another one does', () => {
    const wrongs = [{ address: gold }, { authority: shop }]
    for (const wrong of wrongs) {
      const authorizations = [authorizing, { ...authorizing, ...wrong }]
      assert.deepEqual(relayKinds(relay({}, { authorizations })), ['paid something else'])
    }
    assert.deepEqual(relayKinds(pay({ authorizations: [authorizing] })), ['paid something else'])
  })

  it('takes an account’s nonce for used by what it has signed to run code, as a chain does', () => {
    const pooled = [pay({ hash: '0x3' })]
    const stuck = (nonces: readonly number[], change: Partial<CarriedOut> = {}) => {
      const authorizations = nonces.map((nonce) => ({ ...authorizing, nonce }))
      const told: Told[] = [{ ...confirmed, status: 'Failed' }]
      const tx = relay({}, { ...failed, authorizations, ...change })
      return relayKinds(tx, { told, pooled })
    }
    assert.deepEqual(stuck([0]), [])
    assert.deepEqual(stuck([]), ['stuck nonce'])
    assert.deepEqual(stuck([1]), ['stuck nonce'])
    const later = [pay({ hash: '0x3', nonce: 2 })]
    const twice = relay({}, { authorizations: [authorizing, { ...authorizing, nonce: 1 }] })
    assert.deepEqual(relayKinds(twice, { pooled: later }), ['stuck nonce'])
    assert.deepEqual(relayKinds(twice, { pooled: [pay({ hash: '0x3', nonce: 1 })] }), [])
  })
})

function accountOf(byte: string): `0x${string}` {
  return `0x${byte.repeat(20)}`
}
