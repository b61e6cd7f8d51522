import type { SentTransaction, SignedTransaction } from '@quorate/chains/adapter'
import type { Outcome } from './outcome.ts'
import type { Outgoing } from './tables.ts'

export function lapse(): Outcome {
  const reason = 'another transaction has used its nonce'
  return { kind: 'move', event: 'lapse', values: { reason } }
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
