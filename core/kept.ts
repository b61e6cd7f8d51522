/**
 * At most so many values by name; those that nobody has put or asked for in a while make room. For what can
 * be read or worked out again: whoever finds nothing here does that.
 *
 * In two generations, of which the older goes as a whole: a `Map` that gives up its first entry for each new
 * one walks over all the places that it has given up before.
 */
export class Kept<V> {
  #newer = new Map<string, V>()
  #older = new Map<string, V>()
  readonly #generationMax: number

  /** @param countMax two at least */
  constructor(countMax: number) {
    this.#generationMax = Math.floor(countMax / 2)
  }

  get size(): number {
    return this.#newer.size + this.#older.size
  }

  get(name: string): V | undefined {
    const found = this.#newer.get(name)
    if (found !== undefined) return found
    const old = this.#older.get(name)
    if (old !== undefined) this.put(name, old)
    return old
  }

  put(name: string, value: V): void {
    this.#older.delete(name)
    this.#newer.set(name, value)
    if (this.#newer.size >= this.#generationMax) this.age()
  }

  /** Drops what nobody has put or asked for since this was last done. */
  age(): void {
    this.#older = this.#newer
    this.#newer = new Map()
  }

  drop(name: string): void {
    this.#newer.delete(name)
    this.#older.delete(name)
  }

  clear(): void {
    this.#newer.clear()
    this.#older.clear()
  }
}
