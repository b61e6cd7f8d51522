import { keepPace } from './pace.ts'

export type SeatsAsk = {
  readonly connected: readonly number[]
  readonly enough: number
  /** They are asked for something else in the same message. */
  readonly aboard: readonly number[]
}

/** Who is asked for votes and seals at first: no more than are needed, as each costs a judgement. */
export type Seats = {
  /** @returns nothing when everybody is to be asked at once */
  choose(ask: SeatsAsk): readonly number[] | undefined
  /** It has voted or sealed, after so long. */
  took(signer: number, ms: number): void
  /** It kept a step waiting. */
  missed(signer: number): void
  patienceMs(): number
}

/** Answers in time that make up for a late one: on a busy machine some are late. */
export const answersForMiss = 4
/** Late ones that nothing made up for. No step depends on whoever has more, for a while. */
export const missesMax = 2
/** After this it is tried again, and one miss is enough. What a miss costs is one patience. */
export const tardyMs = 5_000

export function keepSeats(
  threshold: number,
  clock: () => number = Date.now,
  random: () => number = Math.random,
): Seats {
  const pace = keepPace(threshold)
  const debts = new Map<number, number>()
  const tardyUntil = new Map<number, number>()
  const isTardy = (signer: number): boolean => (tardyUntil.get(signer) ?? 0) > clock()
  const owe = (signer: number, more: number): number => {
    const most = answersForMiss * (missesMax + 1)
    const debt = Math.min(Math.max(0, (debts.get(signer) ?? 0) + more), most)
    debts.set(signer, debt)
    return debt
  }
  const shuffled = (signers: readonly number[]): readonly number[] =>
    signers
      .map((signer) => ({ signer, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ signer }) => signer)
  return {
    choose({ connected, enough, aboard }) {
      const others = connected.filter((signer) => !aboard.includes(signer) && !isTardy(signer))
      const seats = [...aboard, ...shuffled(others).slice(0, enough - aboard.length)]
      return seats.length !== enough || seats.some(isTardy) ? undefined : seats
    },
    took(signer, ms) {
      if (ms <= pace.patienceMs()) owe(signer, -1)
      pace.took(signer, ms)
    },
    missed(signer) {
      if (owe(signer, answersForMiss) > answersForMiss * missesMax)
        tardyUntil.set(signer, clock() + tardyMs)
    },
    patienceMs: pace.patienceMs,
  }
}
