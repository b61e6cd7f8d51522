import { bigToBytes, concat, fromHex } from '@quorate/core/bytes'

/**
 * Solidity's contract ABI, "Function Selector" and "Formal Specification of the Encoding", as far as
 * calls go whose parameters are words.
 */
export const selectorSize = 4
export const wordSize = 32

export function encodeCall(selector: string, ...words: readonly Uint8Array[]): Uint8Array {
  return concat(fromHex(selector), ...words)
}

export function naturalWord(value: bigint): Uint8Array {
  return bigToBytes(value, wordSize)
}

/** @param address 20 bytes */
export function addressWord(address: Uint8Array): Uint8Array {
  return concat(new Uint8Array(wordSize - address.length), address)
}
