import { keccak_256 } from '@noble/hashes/sha3.js'
import { bigToBytes, concat } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { decodeRlp, encodeRlp, naturalToRlp, type Rlp, rlpToNatural } from './rlp.ts'

type Common = {
  readonly chainId: bigint
  readonly nonce: bigint
  readonly gasLimit: bigint
  /** Absent when the transaction creates a contract. */
  readonly to?: Uint8Array
  readonly value: bigint
  readonly data: Uint8Array
}

/** Type 0 with replay protection (EIP-155). One without it is valid on any chain: not modelled. */
export type LegacyTransaction = Common & { readonly type: 0; readonly gasPrice: bigint }

/** Type 2 (EIP-1559). */
export type FeeMarketTransaction = Common & {
  readonly type: 2
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  readonly accessList: readonly AccessEntry[]
}

export type AccessEntry = { readonly address: Uint8Array; readonly keys: readonly Uint8Array[] }
export type EvmTransaction = LegacyTransaction | FeeMarketTransaction
export type EvmSignature = { readonly r: bigint; readonly s: bigint; readonly yParity: 0 | 1 }

/** What geth and its peers take into the pool (txMaxSize): nothing larger can be mined by sending. */
export const transactionBytesMax = 128 * 1024

/** Order of secp256k1 (SEC 2, section 2.4.1). */
const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** The bytes whose Keccak-256 is signed. */
export function encodeUnsigned(tx: EvmTransaction): Uint8Array {
  if (tx.type === 2) return concat(new Uint8Array([2]), encodeRlp(feeMarketFields(tx)))
  const empty = naturalToRlp(0n)
  return encodeRlp([...legacyFields(tx), naturalToRlp(tx.chainId), empty, empty])
}

export function digest(tx: EvmTransaction): Uint8Array {
  return keccak_256(encodeUnsigned(tx))
}

/**
 * Reads types 0 and 2 and nothing else: what is not understood down to its last byte is not a
 * transaction here.
 * @throws Failure `bytes.malformed`
 */
export function decodeUnsigned(bytes: Uint8Array): EvmTransaction {
  if (bytes.length > transactionBytesMax) throw malformed(`at most ${transactionBytesMax} bytes`)
  const first = bytes[0] ?? 0
  if (first === 2) return readFeeMarket(listOf(decodeRlp(bytes.subarray(1)), 9))
  if (first < 0xc0) throw malformed('type 0 or 2')
  return readLegacy(listOf(decodeRlp(bytes), 9))
}

/**
 * @returns the bytes to broadcast and the hash the chain will know them by
 * @throws Failure `bytes.malformed` for numbers out of range or a high `s` (EIP-2)
 */
export function attachSignature(
  tx: EvmTransaction,
  { r, s, yParity }: EvmSignature,
): { readonly bytes: Uint8Array; readonly hash: Uint8Array } {
  if (r <= 0n || r >= n || s <= 0n || s > n / 2n) throw malformed('a signature with a low s')
  const parity = BigInt(yParity)
  const v = tx.type === 2 ? parity : 35n + 2n * tx.chainId + parity
  const fields = tx.type === 2 ? feeMarketFields(tx) : legacyFields(tx)
  const body = encodeRlp([...fields, naturalToRlp(v), naturalToRlp(r), naturalToRlp(s)])
  const bytes = tx.type === 2 ? concat(new Uint8Array([2]), body) : body
  return { bytes, hash: keccak_256(bytes) }
}

/** r ‖ s ‖ v with v = 27 or 28: how wallets and contracts pass a signature around. */
export function encodeSignature({ r, s, yParity }: EvmSignature): Uint8Array {
  return concat(bigToBytes(r, 32), bigToBytes(s, 32), new Uint8Array([27 + yParity]))
}

function legacyFields(tx: LegacyTransaction): readonly Rlp[] {
  return [
    naturalToRlp(tx.nonce),
    naturalToRlp(tx.gasPrice),
    naturalToRlp(tx.gasLimit),
    tx.to ?? new Uint8Array(),
    naturalToRlp(tx.value),
    tx.data,
  ]
}

function feeMarketFields(tx: FeeMarketTransaction): readonly Rlp[] {
  return [
    naturalToRlp(tx.chainId),
    naturalToRlp(tx.nonce),
    naturalToRlp(tx.maxPriorityFeePerGas),
    naturalToRlp(tx.maxFeePerGas),
    naturalToRlp(tx.gasLimit),
    tx.to ?? new Uint8Array(),
    naturalToRlp(tx.value),
    tx.data,
    tx.accessList.map(({ address, keys }) => [address, keys]),
  ]
}

function readLegacy(fields: readonly Rlp[]): LegacyTransaction {
  const [nonce, gasPrice, gasLimit, to, value, data, chainId, r, s] = fields
  if (bytesOf(r).length !== 0 || bytesOf(s).length !== 0) throw malformed('no signature yet')
  return {
    type: 0,
    chainId: chainIdOf(chainId),
    nonce: rlpToNatural(nonce, 8),
    gasPrice: rlpToNatural(gasPrice, 32),
    gasLimit: rlpToNatural(gasLimit, 8),
    ...recipientOf(to),
    value: rlpToNatural(value, 32),
    data: bytesOf(data),
  }
}

function readFeeMarket(fields: readonly Rlp[]): FeeMarketTransaction {
  const [chainId, nonce, tip, fee, gasLimit, to, value, data, accessList] = fields
  return {
    type: 2,
    chainId: chainIdOf(chainId),
    nonce: rlpToNatural(nonce, 8),
    maxPriorityFeePerGas: rlpToNatural(tip, 32),
    maxFeePerGas: rlpToNatural(fee, 32),
    gasLimit: rlpToNatural(gasLimit, 8),
    ...recipientOf(to),
    value: rlpToNatural(value, 32),
    data: bytesOf(data),
    accessList: listOf(accessList).map(readAccessEntry),
  }
}

function readAccessEntry(item: Rlp): AccessEntry {
  const [address, keys] = listOf(item, 2)
  return {
    address: sized(address, 20),
    keys: listOf(keys).map((key) => sized(key, 32)),
  }
}

function recipientOf(item: Rlp | undefined): { readonly to?: Uint8Array } {
  return bytesOf(item).length === 0 ? {} : { to: sized(item, 20) }
}

/** Zero means "any chain" to EIP-155 and EIP-7702 alike: never here. */
function chainIdOf(item: Rlp | undefined): bigint {
  const chainId = rlpToNatural(item, 8)
  if (chainId === 0n) throw malformed('a chain id')
  return chainId
}

function sized(item: Rlp | undefined, size: number): Uint8Array {
  const bytes = bytesOf(item)
  if (bytes.length !== size) throw malformed(`${size} bytes`)
  return bytes
}

function bytesOf(item: Rlp | undefined): Uint8Array {
  if (!(item instanceof Uint8Array)) throw malformed('bytes')
  return item
}

function listOf(item: Rlp | undefined, count?: number): readonly Rlp[] {
  if (item === undefined || item instanceof Uint8Array) throw malformed('a list')
  if (count !== undefined && item.length !== count) throw malformed(`a list of ${count}`)
  return item
}

function malformed(expected: string): Failure {
  return new Failure('bytes.malformed', { expected: `transaction: ${expected}` })
}
