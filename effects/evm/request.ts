import type { Json } from '@quorate/core/json'
import type { EvmFacts } from '../facts.ts'
import {
  type Members,
  onlyMembers,
  readHex,
  readMembers,
  readNatural,
  refused,
  unsupported,
} from '../json.ts'
import { readAddress } from './address.ts'
import { type EvmTransaction, transactionBytesMax } from './transaction.ts'

/** A transaction as the caller wrote it: what is absent is for the facts to fill. */
export type TransactionRequest = {
  readonly type: 0 | 2
  readonly to?: Uint8Array
  readonly value: bigint
  readonly data: Uint8Array
  readonly nonce?: bigint
  readonly gasLimit?: bigint
  readonly gasPrice?: bigint
  readonly maxFeePerGas?: bigint
  readonly maxPriorityFeePerGas?: bigint
}

const common = ['type', 'to', 'value', 'data', 'nonce', 'gasLimit']
const feesByType = { 0: ['gasPrice'], 2: ['maxFeePerGas', 'maxPriorityFeePerGas'] } as const

/** @throws Failure `request.refused`, `request.unsupported` */
export function readTransactionRequest(object: Json): TransactionRequest {
  const members = readMembers(object, 'transaction')
  const type = readType(members.get('type'))
  onlyMembers(members, `a type ${type} transaction`, [...common, ...feesByType[type]])
  const to = members.has('to') ? { to: readRecipient(members.get('to')) } : {}
  return {
    type,
    ...to,
    value: members.has('value') ? readNatural(members.get('value'), 'value') : 0n,
    data: members.has('data')
      ? readHex(members.get('data'), 'data', transactionBytesMax)
      : new Uint8Array(),
    ...optionalNatural(members, 'nonce'),
    ...optionalNatural(members, 'gasLimit'),
    ...optionalNatural(members, 'gasPrice'),
    ...optionalNatural(members, 'maxFeePerGas'),
    ...optionalNatural(members, 'maxPriorityFeePerGas'),
  }
}

/**
 * Payload and facts together. What the payload fixes, the facts must repeat and cannot change.
 * @throws Failure `request.refused`
 */
export function completeTransaction(
  request: TransactionRequest,
  facts: EvmFacts,
  chainId: bigint,
): EvmTransaction {
  const { to, value, data } = request
  const shared = {
    chainId,
    nonce: settled('nonce', request.nonce, facts.nonce),
    gasLimit: settled('gasLimit', request.gasLimit, facts.gasLimit),
    ...(to === undefined ? {} : { to }),
    value,
    data,
  }
  if (request.type === 0) {
    if (facts.maxFeePerGas !== 0n || facts.maxPriorityFeePerGas !== 0n)
      throw refused('facts of another transaction type')
    return { type: 0, ...shared, gasPrice: settled('gasPrice', request.gasPrice, facts.gasPrice) }
  }
  if (facts.gasPrice !== undefined) throw refused('facts of another transaction type')
  const { maxFeePerGas, maxPriorityFeePerGas } = request
  return {
    type: 2,
    ...shared,
    maxFeePerGas: settled('maxFeePerGas', maxFeePerGas, facts.maxFeePerGas),
    maxPriorityFeePerGas: settled(
      'maxPriorityFeePerGas',
      maxPriorityFeePerGas,
      facts.maxPriorityFeePerGas,
    ),
    accessList: [],
  }
}

/** @throws Failure `request.refused` for anything but an address in one of its two forms */
export function readRecipient(value: Json | undefined): Uint8Array {
  const address = typeof value === 'string' ? readAddress(value) : undefined
  if (address === undefined) throw refused('to is not an address, or its checksum is wrong')
  return address
}

function settled(name: string, fixed: bigint | undefined, fact: bigint | undefined): bigint {
  if (fact === undefined) throw refused(`the facts lack ${name}`)
  if (fixed !== undefined && fixed !== fact) throw refused(`the facts change ${name}`)
  return fact
}

/** A number, or its text in decimal or hex; 2 when absent, as the API promises. */
function readType(value: Json | undefined): 0 | 2 {
  if (value === undefined) return 2
  const type = readNatural(value, 'type')
  if (type === 0n) return 0
  if (type === 2n) return 2
  throw unsupported(`transactions of type ${type}`)
}

function optionalNatural<const N extends string>(
  members: Members,
  name: N,
): { readonly [K in N]?: bigint } {
  if (!members.has(name)) return {}
  const read: Partial<Record<N, bigint>> = {}
  read[name] = readNatural(members.get(name), name)
  return read
}
