import { Failure } from '@quorate/core/failure'
import { addressOfKey } from './evm/address.ts'
import type { Networks } from './networks.ts'

/**
 * The address of a key on a network, derived by whoever asks and by nobody else.
 * @param publicKey compressed: 33 bytes on secp256k1, 32 on ed25519
 * @returns undefined on a pseudo network, which has no addresses
 * @throws Failure `request.unsupported`, `bytes.malformed`
 */
export function addressOf(
  networks: Networks,
  networkId: string,
  publicKey: Uint8Array,
): string | undefined {
  const network = networks.find(networkId)
  if (network === undefined)
    throw new Failure('request.unsupported', { reason: `unknown network ${networkId}` })
  return network.family === 'evm' ? addressOfKey(publicKey) : undefined
}
