import { bytesToBig, toHex } from '@quorate/core/bytes'
import { selectorSize, wordSize } from './abi.ts'

/** What an account or a contract does to another: one call. */
export type Call = {
  /** Absent when a contract is created. */
  readonly to?: Uint8Array
  readonly value: bigint
  readonly data: Uint8Array
}

/** Calls within a call, if the bytes say all about them. */
export type Wrapped =
  | { readonly kind: 'calls'; readonly calls: readonly Call[] }
  /** Operations that other accounts have signed for, this key's own perhaps (ERC-4337). */
  | { readonly kind: 'operations' }

/** More would be read for nothing: no block has room for them. */
const callsMax = 256

/** Whatever bundles operations, of versions 0.6 and 0.7 on, with and without aggregators. */
const bundles: ReadonlySet<string> = new Set(['1fad948c', '765e827f', '4b1d7cf5', 'dbed18e0'])

/**
 * The few calls whose meaning is to make others. What a contract makes of them that only bears the name
 * of one, it could have made of any call.
 */
export function readWrapped({ to, data }: Call): Wrapped | undefined {
  const selector = toHex(data.subarray(0, selectorSize))
  if (bundles.has(selector)) return { kind: 'operations' }
  // A contract that is made runs its bytes: they call nothing, whatever they begin with.
  if (to === undefined) return undefined
  const parameters = data.subarray(selectorSize)
  // multicall(bytes[]): the contract calls itself with each, for whoever has called it.
  if (selector === 'ac9650d8') return listed(parameters, to)
  // execTransaction(address,uint256,bytes,uint8,uint256,uint256,uint256,address,address,bytes) of a Safe
  if (selector === '6a761202') return executed(parameters)
  return undefined
}

function listed(parameters: Uint8Array, to: Uint8Array): Wrapped | undefined {
  const count = wordAt(parameters, 1)
  if (wordAt(parameters, 0) !== 32n || count === undefined || count > BigInt(callsMax))
    return undefined
  const items = parameters.subarray(2 * wordSize)
  const calls: Call[] = []
  let at = Number(count) * wordSize
  for (let i = 0; i < Number(count); i++) {
    // One after the other and nothing between: whatever else decoders take, two may take differently.
    if (wordAt(items, i) !== BigInt(at)) return undefined
    const data = bytesAt(items, at)
    if (data === undefined) return undefined
    calls.push({ to, value: 0n, data })
    at += paddedSize(data)
  }
  return at === items.length ? { kind: 'calls', calls } : undefined
}

const headSize = 10 * wordSize
const addressMax = 2n ** 160n

/**
 * What a Safe pays out by it: not what it lends its code to (operation 1, a delegatecall), nor what refunds
 * whoever has brought it.
 */
function executed(parameters: Uint8Array): Wrapped | undefined {
  const [, value, , operation, , , gasPrice] = Array.from({ length: 7 }, (_, i) =>
    wordAt(parameters, i),
  )
  const data =
    wordAt(parameters, 2) === BigInt(headSize) ? bytesAt(parameters, headSize) : undefined
  if (data === undefined || value === undefined) return undefined
  const signaturesAt = headSize + paddedSize(data)
  const signatures = bytesAt(parameters, signaturesAt)
  const isWhole =
    wordAt(parameters, 9) === BigInt(signaturesAt) &&
    signatures !== undefined &&
    signaturesAt + paddedSize(signatures) === parameters.length
  // To whom a refund would go is an address as well: decoders differ over what stands before one.
  const areAddresses = [0, 7, 8].every((i) => (wordAt(parameters, i) ?? addressMax) < addressMax)
  if (!isWhole || !areAddresses) return undefined
  if (operation !== 0n) return undefined
  if (gasPrice !== 0n) return undefined
  const account = parameters.slice(wordSize - 20, wordSize)
  return { kind: 'calls', calls: [{ to: account, value, data }] }
}

function wordAt(bytes: Uint8Array, index: number): bigint | undefined {
  const word = bytes.subarray(index * wordSize, (index + 1) * wordSize)
  return word.length === wordSize ? bytesToBig(word) : undefined
}

/** Their number, themselves, and zeros up to the next word. */
function bytesAt(bytes: Uint8Array, at: number): Uint8Array | undefined {
  const size = at % wordSize === 0 ? wordAt(bytes, at / wordSize) : undefined
  if (size === undefined || size > BigInt(bytes.length)) return undefined
  const start = at + wordSize
  const end = start + Math.ceil(Number(size) / wordSize) * wordSize
  const padded = bytes.subarray(start, end)
  const rest = padded.subarray(Number(size))
  return end <= bytes.length && rest.every((byte) => byte === 0)
    ? padded.slice(0, Number(size))
    : undefined
}

function paddedSize(data: Uint8Array): number {
  return wordSize + Math.ceil(data.length / wordSize) * wordSize
}
