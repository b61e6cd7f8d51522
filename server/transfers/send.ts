import type { Outcome, StepDeps } from './outcome.ts'
import { lapse, lapseByOwn, sentOf, signedOf } from './sent.ts'
import type { Outgoing } from './tables.ts'
import { include } from './watch.ts'

/**
 * Hands the signed bytes to the node, which may be done any number of times. A node that refuses
 * them ends nothing: they may reach the chain another way, or be taken tomorrow.
 */
export async function send(deps: StepDeps, row: Outgoing): Promise<Outcome> {
  const { chain } = deps
  const outcome = await chain.adapter.broadcast(chain.rpc, signedOf(row))
  if (outcome.kind === 'accepted' || outcome.kind === 'known')
    return { kind: 'move', event: 'send' }
  const status = await chain.adapter.status(chain.rpc, chain.network, sentOf(row))
  if (status.kind === 'included') return include(status)
  if (status.kind === 'lapsed') return lapse(deps, row)
  if (status.kind === 'slot-used') return lapseByOwn(deps, row)
  if (status.kind === 'pending' || status.kind === 'no-receipt')
    return { kind: 'move', event: 'send' }
  if (outcome.kind === 'refused') return { kind: 'wait', why: outcome.reason, isRefused: true }
  return { kind: 'wait', why: 'another transaction has its nonce' }
}
