import { keccak256 } from 'viem'

/** 2,048 bits, of which each address and each topic of a block's logs sets three (Yellow Paper, section 4.3.1). */
const bloomBytes = 256

export type Bloomed = { readonly address: string; readonly topics: readonly string[] }

/**
 * Are these all the logs that a block's bloom knows of? Chance can hide a missing one, and nothing can
 * hide that all are missing. More than it knows of is no mistake: some networks' own logs are left out.
 */
export function coversBloom(bloom: Uint8Array, logs: readonly Bloomed[]): boolean {
  const parts = new Set(logs.flatMap(({ address, topics }) => [address.toLowerCase(), ...topics]))
  const own = new Uint8Array(bloomBytes)
  for (const part of parts) add(own, part)
  return bloom.every((byte, i) => (byte & ~(own[i] ?? 0)) === 0)
}

function add(bloom: Uint8Array, part: string): void {
  const hash = keccak256(part as `0x${string}`, 'bytes')
  for (const at of [0, 2, 4]) {
    const bit = (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & 0x7ff
    const byte = bloomBytes - 1 - (bit >> 3)
    bloom[byte] = (bloom[byte] ?? 0) | (1 << (bit & 7))
  }
}
