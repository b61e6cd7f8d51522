import { ECDH } from 'node:crypto'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'

/** One transaction asks for its payer's account several times; a decompression costs more than a look-up. */
const accountsKept = 256
const accounts = new Map<string, Uint8Array>()

/**
 * Last 20 bytes of Keccak-256 over the point without its prefix (Yellow Paper, appendix F,
 * equation for A(pr)).
 * @throws Failure `bytes.malformed` when the bytes are no compressed point of secp256k1
 */
export function accountOfKey(publicKey: Uint8Array): Uint8Array {
  const name = toHex(publicKey)
  const known = accounts.get(name) ?? keccak_256(uncompressed(publicKey).subarray(1)).slice(12)
  if (accounts.size >= accountsKept) accounts.clear()
  accounts.set(name, known)
  return known.slice()
}

/** The same, written with the checksum of EIP-55. @throws Failure `bytes.malformed` */
export function addressOfKey(publicKey: Uint8Array): string {
  return checksummed(accountOfKey(publicKey))
}

/**
 * @returns 20 bytes, or undefined. A text in mixed case must carry the right checksum of EIP-55; one
 * in a single case carries none.
 */
export function readAddress(text: string): Uint8Array | undefined {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return undefined
  const digits = text.slice(2)
  const bytes = fromHex(digits)
  const single = digits === digits.toLowerCase() || digits === digits.toUpperCase()
  return single || checksummed(bytes) === text ? bytes : undefined
}

export function checksummed(address: Uint8Array): string {
  const digits = toHex(address)
  const hash = toHex(keccak_256(toUtf8(digits)))
  const cased = [...digits].map((digit, i) =>
    (hash[i] ?? '0') >= '8' ? digit.toUpperCase() : digit,
  )
  return `0x${cased.join('')}`
}

function uncompressed(publicKey: Uint8Array): Uint8Array {
  // OpenSSL would also take uncompressed and hybrid points: one key has one form here.
  const compressed = publicKey.length === 33 && (publicKey[0] === 2 || publicKey[0] === 3)
  if (!compressed) throw new Failure('bytes.malformed', { expected: 'a compressed point' })
  try {
    const point = ECDH.convertKey(publicKey, 'secp256k1', undefined, undefined, 'uncompressed')
    if (typeof point === 'string') throw new TypeError('expected bytes')
    return new Uint8Array(point)
  } catch (cause) {
    throw new Failure('bytes.malformed', { expected: 'a point of secp256k1' }, { cause })
  }
}
