import { counts } from '@quorate/policy/worth'
import type { Opine } from '../facts/file.ts'

/** What an operator says of an asset: that he knows it, and what it is worth. */
export type Quote = {
  readonly isListed: boolean
  /** Of one whole unit, and of all there is; absent without a fresh price. */
  readonly price?: { readonly unit: number; readonly worth: number }
}

/** By the operator's file of facts, of several prices the newest. @param asset as policies name it */
export async function quoteOf(
  opine: Opine,
  { asset, balance }: { readonly asset: string; readonly balance: bigint },
  now: number,
): Promise<Quote> {
  const movements = [{ asset, to: '', amount: balance }]
  const { prices } = await opine({ isKnown: true, isRaw: false, movements, fee: undefined })
  const [newest] = prices.filter((price) => counts(price, now)).toSorted((a, b) => b.at - a.at)
  const isListed = prices.length > 0
  if (newest === undefined) return { isListed }
  const { micros, decimals } = newest
  const worth = (micros * balance) / 10n ** BigInt(decimals)
  return { isListed, price: { unit: dollars(micros), worth: dollars(worth) } }
}

/** For people to look at: no rule goes by it. */
export function dollars(micros: bigint): number {
  return Number(micros) / 1e6
}
