import { idOf } from '@quorate/core/id'
import { usesAt } from '../chain/slots.ts'
import { isAtRest } from '../transfers/lifecycle.ts'
import type { Outcome, StepDeps } from '../transfers/outcome.ts'
import { loseSlot } from '../transfers/prepare.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { sponsoredOf, sponsorshipsOf } from './find.ts'
import { bidsMax } from './outbid.ts'
import { bidRow, putDown } from './row.ts'

/**
 * Gives up a slot that signers have given to another request. Where that is a sponsorship that has ended without a
 * signature, nobody looks after the slot any more, and all that comes on its lane would wait behind it for ever: then the
 * next bid for it comes in the same write. What that is for may have failed by now, and then it is a fill
 * (`prepareSponsorship`).
 */
export async function leaveSlot(deps: StepDeps, row: Outgoing, slot: number): Promise<Outcome> {
  const next = await bidFor(deps, row, slot)
  if (next === undefined) return loseSlot
  return {
    ...loseSlot,
    within: async (transaction) => {
      await putDown(transaction, next)
      return {}
    },
  }
}

async function bidFor(
  { database, now }: StepDeps,
  row: Outgoing,
  slot: number,
): Promise<Outgoing | undefined> {
  const uses = await usesAt(database, row, slot)
  if (uses.length === 0) return undefined
  const ids = uses.map((request) => idOf(request, 'transaction'))
  const newest = await database
    .selectFrom('outgoing')
    .selectAll()
    .where('organization', '=', row.organization)
    .where('id', 'in', ids)
    .where('kind', '=', 'sponsorship')
    .orderBy('bid', 'desc')
    .limit(1)
    .executeTakeFirst()
  if (newest === undefined || !isAtRest(newest.state) || newest.signed !== null) return undefined
  const asked = await sponsoredOf(database, newest)
  const last = (await sponsorshipsOf(database, asked)).at(-1)
  if (last?.bid !== newest.bid || newest.bid + 1 >= bidsMax) return undefined
  return bidRow({ ...newest, slot }, asked, now)
}
