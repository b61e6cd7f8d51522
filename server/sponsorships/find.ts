import { nameOf } from '@quorate/core/id'
import type { Database } from '../database/database.ts'
import { pageOf, readPosition } from '../page.ts'
import type { ListQuery } from '../transfers/find.ts'
import type { Outgoing } from '../transfers/tables.ts'

/** All that is sent for a row that somebody else pays for, in the order of their bids. */
export function sponsorshipsOf(
  database: Database,
  { organization, id }: Pick<Outgoing, 'organization' | 'id'>,
): Promise<readonly Outgoing[]> {
  return database
    .selectFrom('outgoing')
    .selectAll()
    .where('organization', '=', organization)
    .where('sponsored', '=', id)
    .orderBy('bid')
    .execute()
}

/** What a sponsorship is sent for. */
export async function sponsoredOf(
  database: Database,
  { organization, sponsored }: Pick<Outgoing, 'organization' | 'sponsored'>,
): Promise<Outgoing> {
  return database
    .selectFrom('outgoing')
    .selectAll()
    .where('organization', '=', organization)
    .where('id', '=', sponsored)
    .executeTakeFirstOrThrow(() => new TypeError('a sponsorship is sent for something'))
}

/** What one sponsor has paid, the newest first; for what failed on the chain as well. */
export async function listSponsoredFees(
  database: Database,
  { organization, sponsor }: { readonly organization: Uint8Array; readonly sponsor: Uint8Array },
  { limit, paginationToken }: ListQuery,
) {
  const past = readPosition(paginationToken)
  const found = await database
    .selectFrom('outgoing as paid')
    .innerJoin('outgoing as asked', (join) =>
      join
        .onRef('asked.organization', '=', 'paid.organization')
        .onRef('asked.id', '=', 'paid.sponsored'),
    )
    .select(['paid.id', 'paid.created_at', 'paid.fee', 'paid.confirmed_at'])
    .select(['asked.wallet_id', 'asked.name', 'asked.created_at as asked_at'])
    .where('paid.organization', '=', organization)
    .where('paid.fee_sponsor', '=', sponsor)
    .where('paid.sponsored', 'is not', null)
    .where('paid.state', 'in', ['confirmed', 'reverted'])
    .where((eb) =>
      past === undefined
        ? eb.lit(true)
        : eb(eb.refTuple('paid.created_at', 'paid.id'), '<', eb.tuple(past.at, past.id)),
    )
    .orderBy('paid.created_at', 'desc')
    .orderBy('paid.id', 'desc')
    .limit(limit + 1)
    .execute()
  const feeSponsorId = nameOf('feeSponsor', sponsor)
  return pageOf(found, limit, {
    positionAt: ({ created_at, id }) => ({ at: created_at, id }),
    itemOf: (row) => ({
      feeSponsorId,
      sponsoreeId: row.wallet_id,
      requestId: row.name,
      ...(row.fee === null ? {} : { fee: row.fee }),
      dateRequested: new Date(row.asked_at).toISOString(),
      dateConfirmed: new Date(row.confirmed_at ?? row.created_at).toISOString(),
    }),
  })
}
