import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import type { Outflow } from '@quorate/core/outflow'
import { spentTable } from '../records.ts'
import { keyStream } from '../stream.ts'
import { nothingLeaves, policies } from '../testing/policies.ts'
import { Records } from '../testing/world.ts'
import type { Judging } from './judging.ts'
import { spend, spendingOf } from './spending.ts'
import { put } from './writes.ts'

const stream = keyStream(new Uint8Array(32).fill(1))

/** Nothing else of a judgement is looked at. */
function judging(records: Records, time: number, worth?: bigint): Judging {
  return {
    step: { stream, time },
    evidence: { facts: new Uint8Array() },
    reader: records,
    rules: { policies: { ...policies, worth: () => worth } },
  } as unknown as Judging
}

/** The same numbers for ever. */
function randomNumbers(seed: string) {
  let at = 0
  return (below: number) =>
    createHash('sha256').update(`${seed} ${at++}`).digest().readUInt32BE() % below
}

type Use = { readonly time: number; readonly worth: bigint | undefined; readonly outflow: Outflow }

function randomUses(count: number, next: (below: number) => number): readonly Use[] {
  let time = 1_000
  return Array.from({ length: count }, () => {
    time += next(3) * next(500)
    const [asset, to] = [`Chain/${next(2) === 0 ? 'Native' : 'Erc20/0x1'}`, 'somebody']
    const outflow: Outflow = {
      ...nothingLeaves,
      isKnown: next(4) > 0,
      movements: Array.from({ length: next(3) }, () => ({ asset, to, amount: BigInt(next(100)) })),
      fee: next(2) === 0 ? undefined : { asset: 'Chain/Native', amount: BigInt(next(10)) },
    }
    return { time, worth: next(5) === 0 ? undefined : BigInt(next(1_000)), outflow }
  })
}

function amountOf({ isKnown, movements, fee }: Outflow, asset: string): bigint {
  const all = fee === undefined ? movements : [...movements, fee]
  if (!isKnown) return 0n
  return all.reduce((sum, one) => (one.asset === asset ? sum + one.amount : sum), 0n)
}

describe('what a key has spent', () => {
  it('is nothing before its first use', () => {
    const spending = spendingOf(judging(new Records(), 0))
    assert.deepEqual(spending.uses(0), { count: 0, micros: 0n, unpriced: 0, unknown: 0 })
    assert.equal(spending.asset('Chain/Native', 0), 0n)
  })

  it('is not counted over a gap', () => {
    const records = new Records()
    records.apply(stream, [put(spentTable, [], { count: 1 })])
    assert.throws(() => spendingOf(judging(records, 0)).uses(0), /has a gap/)
    assert.throws(() => spend(judging(records, 0, 1n), nothingLeaves), /has a gap/)
  })

  it('is the sum of the uses after a moment, wherever that lies', () => {
    const next = randomNumbers('spending')
    for (const count of [1, 2, 7, 64, 200]) {
      const uses = randomUses(count, next)
      const records = new Records()
      for (const { time, worth, outflow } of uses)
        records.apply(stream, spend(judging(records, time, worth), outflow))
      const spending = spendingOf(judging(records, 0))
      const moments = uses.flatMap(({ time }) => [time - 1, time, time + 1])
      for (const since of [0, ...moments, 10 ** 9]) {
        const later = uses.filter(({ time }) => time > since)
        assert.deepEqual(spending.uses(since), {
          count: later.length,
          micros: later.reduce((sum, { worth }) => sum + (worth ?? 0n), 0n),
          unpriced: later.filter(({ worth }) => worth === undefined).length,
          unknown: later.filter(({ outflow }) => !outflow.isKnown).length,
        })
        for (const asset of ['Chain/Native', 'Chain/Erc20/0x1', 'Chain/Other'])
          assert.equal(
            spending.asset(asset, since),
            later.reduce((sum, { outflow }) => sum + amountOf(outflow, asset), 0n),
          )
      }
    }
  })

  it('shows a movement of 0, which may have been piece 0 of a collection', () => {
    const records = new Records()
    const [asset, time] = ['Chain/Erc20/0x1', 5]
    const outflow = { ...nothingLeaves, movements: [{ asset, to: 'somebody', amount: 0n }] }
    records.apply(stream, spend(judging(records, time, 1n), outflow))
    const spending = spendingOf(judging(records, 9))
    assert.deepEqual([spending.hasMoved(asset, 4), spending.hasMoved(asset, 5)], [true, false])
    assert.equal(spending.hasMoved('Chain/Erc20/0x2', 0), false)
    assert.equal(spending.asset(asset, 0), 0n)
  })

  it('is unknown where an amount is larger than sums can hold, and adds nothing to them', () => {
    const records = new Records()
    const movement = { asset: 'Chain/Native', to: 'somebody', amount: 2n ** 128n }
    const outflow = { ...nothingLeaves, movements: [movement] }
    records.apply(stream, spend(judging(records, 1, 2n ** 128n), outflow))
    const spending = spendingOf(judging(records, 2))
    assert.deepEqual(spending.uses(0), { count: 1, micros: 0n, unpriced: 1, unknown: 1 })
    assert.equal(spending.asset('Chain/Native', 0), 0n)
  })

  it('is found with few looks, however many there were', () => {
    const records = new Records()
    for (let i = 0; i < 1_000; i++)
      records.apply(stream, spend(judging(records, i, 1n), nothingLeaves))
    let looks = 0
    const counting = {
      read: (...of: Parameters<Records['read']>) => (looks++, records.read(...of)),
    }
    const spending = spendingOf({ ...judging(records, 1_000), reader: counting })
    assert.equal(spending.uses(499).count, 500)
    assert.ok(looks <= 14, `${looks} looks`)
  })
})
