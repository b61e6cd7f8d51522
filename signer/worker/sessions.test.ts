import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { decode, encode } from '@quorate/core/codec'
import { decodePair } from '@quorate/threshold/ecdsa/pair'
import { answerCodec, jobCodec, type Answer, type Job } from './messages.ts'
import { Sessions } from './sessions.ts'
import { wipe } from './wipe.ts'

const random = (size: number) => new Uint8Array(randomBytes(size))
const sid = random(32)
const cluster = [1, 2, 3] as const

describe('the sessions of a worker thread', () => {
  it('makes one key of which every party has a share, and keeps nothing of it', () => {
    const all = parties(cluster)
    const begun = all.map(({ self, ask }) =>
      ask({ kind: 'dkg', id: 7, group: 'ed25519', self, n: 3, t: 2, sid }),
    )
    const endings = carry(all, begun)
    const keys = endings.map((ending) => ending.kind === 'share' && ending.share.publicKey)
    assert.equal(new Set(keys.map(String)).size, 1)
    for (const ending of endings) {
      assert.ok(ending.kind === 'share')
      assert.ok(ending.share.secret.some((byte) => byte !== 0))
    }
    assert.deepEqual(
      all.map(({ sessions }) => sessions.size),
      [0, 0, 0],
    )
  })

  it('makes both halves of a pair, and has overwritten every state of it by then', () => {
    const two = parties([1, 2])
    const begun = two.map(({ self, ask }) =>
      ask({ kind: 'pair', id: 1, self, peer: 3 - self, sid }),
    )
    const states = new Set<unknown>()
    const endings = carry(two, begun, () => {
      for (const { sessions } of two) states.add(statesOf(sessions)[0])
    })
    const [low, high] = endings.map((ending) => {
      assert.ok(ending.kind === 'pair')
      return decodePair(ending.secret)
    })
    assert.deepEqual(low?.epoch, high?.epoch)
    assert.deepEqual(low?.zeroSeed, high?.zeroSeed)
    assert.ok(low?.zeroSeed.some((byte) => byte !== 0))
    assert.equal(states.size, 6)
    for (const state of states) assertWiped(state)
  })

  it('overwrites what nobody goes on with', () => {
    const [one] = parties([1])
    assert.ok(one)
    one.ask({ kind: 'pair', id: 1, self: 1, peer: 2, sid })
    const [state] = statesOf(one.sessions)
    assert.throws(() => assertWiped(state))
    assert.equal(one.sessions.take(encode(jobCodec, { kind: 'forget', id: 1 })), undefined)
    assertWiped(state)
    assert.equal(one.sessions.size, 0)
  })

  it('overwrites a job as it is read', () => {
    const job = encode(jobCodec, { kind: 'pair', id: 1, self: 1, peer: 2, sid })
    new Sessions(random).take(job)
    assert.deepEqual(job, new Uint8Array(job.length))
  })
})

describe('wiping', () => {
  it('reaches bytes in lists and plain objects, and leaves instances alone', () => {
    class Kept {
      readonly bytes = new Uint8Array([1])
    }
    const [deep, kept] = [new Uint8Array([1, 2]), new Kept()]
    wipe({ list: [{ deep }], kept, number: 1, big: 1n, none: undefined, nothing: null })
    assert.deepEqual(deep, new Uint8Array(2))
    assert.deepEqual(kept.bytes, new Uint8Array([1]))
  })
})

function parties(indexes: readonly number[]) {
  return indexes.map((self) => {
    const sessions = new Sessions(random)
    const ask = (job: Job): Answer => {
      const answer = sessions.take(encode(jobCodec, job))
      assert.ok(answer)
      return decode(answerCodec, answer)
    }
    return { self, sessions, ask }
  })
}

/** Rounds, until nobody has anything to say. */
function carry(
  all: ReturnType<typeof parties>,
  begun: readonly Answer[],
  onRound: () => void = () => undefined,
): readonly Answer[] {
  let answers = begun
  for (let round = 0; answers.every(({ kind }) => kind === 'next'); round++) {
    assert.ok(round < 4)
    onRound()
    const sent = answers.flatMap((answer, i) =>
      answer.kind === 'next' ? answer.out.map((one) => ({ from: all[i]?.self ?? 0, ...one })) : [],
    )
    answers = all.map(({ self, ask }, i) => {
      const inbox = sent.filter(({ from, to }) => from !== self && (to === 0 || to === self))
      return ask({ kind: 'advance', id: answers[i]?.id ?? 0, inbox })
    })
  }
  return answers
}

function statesOf(sessions: Sessions): readonly unknown[] {
  const held: ReadonlyMap<number, { readonly state: unknown }> = Reflect.get(sessions, 'held')
  return [...held.values()].map(({ state }) => state)
}

function assertWiped(state: unknown): void {
  JSON.stringify(state, (_, value: unknown) => {
    if (value instanceof Uint8Array) assert.ok(value.every((byte) => byte === 0))
    return value instanceof Uint8Array ? '' : value
  })
}
