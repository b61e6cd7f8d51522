import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { bigToBytes, bytesToBig } from '@quorate/core/bytes'
import type { Scalar } from '../kernel/numbers.ts'
import { curveOf, type EcdsaCurveName } from './curve.ts'
import { extendAsReceiver, extendAsSender } from './extension.ts'
import {
  closeMultiplication,
  factorOf,
  isMasked,
  multiplyAsReceiver,
  multiplyAsSender,
  padsOf,
} from './multiplication.ts'
import { columnCount, rowCount } from './parameters.ts'
import { gadgetOf } from './pair.ts'
import { named, seeded, setUpPair } from './testing/parties.ts'
import { bitAt, toWords } from './words.ts'

const [alice, bob] = setUpPair(1, 2, seeded('multiplication'))

const knownAnswers = { secp256k1: '56250484ed422b3a', stark: 'f79013fbacfb1f9e' } as const

for (const curve of ['secp256k1', 'stark'] as const) multipliesOn(curve)

type Sender = Parameters<typeof multiplyAsSender>[2]

function multipliesOn(on: EcdsaCurveName): void {
  const curve = curveOf(on)
  const { order, mod, scalarToBytes } = curve.group
  const gadget = gadgetOf(on, bob)
  /** Factors and the blind, as the sender has them. */
  const inputs = (first: bigint, second: bigint) => ({
    factors: [scalarToBytes(first), scalarToBytes(second)] as const,
    blind: scalarToBytes(99n),
  })

  describe(`multiplication of two parties modulo the order of ${on}`, () => {
    it('gives shares that add up to the products, for ordinary and extreme factors', () => {
      const extremes = [
        [12345n, 67890n],
        [0n, 1n],
        [order - 1n, order - 2n],
      ] as const
      for (const factors of extremes) {
        const { sid, choice, mine, theirs } = extended(`${factors}`)
        const sent = multiplyAsSender(curve, sid, theirs, inputs(factors[0], factors[1]))
        assert.ok(isMasked(curve, sent.message.masked))
        const shares = multiplyAsReceiver(curve, sid, mine, sent.message)
        assert.ok(shares)
        for (const i of [0, 1] as const)
          assert.equal(
            mod(bytesToBig(sent.shares[i]) + bytesToBig(shares[i])),
            mod(factors[i] * bytesToBig(factorOf(curve, gadget, choice))),
          )
      }
    })

    it('keeps its known answer', () => {
      const { sid, mine, theirs } = extended('known answer')
      const { message, shares } = multiplyAsSender(curve, sid, theirs, inputs(5n, 7n))
      const own = multiplyAsReceiver(curve, sid, mine, message) ?? []
      const numbers = [message.combined, ...shares, ...own]
      const digest = hashOf('multiplication', message.masked, message.proof, ...numbers)
      assert.equal(toHex(digest).slice(0, 16), knownAnswers[on])
    })

    it('refuses a message with any one bit changed', () => {
      const { sid, choice, mine, theirs } = extended('changed')
      const { message } = multiplyAsSender(curve, sid, theirs, inputs(5n, 7n))
      const wrong = (change: Partial<typeof message>): boolean =>
        multiplyAsReceiver(curve, sid, mine, { ...message, ...change }) === undefined
      assert.ok(wrong({ combined: oneMore(message.combined) }))
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
      const { message } = multiplyAsSender(curve, sid, theirs, inputs(5n, 7n))
      assert.equal(multiplyAsReceiver(curve, named('another'), mine, message), undefined)
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
        const refused = multiplyAsReceiver(curve, sid, mine, message) === undefined
        assert.equal(refused, (guess & 1) !== bitAt(choice, place.row))
        if (refused) caught++
      }
      // Binomial(120, 1/2): mean 60, deviation 5.5. Five deviations: one run in a million is outside.
      assert.ok(Math.abs(caught - 60) < 28, `caught ${caught} of ${runs}`)
    })

    it('tells entries of a message from numbers at and above the order', () => {
      const entries = new Uint8Array(rowCount * columnCount * 32)
      assert.ok(isMasked(curve, entries))
      entries.set(scalarToBytes(order - 1n).reverse(), 320)
      assert.ok(isMasked(curve, entries))
      entries.set(bigToBytes(order, 32).reverse(), 320)
      assert.ok(!isMasked(curve, entries))
      assert.ok(!isMasked(curve, entries.subarray(32)))
    })
  })

  /** Both sides of one extension, by the real two parties. */
  function extended(name: string): {
    sid: Uint8Array
    choice: Uint32Array
    mine: Parameters<typeof multiplyAsReceiver>[2]
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
      mine: { rows, choice, gadget: gadgetOf(on, alice) },
      theirs: { rows: sent, delta: bob.sender.delta, gadget },
    }
  }

  /** One unit more in one entry, and for a bet on 1 the same in what μ is made from. */
  function cheat(
    sid: Uint8Array,
    theirs: Sender,
    { row, column, guess }: { row: number; column: number; guess: number },
  ): ReturnType<typeof closeMultiplication>['message'] {
    const masked = multiplyAsSender(curve, sid, theirs, inputs(5n, 7n)).message.masked
    const pads = padsOf(curve, sid, theirs.rows)
    const at = (row * columnCount + column) * 32
    for (const numbers of guess === 1 ? [masked, pads] : [masked]) {
      const entry = numbers.subarray(at, at + 32)
      entry.set(oneMore(entry.slice().reverse()).reverse())
    }
    const opened = { masked, pads, gadget, ...inputs(5n, 7n) }
    return closeMultiplication(curve, sid, opened).message
  }

  function oneMore(number: Uint8Array): Scalar {
    return scalarToBytes(mod(bytesToBig(number) + 1n))
  }
}
