import { fromHex, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import {
  keccak256,
  parseTransaction,
  serializeTransaction,
  type TransactionSerializable,
  type TransactionSerialized,
} from 'viem'
import type { Network, Priority, SignedTransaction, Unsigned } from '../adapter.ts'
import { parseAddress } from './address.ts'

/** What is to be done, and what the caller has fixed of it. */
export type EvmAsk = {
  readonly type: 0 | 2 | 4
  readonly from: string
  /** Absent to create a contract. */
  readonly to?: string
  readonly value: bigint
  readonly data: Uint8Array
  readonly priority: Priority
  readonly nonce?: bigint
  readonly gasLimit?: bigint
  readonly gasPrice?: bigint
  readonly maxFeePerGas?: bigint
  readonly maxPriorityFeePerGas?: bigint
  /** Of type 4. */
  readonly authorizations?: readonly EvmAuthorization[]
}

/** What an account has signed of itself (EIP-7702), as it was given. */
export type EvmAuthorization = {
  readonly chainId: bigint
  readonly address: string
  readonly nonce: bigint
  readonly yParity: bigint
  readonly r: bigint
  readonly s: bigint
}

/** The closed list of what the chain adds: the same that `effects/facts.ts` writes into the log. */
export type EvmFacts = {
  readonly family: 'evm'
  readonly nonce: bigint
  readonly gasLimit: bigint
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  readonly gasPrice?: bigint
}

export type EvmSignature = { readonly r: bigint; readonly s: bigint; readonly yParity: 0 | 1 }

/** @throws Failure `address.malformed` */
export function build(network: Network, ask: EvmAsk, facts: EvmFacts): Unsigned {
  const shared = {
    chainId: network.chainId,
    nonce: Number(facts.nonce),
    gas: facts.gasLimit,
    ...(ask.to === undefined ? {} : { to: parseAddress(ask.to) }),
    value: ask.value,
    data: toHexText(ask.data),
  }
  const { gasPrice, maxFeePerGas, maxPriorityFeePerGas } = facts
  if (ask.type === 0) {
    const priced = { ...shared, ...(gasPrice === undefined ? {} : { gasPrice }) }
    return unsignedOf(serializeTransaction({ type: 'legacy', ...priced }))
  }
  const market = { ...shared, maxFeePerGas, maxPriorityFeePerGas }
  if (ask.type === 2) return unsignedOf(serializeTransaction({ type: 'eip1559', ...market }))
  const authorizationList = (ask.authorizations ?? []).map(signedAuthorization)
  return unsignedOf(serializeTransaction({ type: 'eip7702', ...market, authorizationList }))
}

/** @throws Failure `bytes.malformed` for a nonce or a chain that viem could not count */
function signedAuthorization(one: EvmAuthorization) {
  return {
    chainId: safeNumber(one.chainId),
    nonce: safeNumber(one.nonce),
    yParity: safeNumber(one.yParity),
    address: parseAddress(one.address),
    r: wordText(one.r),
    s: wordText(one.s),
  }
}

/** @throws Failure `bytes.malformed` when they are no unsigned transaction of type 0, 1, 2 or 4 */
export function assemble(unsigned: Uint8Array, signature: EvmSignature): SignedTransaction {
  const { r, s, yParity } = signature
  const signed = serializeTransaction(parse(unsigned), {
    r: wordText(r),
    s: wordText(s),
    yParity,
    // What viem looks at in legacy transactions, before it adds the chain id.
    v: 27n + BigInt(yParity),
  })
  return { hash: keccak256(signed), bytes: fromHex(signed.slice(2)) }
}

function safeNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new Failure('bytes.malformed', { expected: 'an authorization with numbers below 2^53' })
  return Number(value)
}

function wordText(value: bigint): `0x${string}` {
  return `0x${value.toString(16).padStart(64, '0')}`
}

export function toHexText(bytes: Uint8Array): `0x${string}` {
  return `0x${toHex(bytes)}`
}

function unsignedOf(serialized: `0x${string}`): Unsigned {
  return { bytes: fromHex(serialized.slice(2)), digest: fromHex(keccak256(serialized).slice(2)) }
}

function parse(bytes: Uint8Array): TransactionSerializable {
  const text = toHexText(bytes)
  const parsed = parsedOf(text)
  const isKnown = ['legacy', 'eip2930', 'eip1559', 'eip7702'].includes(parsed.type ?? '')
  if (!isKnown || parsed.r !== undefined || serializeTransaction(parsed) !== text)
    throw new Failure('bytes.malformed', {
      expected: 'an unsigned transaction of type 0, 1, 2 or 4',
    })
  return parsed
}

function parsedOf(text: `0x${string}`): TransactionSerializable {
  try {
    return parseTransaction(text as TransactionSerialized)
  } catch (cause) {
    throw new Failure('bytes.malformed', { expected: 'a transaction' }, { cause })
  }
}
