import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { signWithinMs } from './auth/challenge.ts'
import type { Database, DatabaseTransaction } from './database/database.ts'

/**
 * Names that may be erased and are therefore no rule's business: it is the server that keeps two
 * things from bearing one. A name is claimed before its request is settled, and is the holder's
 * once that is in force.
 */
export type NameClaim = {
  readonly organization: Uint8Array
  /** Within what it is unique: an organization, or one of its users. */
  readonly scope: Uint8Array
  readonly name: string
  readonly holder: Uint8Array
  readonly request: Uint8Array
}

/** The documented lists of what bears such names have no pages; more are made by mistake alone. */
export const namesMax = 1000

/** @returns whether the name is free or the holder's own; a claim lapses with its request */
export async function claimName(
  transaction: DatabaseTransaction,
  claim: NameClaim,
  now: number,
): Promise<boolean> {
  const { organization, scope, name, holder, request } = claim
  await judgeRoom(transaction, claim)
  const claimed = { holder, request, lapses_at: now + signWithinMs }
  const { numInsertedOrUpdatedRows } = await transaction
    .insertInto('names')
    .values({ organization, scope, name, ...claimed })
    .onConflict((conflict) =>
      conflict
        .columns(['organization', 'scope', 'name'])
        .doUpdateSet(claimed)
        .where((eb) =>
          eb.or([
            eb('names.lapses_at', '<', now),
            eb.and([eb('names.lapses_at', 'is not', null), eb('names.request', '=', request)]),
          ]),
        ),
    )
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows === 1n) return true
  const known = await transaction
    .selectFrom('names')
    .select(['holder', 'lapses_at'])
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .where('name', '=', name)
    .executeTakeFirst()
  return known !== undefined && known.lapses_at === null && equalBytes(known.holder, holder)
}

async function judgeRoom(
  transaction: DatabaseTransaction,
  { organization, scope }: NameClaim,
): Promise<void> {
  const { count } = await transaction
    .selectFrom('names')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('organization', '=', organization)
    .where('scope', '=', scope)
    .executeTakeFirstOrThrow()
  if (Number(count) >= namesMax)
    throw new Failure('request.unsupported', { reason: `there are ${namesMax} already` })
}

/** From certified steps alone: the name is the holder's now, and whatever he bore before is free. */
export async function settleName(
  transaction: DatabaseTransaction,
  claim: NameClaim,
): Promise<void> {
  const { organization, scope, name, holder, request } = claim
  await transaction
    .deleteFrom('names')
    .where('organization', '=', organization)
    .where('holder', '=', holder)
    .where('name', '<>', name)
    .where('lapses_at', 'is', null)
    .execute()
  await transaction
    .insertInto('names')
    .values({ organization, scope, name, holder, request, lapses_at: null })
    .onConflict((conflict) =>
      conflict
        .columns(['organization', 'scope', 'name'])
        .doUpdateSet({ holder, request, lapses_at: null }),
    )
    .execute()
}

/** What is archived bears no name any more. */
export async function freeNames(
  transaction: DatabaseTransaction,
  { organization, holder }: Pick<NameClaim, 'organization' | 'holder'>,
): Promise<void> {
  await transaction
    .deleteFrom('names')
    .where('organization', '=', organization)
    .where('holder', '=', holder)
    .execute()
}

/** Nothing came of the request, so the name is free. */
export async function giveNameBack(
  database: Database,
  { organization, request }: Pick<NameClaim, 'organization' | 'request'>,
): Promise<void> {
  await database
    .deleteFrom('names')
    .where('organization', '=', organization)
    .where('request', '=', request)
    .where('lapses_at', 'is not', null)
    .execute()
}
