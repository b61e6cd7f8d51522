import { keccak_256 } from '@noble/hashes/sha3.js'
import { concat, toUtf8 } from '@quorate/core/bytes'

/**
 * EIP-191, version 0x45: the prefix starts with a byte no transaction and no typed data start with,
 * so that a message can never be anything else.
 */
export function personalDigest(message: Uint8Array): Uint8Array {
  return keccak_256(concat(toUtf8(`\x19Ethereum Signed Message:\n${message.length}`), message))
}
