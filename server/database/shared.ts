type Turn<T> = {
  readonly running: Promise<unknown> | undefined
  readonly next: Promise<T> | undefined
}

/**
 * For each name one run at a time, and one more that all who come meanwhile share: what runs already
 * may have looked before that which they must see.
 */
export function sharing<T>(): (name: string, run: () => Promise<T>) => Promise<T> {
  const turns = new Map<string, Turn<T>>()
  return (name, run) => {
    const { running, next } = turns.get(name) ?? {}
    if (next !== undefined) return next
    const turn: Promise<T> = (running ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        turns.set(name, { running: turn, next: undefined })
        return run()
      })
      .finally(() => {
        const left = turns.get(name)
        if (left?.running === turn && left.next === undefined) turns.delete(name)
      })
    turns.set(name, { running, next: turn })
    return turn
  }
}
