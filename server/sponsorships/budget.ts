import type { StepDeps } from '../transfers/outcome.ts'
import type { Outgoing } from '../transfers/tables.ts'
import type { Sponsor } from './sponsor.ts'

/** As the signers have it, who count by the times of their steps: this is only to fail early. */
const dayMs = 24 * 60 * 60_000

/** @returns in words, what the sponsor would not pay */
export async function overBudget(
  deps: StepDeps,
  row: Outgoing,
  { record: { limits } }: Sponsor,
  fee: bigint,
): Promise<string | undefined> {
  const { perOperation = fee, perDay, perUserPerDay } = limits
  const cost = `and it may cost ${fee}`
  if (fee > perOperation) return `the fee sponsor pays ${perOperation} for one, ${cost}`
  for (const [limit, userId] of [
    [perDay, undefined],
    [perUserPerDay, row.user_id],
  ] as const) {
    if (limit === undefined) continue
    const used = await spentToday(deps, row, userId)
    const left = used < limit ? limit - used : 0n
    if (fee > left) return `the fee sponsor has ${left} left for a day, ${cost}`
  }
  return undefined
}

/**
 * What it may have cost to send what was signed within a day; what has come to nothing costs nothing, and
 * of what bids for one slot the dearest counts.
 */
async function spentToday(
  { database, now }: StepDeps,
  { organization, fee_sponsor }: Outgoing,
  userId: string | undefined,
): Promise<bigint> {
  let rows = database
    .selectFrom('outgoing')
    .select((eb) => eb.fn.max<string | null>(eb.cast<string>('cost', 'numeric')).as('most'))
    .groupBy('sponsored')
    .where('organization', '=', organization)
    .where('fee_sponsor', '=', fee_sponsor)
    .where('sponsored', 'is not', null)
    .where('signed', 'is not', null)
    .where('created_at', '>', now - dayMs)
  if (userId !== undefined) rows = rows.where('user_id', '=', userId)
  const { spent } = await database
    .selectFrom(rows.as('each'))
    .select((eb) => eb.fn.sum<string | null>('each.most').as('spent'))
    .executeTakeFirstOrThrow()
  return BigInt(spent ?? 0)
}
