/**
 * At most so many values by name; what was put longest ago makes room. For what can be read or worked
 * out again: whoever finds nothing here does that.
 */
export class Kept<V> {
  readonly #values = new Map<string, V>()
  readonly #countMax: number

  constructor(countMax: number) {
    this.#countMax = countMax
  }

  get size(): number {
    return this.#values.size
  }

  get(name: string): V | undefined {
    return this.#values.get(name)
  }

  put(name: string, value: V): void {
    const isNew = !this.#values.delete(name)
    if (isNew && this.#values.size >= this.#countMax) {
      const [oldest] = this.#values.keys()
      if (oldest !== undefined) this.#values.delete(oldest)
    }
    this.#values.set(name, value)
  }

  oldest(): readonly [name: string, value: V] | undefined {
    return this.#values.entries().next().value
  }

  drop(name: string): void {
    this.#values.delete(name)
  }

  clear(): void {
    this.#values.clear()
  }
}
