/** A table as text (RFC 4180), with a line of names before it. */
export class Csv {
  readonly text: string
  constructor(names: readonly string[], rows: Iterable<readonly string[]>) {
    this.text = [names, ...rows].map((row) => `${row.map(cellOf).join(',')}\r\n`).join('')
  }
}

/**
 * Each cell is quoted. One that begins as formulas do is text by an apostrophe before it, or whoever named a token
 * could have a spreadsheet compute (OWASP, "CSV Injection").
 */
export function cellOf(text: string): string {
  const plain = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
  return `"${plain.replaceAll('"', '""')}"`
}
