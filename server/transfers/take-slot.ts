import { pendingNonce } from '@quorate/chains/evm/index'
import type { EvmNetwork } from '@quorate/effects/networks'
import { checkIntent } from '../chain/ask.ts'
import type { Chain } from '../chain/chains.ts'
import { isDelegated, pooledMax, queuedMax, slotsAtOnce } from '../chain/pool.ts'
import { minedNonce } from '../chain/facts.ts'
import { holdSlot, lockQueue, lowestFreeSlot } from '../chain/slots.ts'
import type { DatabaseTransaction } from '../database/database.ts'
import { isBeingDelegated } from '../sponsorships/delegating.ts'
import { atTheDesk } from './lifecycle.ts'
import { inLine, placeOf, standBackMs, standsBack } from './line.ts'
import type { Change } from './move.ts'
import {
  expire,
  expiresAt,
  isExpired,
  refuse,
  type Outcome,
  type StepDeps,
  type Wait,
} from './outcome.ts'
import { intentOf, payerOf } from './reading.ts'
import type { Outgoing } from './tables.ts'

/**
 * Whoever leaves the desk calls the next one. This is for when that was not heard: soon for whoever has
 * just come, seldom for the hundreds who stand in line.
 */
const inLineMs = 2_000
const inLineMsMax = 10_000
const growth = 1.5

/**
 * Gives a request its slot, for ever. One request of an address at a time holds a slot that the
 * signers have not agreed on yet: so one that is refused leaves no gap, and its slot is the next
 * one's.
 */
export async function takeSlot(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const { database, chain, now } = deps
  if (isExpired(row, now)) return expire(row, now)
  const { rpc } = chain
  if (row.names_slot) return takeNamed(chain, row, await minedNonce(rpc, row.address))
  // Asked again where it counts; here, so that no node is asked for all who stand in line.
  const place = await placeOf(database, row)
  const leastMs = Math.min(place.leastMs, expiresAt(row) - now)
  if (place.isDeskTaken || place.inLine >= pooledMax) return notNow(row, leastMs)
  const [mined, waiting, atOnce] = await Promise.all([
    minedNonce(rpc, row.address),
    pendingNonce(rpc, row.address),
    slotsAtOnce(rpc, row.address),
  ])
  const [pending, end] = [Number(waiting), Number(mined) + atOnce]
  if (pending >= end) return full(leastMs)
  return {
    kind: 'move',
    event: 'takeSlot',
    within: (transaction) => takeNext(transaction, row, { mined, pending, end }),
  }
}

const fullMs = 2_000

/** Whatever leaves the pool calls the next one; this is for when that was not heard. */
function full(leastMs = 0): Wait {
  return { kind: 'wait', why: inLine.pool, ms: Math.max(fullMs, leastMs) }
}

/** How long to wait when another one is at the desk, and others are before it in line. */
export function notNow(row: Outgoing, leastMs = 0): Wait {
  const { waiting, attempts } = row
  if (standsBack(row))
    return { kind: 'wait', why: waiting, ms: Math.max(standBackMs, leastMs), isStill: true }
  const ms = Math.round(Math.min(inLineMs * growth ** attempts, inLineMsMax))
  return { kind: 'wait', why: inLine.desk, ms: Math.max(ms, leastMs) }
}

/** The user's own word counts, be it to replace what waits or to go ahead of the line. */
async function takeNamed({ rpc, traits }: Chain, row: Outgoing, mined: bigint): Promise<Outcome> {
  const named = namedSlot(row, traits)
  if (named < mined) return refuse(`the nonce ${named} has been used`)
  const ahead = named - mined
  const isFar = ahead >= queuedMax || (ahead > 0n && (await isDelegated(rpc, row.address)))
  if (row.replacement === null && isFar) return full()
  const [slot, { request }] = [Number(named), row]
  return {
    kind: 'move',
    event: 'takeSlot',
    within: async (transaction) => {
      await lockQueue(transaction, row)
      const isLate = row.replacement === null && (await isBeingDelegated(transaction, row, mined))
      if (isLate) return undefined
      await holdSlot(transaction, row, { slot, request })
      return { slot }
    },
  }
}

function namedSlot(row: Outgoing, traits: EvmNetwork): bigint {
  if (row.replaces_slot !== null) return BigInt(row.replaces_slot)
  return checkIntent(payerOf(row, traits), intentOf(row)).slot ?? 0n
}

/** How far an address has come, and how far it may go. */
type Lane = { readonly mined: bigint; readonly pending: number; readonly end: number }

async function takeNext(
  transaction: DatabaseTransaction,
  row: Outgoing,
  { mined, pending, end }: Lane,
): Promise<Change | undefined> {
  await lockQueue(transaction, row)
  if (await isDeskTaken(transaction, row)) return undefined
  if (await isBeingDelegated(transaction, row, mined)) return undefined
  const slot = await lowestFreeSlot(transaction, row, pending)
  if (slot === undefined || slot >= end) return undefined
  await holdSlot(transaction, row, { slot, request: row.request })
  return { slot }
}

async function isDeskTaken(
  database: DatabaseTransaction,
  { network, address }: Outgoing,
): Promise<boolean> {
  const present = await database
    .selectFrom('outgoing')
    .select('id')
    .where('network', '=', network)
    .where('address', '=', address)
    .where('state', 'in', atTheDesk)
    .where('names_slot', '=', false)
    // What a sponsor pays for has none, and takes none.
    .where('slot', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  return present !== undefined
}
