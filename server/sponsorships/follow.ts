import { isUsed } from '@quorate/chains/evm/account/account'
import { isSlotSettled } from '@quorate/chains/evm/index'
import { isAtRest, onABlock } from '../transfers/lifecycle.ts'
import type { Outcome, StepDeps } from '../transfers/outcome.ts'
import { nowhere } from '../transfers/sent.ts'
import { isKnownAgreed, unlessAgreed } from '../transfers/agreed.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { sponsorshipsOf } from './find.ts'
import { isFill, outbid } from './outbid.ts'
import { isPast } from './past.ts'
import { untilSent } from './row.ts'
import { archivedReason } from './sponsor.ts'

/** Whatever the sponsorship moves on calls for another look; this is for when that was not heard. */
const lookMs = 2_000

/**
 * What a sponsor pays for is signed, and goes the way of what the sponsor sends for it: the contract
 * takes the one only by the other. Of several that bid for one slot, the chain carries out one.
 */
export async function follow(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const bids = await sponsorshipsOf(deps.database, row)
  const newest = bids.at(-1)
  if (newest === undefined) throw new TypeError('what is signed has its sponsorship')
  const landed = bids.find((bid) => isOnABlock(bid) && !isFill(bid))
  if (landed !== undefined) return settle(row, landed)
  if (row.state === 'included') return displaced
  const sent = bids.findLast((bid) => bid.state === 'broadcasted' && !isFill(bid))
  if (sent !== undefined && row.state === 'signed')
    return { kind: 'move', event: 'send', values: { hash: sent.hash } }
  const next = await outbid(deps, row, newest)
  if (next !== undefined) return next
  return bids.some((bid) => bid.signed !== null)
    ? followSent(deps, bids, newest)
    : followUnsent(deps, row, bids)
}

function isOnABlock({ state }: Outgoing): boolean {
  return onABlock.some((each) => each === state)
}

/** Its block is gone, and may come again. */
const displaced = { kind: 'move', event: 'displace', values: nowhere } as const satisfies Outcome

function wait({ waiting, signed }: Pick<Outgoing, 'waiting' | 'signed'>): Outcome {
  return { kind: 'wait', why: waiting ?? (signed === null ? untilSent : null), ms: lookMs }
}

function settle(row: Outgoing, paid: Outgoing): Outcome {
  const { hash, block_hash, block_number, reason } = paid
  if (row.state !== 'included' || row.block_hash !== block_hash)
    return { kind: 'move', event: 'include', values: { hash, block_hash, block_number } }
  if (paid.state === 'confirmed') return { kind: 'move', event: 'confirm' }
  return paid.state === 'reverted'
    ? { kind: 'move', event: 'revert', values: { reason } }
    : wait(paid)
}

/** Where somebody may have the bytes, the chain has the word: only what has its slot ends it. */
function followSent(
  { now }: Pick<StepDeps, 'now'>,
  bids: readonly Outgoing[],
  newest: Outgoing,
): Outcome {
  const isOpen = bids.some(({ signed, state }) => signed !== null && !isAtRest(state))
  if (isOpen) return wait(newest)
  const isFilled = bids.some((bid) => isFill(bid) && isOnABlock(bid))
  // Before that time only an archived sponsor's slots are filled.
  const whyFilled = now > newest.execute_before ? tooLate : archivedReason
  return lapse(isFilled ? whyFilled : bids.find(({ state }) => state === 'lapsed')?.reason)
}

const tooLate = 'no block had taken it when its time was over'

function lapse(reason: string | null | undefined): Outcome {
  const why = `the fee sponsor has not paid: ${reason ?? 'nobody knows why'}`
  return { kind: 'move', event: 'lapse', values: { reason: why } }
}

/**
 * The sponsor has sent nothing, and will not. Where its signers have agreed on it all the same, parts of
 * a signature may be about: then it has failed once no block can take it any more, since its time is
 * over, or another one has its slot for good.
 */
async function followUnsent(
  deps: StepDeps,
  row: Outgoing,
  bids: readonly Outgoing[],
): Promise<Outcome> {
  const ended = bids.findLast(({ state }) => isAtRest(state))
  const open = bids.find(({ state }) => !isAtRest(state))
  if (ended === undefined && open !== undefined) return wait(open)
  if (ended === undefined) throw new TypeError('what is signed has its sponsorship')
  const agreed = await Promise.all(bids.map((bid) => isKnownAgreed(deps, bid)))
  const isAbout = agreed.includes(true)
  if (!isAbout && open === undefined) return lapse(ended.reason)
  if (await isSlotTaken(deps, ended)) {
    // Somebody else may have put those parts together; nothing here knows under which hash.
    const isPaid = await isUsed(deps.chain.rpc, row.address, row.request)
    return isPaid ? wait({ waiting: paidUnseen, signed: null }) : lapse(nonceUsed)
  }
  const waiting = open?.waiting ?? 'until no block can take it any more'
  if (!(await isPast(deps.chain, row.execute_before))) return wait({ waiting, signed: null })
  if (open === undefined) return lapse(ended.reason)
  // Once this is over nobody fills the slot but for what is agreed on and refused by then.
  const end = () => lapse(ended.reason)
  return unlessAgreed(deps, open, { reason: waiting, kept: wait(open), end })
}

const nonceUsed = 'another transaction has used its nonce'
const paidUnseen =
  'its account has carried it out, by a transaction that no server has written down: an operator has to look'

async function isSlotTaken(
  { chain: { rpc, network } }: Pick<StepDeps, 'chain'>,
  { address: from, slot }: Outgoing,
): Promise<boolean> {
  return slot !== null && isSlotSettled(rpc, network, { from, slot: BigInt(slot) })
}
