/**
 * Rows that were read or written a moment ago, the oldest of which go first. Of what is undone in the
 * file nothing may stay here: see `forget` of `logTable`.
 */
export class Kept<T> {
  private readonly rows = new Map<string, T>()
  private readonly countMax: number

  constructor(countMax: number) {
    this.countMax = countMax
  }

  get(name: string): T | undefined {
    return this.rows.get(name)
  }

  put(name: string, row: T): void {
    this.rows.delete(name)
    this.rows.set(name, row)
    const [oldest] = this.rows.keys()
    if (this.rows.size > this.countMax && oldest !== undefined) this.rows.delete(oldest)
  }

  drop(name: string): void {
    this.rows.delete(name)
  }

  clear(): void {
    this.rows.clear()
  }
}
