import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Opinions, Price, Screening } from '@quorate/core/outflow'
import { disputeOf, spreadPercentMax } from './disputes.ts'
import type { FactFile } from './facts.ts'
import { activityFrom, momentFrom, numbersFrom } from './testing/generate.ts'
import { priceAgeMaxMs, screeningAgeMaxMs, worthOf } from './worth.ts'

const now = Date.UTC(2026, 0, 31)
const asset = 'EthereumSepolia/Native'
const to = `0x${'11'.repeat(20)}`
const both = { prices: true, screenings: true }

const price = (dollars: number, change: Partial<Price> = {}): Price => ({
  ...({ asset, currency: 'USD', micros: BigInt(dollars) * 1_000_000n, decimals: 18 } as const),
  ...{ source: 'treasury', at: now, ...change },
})
const clean = (change: Partial<Screening> = {}): Screening => ({
  ...{ address: to, isListed: false, source: 'sanctions', at: now, ...change },
})
const list = (addresses: readonly string[] = [], at = now) => ({
  denied: { source: 'own', at, addresses: new Set(addresses) },
})

type Own = Partial<FactFile>
const dispute = (said: Partial<Opinions>, own: Own, about = both) =>
  disputeOf({ said, own: { prices: [], denied: undefined, ...own }, time: now, now, about })
const prices = (said: readonly Price[], own: readonly Price[]) =>
  dispute({ prices: said }, { prices: own })

describe('what somebody else says of a price', () => {
  it('is believed within the spread of one’s own, and no further in either direction', () => {
    const own = [price(2_000)]
    for (const near of [1_900, 2_000, 2_100])
      assert.equal(prices([price(near)], own), undefined, `${near}`)
    for (const far of [1, 1_899, 2_101, 1_000_000])
      assert.match(prices([price(far)], own) ?? '', /the price of .*Native departs/, `${far}`)
  })

  it('is compared for what it says of the smallest unit', () => {
    const own = [price(2_000)]
    const cents = price(20, { decimals: 16 })
    assert.equal(prices([cents], own), undefined)
    assert.equal(prices([price(2_000)], [cents]), undefined)
    assert.match(prices([price(2_000, { decimals: 24 })], own) ?? '', /departs/)
    assert.match(prices([price(2_000, { decimals: 16 })], own) ?? '', /departs/)
  })

  it('is not believed of what one has no current price for', () => {
    const said = [price(2_000)]
    const none = /no current price of EthereumSepolia\/Native of its own/
    const unfit = [
      { asset: 'Other/Native' },
      { at: now - priceAgeMaxMs - 1 },
      { at: now + 1 },
      { micros: 0n },
      { decimals: 99 },
    ]
    assert.match(prices(said, []) ?? '', none)
    for (const change of unfit) assert.match(prices(said, [price(2_000, change)]) ?? '', none)
    assert.equal(prices(said, [price(2_000, { at: now - priceAgeMaxMs })]), undefined)
  })

  it('is judged for every asset', () => {
    const token = { asset: 'EthereumSepolia/Erc20/0xc0' }
    const said = [price(2_000), price(1, token)]
    assert.match(prices(said, [price(2_000)]) ?? '', /no current price of .*Erc20/)
    assert.match(prices(said, [price(2_000), price(3, token)]) ?? '', /Erc20.* departs/)
    assert.equal(prices(said, [price(2_000), price(1, token)]), undefined)
  })

  it('is the dearest that counts, on both sides', () => {
    const [low, high] = [price(1_000, { source: 'low' }), price(2_000, { source: 'high' })]
    const more = price(30, { source: 'cents', decimals: 16 })
    for (const said of [
      [low, high],
      [high, low],
    ]) {
      assert.equal(prices(said, [high]), undefined)
      assert.match(prices(said, [low]) ?? '', /departs/)
      assert.equal(prices([high], said), undefined)
      assert.match(prices([low], said) ?? '', /departs/)
    }
    assert.match(prices([high, more], [high]) ?? '', /departs/)
  })

  it('needs no belief where no rule would go by it', () => {
    assert.equal(prices([price(1, { at: now - priceAgeMaxMs - 1 })], []), undefined)
    assert.equal(prices([price(1, { at: now + 1 })], []), undefined)
    assert.equal(prices([price(0)], []), undefined)
    assert.equal(dispute({}, {}), undefined)
  })
})

describe('what somebody else says of a recipient', () => {
  const said = { screenings: [clean()] }

  it('is believed when he is not on one’s own list of today', () => {
    assert.equal(dispute(said, list(['0x22'])), undefined)
    assert.equal(dispute(said, list([], now - screeningAgeMaxMs)), undefined)
  })

  it('is not when he is on it, however old that is', () => {
    const listed = /is on a signer's own deny list/
    assert.match(dispute(said, list([to])) ?? '', listed)
    assert.match(dispute(said, list([to], now - 9 * screeningAgeMaxMs)) ?? '', listed)
    const second = { screenings: [clean({ address: '0x22' }), clean()] }
    assert.match(dispute(second, list([to])) ?? '', listed)
  })

  it('is not without a list, nor with one that is stale or of tomorrow', () => {
    assert.match(dispute(said, {}) ?? '', /no deny list/)
    assert.match(dispute(said, list([], now - screeningAgeMaxMs - 1)) ?? '', /stale/)
    assert.match(dispute(said, list([], now + 1)) ?? '', /stale/)
  })

  it('needs no belief where it lets nobody pass', () => {
    assert.equal(dispute({ screenings: [clean({ isListed: true })] }, {}), undefined)
    const old = clean({ at: now - screeningAgeMaxMs - 1 })
    assert.equal(dispute({ screenings: [old] }, {}), undefined)
  })
})

describe('a word that is taken', () => {
  const said = { prices: [price(1)], screenings: [clean()] }

  it('is that about prices, or about recipients, as it was agreed', () => {
    assert.match(dispute(said, list()) ?? '', /price/)
    assert.match(dispute(said, { prices: [price(1)] }) ?? '', /deny list/)
    assert.match(dispute(said, {}, { prices: true, screenings: false }) ?? '', /price/)
    assert.match(dispute(said, {}, { prices: false, screenings: true }) ?? '', /deny list/)
    assert.equal(dispute(said, {}, { prices: false, screenings: false }), undefined)
  })

  it('makes no payment worth less than by one’s own prices, but for the spread', () => {
    const seen = { believed: 0, disputed: 0 }
    for (let seed = 0; seed < 3_000; seed++) {
      const next = numbersFrom(seed)
      const activity = activityFrom(next)
      const { facts, time } = momentFrom(next)
      if (activity.kind !== 'Wallets:Sign') continue
      const { outflow } = activity
      const bent = facts.prices.map((one) => ({
        ...{ ...one, micros: (one.micros * BigInt(94 + next(13))) / 100n },
      }))
      const own = { prices: facts.prices, denied: undefined }
      const about = { prices: true, screenings: false }
      const dispute = disputeOf({ said: { prices: bent }, own, time, now: time, about })
      seen[dispute === undefined ? 'believed' : 'disputed']++
      const theirs = worthOf(outflow, { prices: bent, screenings: [] }, time)
      const ours = worthOf(outflow, facts, time)
      if (dispute !== undefined || theirs === undefined || ours === undefined) continue
      // Each part was rounded up to a millionth of a dollar.
      const rounding = 100n * BigInt(outflow.movements.length + 1)
      assert.ok(theirs * 100n + rounding >= ours * (100n - spreadPercentMax), `seed ${seed}`)
    }
    assert.ok(seen.believed > 300 && seen.disputed > 300, JSON.stringify(seen))
  })
})
