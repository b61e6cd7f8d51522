import { appendFileSync, existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import type { Outcome } from './tally.ts'

/** What a run of hours is asked for: it goes on only as the same one. */
type Asked = { readonly first: number; readonly transfers: number }
/** Of an outcome: what JSON knows no word for is a list. */
type Line = Pick<Outcome, 'again' | 'transfers' | 'findings'> & {
  /** So many had passed when it was written. */
  readonly seconds: number
  readonly statuses: readonly (readonly [string, number])[]
  readonly faults: readonly (readonly [string, number])[]
  readonly visited: readonly string[]
  readonly unknown: readonly string[]
}

/** One line for each world that is over, so that a run that was stopped, or whose machine was, goes on where it was. */
export class KeptOutcomes {
  private readonly path: string
  private readonly lines: readonly Line[]

  /** @throws Error if the file is another run's */
  constructor(path: string, { first, transfers }: Asked) {
    this.path = path
    const head = JSON.stringify({ first, transfers })
    if (!existsSync(path)) writeFileSync(path, `${head}\n`)
    const text = readFileSync(path, 'utf8')
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    // What was being written when the machine went away.
    if (whole.length < text.length) truncateSync(path, Buffer.byteLength(whole))
    const [found, ...lines] = whole.split('\n').slice(0, -1)
    if (found !== head) throw new Error(`${path} is of another run: ${found}`)
    this.lines = lines.map((line) => JSON.parse(line) as Line)
  }

  /** So many had passed when the last of them was written. */
  get seconds(): number {
    return this.lines.at(-1)?.seconds ?? 0
  }

  get outcomes(): readonly Outcome[] {
    return this.lines.map(
      ({ again, transfers, findings, statuses, faults, visited, unknown }): Outcome => ({
        ...{ again, transfers, findings, statuses: new Map(statuses), faults: new Map(faults) },
        ...{ visited: new Set(visited), unknown: new Set(unknown) },
      }),
    )
  }

  add({ statuses, faults, visited, unknown, ...outcome }: Outcome, seconds: number): void {
    const line: Line = {
      ...{ seconds, ...outcome, statuses: [...statuses], faults: [...faults] },
      ...{ visited: [...visited], unknown: [...unknown] },
    }
    appendFileSync(this.path, `${JSON.stringify(line)}\n`)
  }
}
