import type { Opinions, Price } from '@quorate/core/outflow'
import type { FactFile } from './facts.ts'
import { counts, isFresh, screeningAgeMaxMs } from './worth.ts'

/**
 * Sources that are asked within the same hour seldom differ by more, and whoever makes a price up
 * gains no more than this on any limit. In percent of one's own.
 */
export const spreadPercentMax = 5n

export type Disputed = {
  /** What somebody else has said. */
  readonly said: Partial<Opinions>
  /** When it counts: at the time of the step. */
  readonly time: number
  /** What oneself knows. */
  readonly own: FactFile
  readonly now: number
  /** About what one does not take his word. */
  readonly about: { readonly prices: boolean; readonly screenings: boolean }
}

/**
 * Does what was said loosen a rule that would hold by what one knows oneself? Only what counts can:
 * where a price or a screening is missing or stale, the rule that needs it is triggered anyway.
 *
 * @returns why it is not believed
 */
export function disputeOf({ said, about, ...at }: Disputed): string | undefined {
  const { prices = [], screenings = [] } = said
  return (
    (about.prices ? disputedPrice(prices, at) : undefined) ??
    (about.screenings ? disputedScreening(screenings, at) : undefined)
  )
}

type Known = Pick<Disputed, 'time' | 'own' | 'now'>

/** Of several prices the dearest is what a limit goes by, and so what has to be right. */
function disputedPrice(said: readonly Price[], { time, own, now }: Known): string | undefined {
  for (const asset of new Set(said.map((price) => price.asset))) {
    const theirs = dearest(said, asset, time)
    if (theirs === undefined) continue
    const ours = dearest(own.prices, asset, now)
    if (ours === undefined) return `a signer has no current price of ${asset} of its own`
    if (departs(theirs, ours)) return `the price of ${asset} departs from a signer's own`
  }
  return undefined
}

function dearest(prices: readonly Price[], asset: string, time: number): Price | undefined {
  const [first, ...others] = prices.filter((one) => one.asset === asset && counts(one, time))
  if (first === undefined) return undefined
  return others.reduce((most, one) => (scaled(one, most) > scaled(most, one) ? one : most), first)
}

function departs(theirs: Price, ours: Price): boolean {
  const [said, known] = [scaled(theirs, ours), scaled(ours, theirs)]
  const difference = said > known ? said - known : known - said
  return difference * 100n > known * spreadPercentMax
}

/** As it compares with the other, which may be of more or fewer of the smallest unit. */
function scaled(price: Price, other: Price): bigint {
  return price.micros * 10n ** BigInt(other.decimals)
}

/** Old news of a listing is still news; that somebody is on no list has to be recent on both sides. */
function disputedScreening(
  said: Opinions['screenings'],
  { time, own: { denied }, now }: Known,
): string | undefined {
  const clean = said.filter(
    ({ isListed, at }) => !isListed && isFresh(at, { time, ageMaxMs: screeningAgeMaxMs }),
  )
  if (clean.length === 0) return undefined
  if (denied === undefined) return 'a signer has no deny list of its own'
  const listed = clean.find(({ address }) => denied.addresses.has(address))
  if (listed !== undefined) return `${listed.address} is on a signer's own deny list`
  return isFresh(denied.at, { time: now, ageMaxMs: screeningAgeMaxMs })
    ? undefined
    : "a signer's own deny list is stale"
}
