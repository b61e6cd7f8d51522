import type { SentTransaction, SignedTransaction } from '@quorate/chains/adapter'
import { equalBytes } from '@quorate/core/bytes'
import type { Outcome, StepDeps } from './outcome.ts'
import type { Outgoing } from './tables.ts'

/** Its slot is another's for good: of one of ours, or of what somebody has sent past us. */
export async function lapse(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const winner = await winnerAt(deps, row)
  return winner === undefined
    ? lapsed('another transaction has used its nonce')
    : lapsedBy(winner, row)
}

/** Of what nobody else can tell, only one of ours that a block has is known to have used the slot. */
export async function lapseByOwn(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const winner = await winnerAt(deps, row)
  return winner === undefined ? { kind: 'wait', why: whySlotUsed } : lapsedBy(winner, row)
}

const whySlotUsed =
  'its nonce is used, and the node cannot say by which transaction: one that has older states could'
export const whyNoReceipt = 'a block has it, and the node has no receipt that says how it went'

function lapsedBy({ id, name, replacement }: Outgoing, row: Outgoing): Outcome {
  if (row.replaces !== null && equalBytes(id, row.replaces))
    return lapsed(`${name} was carried out, which it was to replace`)
  const reason = replacement === 'cancellation' ? `cancelled by ${name}` : `replaced by ${name}`
  return lapsed(reason, { replacement_id: name })
}

function lapsed(reason: string, more: { readonly replacement_id?: string } = {}): Outcome {
  return { kind: 'move', event: 'lapse', values: { reason, ...more } }
}

/** Of the others that were signed for this slot, the one that is in a block. */
async function winnerAt(
  { database, chain }: StepDeps,
  row: Outgoing,
): Promise<Outgoing | undefined> {
  const { adapter, rpc, network } = chain
  const others = await database
    .selectFrom('outgoing')
    .selectAll()
    .where('network', '=', row.network)
    .where('address', '=', row.address)
    .where('slot', '=', row.slot)
    .where('signed', 'is not', null)
    .where('id', '!=', row.id)
    .execute()
  for (const other of others) {
    const status = await adapter.status(rpc, network, sentOf(other))
    if (status.kind === 'included' || status.kind === 'no-receipt') return other
  }
  return undefined
}

export function signedOf({ signed, hash, state }: Outgoing): SignedTransaction {
  if (signed === null || hash === null) throw new TypeError(`${state}, and nothing is signed`)
  return { bytes: signed, hash }
}

export function sentOf(row: Outgoing): SentTransaction {
  const { hash } = signedOf(row)
  if (row.slot === null) throw new TypeError('what is signed has a slot')
  return { hash, from: row.address, slot: BigInt(row.slot) }
}

/** Where a transaction is that no block has, or has any more. */
export const nowhere = {
  block_hash: null,
  block_number: null,
  fee: null,
  reason: null,
  confirmed_at: null,
} as const
