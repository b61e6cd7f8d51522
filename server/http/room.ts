import { toHex } from '@quorate/core/bytes'

/**
 * So many servers may fill at once what each of them has counted: each takes no more than its share of
 * what was left before it counts again. The last few are counted one by one.
 */
const serversMax = 16
const shareOf = (left: number) => Math.max(1, Math.floor(left / serversMax))
/** Whoever was told that it is full is told the same for so long, and nothing is counted for it. */
const fullForMs = 1_000
/** What was counted, others may have filled: after this long it is counted again. */
const knownForMs = 60_000
const organizationsMax = 1_024

type Known = { readonly until: number; left: number }

/** Counts as many as there are, and no further than `max`. */
export type Count = (max: number) => Promise<number>

/**
 * Room for so many of each organization, without counting them each time: few are quickly counted,
 * and of many it takes thousands to change anything. By the time that it is nearly full, each is.
 */
export class Room {
  readonly #max: number
  readonly #steady: () => number
  readonly #known = new Map<string, Known>()

  constructor(max: number, steady: () => number = () => performance.now()) {
    this.#max = max
    this.#steady = steady
  }

  /** Is there room for one more? It counts as taken then. */
  async take(organization: Uint8Array, count: Count): Promise<boolean> {
    const name = toHex(organization)
    const known = this.#known.get(name)
    const isKnown = known !== undefined && this.#steady() < known.until
    if (isKnown && known.left !== 0) {
      known.left -= 1
      return known.left >= 0
    }
    const left = this.#max - (await count(this.#max))
    this.#know(name, left)
    return left > 0
  }

  /** Below zero: full. Zero: to be counted the next time. */
  #know(name: string, left: number): void {
    const isFull = left <= 0
    const until = this.#steady() + (isFull ? fullForMs : knownForMs)
    this.#known.delete(name)
    this.#known.set(name, { until, left: isFull ? -1 : shareOf(left) - 1 })
    const [oldest] = this.#known.keys()
    if (this.#known.size > organizationsMax && oldest !== undefined) this.#known.delete(oldest)
  }
}
