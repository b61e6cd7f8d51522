import { z } from 'zod'

import { toBase64url, fromBase64url, fromUtf8, toUtf8 } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'

export const limitDefault = 50
/** What the documented API allows; a page may hold fewer where they are large, and has a token then. */
export const limitMax = 500
/** A position is an id or a time with an id; base64url adds a third. */
const tokenLengthMax = 512

export const pageQuery = {
  limit: z
    .string()
    .regex(/^[0-9]{1,3}$/, `a whole number from 1 to ${limitMax}`)
    .transform(Number)
    .pipe(z.int().min(1).max(limitMax))
    .default(limitDefault),
  paginationToken: z.string().max(tokenLengthMax).optional(),
}

/** The documented limit of users, webhooks and their events is below that of others. */
const shortLimitMax = 200
export const shortPageQuery = {
  ...pageQuery,
  limit: pageQuery.limit.pipe(z.int().max(shortLimitMax)),
}

export function pageOf<T extends z.ZodType>(
  item: T,
): z.ZodObject<{ items: z.ZodArray<T>; nextPageToken: z.ZodOptional<z.ZodString> }> {
  return z.object({ items: z.array(item), nextPageToken: z.string().optional() })
}

/** The position after which the next page begins, as the client carries it. Not a secret. */
export function pageTokenOf(position: string): string {
  return toBase64url(toUtf8(position))
}

/** @throws Failure `body.malformed` for what is no page token */
export function positionOf(token: string): string {
  try {
    return fromUtf8(fromBase64url(token))
  } catch (cause) {
    if (!isFailure(cause, 'bytes.malformed')) throw cause
    const issues = [{ path: 'query.paginationToken', message: 'not a token of this list' }]
    throw new Failure('body.malformed', { issues }, { cause })
  }
}

/**
 * Cuts a page off a query that was asked for one row more than the limit: that row is how we know
 * that there is a next page.
 */
export function cutPage<T>(
  rows: readonly T[],
  limit: number,
  positionAt: (row: T) => string,
): { readonly items: T[]; readonly nextPageToken?: string } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  if (rows.length <= limit || last === undefined) return { items }
  return { items, nextPageToken: pageTokenOf(positionAt(last)) }
}
