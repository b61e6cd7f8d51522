import { cutPage, positionOf } from '@quorate/api/page'
import { fromHex, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'

/** Where a row stands in a list that is newest first; ids part what one moment made. */
export type Position = { readonly at: number; readonly id: Uint8Array }

const form = /^([0-9]{1,15})\.([0-9a-f]{64})$/

/** @throws Failure `body.malformed` for what no list of ours has given out */
export function readPosition(token: string | undefined): Position | undefined {
  if (token === undefined) return undefined
  const [, at, id] = form.exec(positionOf(token)) ?? []
  if (at !== undefined && id !== undefined) return { at: Number(at), id: fromHex(id) }
  const issues = [{ path: 'query.paginationToken', message: 'not a token of this list' }]
  throw new Failure('body.malformed', { issues })
}

/** Cuts a page off rows of which one more was asked for than the page holds. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  { positionAt, itemOf }: { positionAt: (row: Row) => Position; itemOf: (row: Row) => Item },
): { items: Item[]; nextPageToken?: string } {
  const { items, ...next } = cutPage(rows, limit, (row) => {
    const { at, id } = positionAt(row)
    return `${at}.${toHex(id)}`
  })
  return { items: items.map(itemOf), ...next }
}
