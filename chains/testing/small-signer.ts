import libsecp256k1 from 'secp256k1/bindings.js'
import { hexToBytes, keccak256, type Hex } from 'viem'

/** `recid` says which of the points that r may stand for. */
export type Signature = { readonly r: Hex; readonly s: Hex; readonly recid: number }

/** Half of the order of secp256k1: of two signatures that say the same, chains take the lower one (EIP-2). */
const sMax = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'

/** @returns whose signature of this digest it is, in lower case; nothing if it is nobody's */
export function signerOf(digest: Uint8Array, { r, s, recid }: Signature): string | undefined {
  const [first, second] = [r, s].map((part) => part.slice(2).toLowerCase().padStart(64, '0'))
  if (second === undefined || second > sMax) return undefined
  const point = recovered(hexToBytes(`0x${first}${second}`), recid, digest)
  // Of the point without its first byte, the last twenty bytes (Yellow Paper, section 4.3.1).
  return point && `0x${keccak256(point.subarray(1)).slice(-40)}`
}

function recovered(
  signature: Uint8Array,
  recid: number,
  digest: Uint8Array,
): Uint8Array | undefined {
  try {
    return libsecp256k1.ecdsaRecover(signature, recid, digest, false)
  } catch {
    // Nobody has signed it.
    return undefined
  }
}
