type Rows = readonly (readonly string[])[]

/** A table as text (RFC 4180), with a line of names before it: made piece by piece, as it is read. */
export class Csv {
  readonly pieces: AsyncIterable<string>
  constructor(pieces: AsyncIterable<string>) {
    this.pieces = pieces
  }
}

/** @throws whatever the first page throws: nothing has been answered yet */
export async function csvOf(names: readonly string[], pages: AsyncIterable<Rows>): Promise<Csv> {
  const reading = pages[Symbol.asyncIterator]()
  const first = await reading.next()
  return new Csv(pieces())

  async function* pieces(): AsyncGenerator<string> {
    yield textOf([names])
    for (let page = first; page.done !== true; page = await reading.next())
      if (page.value.length > 0) yield textOf(page.value)
  }
}

function textOf(rows: Rows): string {
  return rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('')
}

/**
 * Each cell is quoted. One that begins as formulas do is text by an apostrophe before it, or whoever named a token
 * could have a spreadsheet compute (OWASP, "CSV Injection").
 */
export function cellOf(text: string): string {
  const plain = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
  return `"${plain.replaceAll('"', '""')}"`
}
