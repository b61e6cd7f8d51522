import { Failure } from '@quorate/core/failure'
import { getAddress, isAddress } from 'viem'

/**
 * @param text in one case, or in mixed case with the checksum of EIP-55
 * @returns with the checksum
 * @throws Failure `address.malformed`
 */
export function parseAddress(text: string): `0x${string}` {
  const digits = text.slice(2)
  const upper = digits === digits.toUpperCase()
  // viem's strict check would refuse an address all in capitals, which carries no checksum either.
  if (isAddress(text, { strict: !upper })) return getAddress(text.toLowerCase())
  throw new Failure('address.malformed', { text: text.slice(0, 128) })
}
