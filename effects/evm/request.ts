import { bytesToBig } from '@quorate/core/bytes'
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
import type { EvmNetwork } from '../networks.ts'
import { readAddress } from './address.ts'
import { type Authorization, type EvmTransaction, transactionBytesMax } from './transaction.ts'

/** A transaction as the caller wrote it: what is absent is for the facts to fill. */
export type TransactionRequest = {
  readonly type: 0 | 2 | 4
  readonly to?: Uint8Array
  readonly value: bigint
  readonly data: Uint8Array
  readonly nonce?: bigint
  readonly gasLimit?: bigint
  readonly gasPrice?: bigint
  readonly maxFeePerGas?: bigint
  readonly maxPriorityFeePerGas?: bigint
  /** Of type 4, and at least one of it. */
  readonly authorizations?: readonly Authorization[]
}

const common = ['type', 'to', 'value', 'data', 'nonce', 'gasLimit']
const marketFees = ['maxFeePerGas', 'maxPriorityFeePerGas'] as const
const ownByType = {
  0: ['gasPrice'],
  2: marketFees,
  4: [...marketFees, 'authorizationList'],
} as const
/** Each costs 12,500 gas at least (EIP-7702, PER_AUTH_BASE_COST): a block has room for no more. */
const authorizationsMax = 256

/**
 * @param network says of which type it is where nothing in it does
 * @throws Failure `request.refused`, `request.unsupported`
 */
export function readTransactionRequest(
  object: Json,
  network: Pick<EvmNetwork, 'isLegacy'>,
): TransactionRequest {
  const members = readMembers(object, 'transaction')
  const type = members.has('type') ? readType(members.get('type')) : typeUnsaid(members, network)
  onlyMembers(members, `a type ${type} transaction`, [...common, ...ownByType[type]])
  if (type === 4 && !members.has('to')) throw refused('a type 4 transaction creates no contract')
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
    ...(type === 4 ? { authorizations: readAuthorizations(members.get('authorizationList')) } : {}),
  }
}

function readAuthorizations(value: Json | undefined): readonly Authorization[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > authorizationsMax)
    throw refused(`authorizationList is not a list of 1 to ${authorizationsMax}`)
  return value.map(readAuthorization)
}

const delegation = ['chainId', 'address', 'nonce']
const loose = ['yParity', 'r', 's']

/** With its signature as three numbers, or in one piece as `signature.encoded` of kind `Eip7702` has it. */
function readAuthorization(item: Json): Authorization {
  const members = readMembers(item, 'an authorization')
  const isWhole = members.has('signature')
  onlyMembers(members, 'an authorization', [...delegation, ...(isWhole ? ['signature'] : loose)])
  const address = readAddressOf(members, 'address')
  const [chainId, nonce] = [named(members, 'chainId'), named(members, 'nonce')]
  const signed = isWhole
    ? readSignature(readHex(members.get('signature'), 'signature', 65))
    : { yParity: named(members, 'yParity'), r: named(members, 'r'), s: named(members, 's') }
  if (nonce >= 2n ** 64n || signed.yParity > 255n) throw refused('an authorization is out of range')
  return { chainId, address, nonce, ...signed }
}

/** r ‖ s ‖ v, with v = 27 or 28. */
function readSignature(bytes: Uint8Array): Pick<Authorization, 'yParity' | 'r' | 's'> {
  const v = bytes[64]
  if (v !== 27 && v !== 28) throw refused('a signature is not r, s and 27 or 28')
  const [r, s] = [bytesToBig(bytes.subarray(0, 32)), bytesToBig(bytes.subarray(32, 64))]
  return { yParity: BigInt(v - 27), r, s }
}

function named(members: Members, name: string): bigint {
  return readNatural(members.get(name), name)
}

function readAddressOf(members: Members, name: string): Uint8Array {
  const value = members.get(name)
  const address = typeof value === 'string' ? readAddress(value) : undefined
  if (address === undefined) throw refused(`${name} is not an address, or its checksum is wrong`)
  return address
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
  const { maxFeePerGas, maxPriorityFeePerGas, authorizations } = request
  const market = {
    ...shared,
    maxFeePerGas: settled('maxFeePerGas', maxFeePerGas, facts.maxFeePerGas),
    maxPriorityFeePerGas: settled(
      'maxPriorityFeePerGas',
      maxPriorityFeePerGas,
      facts.maxPriorityFeePerGas,
    ),
    accessList: [],
  }
  if (request.type === 2) return { type: 2, ...market }
  if (to === undefined || authorizations === undefined)
    throw refused('a type 4 transaction has a recipient and authorizations')
  return { type: 4, ...market, to, authorizations }
}

/** @throws Failure `request.refused` for anything but an address in one of its two forms */
export function readRecipient(value: Json | undefined): Uint8Array {
  return readAddressOf(new Map(value === undefined ? [] : [['to', value]]), 'to')
}

/** What was fixed, and is again. @throws Failure `request.refused` */
export function settled(name: string, fixed: bigint | undefined, fact: bigint | undefined): bigint {
  if (fact === undefined) throw refused(`the facts lack ${name}`)
  if (fixed !== undefined && fixed !== fact) throw refused(`the facts change ${name}`)
  return fact
}

/** 2, as the API promises, but where the network takes none of that and no fees of a market are named. */
function typeUnsaid(
  members: Members,
  { isLegacy }: Pick<EvmNetwork, 'isLegacy'>,
): TransactionRequest['type'] {
  return isLegacy && !marketFees.some((name) => members.has(name)) ? 0 : 2
}

/** A number, or its text in decimal or hex. */
function readType(value: Json | undefined): TransactionRequest['type'] {
  const type = readNatural(value, 'type')
  if (type === 0n) return 0
  if (type === 2n) return 2
  if (type === 4n) return 4
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
