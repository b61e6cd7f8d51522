import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import {
  attemptsMax,
  organizationMax,
  shareOut,
  silentMax,
  webhookMax,
  type Taken,
} from './places.ts'
import type { Waiting } from './lease.ts'

/** Lots by a fixed row of numbers: the generator of Park and Miller. */
let drawn = 1
const lot = (below: number) => (drawn = (drawn * 48_271) % 2_147_483_647) % below
const draw = (waiting: readonly Waiting[], running: readonly Taken[]) =>
  shareOut(waiting, running, lot)

const id = (number: number) => new Uint8Array([number >> 8, number & 255])
const waits = (organization: number, webhook: number, latest: string | null = '200'): Waiting => ({
  ...{ organization: id(organization), webhook: id(webhook), latest },
})
const many = (count: number, make: (i: number) => Waiting) =>
  Array.from({ length: count }, (_, i) => make(i))
/** As many attempts as this comes to. */
const taken = (waiting: readonly Waiting[], running: readonly Taken[] = []) =>
  draw(waiting, running).flatMap(({ organization, webhook, count }): Taken[] => {
    const latest = waiting.find((one) => one.webhook === webhook)?.latest ?? null
    const isSilent = latest !== null && !/^[0-9]/.test(latest)
    return Array.from({ length: count }, () => ({ organization, webhook, isSilent }))
  })
const counts = (waiting: readonly Waiting[], running: readonly Taken[] = []) =>
  waiting.map(
    ({ webhook }) => taken(waiting, running).filter((one) => one.webhook === webhook).length,
  )

describe('the places of a worker', () => {
  it('go to a webhook up to its limit, and to its organization up to the other', () => {
    assert.deepEqual(counts([waits(1, 1)]), [webhookMax])
    const three = many(3, (i) => waits(1, i))
    assert.equal(taken(three).length, organizationMax)
    assert.ok(Math.max(...counts(three)) - Math.min(...counts(three)) <= 1)
    assert.deepEqual(counts([waits(1, 1)], taken([waits(1, 1)])), [0])
    assert.deepEqual(draw([], []), [])
  })

  it('are one for a webhook that does not answer, or was never asked', () => {
    for (const latest of ['too-slow', 'no-connection', 'name-unknown', null])
      assert.deepEqual(
        counts([waits(1, 1, latest), waits(1, 2, '500')]),
        [1, webhookMax],
        latest ?? '',
      )
  })

  it('are left alone for the greater part by those that do not answer', () => {
    const silent = many(200, (i) => waits(i, i, 'too-slow'))
    const held = taken(silent)
    assert.equal(held.length, silentMax)
    assert.deepEqual(counts([...silent.slice(100), waits(300, 300)], held).at(-1), webhookMax)
  })

  it('go to whoever has the fewest, when there are not enough', () => {
    const busy = many(20, (i) => waits(i, i))
    const held = taken(busy)
    assert.equal(held.length, attemptsMax)
    const healthy = waits(300, 300)
    assert.deepEqual(counts([...busy, healthy], held.slice(1)).at(-1), 1)
    assert.deepEqual(draw([...busy, healthy], held), [])
  })

  it('go to each of equals in the course of time, when one place comes free after the other', () => {
    for (const [each, beside] of [
      ['too-slow', []],
      ['too-slow', many(3, (i) => waits(100 + i, 100 + i))],
      ['200', []],
    ] as const) {
      const equals = many(silentMax + 8 + (each === '200' ? silentMax : 0), (i) =>
        waits(i, i, each),
      )
      const waiting = [...equals, ...beside]
      const served = new Map<Uint8Array, number>()
      let running: readonly Taken[] = []
      for (let turn = 0; turn < 1_000; turn++) {
        const begun = taken(waiting, running)
        for (const { webhook } of begun) served.set(webhook, (served.get(webhook) ?? 0) + 1)
        running = [...running, ...begun].slice(1)
      }
      for (const { webhook } of equals) assert.ok((served.get(webhook) ?? 0) > 3, toHex(webhook))
    }
  })
})
