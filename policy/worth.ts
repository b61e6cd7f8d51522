import type { Opinions, Outflow, Price } from '@quorate/core/outflow'

/** What moves further in an hour is not what was agreed; sources speak every few minutes. */
export const priceAgeMaxMs = 60 * 60_000
/** Lists of denied addresses are published daily. */
export const screeningAgeMaxMs = 24 * 60 * 60_000
/** ERC-20 has room for 255, of which nobody uses more than 36; it bounds the arithmetic. */
export const decimalsMax = 36

export type Worth =
  | { readonly ok: true; readonly micros: bigint }
  | { readonly ok: false; readonly reason: string }

/**
 * Millionths of USD, fee included, each movement rounded up: dust is not free.
 * @returns nothing when anything is unknown, without a price, or priced too long ago
 */
export function worthOf(outflow: Outflow, facts: Opinions, time: number): bigint | undefined {
  const worth = appraise(outflow, facts, time)
  return worth.ok ? worth.micros : undefined
}

/** As `worthOf`, with the reason when there is none. */
export function appraise(outflow: Outflow, facts: Opinions, time: number): Worth {
  if (isOpaque(outflow)) return { ok: false, reason: 'nobody can tell what leaves' }
  let micros = 0n
  for (const part of [...outflow.movements, ...(outflow.fee === undefined ? [] : [outflow.fee])]) {
    const worth = worthOfPart(part, facts, time)
    if (!worth.ok) return worth
    micros += worth.micros
  }
  return { ok: true, micros }
}

/** Is there anything about it that nobody can tell? */
export function isOpaque({ isKnown, isRaw }: Outflow): boolean {
  return isRaw || !isKnown
}

/** A fact of the future is one whose clock nobody can trust, and so as good as none. */
export function isFresh(
  at: number,
  { time, ageMaxMs }: { time: number; ageMaxMs: number },
): boolean {
  return at <= time && time - at <= ageMaxMs
}

/** May a limit go by it at this moment? */
export function counts(price: Price, time: number): boolean {
  return isUsable(price) && isFresh(price.at, { time, ageMaxMs: priceAgeMaxMs })
}

/** Where sources differ, the dearest one counts. */
function worthOfPart(
  { asset, amount }: { readonly asset: string; readonly amount: bigint },
  { prices }: Opinions,
  time: number,
): Worth {
  const named = prices.filter((price) => price.asset === asset && isUsable(price))
  if (named.length === 0) return { ok: false, reason: `there is no price of ${asset}` }
  const fresh = named.filter(({ at }) => isFresh(at, { time, ageMaxMs: priceAgeMaxMs }))
  if (fresh.length === 0) return { ok: false, reason: `the price of ${asset} is stale` }
  if (amount < 0n) return { ok: false, reason: `the amount of ${asset} is not one` }
  const micros = fresh
    .map((price) => dividedUp(amount * price.micros, 10n ** BigInt(price.decimals)))
    .reduce((most, each) => (each > most ? each : most))
  return { ok: true, micros }
}

/** A price of nothing would let everything pass. */
function isUsable({ currency, micros, decimals }: Price): boolean {
  const isScale = Number.isSafeInteger(decimals) && decimals >= 0 && decimals <= decimalsMax
  return currency === 'USD' && micros > 0n && isScale
}

function dividedUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor
}
