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

/**
 * What one page of bodies may weigh in the database; one row more goes over it. In an answer it weighs
 * a few times as much, for as long as it is made.
 */
export const pageBytesMax = 4 * 1024 * 1024

/** Of the next rows of a list, given their weights: how many a page holds, of any at all at least one. */
export function countThatFits(
  weights: readonly { readonly bytes: number }[],
  limit: number,
): number {
  let sum = 0
  const over = weights.findIndex(({ bytes }) => (sum += bytes) > pageBytesMax)
  return over < 0 ? limit : Math.min(limit, over + 1)
}

/** Summed over the columns, without reading what is in them. */
export function bytesOf(...columns: readonly string[]) {
  const lengths = columns.map((column) => sql`coalesce(octet_length(${sql.ref(column)}), 0)`)
  return sql<number>`${sql.join(lengths, sql` + `)}`.as('bytes')
}

/**
 * As `newestFirst`, for rows that hold what somebody has sent: weighed before they are read, and fewer
 * than asked for where they are large. `limit` is what the page holds of what is `found`.
 */
export async function newestThatFit<DB, TB extends keyof DB, Row>(
  rows: SelectQueryBuilder<DB, TB, Row>,
  query: Paging,
  {
    weighed,
    columns,
  }: { readonly weighed: readonly string[]; readonly columns?: readonly [at: string, id: string] },
) {
  const weights = await rows
    .clearSelect()
    .select(bytesOf(...weighed))
    .$castTo<{ bytes: number }>()
    .$call(newestFirst(query, columns))
    .execute()
  const limit = countThatFits(weights, query.limit)
  const found = await rows.$call(newestFirst({ ...query, limit }, columns)).execute()
  return { found, limit }
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
