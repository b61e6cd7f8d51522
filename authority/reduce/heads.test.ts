import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keyStream, rootOf, streamName, type StreamId } from '../stream.ts'
import { noStep, type Step } from '../step.ts'
import { judgeHeads, type Steps } from './heads.ts'

const organization = new Uint8Array(32).fill(1)
const key = keyStream(new Uint8Array(32).fill(2))
const root = rootOf(organization)
const hash = (byte: number) => new Uint8Array(32).fill(byte)
const known: Steps = {
  at: (stream: StreamId, seq: number) =>
    ({
      [`${streamName(root)}/4`]: { hash: hash(4), time: 100 },
      [`${streamName(key)}/0`]: { hash: hash(5), time: 200 },
    })[`${streamName(stream)}/${seq}`],
}
const step = (change: Partial<Step>): Step => ({
  organization,
  stream: key,
  seq: 1,
  previous: noStep,
  manifest: noStep,
  reducer: 1,
  time: 200,
  heads: [{ stream: root, seq: 4, step: hash(4) }],
  items: [],
  written: noStep,
  ...change,
})
const judged = (change: Partial<Step>) => judgeHeads(step(change), known)

describe('the heads of a step', () => {
  it('are one certified root step for a key, and none for the root', () => {
    assert.equal(judged({}), undefined)
    assert.equal(judged({ stream: root, seq: 5, heads: [] }), undefined)
    assert.equal(judged({ stream: root, seq: 5 }), 'a root step names a head')
    const unnamed = 'the step does not name the head of the root stream'
    assert.equal(judged({ heads: [] }), unnamed)
    const head = { stream: root, seq: 4, step: hash(4) }
    assert.equal(judged({ heads: [head, head] }), unnamed)
    assert.equal(judged({ heads: [{ ...head, stream: key }] }), unnamed)
    assert.equal(judged({ heads: [{ ...head, stream: rootOf(hash(9)) }] }), unnamed)
  })

  it('are certified, just this one, and not later than the step', () => {
    const head = { stream: root, seq: 4, step: hash(4) }
    const uncertified = 'the step names a head that is not certified'
    assert.equal(judged({ heads: [{ ...head, step: hash(9) }] }), uncertified)
    assert.equal(judged({ heads: [{ ...head, seq: 5 }] }), uncertified)
    assert.equal(judged({ seq: 0, time: 99 }), 'the step is older than the head that it names')
  })

  it('follow a step that is there and not later', () => {
    assert.equal(judged({ time: 199 }), 'the step goes back in time')
    assert.equal(judged({ seq: 2 }), 'the step goes back in time')
  })
})
