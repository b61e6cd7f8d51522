import { callFunction, getFees } from '@quorate/api/networks'
import { callFunction as ask, readFees } from '@quorate/chains/evm/index'
import type { Caller } from '../auth/caller.ts'
import { chainAt, type Chains } from '../chain/chains.ts'
import { routing, type Route } from '../http/route.ts'

const { route } = routing<Caller>()

/** What anybody who has a token may ask of a network. Nothing of it is any organization's. */
export function networkRoutes({ chains }: { readonly chains: Chains }): readonly Route<Caller>[] {
  return [
    route(getFees, async ({ query }) => {
      const chain = chains.find(query.network)
      await chain.ready()
      const { blockNumber, baseFeePerGas, quotes } = await readFees(chain.rpc)
      return {
        kind: 'Eip1559' as const,
        network: chain.network.id,
        blockNumber: Number(blockNumber),
        slow: texts(quotes.Slow),
        standard: texts(quotes.Standard),
        fast: texts(quotes.Fast),
        baseFeePerGas: String(baseFeePerGas),
      }
    }),
    route(callFunction, async ({ params, body: { contract, abi, calldata = [] } }) => {
      const chain = chainAt(chains, params.network)
      await chain.ready()
      const { name, inputs, outputs } = abi
      return ask(chain.rpc, chain.network, { contract, name, inputs, outputs, values: calldata })
    }),
  ]
}

function texts(quote: { readonly maxPriorityFeePerGas: bigint; readonly maxFeePerGas: bigint }) {
  const { maxPriorityFeePerGas: tip, maxFeePerGas: fee } = quote
  return { maxPriorityFeePerGas: String(tip), maxFeePerGas: String(fee) }
}
