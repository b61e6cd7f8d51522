import { styleText } from 'node:util'

/** How the demo looks: scenes with a number, facts in two columns, and what went well or not. */
export type Stage = {
  title(name: string, subtitle: string): void
  scene(title: string): void
  fact(name: string, value: string): void
  good(what: string, ms?: number): void
  bad(what: string): void
  table(head: readonly string[], rows: readonly (readonly string[])[]): void
  end(): void
}

const nameWidth = 13
const indent = '     '

/** `styleText` leaves colours out where the output is no terminal, and where NO_COLOR is set. */
export function openStage(print: (line: string) => void): Stage {
  const start = performance.now()
  let scenes = 0
  const dim = (text: string) => styleText('dim', text)
  return {
    title: (name, subtitle) => print(`\n  ${styleText(['bold', 'cyan'], name)}  ${subtitle}`),
    scene: (title) =>
      print(`\n  ${styleText('cyan', String(++scenes))}  ${styleText('bold', title)}`),
    fact: (name, value) => print(`${indent}${dim(name.padEnd(nameWidth))}${value}`),
    good: (what, ms) =>
      print(
        `${indent}${styleText('green', '✓')} ${what}${ms === undefined ? '' : dim(`  ${seconds(ms)}`)}`,
      ),
    bad: (what) => print(`${indent}${styleText('yellow', '■')} ${what}`),
    table: (head, rows) => {
      const widths = head.map((title, i) =>
        Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)),
      )
      const line = (row: readonly string[]) =>
        `${indent}${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join('  ')}`.trimEnd()
      print(dim(line(head)))
      for (const row of rows) print(line(row))
    },
    end: () => print(`\n  ${dim(`${seconds(performance.now() - start)} in all`)}\n`),
  }
}

function seconds(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`
}
