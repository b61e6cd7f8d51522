import { pendingNonce } from '@quorate/chains/evm/index'
import type { Rpc } from '@quorate/chains/adapter'
import { checkIntent } from '../chain/ask.ts'
import { isDelegated, queuedMax, slotsAtOnce } from '../chain/pool.ts'
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
  const { rpc } = chain
  const mined = await minedNonce(rpc, row.address)
  if (row.names_slot) return takeNamed(rpc, row, mined)
  const pending = Number(await pendingNonce(rpc, row.address))
  const end = Number(mined) + (await slotsAtOnce(rpc, row.address))
  if (pending >= end) return full
  return {
    kind: 'move',
    event: 'takeSlot',
    within: (transaction) => takeNext(transaction, row, { pending, end }),
  }
}

/** Whatever leaves the pool calls the next one; this is for when that was not heard. */
const full = {
  kind: 'wait',
  why: 'as many of this wallet wait for a block as a node keeps of one account',
  ms: 2_000,
} as const satisfies Outcome

/** How long to wait when another one is at the desk. */
export const notNow = {
  kind: 'wait',
  why: 'another one of this wallet comes first',
  ms: atTheDeskMs,
} as const satisfies Outcome

/** The user's own word counts, be it to replace what waits or to go ahead of the line. */
async function takeNamed(rpc: Rpc, row: Outgoing, mined: bigint): Promise<Outcome> {
  const named = namedSlot(row)
  if (named < mined) return refuse(`the nonce ${named} has been used`)
  const ahead = named - mined
  const isFar = ahead >= queuedMax || (ahead > 0n && (await isDelegated(rpc, row.address)))
  if (row.replacement === null && isFar) return full
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

function namedSlot(row: Outgoing): bigint {
  if (row.replaces_slot !== null) return BigInt(row.replaces_slot)
  return checkIntent(payerOf(row), intentOf(row)).slot ?? 0n
}

async function takeNext(
  transaction: DatabaseTransaction,
  row: Outgoing,
  { pending, end }: { readonly pending: number; readonly end: number },
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
  if (slot === undefined || slot >= end) return undefined
  await holdSlot(transaction, row, { slot, request: row.request })
  return { slot }
}
