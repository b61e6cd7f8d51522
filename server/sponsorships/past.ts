import { findHeader } from '@quorate/chains/evm/index'
import type { Chain } from '../chain/chains.ts'

/** By the clock of a block that nothing takes back: is it later than this? */
export async function isPast({ rpc, network }: Chain, time: number): Promise<boolean> {
  const head = await findHeader(rpc, 'latest')
  const depth = BigInt(network.confirmationsFinal)
  if (head === undefined || head.number < depth) return false
  const settled = await findHeader(rpc, head.number - depth)
  return settled !== undefined && Number(settled.timestamp) * 1000 > time
}
