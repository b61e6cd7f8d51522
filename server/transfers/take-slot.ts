import { pendingNonce } from '@quorate/chains/evm/index'
import { checkIntent } from '../chain/ask.ts'
import { minedNonce } from '../chain/facts.ts'
import { holdSlot, lockQueue, lowestFreeSlot } from '../chain/slots.ts'
import type { DatabaseTransaction } from '../database/database.ts'
import { atTheDesk } from './lifecycle.ts'
import type { Change } from './move.ts'
import { expire, isExpired, refuse, type Outcome, type StepDeps } from './outcome.ts'
import { intentOf, payerOf } from './reading.ts'
import type { Outgoing } from './tables.ts'

/** Whoever leaves the desk calls the next one; this is for when that was not heard. */
const atTheDeskMs = 2_000

/**
 * Gives a request its slot, for ever. One request of an address at a time holds a slot that the
 * signers have not agreed on yet: so one that is refused leaves no gap, and its slot is the next
 * one's.
 */
export async function takeSlot({ chain, now }: StepDeps, row: Outgoing): Promise<Outcome> {
  if (isExpired(row, now)) return expire()
  if (row.names_slot) return takeNamed(row, await minedNonce(chain.rpc, row.address))
  const pending = Number(await pendingNonce(chain.rpc, row.address))
  return {
    kind: 'move',
    event: 'takeSlot',
    within: (transaction) => takeNext(transaction, row, pending),
  }
}

/** How long to wait when another one is at the desk. */
export const notNow = {
  kind: 'wait',
  why: 'another one of this wallet comes first',
  ms: atTheDeskMs,
} as const satisfies Outcome

/** The payload's own word counts, be it to replace what waits or to go ahead of the line. */
function takeNamed(row: Outgoing, mined: bigint): Outcome {
  const { slot: named = 0n } = checkIntent(payerOf(row), intentOf(row))
  if (named < mined) return refuse(`the nonce ${named} has been used`)
  const [slot, { request }] = [Number(named), row]
  return {
    kind: 'move',
    event: 'takeSlot',
    within: async (transaction) => {
      await holdSlot(transaction, row, { slot, request })
      return { slot }
    },
  }
}

async function takeNext(
  transaction: DatabaseTransaction,
  row: Outgoing,
  pending: number,
): Promise<Change | undefined> {
  await lockQueue(transaction, row)
  const present = await transaction
    .selectFrom('outgoing')
    .select('id')
    .where('network', '=', row.network)
    .where('address', '=', row.address)
    .where('state', 'in', atTheDesk)
    .where('names_slot', '=', false)
    .limit(1)
    .executeTakeFirst()
  if (present !== undefined) return undefined
  const slot = await lowestFreeSlot(transaction, row, pending)
  if (slot === undefined) return undefined
  await holdSlot(transaction, row, { slot, request: row.request })
  return { slot }
}
