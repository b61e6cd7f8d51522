import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import { closeExtension, extendAsReceiver, extendAsSender, openExtension } from './extension.ts'
import { extendedRows, rowCount, treeCount } from './parameters.ts'
import { named, seeded, setUpPair } from './testing/parties.ts'
import { asBytes, bitAt, toWords, xorInto } from './words.ts'

const [alice, bob] = setUpPair(1, 2, seeded('extension'))
const choice = toWords(seeded('choice')(96))
const label = named('label')
const honest = extendAsReceiver(label, alice.receiver, choice)

describe('oblivious transfer extension', () => {
  it('gives rows that differ by Δ where the choice is 1', () => {
    const rows = extendAsSender(label, bob.sender, honest.message)
    assert.ok(rows)
    const delta = toWords(bob.sender.delta)
    for (let row = 0; row < rowCount; row++)
      xorInto(rows, row * 4, delta, 0, 4, -bitAt(choice, row))
    assert.deepEqual(rows, honest.rows)
  })

  it('keeps its known answer', () => {
    const { corrections, fold, proof } = honest.message
    const digest = hashOf('extension', corrections, fold, proof, asBytes(honest.rows))
    assert.equal(toHex(digest).slice(0, 16), 'df61feec420e23dd')
  })

  it('refuses a message with any one bit changed', () => {
    for (const field of ['corrections', 'fold', 'proof'] as const) {
      const size = honest.message[field].length
      for (let at = 0; at < size; at += Math.ceil(size / 16)) {
        const changed = honest.message[field].slice()
        changed[at] = (changed[at] ?? 0) ^ (1 << (at & 7))
        const message = { ...honest.message, [field]: changed }
        assert.equal(extendAsSender(label, bob.sender, message), undefined, `${field} ${at}`)
      }
    }
  })

  it('refuses a message made under another label', () => {
    assert.equal(extendAsSender(named('other'), bob.sender, honest.message), undefined)
  })

  // The attack the check exists for: another choice in one tree, all later values made to fit the bet
  // that Δ's two bits there are `guess`. It pays one time in four, and then the two bits are known.
  it('catches a receiver who bets on two bits of Δ three times in four', () => {
    const random = seeded('bets')
    const runs = 400
    let caught = 0
    for (let run = 0; run < runs; run++) {
      const [tree, guess, row] = bet(random(4))
      const message = cheat({ tree, guess, row })
      const missing = ((bob.sender.delta[tree >>> 2] ?? 0) >>> (2 * (tree & 3))) & 3
      const refused = extendAsSender(label, bob.sender, message) === undefined
      assert.equal(refused, guess !== missing)
      if (refused) caught++
    }
    // Binomial(400, 3/4): mean 300, deviation 8.7. Five deviations: one run in a million is outside.
    assert.ok(Math.abs(caught - 300) < 44, `caught ${caught} of ${runs}`)
  })

  it('catches a receiver who bets on every bit of Δ', () => {
    const opened = openExtension(label, alice.receiver, choice)
    for (let tree = 0; tree < treeCount; tree++) flip(opened.corrections, tree * 24, tree)
    const { message } = closeExtension(label, choice, opened)
    assert.equal(extendAsSender(label, bob.sender, message), undefined)
  })
})

function bet([tree = 0, guess = 0, high = 0, low = 0]: Uint8Array): [number, number, number] {
  return [tree % treeCount, guess & 3, (high * 256 + low) % extendedRows]
}

type Bet = { readonly tree: number; readonly guess: number; readonly row: number }

function cheat({ tree, guess, row }: Bet): ReturnType<typeof extendAsReceiver>['message'] {
  const opened = openExtension(label, alice.receiver, choice)
  flip(opened.corrections, tree * 24, row)
  for (let bit = 0; bit < 2; bit++)
    if (guess & (1 << bit)) flip(opened.columns, (2 * tree + bit) * 24, row)
  return closeExtension(label, choice, opened).message
}

function flip(words: Uint32Array, at: number, bit: number): void {
  words[at + (bit >>> 5)] = (words[at + (bit >>> 5)] ?? 0) ^ (1 << (bit & 31))
}
