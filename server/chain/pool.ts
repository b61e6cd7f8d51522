import type { Rpc } from '@quorate/chains/adapter'

/**
 * What a node's pool surely keeps of one account: so many that can be carried out one after the other,
 * and so many that wait behind a gap (geth, legacypool, `AccountSlots` and `AccountQueue`).
 */
export const pooledMax = 16
export const queuedMax = 64
/** Of an account that runs code, one may invalidate all the others (EIP-7702, "Transaction Propagation"). */
const pooledOfDelegatedMax = 1
/** EIP-7702: what such an account has for code is this, and whose code it runs. */
const delegation = '0xef0100'

/** How many slots after the last mined one may be used at a time. */
export async function slotsAtOnce(rpc: Rpc, address: string): Promise<number> {
  return (await isDelegated(rpc, address)) ? pooledOfDelegatedMax : pooledMax
}

export async function isDelegated(rpc: Rpc, address: string): Promise<boolean> {
  const code = await rpc('eth_getCode', [address, 'latest'])
  return typeof code === 'string' && code.toLowerCase().startsWith(delegation)
}
