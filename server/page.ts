import { cutPage, positionOf } from '@quorate/api/page'
import { fromHex, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { sql, type SelectQueryBuilder } from 'kysely'

export type Paging = { readonly limit: number; readonly paginationToken?: string | undefined }

/** Where a row stands in a list that is newest first; ids part what one moment made. */
export type Position = { readonly at: number; readonly id: Uint8Array }

const form = /^([0-9]{1,15})\.([0-9a-f]{64})$/

/** @throws Failure `body.malformed` for what no list of ours has given out */
export function readPosition(token: string | undefined): Position | undefined {
  if (token === undefined) return undefined
  const [, at, id] = form.exec(positionOf(token)) ?? []
  if (at !== undefined && id !== undefined) return { at: Number(at), id: fromHex(id) }
  throw foreignToken()
}

export function foreignToken(): Failure<'body.malformed'> {
  const issues = [{ path: 'query.paginationToken', message: 'not a token of this list' }]
  return new Failure('body.malformed', { issues })
}

/**
 * Newest first, from where the last page ended, and one row more than a page holds.
 *
 * @param columns of the moment and the id, as the index of such a list has them
 */
export function newestFirst(
  { limit, paginationToken }: Paging,
  columns: readonly [at: string, id: string] = ['created_at', 'id'],
) {
  const [at, id] = [sql.ref(columns[0]), sql.ref(columns[1])]
  const after = readPosition(paginationToken)
  return <DB, TB extends keyof DB, Row>(rows: SelectQueryBuilder<DB, TB, Row>) => {
    const rest =
      after === undefined
        ? rows
        : rows.where(sql<boolean>`(${at}, ${id}) < (${after.at}, ${after.id})`)
    return rest
      .orderBy(at, 'desc')
      .orderBy(id, 'desc')
      .limit(limit + 1)
  }
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
