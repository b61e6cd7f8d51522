import { quoteFees } from '@quorate/chains/evm/fees'
import { isAuthorityBusy } from '@quorate/chains/evm/index'
import { decodeFacts } from '@quorate/effects/facts'
import { minedNonce } from '../chain/facts.ts'
import type { Outcome, StepDeps } from '../transfers/outcome.ts'
import { writtenFacts } from '../transfers/reading.ts'
import { isKnownAgreed } from '../transfers/agreed.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { sponsorOfRow } from './facts.ts'
import { isPast } from './past.ts'
import { bidRow, putDown } from './row.ts'

/** Five blocks of Ethereum: one that offers enough is hardly ever left out for so long. */
export const stuckMs = 60_000
/** Fifteen blocks of Ethereum: what an account has sent in the ordinary way is in one by then. */
export const keptOutMs = 180_000
/** Each offers a tenth more than the one before: four times as much in the end. */
const payingMax = 16
/** What only takes the slot goes on for as long as signers allow another one there. */
export const bidsMax = 64
/** Until it is looked at again, once there is another one. */
const lookMs = 1_000

/**
 * What a sponsor has sent may be left lying, since fees have risen; then nothing goes on that it pays
 * for later. So another row bids for its slot: for the same, or for nothing once the same may run no
 * more. A slot on which the signers have agreed and that they have not signed is a gap, and filled the
 * same way.
 *
 * @returns nothing where the newest bid is to be waited for
 */
export async function outbid(
  deps: StepDeps,
  row: Outgoing,
  newest: Outgoing,
): Promise<Outcome | undefined> {
  const isDue = (await isRoom(deps, row, newest)) && (await isToOutbid(deps, row, newest))
  if (!isDue) return undefined
  const made = bidRow(newest, row, deps.now)
  return {
    kind: 'move',
    event: 'outbid',
    later: { why: 'what the fee sponsor has sent is outbid by more', ms: lookMs },
    within: async (transaction) => {
      await putDown(transaction, made)
      return {}
    },
  }
}

/** Of those that pay there are so many and no more; the slot has to be filled all the same. */
async function isRoom(deps: StepDeps, row: Outgoing, newest: Outgoing): Promise<boolean> {
  const next = newest.bid + 1
  if (next < payingMax) return true
  if (next >= bidsMax) return false
  if (deps.now > row.execute_before || isFill(newest)) return true
  return (await sponsorOfRow(deps, row)).record.status === 'archived'
}

async function isToOutbid(deps: StepDeps, row: Outgoing, newest: Outgoing): Promise<boolean> {
  const { state, slot, broadcasted_at, created_at } = newest
  if (slot === null) return false
  if (state === 'refused') return isKnownAgreed(deps, newest)
  if (state !== 'signed' && state !== 'broadcasted') return false
  const isOver = deps.now > row.execute_before && !isFill(newest)
  const hasWaited = deps.now >= (broadcasted_at ?? created_at) + stuckMs
  // So that no node is asked about what is on its way.
  if (!isOver && !hasWaited) return false
  const { rpc } = deps.chain
  // Whatever stands behind others goes on when they do.
  if ((await minedNonce(rpc, newest.address)) !== BigInt(slot)) return false
  if (isOver && (await isPast(deps.chain, row.execute_before))) return true
  if (isKeptOut(newest, deps.now)) return true
  return hasWaited && isBelow(newest, await quoteFees(rpc, 'Standard'))
}

/**
 * Has it been refused for so long since its account, which it is to give code to, has transactions of its own that
 * wait? Whoever owns the account can have them wait for ever, behind a gap: then what gives it no code has to take the slot.
 */
export function isKeptOut(row: Outgoing, now: number): boolean {
  const { state, refused_at, waiting, facts } = row
  if (state !== 'signed' || refused_at === null || now < refused_at + keptOutMs) return false
  const sent = facts === null ? undefined : decodeFacts(facts)
  const isFirst = sent?.family === 'sponsorship' && sent.delegation !== undefined
  return isFirst && isAuthorityBusy(waiting ?? '')
}

type Price = { readonly maxFeePerGas: bigint; readonly maxPriorityFeePerGas: bigint }

/** Does it offer less than is usual now? Then what is usual is a reason to offer more. */
function isBelow(row: Outgoing, usual: Price): boolean {
  const facts = decodeFacts(writtenFacts(row))
  if (facts.family !== 'sponsorship' && facts.family !== 'evm')
    throw new TypeError('what is sent offers something')
  return (
    facts.maxFeePerGas < usual.maxFeePerGas ||
    facts.maxPriorityFeePerGas < usual.maxPriorityFeePerGas
  )
}

/** Does it only take the slot? What a bid does is in its facts. */
export function isFill({ facts }: Pick<Outgoing, 'facts'>): boolean {
  return facts !== null && decodeFacts(facts).family === 'evm'
}
