import { findHeader } from '@quorate/chains/evm/index'
import type { Chain } from '../chain/chains.ts'
import type { Outcome, StepDeps } from '../transfers/outcome.ts'
import { nowhere } from '../transfers/sent.ts'
import { isAgreed } from '../transfers/sign.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { sponsorshipOf } from './find.ts'

/** Whatever the sponsorship moves on calls for another look; this is for when that was not heard. */
const lookMs = 2_000

/**
 * What a sponsor pays for is signed, and goes the way of what the sponsor sends for it: the contract
 * takes the one only by the other.
 */
export async function follow(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const paid = await sponsorshipOf(deps.database, row)
  const { hash } = paid
  switch (paid.state) {
    case 'broadcasted':
      if (row.state === 'signed') return { kind: 'move', event: 'send', values: { hash } }
      return row.state === 'included' ? displaced : wait(paid)
    case 'included':
    case 'confirmed':
    case 'reverted':
      return settle(row, paid)
    case 'lapsed':
      return lapse(paid)
    case 'refused':
    case 'expired':
    case 'rejected':
      return ended(deps, row, paid)
    default:
      return wait(paid)
  }
}

/** Its block is gone, and may come again. */
const displaced = { kind: 'move', event: 'displace', values: nowhere } as const satisfies Outcome

function wait({ waiting }: Outgoing): Outcome {
  return { kind: 'wait', why: waiting, ms: lookMs }
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

function lapse({ reason }: Outgoing): Outcome {
  const why = `the fee sponsor has not paid: ${reason ?? 'nobody knows why'}`
  return { kind: 'move', event: 'lapse', values: { reason: why } }
}

/**
 * The sponsor has sent nothing, and will not. Where its signers have agreed on it all the same, parts of
 * a signature may be about: then it has failed once no block can take it any more.
 */
async function ended(deps: StepDeps, row: Outgoing, paid: Outgoing): Promise<Outcome> {
  const isOver = !(await isAgreed(deps, paid)) || (await isPast(deps.chain, row.execute_before))
  if (isOver) return lapse(paid)
  return { kind: 'wait', why: 'until no block can take it any more', ms: lookMs }
}

/** By the clock of a block that nothing takes back. */
async function isPast({ rpc, network }: Chain, time: number): Promise<boolean> {
  const head = await findHeader(rpc, 'latest')
  const depth = BigInt(network.confirmationsFinal)
  if (head === undefined || head.number < depth) return false
  const settled = await findHeader(rpc, head.number - depth)
  return settled !== undefined && Number(settled.timestamp) * 1000 > time
}
