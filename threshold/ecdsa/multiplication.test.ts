import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { secp256k1 } from '../group/secp256k1.ts'
import { extendAsReceiver, extendAsSender } from './extension.ts'
import { subtractThenAdd, toLimbs, toNumbers } from './limbs.ts'
import {
  closeMultiplication,
  factorOf,
  isMasked,
  multiplyAsReceiver,
  multiplyAsSender,
  padsOf,
} from './multiplication.ts'
import { columnCount, rowCount } from './parameters.ts'
import { named, seeded, setUpPair } from './testing/parties.ts'
import { asBytes, bitAt, toWords } from './words.ts'

const { order, mod, scalarToBytes } = secp256k1
const [alice, bob] = setUpPair(1, 2, seeded('multiplication'))
const { gadget } = bob

describe('multiplication of two parties', () => {
  it('gives shares that add up to the products, for ordinary and extreme factors', () => {
    const extremes = [
      [12345n, 67890n],
      [0n, 1n],
      [order - 1n, order - 2n],
    ] as const
    for (const factors of extremes) {
      const { sid, choice, mine, theirs } = extended(`${factors}`)
      const sent = multiplyAsSender(sid, theirs, factors, 99n)
      assert.ok(isMasked(sent.message.masked))
      const shares = multiplyAsReceiver(sid, mine, sent.message)
      assert.ok(shares)
      for (const i of [0, 1] as const)
        assert.equal(mod(sent.shares[i] + shares[i]), mod(factors[i] * factorOf(gadget, choice)))
    }
  })

  it('keeps its known answer', () => {
    const { sid, mine, theirs } = extended('known answer')
    const { message, shares } = multiplyAsSender(sid, theirs, [5n, 7n], 99n)
    const own = multiplyAsReceiver(sid, mine, message) ?? []
    const numbers = [message.combined, ...shares, ...own].map(scalarToBytes)
    const digest = hashOf('multiplication', message.masked, message.proof, ...numbers)
    assert.equal(toHex(digest).slice(0, 16), '56250484ed422b3a')
  })

  it('refuses a message with any one bit changed', () => {
    const { sid, choice, mine, theirs } = extended('changed')
    const { message } = multiplyAsSender(sid, theirs, [5n, 7n], 99n)
    const wrong = (change: Partial<typeof message>): boolean =>
      multiplyAsReceiver(sid, mine, { ...message, ...change }) === undefined
    assert.ok(wrong({ combined: mod(message.combined + 1n) }))
    assert.ok(wrong({ proof: named('another proof') }))
    for (let row = 0; row < rowCount; row += 37) {
      const masked = message.masked.slice()
      masked[row * 96 + 40] = (masked[row * 96 + 40] ?? 0) ^ 4
      // Who changes a row without making θ fit changes every μ, whatever the bit.
      assert.ok(wrong({ masked }), `row ${row}, bit ${bitAt(choice, row)}`)
    }
    assert.ok(wrong({ masked: new Uint8Array(message.masked.length) }))
  })

  it('refuses a message for another session', () => {
    const { sid, mine, theirs } = extended('session')
    const { message } = multiplyAsSender(sid, theirs, [5n, 7n], 99n)
    assert.equal(multiplyAsReceiver(named('another'), mine, message), undefined)
  })

  // The attack the check exists for: another factor in one row, all later values made to fit the bet
  // that the choice bit there is `guess`. It pays one time in two, and then the bit is known.
  it('catches a sender who bets on a bit of the choice one time in two', () => {
    const { sid, choice, mine, theirs } = extended('bets')
    const random = seeded('bets')
    const runs = 120
    let caught = 0
    for (let run = 0; run < runs; run++) {
      const [high = 0, low = 0, column = 0, guess = 0] = random(4)
      const place = { row: (high * 256 + low) % rowCount, column: column % columnCount }
      const message = cheat(sid, theirs, { ...place, guess: guess & 1 })
      const refused = multiplyAsReceiver(sid, mine, message) === undefined
      assert.equal(refused, (guess & 1) !== bitAt(choice, place.row))
      if (refused) caught++
    }
    // Binomial(120, 1/2): mean 60, deviation 5.5. Five deviations: one run in a million is outside.
    assert.ok(Math.abs(caught - 60) < 28, `caught ${caught} of ${runs}`)
  })

  it('tells entries of a message from numbers at and above the order', () => {
    const entries = new Uint8Array(rowCount * columnCount * 32)
    assert.ok(isMasked(entries))
    entries.set(asBytes(toLimbs(order - 1n)), 320)
    assert.ok(isMasked(entries))
    entries.set(asBytes(toLimbs(order)), 320)
    assert.ok(!isMasked(entries))
    assert.ok(!isMasked(entries.subarray(32)))
  })
})

type Sender = Parameters<typeof multiplyAsSender>[1]

/** Both sides of one extension, by the real two parties. */
function extended(name: string): {
  sid: Uint8Array
  choice: Uint32Array
  mine: Parameters<typeof multiplyAsReceiver>[1]
  theirs: Sender
} {
  const label = named(`label ${name}`)
  const choice = toWords(seeded(`choice ${name}`)(96))
  const { message, rows } = extendAsReceiver(label, alice.receiver, choice)
  const sent = extendAsSender(label, bob.sender, message)
  assert.ok(sent)
  return {
    sid: named(`sid ${name}`),
    choice,
    mine: { rows, choice, gadget: alice.gadget },
    theirs: { rows: sent, delta: bob.sender.delta, gadget },
  }
}

/** One unit more in one entry, and for a bet on 1 the same in what μ is made from. */
function cheat(
  sid: Uint8Array,
  theirs: Sender,
  { row, column, guess }: { row: number; column: number; guess: number },
): ReturnType<typeof closeMultiplication> {
  const factors = [5n, 7n] as const
  const blind = 99n
  const honest = multiplyAsSender(sid, theirs, factors, blind)
  const entry = row * columnCount + column
  const one = new Uint32Array(honest.message.masked.length / 4)
  one[entry * 8] = 1
  const nothing = new Uint32Array(one.length)
  const masked = asBytes(subtractThenAdd(toWords(honest.message.masked), nothing, one))
  const pads = toNumbers(padsOf(sid, theirs.rows)).map((pad, at) =>
    at === entry ? pad + BigInt(guess) : pad,
  )
  return closeMultiplication(sid, { masked, pads, factors, blind })
}
