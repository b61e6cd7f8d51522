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

/** Type 1 (EIP-2930). */
export type AccessListTransaction = Common & {
  readonly type: 1
  readonly gasPrice: bigint
  readonly accessList: readonly AccessEntry[]
}

type FeeMarket = Common & {
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  readonly accessList: readonly AccessEntry[]
}

/** Type 2 (EIP-1559). */
export type FeeMarketTransaction = FeeMarket & { readonly type: 2 }

/** Type 4 (EIP-7702): accounts, this one or others, that are to run the code of a contract from now on. */
export type DelegatingTransaction = FeeMarket & {
  readonly type: 4
  readonly to: Uint8Array
  readonly authorizations: readonly Authorization[]
}

export type AccessEntry = { readonly address: Uint8Array; readonly keys: readonly Uint8Array[] }

/** What an account has signed of itself: zero as its chain stands for all of them. */
export type Delegation = {
  readonly chainId: bigint
  readonly address: Uint8Array
  readonly nonce: bigint
}
/** With numbers that the chain skips if they are no signature: nobody here has to believe them. */
export type Authorization = Delegation & {
  readonly yParity: bigint
  readonly r: bigint
  readonly s: bigint
}
export type EvmTransaction =
  | LegacyTransaction
  | AccessListTransaction
  | FeeMarketTransaction
  | DelegatingTransaction
type TypedTransaction = Exclude<EvmTransaction, LegacyTransaction>
export type EvmSignature = { readonly r: bigint; readonly s: bigint; readonly yParity: 0 | 1 }

/** What geth and its peers take into the pool (txMaxSize): nothing larger can be mined by sending. */
export const transactionBytesMax = 128 * 1024

/** Order of secp256k1 (SEC 2, section 2.4.1). */
const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** The bytes whose Keccak-256 is signed. */
export function encodeUnsigned(tx: EvmTransaction): Uint8Array {
  if (tx.type !== 0) return concat(new Uint8Array([tx.type]), encodeRlp(typedFields(tx)))
  const empty = naturalToRlp(0n)
  return encodeRlp([...legacyFields(tx), naturalToRlp(tx.chainId), empty, empty])
}

export function digest(tx: EvmTransaction): Uint8Array {
  return keccak_256(encodeUnsigned(tx))
}

/** What an account signs to have another's code run as its own (EIP-7702, "MAGIC"). */
export function delegationDigest({ chainId, address, nonce }: Delegation): Uint8Array {
  const fields = [naturalToRlp(chainId), address, naturalToRlp(nonce)]
  return keccak_256(concat(new Uint8Array([5]), encodeRlp(fields)))
}

/**
 * Reads types 0, 1, 2 and 4 and nothing else: what is not understood down to its last byte is not a
 * transaction here.
 * @throws Failure `bytes.malformed`
 */
export function decodeUnsigned(bytes: Uint8Array): EvmTransaction {
  if (bytes.length > transactionBytesMax) throw malformed(`at most ${transactionBytesMax} bytes`)
  const first = bytes[0] ?? 0
  if (first >= 0xc0) return readLegacy(listOf(decodeRlp(bytes)))
  if (first !== 1 && first !== 2 && first !== 4) throw malformed('type 0, 1, 2 or 4')
  const fields = decodeRlp(bytes.subarray(1))
  if (first === 1) return readAccessListed(listOf(fields, 8))
  if (first === 2) return readFeeMarket(listOf(fields, 9))
  return readDelegating(listOf(fields, 10))
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
  const v = tx.type === 0 ? 35n + 2n * tx.chainId + parity : parity
  const fields = tx.type === 0 ? legacyFields(tx) : typedFields(tx)
  const body = encodeRlp([...fields, naturalToRlp(v), naturalToRlp(r), naturalToRlp(s)])
  const bytes = tx.type === 0 ? body : concat(new Uint8Array([tx.type]), body)
  return { bytes, hash: keccak_256(bytes) }
}

/** r ‖ s ‖ v with v = 27 or 28: how wallets and contracts pass a signature around. */
export function encodeSignature({ r, s, yParity }: EvmSignature): Uint8Array {
  return concat(bigToBytes(r, 32), bigToBytes(s, 32), new Uint8Array([27 + yParity]))
}

function legacyFields(tx: LegacyTransaction): readonly Rlp[] {
  return [naturalToRlp(tx.nonce), naturalToRlp(tx.gasPrice), ...commonFields(tx)]
}

function typedFields(tx: TypedTransaction): readonly Rlp[] {
  const { maxPriorityFeePerGas: tip, maxFeePerGas: fee } =
    tx.type === 1 ? { maxPriorityFeePerGas: undefined, maxFeePerGas: tx.gasPrice } : tx
  return [
    naturalToRlp(tx.chainId),
    naturalToRlp(tx.nonce),
    ...(tip === undefined ? [] : [naturalToRlp(tip)]),
    naturalToRlp(fee),
    ...commonFields(tx),
    tx.accessList.map(({ address, keys }) => [address, keys]),
    ...(tx.type === 4 ? [tx.authorizations.map(authorizationFields)] : []),
  ]
}

function commonFields(tx: EvmTransaction): readonly Rlp[] {
  return [naturalToRlp(tx.gasLimit), tx.to ?? new Uint8Array(), naturalToRlp(tx.value), tx.data]
}

function authorizationFields(one: Authorization): readonly Rlp[] {
  return [
    naturalToRlp(one.chainId),
    one.address,
    naturalToRlp(one.nonce),
    naturalToRlp(one.yParity),
    naturalToRlp(one.r),
    naturalToRlp(one.s),
  ]
}

function readLegacy(fields: readonly Rlp[]): LegacyTransaction {
  const [nonce, gasPrice, gasLimit, to, value, data, chainId, r, s] = fields
  if (fields.length === 6) throw malformed('a chain id (EIP-155): without one, any chain takes it')
  if (fields.length !== 9) throw malformed('a list of 9')
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

function readAccessListed(fields: readonly Rlp[]): AccessListTransaction {
  const [chainId, nonce, gasPrice, gasLimit, to, value, data, accessList] = fields
  return {
    type: 1,
    chainId: chainIdOf(chainId),
    nonce: rlpToNatural(nonce, 8),
    gasPrice: rlpToNatural(gasPrice, 32),
    gasLimit: rlpToNatural(gasLimit, 8),
    ...recipientOf(to),
    value: rlpToNatural(value, 32),
    data: bytesOf(data),
    accessList: listOf(accessList).map(readAccessEntry),
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

/** It cannot create a contract, nor come without an authorization (EIP-7702, "Set code transaction"). */
function readDelegating(fields: readonly Rlp[]): DelegatingTransaction {
  const authorizations = listOf(fields[9]).map(readAuthorization)
  if (authorizations.length === 0) throw malformed('an authorization')
  const read = readFeeMarket(fields.slice(0, 9))
  const { to } = read
  if (to === undefined) throw malformed('20 bytes')
  return { ...read, type: 4, to, authorizations }
}

function readAuthorization(item: Rlp): Authorization {
  const [chainId, address, nonce, yParity, r, s] = listOf(item, 6)
  return {
    chainId: rlpToNatural(chainId, 32),
    address: sized(address, 20),
    nonce: rlpToNatural(nonce, 8),
    yParity: rlpToNatural(yParity, 1),
    r: rlpToNatural(r, 32),
    s: rlpToNatural(s, 32),
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
