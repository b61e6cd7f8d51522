import type { Outflow, Spending } from '@quorate/core/outflow'
import { assetSpendTable, assetSpentTable, spendTable, spentTable, type Table } from '../records.ts'
import { own } from './held.ts'
import { refuse, type Judging } from './judging.ts'
import { put, type Write } from './writes.ts'

/**
 * What a key has spent, in its own stream. Each entry holds the sum of all up to it: what lies within
 * a time is the difference of two, and the second is found by halving, however long the stream is.
 */
export function spendingOf(judging: Judging): Spending {
  return {
    uses: (since) => {
      const count = entriesOf(judging)
      const first = firstAfter(count, since, (at) => entry(judging, spendTable, [at]).time)
      const last = count === 0 ? nothing : entry(judging, spendTable, [count - 1])
      const before = first === 0 ? nothing : entry(judging, spendTable, [first - 1])
      return {
        count: last.uses - before.uses,
        micros: last.micros - before.micros,
        unpriced: last.unpriced - before.unpriced,
        unknown: last.unknown - before.unknown,
      }
    },
    asset: (asset, since) => sumSince(judging, ofAsset(asset), since),
    hasMoved: (asset, since) => {
      const series = ofAsset(asset)
      return firstSince(judging, series, since) < countOf(judging, series)
    },
  }
}

/** Amounts that are added up one after the other, under a name of their own. */
export type Series = {
  readonly counts: Table<{ readonly count: number }>
  readonly entries: Table<{ readonly time: number; readonly amount: bigint }>
  readonly name: readonly (string | Uint8Array)[]
}

function ofAsset(asset: string): Series {
  return { counts: assetSpentTable, entries: assetSpendTable, name: [asset] }
}

/** Of all entries that are later than that. */
export function sumSince(judging: Judging, series: Series, since: number): bigint {
  const { entries, name } = series
  const count = countOf(judging, series)
  const at = (index: number) => entry(judging, entries, [...name, index])
  const first = firstSince(judging, series, since)
  const last = count === 0 ? 0n : at(count - 1).amount
  return last - (first === 0 ? 0n : at(first - 1).amount)
}

function firstSince(judging: Judging, series: Series, since: number): number {
  const { entries, name } = series
  const timeAt = (index: number) => entry(judging, entries, [...name, index]).time
  return firstAfter(countOf(judging, series), since, timeAt)
}

/** One more entry, of now. */
export function addTo(judging: Judging, series: Series, amount: bigint): readonly Write[] {
  const { counts, entries, name } = series
  const count = countOf(judging, series)
  const before = count === 0 ? 0n : entry(judging, entries, [...name, count - 1]).amount
  const { time } = judging.step
  return [
    put(counts, name, { count: count + 1 }),
    put(entries, [...name, BigInt(count)], { time, amount: before + amount }),
  ]
}

function countOf(judging: Judging, { counts, name }: Series): number {
  return own(judging, counts, ...name)?.count ?? 0
}

/**
 * Larger amounts count as unknown, which triggers whatever limits them. So four thousand million uses
 * still add up to less than a natural number holds.
 */
const sumMax = 2n ** 128n

const nothing = { time: 0, uses: 0, micros: 0n, unpriced: 0, unknown: 0 }

/** One more use, or what takes the place of one and may cost more. */
export function spend(judging: Judging, outflow: Outflow, uses: 0 | 1 = 1): readonly Write[] {
  const { time } = judging.step
  const worth = judging.rules.policies.worth(outflow, judging.evidence.facts, time)
  const micros = worth !== undefined && worth < sumMax ? worth : undefined
  const assets = [...assetsOf(outflow)]
  const isKnown = outflow.isKnown && assets.every(([, amount]) => amount < sumMax)
  const count = entriesOf(judging)
  const before = count === 0 ? nothing : entry(judging, spendTable, [count - 1])
  return [
    put(spentTable, [], { count: count + 1 }),
    put(spendTable, [BigInt(count)], {
      time,
      uses: before.uses + uses,
      micros: before.micros + (micros ?? 0n),
      unpriced: before.unpriced + (micros === undefined ? 1 : 0),
      unknown: before.unknown + (isKnown ? 0 : 1),
    }),
    ...(isKnown ? assets : []).flatMap(([asset, amount]) => addTo(judging, ofAsset(asset), amount)),
  ]
}

/** Fees count, in their own asset. A movement of 0 is one: `hasMoved`. */
function assetsOf({ movements, fee }: Outflow): ReadonlyMap<string, bigint> {
  const totals = new Map<string, bigint>()
  for (const { asset, amount } of fee === undefined ? movements : [...movements, fee])
    totals.set(asset, (totals.get(asset) ?? 0n) + amount)
  return totals
}

/** The first of `count` entries, which lie in the order of their times, that is later than `since`. */
function firstAfter(count: number, since: number, timeAt: (index: number) => number): number {
  let [low, high] = [0, count]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (timeAt(middle) > since) high = middle
    else low = middle + 1
  }
  return low
}

function entriesOf(judging: Judging): number {
  return own(judging, spentTable)?.count ?? 0
}

function entry<T>(
  judging: Judging,
  table: Table<T>,
  name: readonly (string | number | Uint8Array)[],
): T {
  return own(judging, table, ...name) ?? refuse('the count of uses has a gap')
}
