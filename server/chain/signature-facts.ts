import { pendingNonce } from '@quorate/chains/evm/index'
import { Failure } from '@quorate/core/failure'
import { addressOf } from '@quorate/effects/address'
import { encodeFacts, noFacts } from '@quorate/effects/facts'
import type { Database } from '../database/database.ts'
import { conditionOf } from '../history/condition.ts'
import type { ObserveFacts } from '../signatures/execute.ts'
import { askOf } from './ask.ts'
import { evmNetwork, type Chains } from './chains.ts'
import { observeWithin } from './facts.ts'
import { lowestFreeSlot } from './slots.ts'

/**
 * What a transaction leaves open that is signed and handed back. Its slot is not held: whether it is
 * ever broadcast is the caller's affair, and from the moment at which the signers have agreed on it
 * no other request gets it. Of two that look at once, the signers refuse one.
 */
export function openSignatureFacts(deps: {
  readonly database: Database
  readonly chains: Chains
}): ObserveFacts {
  const { database, chains } = deps
  return async ({ network: { id: network }, publicKey, intent, organization, key, maxFee }) => {
    const traits = evmNetwork(chains.networks, network)
    const address = addressOf(chains.networks, network, publicKey) ?? ''
    const ask = askOf(intent, { network: traits, address })
    if (ask === undefined) return encodeFacts(noFacts)
    const chain = chains.find(network)
    await chain.ready()
    if ((await conditionOf(database, network)) !== undefined)
      throw new Failure('chain.unavailable', { network })
    const pending = Number(await pendingNonce(chain.rpc, address))
    const place = { organization, key, network, address }
    const free = ask.nonce ?? (await lowestFreeSlot(database, place, pending))
    if (free === undefined) throw new Failure('chain.unavailable', { network })
    const { feeCeiling } = traits
    const bound = maxFee === undefined || maxFee > feeCeiling ? feeCeiling : maxFee
    const observed = await observeWithin(chain, { ...ask, nonce: BigInt(free) }, bound)
    if (observed.ok) return encodeFacts(observed.facts)
    const [fee, ceiling] = [observed.fee.toString(), bound.toString()]
    throw new Failure('fee.above_ceiling', { network, fee, ceiling })
  }
}
