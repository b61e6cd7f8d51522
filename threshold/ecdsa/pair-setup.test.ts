import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { hashOf, sha256 } from '@quorate/core/hash'
import type { Abort, Outcome } from '../session.ts'
import { decodePair, encodePair, gadgetOf, type PairState } from './pair.ts'
import { type PairSetup, pairSetupStep, startPairSetup } from './pair-setup.ts'
import { pairSizes } from './sizes.ts'
import { deliver, done, named, next, seeded } from './testing/parties.ts'

type Step = Extract<Outcome<PairSetup, PairState>, { kind: 'next' }>
type Course = { readonly a: readonly Step[]; readonly b: readonly Step[] }

/** Party 1 and party 2, message by message, with every state kept so that one can go astray. */
function course(sid: Uint8Array, seed: string): Course {
  const random = seeded(seed)
  const a = [next(startPairSetup({ self: 1, peer: 2, sid }, random))]
  const b = [next(startPairSetup({ self: 2, peer: 1, sid }, random))]
  for (let step = 0; step < 2; step++) {
    const [fromA, fromB] = [bodyOf(a[step]), bodyOf(b[step])]
    a.push(next(take(a[step], fromB)))
    b.push(next(pairSetupStep(stateOf(b[step]), deliver(1, [{ to: 2, body: fromA }]))))
  }
  return { a, b }
}

function stateOf(step: Step | undefined): PairSetup {
  assert.ok(step)
  // A copy: a state itself can be taken further only once.
  return { ...step.state }
}

function bodyOf(step: Step | undefined): Uint8Array {
  assert.ok(step?.out[0])
  return step.out[0].body
}

/** Party 1 takes `body` as the answer of party 2. */
function take(step: Step | undefined, body: Uint8Array): Outcome<PairSetup, PairState> {
  return pairSetupStep(stateOf(step), deliver(2, [{ to: 1, body }]))
}

const { a, b } = course(named('sid'), 'pair setup')
const replayed = course(named('another sid'), 'another')
const bodies = b.map(bodyOf)
const pair = done(take(a[2], bodyOf(b[2]))).result

/** What party 1 says to party 2's messages, of which one is `changed`. */
function answerTo(index: number, changed: Uint8Array): Abort | undefined {
  let at = a[index]
  for (let step = index; step < 3; step++) {
    const body = step === index ? changed : bodies[step]
    assert.ok(body)
    const outcome = take(at, body)
    if (outcome.kind === 'abort') return outcome.abort
    if (outcome.kind === 'done') return undefined
    at = outcome
  }
  return undefined
}

// Where each field begins: a tag is its length and 20 bytes of text.
const fields = [
  { message: 0, name: 'commitment', at: 24, size: 32, reasons: ['commitment'] },
  { message: 0, name: 'exchange', at: 56, size: 32, reasons: ['base transfer', 'confirmation'] },
  { message: 0, name: 'an offer', at: 88 + 32 * 9, size: 32, reasons: ['base transfer', 'tree'] },
  {
    message: 0,
    name: 'a slot',
    at: 4184 + 32 * 7,
    size: 32,
    reasons: ['base transfer', 'confirmation'],
  },
  { message: 1, name: 'nonce', at: 24, size: 32, reasons: ['commitment'] },
  { message: 1, name: 'salt', at: 56, size: 32, reasons: ['commitment'] },
  { message: 1, name: 'a sum', at: 2136, size: 32, reasons: ['tree'] },
  { message: 1, name: 'proof', at: 4184, size: 32, reasons: ['tree'] },
  { message: 2, name: 'confirmation', at: 24, size: 32, reasons: ['confirmation'] },
]

describe('pair setup', () => {
  it('leaves both parties with the same epoch, zero seed and gadget', () => {
    const peer = done(
      pairSetupStep(stateOf(b[2]), deliver(1, [{ to: 2, body: bodyOf(a[2]) }])),
    ).result
    assert.deepEqual(peer.epoch, pair.epoch)
    assert.deepEqual(peer.zeroSeed, pair.zeroSeed)
    assert.deepEqual(gadgetOf('secp256k1', peer), gadgetOf('secp256k1', pair))
    assert.notDeepEqual(gadgetOf('stark', pair), gadgetOf('secp256k1', pair))
    assert.deepEqual([pair.self, pair.peer, peer.self, peer.peer], [1, 2, 2, 1])
  })

  it('gives other seeds and another epoch every time', () => {
    const other = done(take(replayed.a[2], bodyOf(replayed.b[2]))).result
    for (const member of ['epoch', 'zeroSeed', 'gadgetSeed', 'receiver'] as const)
      assert.notDeepEqual(other[member], pair[member])
    assert.notDeepEqual(other.sender.delta, pair.sender.delta)
  })

  it('hedges against a source of randomness that repeats itself', () => {
    const repeated = course(named('a third sid'), 'pair setup')
    const other = done(take(repeated.a[2], bodyOf(repeated.b[2]))).result
    assert.notDeepEqual(other.sender.delta, pair.sender.delta)
  })

  it('comes back from its stored form, which has one length', () => {
    const bytes = encodePair(pair)
    assert.deepEqual(decodePair(bytes), pair)
    assert.equal(bytes.length, 7307)
    assert.throws(() => decodePair(bytes.subarray(1)), { code: 'bytes.malformed' })
    assert.throws(() => decodePair(new Uint8Array([...bytes, 0])), { code: 'bytes.malformed' })
  })

  it('works a gadget out once for a seed, and keeps no more than so many', () => {
    const of = (byte: number, more: number) =>
      gadgetOf('secp256k1', {
        ...pair,
        gadgetSeed: new Uint8Array(32).fill(byte).with(1, more),
      })
    const first = of(0, 0)
    assert.equal(of(0, 0), first)
    assert.notDeepEqual(of(0, 1), first)
    for (let i = 0; i < 256; i++) of(1, i)
    assert.notEqual(of(0, 0), first)
    assert.deepEqual(of(0, 0), first)
  })

  for (const { message, name, at, size, reasons } of fields) {
    it(`ends without a pair, and burns for wrong trees alone, when ${name} is changed`, () => {
      for (const change of changes(size)) {
        const body = bodies[message]?.slice() ?? new Uint8Array()
        body.set(change(body.slice(at, at + size), replayed.b[message]?.out[0]?.body.slice(at)), at)
        const abort = answerTo(message, body)
        assert.ok(abort && reasons.includes(abort.reason), abort?.reason)
        assert.deepEqual(abort.culprits, [2])
        assert.deepEqual(abort.burned, abort.reason === 'tree' ? [2] : [])
      }
    })
  }

  it('refuses a message that is shorter, longer, of another round or absent', () => {
    for (const index of [0, 1]) {
      const body = bodies[index] ?? new Uint8Array()
      for (const bad of [body.subarray(1), body.subarray(0, -1), new Uint8Array([...body, 0])])
        assert.equal(answerTo(index, bad)?.reason, 'malformed')
      assert.equal(answerTo(index, bodies[2] ?? body)?.reason, 'malformed')
    }
    const outcome = pairSetupStep(stateOf(a[0]), [])
    assert.deepEqual(outcome, {
      kind: 'abort',
      abort: { reason: 'inbox', culprits: [2], burned: [] },
    })
  })

  it('refuses two messages in place of one, and the word of a third party', () => {
    const body = bodyOf(b[0])
    const twice = deliver(2, [
      { to: 1, body },
      { to: 1, body },
    ])
    for (const inbox of [twice, deliver(3, [{ to: 1, body }]), deliver(2, [{ to: '*', body }])]) {
      const outcome = pairSetupStep(stateOf(a[0]), inbox)
      assert.ok(outcome.kind === 'abort' && outcome.abort.reason === 'inbox')
    }
  })

  it('is not made with oneself, nor without a session id', () => {
    const wrong = [
      { self: 1, peer: 1, sid: named('sid') },
      { self: 1, peer: 2, sid: new Uint8Array(31) },
      { self: 0, peer: 2, sid: named('sid') },
    ]
    for (const context of wrong) assert.throws(() => startPairSetup(context, seeded('wrong')))
  })

  it('takes a state further once', () => {
    const state = stateOf(a[0])
    const inbox = deliver(2, [{ to: 1, body: bodyOf(b[2]) }])
    pairSetupStep(state, inbox)
    assert.throws(() => pairSetupStep(state, inbox), { message: /taken further already/ })
  })

  it('refuses its own messages sent back to it', () => {
    assert.equal(answerTo(0, bodyOf(a[0]))?.reason, 'commitment')
  })

  it('burns for a lost bet on Δ: a correction that only some Δ need, and this one does', () => {
    // The correction of a tree and a way that party 1 has to use: it alone knows which.
    const way = 1 ^ ((pair.sender.delta[0] ?? 0) & 1)
    const body = bodies[1]?.slice() ?? new Uint8Array()
    body[88 + way * 16] = (body[88 + way * 16] ?? 0) ^ 1
    assert.deepEqual(answerTo(1, body), { reason: 'tree', culprits: [2], burned: [2] })
  })

  it('sends bodies of the sizes it promises', () => {
    assert.deepEqual(
      bodies.map(({ length }) => length),
      pairSizes,
    )
  })

  it('keeps its known answer', () => {
    const secrets = sha256(encodePair(pair))
    const messages = hashOf('messages', ...bodies, ...a.map(bodyOf))
    assert.equal(toHex(messages).slice(0, 16), '03a25b790031c1cb')
    assert.equal(toHex(secrets).slice(0, 16), '6de67cdca3c18ebf')
  })
})

type Change = (field: Uint8Array, other?: Uint8Array) => Uint8Array

/** A bit, all bits, none, and the same field of another setup. */
function changes(size: number): readonly Change[] {
  return [
    (field) => field.map((byte, i) => (i === 3 ? byte ^ 16 : byte)),
    () => new Uint8Array(size),
    () => new Uint8Array(size).fill(255),
    (field, other) => other?.subarray(0, size) ?? field,
  ]
}
