import type { TransactionStatus } from '@quorate/chains/adapter'
import type { Outcome, StepDeps } from './outcome.ts'
import { lapse, lapseByOwn, nowhere, sentOf, signedOf, whyNoReceipt } from './sent.ts'
import type { Outgoing } from './tables.ts'

type Included = Extract<TransactionStatus, { kind: 'included' }>

/** Looks where the chain has it, and follows: forwards, sideways and back. */
export async function watch(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const { adapter, rpc, network } = deps.chain
  const status = await adapter.status(rpc, network, sentOf(row))
  if (status.kind === 'lapsed') return lapse(deps, row)
  if (status.kind === 'slot-used') return lapseByOwn(deps, row)
  if (status.kind === 'no-receipt') return { kind: 'wait', why: whyNoReceipt }
  if (status.kind === 'included') return settle(row, status, network.confirmationsFinal)
  if (row.state === 'included') return displace()
  if (status.kind === 'pending') return { kind: 'wait', why: null }
  // The answer is of no account: the next look tells what became of it.
  await adapter.broadcast(rpc, signedOf(row))
  return { kind: 'wait', why: 'sent again, as the node had lost it' }
}

/** In another block than the one known, or in the first one: that is written down before it counts. */
function settle(row: Outgoing, status: Included, confirmationsFinal: number): Outcome {
  if (row.state !== 'included' || row.block_hash !== status.blockHash) return include(status)
  if (status.confirmations < confirmationsFinal) return { kind: 'wait', why: null }
  if (status.succeeded) return { kind: 'move', event: 'confirm' }
  const reason = 'the chain carried it out, and it failed'
  return { kind: 'move', event: 'revert', values: { reason } }
}

export function include({ blockHash, blockNumber, fee }: Included): Outcome {
  const block = { block_hash: blockHash, block_number: Number(blockNumber) }
  return { kind: 'move', event: 'include', values: { ...block, fee: fee.toString() } }
}

/** Its block is gone. The bytes are as good as ever. */
function displace(): Outcome {
  return { kind: 'move', event: 'displace', values: nowhere }
}
