import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { choose, offer, receiveKeys, sendKeys } from './base-ot.ts'
import { deltaBits, elementSize } from './parameters.ts'
import { hashToElement, subtract, toElement } from './ristretto.ts'
import { named, seeded } from './testing/parties.ts'
import { choicesOf, openTrees, plantTrees } from './tree.ts'

const context = named('base transfers')
const delta = seeded('delta')(16)
const choices = choicesOf(delta)
const sender = offer(seeded('sender'))
const receiver = choose(context, choices, seeded('receiver'))
const both = sendKeys(context, sender, receiver.slots)
const chosen = receiveKeys(context, receiver, sender.offers)
assert.ok(both && chosen)

describe('base oblivious transfers', () => {
  it('give the receiver the chosen key of each pair, and only that one', () => {
    for (const [index, choice] of choices.entries()) {
      assert.deepEqual(chosen[index], both[index]?.[choice === 1 ? 1 : 0])
      assert.notDeepEqual(chosen[index], both[index]?.[choice === 1 ? 0 : 1])
    }
  })

  it('give the sender two keys that are all different', () => {
    assert.equal(new Set(both.flat().map(toHex)).size, 2 * deltaBits)
  })

  it('give other keys in another context', () => {
    assert.notDeepEqual(receiveKeys(named('other'), receiver, sender.offers)?.[0], chosen[0])
  })

  it('refuse an element that is the identity, or not the canonical encoding of one', () => {
    for (const bad of [new Uint8Array(32), new Uint8Array(32).fill(255), highBit, odd]) {
      const offers = sender.offers.slice()
      offers.set(bad, 5 * elementSize)
      assert.equal(receiveKeys(context, receiver, offers), undefined)
      for (const slot of [10, 11]) {
        const slots = receiver.slots.slice()
        slots.set(bad, slot * elementSize)
        assert.equal(sendKeys(context, sender, slots), undefined)
      }
    }
  })

  it('refuse a slot that cancels its mask, so that its key would be known to everybody', () => {
    const other = toElement(seeded('other slot')(64))
    const label = 'quorate/ecdsa/base-ot/mask/v1'
    const mask = hashToElement(label, context, Uint8Array.of(7, 0), other)
    const slots = receiver.slots.slice()
    slots.set(subtract(subtract(other, mask), other), 14 * elementSize)
    slots.set(other, 15 * elementSize)
    assert.equal(sendKeys(context, sender, slots), undefined)
  })
})

describe('punctured trees', () => {
  const planted = plantTrees(context, both)

  it('keep their known answer, and so do the base transfers', () => {
    const { corrections, sums, proof } = planted.message
    const transfers = hashOf('transfers', sender.offers, receiver.slots, ...both.flat())
    const trees = hashOf('trees', planted.leaves, corrections, sums, proof)
    assert.deepEqual(
      [transfers, trees].map((hash) => toHex(hash).slice(0, 16)),
      ['06a4475481fe260d', '6b952d283347ab20'],
    )
  })

  it('open to every leaf but the missing one', () => {
    const opened = openTrees(context, delta, chosen, planted.message)
    assert.ok(opened)
    const known = new Set(leavesIn(opened.leaves))
    for (const [at, leaf] of leavesIn(planted.leaves).entries()) {
      const missing = ((delta[at >>> 4] ?? 0) >>> (2 * ((at >>> 2) & 3))) & 3
      assert.equal(known.has(leaf), (at & 3) !== missing)
    }
  })

  it('are refused if a correction is wrong, exactly when the receiver has to use it', () => {
    for (let place = 0; place < 2 * 64; place++) {
      const corrections = planted.message.corrections.slice()
      corrections[place * 16] = (corrections[place * 16] ?? 0) ^ 1
      const opened = openTrees(context, delta, chosen, { ...planted.message, corrections })
      // The receiver takes the correction of the way that leads off the missing leaf. So a cheat is
      // caught with probability 1/2, and learns a bit of a Δ that no multiplication has used.
      const used = choices[2 * (place >>> 1) + 1] === (place & 1)
      assert.equal(opened === undefined, used)
    }
  })

  it('are refused if a sum or the proof is wrong', () => {
    for (const field of ['sums', 'proof'] as const) {
      const wrong = planted.message[field].slice()
      wrong[3] = (wrong[3] ?? 0) ^ 0x80
      assert.equal(
        openTrees(context, delta, chosen, { ...planted.message, [field]: wrong }),
        undefined,
      )
    }
  })
})

// RFC 9496, A.2: neither a number above the field's nor an odd (negative) one is an encoding.
const highBit = Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 0x80 : 0))
const odd = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))

function leavesIn(leaves: Uint8Array): readonly string[] {
  return Array.from({ length: leaves.length / 16 }, (_, i) =>
    toHex(leaves.subarray(i * 16, i * 16 + 16)),
  )
}
