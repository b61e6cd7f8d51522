import { isFailure } from '@quorate/core/failure'
import { type Json, parseJson } from '@quorate/core/json'
import { domainBytesMax, seedBytesMax } from './instruction.ts'
import {
  type Members,
  onlyMembers,
  quoted,
  readHex,
  readMembers,
  readNatural,
  readText,
  refused,
  unsupported,
} from './json.ts'

/** What a signed payload asks a key to do, before any network has looked at it. */
export type Intent = TransferIntent | TransactionIntent | SignatureIntent | DerivationIntent
export type UseOperation = Intent['kind']

export type TransferIntent = Moved & {
  readonly kind: 'transfer'
  readonly to: string
  readonly priority: Priority
  readonly externalId?: string
  /** Who pays the fees, if it is not the wallet itself. */
  readonly feeSponsorId?: string
}
/** What a transfer moves. `Erc1155` is our addition to the API. */
export type Moved =
  | { readonly asset: 'Native'; readonly amount: bigint; readonly memo?: string }
  | { readonly asset: 'Erc20'; readonly contract: string; readonly amount: bigint }
  | { readonly asset: 'Erc721'; readonly contract: string; readonly tokenId: bigint }
  | {
      readonly asset: 'Erc1155'
      readonly contract: string
      readonly tokenId: bigint
      readonly amount: bigint
    }

/** Sign and broadcast. */
export type TransactionIntent = {
  readonly kind: 'transaction'
  readonly transaction: TransactionBody | OperationsBody
  readonly externalId?: string
  /** There are operations, and only they, for which somebody else pays. */
  readonly feeSponsorId?: string
}

/** Sign and hand back. `network` and `blockchainKind` as the caller named them, if it did. */
export type SignatureIntent = {
  readonly kind: 'signature'
  readonly ask:
    | {
        readonly kind: 'Hash'
        readonly hash: Uint8Array
        /** 32 bytes, or none for an output without scripts. */
        readonly merkleRoot?: Uint8Array
      }
    | { readonly kind: 'Message'; readonly message: Uint8Array }
    /** The same on Ethereum's like, by its own name. */
    | { readonly kind: 'Eip191'; readonly message: Uint8Array }
    | {
        readonly kind: 'Eip7702'
        readonly address: string
        readonly nonce: bigint
        readonly chainId: bigint
      }
    | { readonly kind: 'Transaction'; readonly transaction: TransactionBody }
    | {
        readonly kind: 'Eip712'
        readonly types: Json
        readonly domain: Json
        readonly message: Json
      }
  readonly network?: string
  readonly blockchainKind?: string
  readonly externalId?: string
}

/** The same key, domain and seed give the same for ever. */
export type DerivationIntent = {
  readonly kind: 'derivation'
  readonly domain: Uint8Array
  readonly seed: Uint8Array
}

/** Whole unsigned bytes, or an object whose meaning is the family's. */
export type TransactionBody =
  | { readonly form: 'bytes'; readonly bytes: Uint8Array }
  | { readonly form: 'object'; readonly object: Json }
/** What an account does all at once, in somebody else's transaction. */
export type OperationsBody = {
  readonly form: 'operations'
  readonly operations: readonly {
    readonly to: string
    readonly value: bigint
    readonly data: Uint8Array
  }[]
}
export type Priority = 'Slow' | 'Standard' | 'Fast'

export type ReadIntent =
  | { readonly ok: true; readonly intent: Intent }
  | { readonly ok: false; readonly unsupported: boolean; readonly reason: string }

/** Room for a large contract with its arguments, or a long document, within any body of the API. */
export const payloadBytesMax = 128 * 1024
/** As the API's contract has it for transfers, transactions and signatures. */
const externalIdLengthMax = 50
const addressLengthMax = 128
/** As many movements as there may be opinions about (`opinionsMax`). */
export const operationsMax = 16
const nameLengthMax = 64

/** Reads the exact string that a user signed. Members nobody knows are refused. */
export function readIntent(operation: UseOperation, payload: string): ReadIntent {
  try {
    const body = readMembers(parseJson(payload), 'the body')
    return { ok: true, intent: readers[operation](body) }
  } catch (error) {
    if (isFailure(error, 'request.unsupported'))
      return { ok: false, unsupported: true, reason: error.context.reason }
    if (isFailure(error, 'request.refused') || isFailure(error, 'json.malformed'))
      return { ok: false, unsupported: false, reason: error.context.reason }
    throw error
  }
}

const readers: { readonly [K in UseOperation]: (body: Members) => Intent } = {
  transfer: (body) => {
    const moved = readMoved(body)
    return {
      kind: 'transfer',
      ...moved,
      to: readText(body.get('to'), 'to', addressLengthMax),
      priority: readPriority(body.get('priority')),
      ...readExternalId(body),
      ...readOptional(body, 'feeSponsorId', nameLengthMax),
    }
  },
  transaction: (body) => {
    const kind = ofKind(body, 'transaction', ['Transaction', 'Evm', 'Eip1559', 'UserOperations'])
    if (kind === 'UserOperations') return readOperations(body)
    onlyMembers(body, 'the request', ['kind', 'externalId', ...transactionMembers[kind]])
    const transaction = kind === 'Transaction' ? readTransaction(body) : readUnwrapped(kind, body)
    return { kind: 'transaction', transaction, ...readExternalId(body) }
  },
  signature: (body) => ({
    kind: 'signature',
    ask: readAsk(body),
    ...readOptional(body, 'network', nameLengthMax),
    ...readOptional(body, 'blockchainKind', nameLengthMax),
    ...readExternalId(body),
  }),
  derivation: (body) => {
    onlyMembers(body, 'the derivation', ['domain', 'seed'])
    const domain = readHex(body.get('domain'), 'domain', domainBytesMax)
    if (domain.length === 0) throw refused('domain is empty')
    return { kind: 'derivation', domain, seed: readHex(body.get('seed'), 'seed', seedBytesMax) }
  },
}

const movedMembers = {
  Native: ['amount', 'memo'],
  Erc20: ['contract', 'amount'],
  Erc721: ['contract', 'tokenId'],
  Erc1155: ['contract', 'tokenId', 'amount'],
} as const satisfies { readonly [K in Moved['asset']]: readonly string[] }

function readMoved(body: Members): Moved {
  const asset = ofKind(body, 'transfer', ['Native', 'Erc20', 'Erc721', 'Erc1155'])
  const common = ['kind', 'to', 'priority', 'externalId', 'feeSponsorId']
  onlyMembers(body, 'the transfer', [...common, ...movedMembers[asset]])
  if (asset === 'Native') {
    const { memo } = readOptional(body, 'memo', nameLengthMax)
    const amount = readAmount(body.get('amount'), 'amount')
    return { asset, amount, ...(memo === undefined || memo === '' ? {} : { memo }) }
  }
  const contract = readText(body.get('contract'), 'contract', addressLengthMax)
  if (asset === 'Erc20')
    return { asset, contract, amount: readAmount(body.get('amount'), 'amount') }
  const tokenId = readAmount(body.get('tokenId'), 'tokenId')
  if (asset === 'Erc721') return { asset, contract, tokenId }
  return { asset, contract, tokenId, amount: readAmount(body.get('amount'), 'amount') }
}

const evmMembers = ['to', 'value', 'data', 'nonce', 'gasLimit'] as const
const transactionMembers = {
  Transaction: ['transaction'],
  Evm: evmMembers,
  Eip1559: [...evmMembers, 'maxFeePerGas', 'maxPriorityFeePerGas'],
} as const

/** The deprecated kinds have in the body what an object has in `transaction`: `Evm` one that names no type. */
function readUnwrapped(kind: 'Evm' | 'Eip1559', body: Members): TransactionBody {
  const own = [...body].filter(([name]) => name !== 'kind' && name !== 'externalId')
  const type = kind === 'Eip1559' ? { type: 2 } : {}
  return { form: 'object', object: { ...type, ...Object.fromEntries(own) } }
}

function readOperations(body: Members): TransactionIntent {
  const own = ['kind', 'userOperations', 'feeSponsorId', 'externalId']
  onlyMembers(body, 'the request', own)
  const given = body.get('userOperations')
  if (!Array.isArray(given) || given.length === 0 || given.length > operationsMax)
    throw refused(`userOperations is not a list of 1 to ${operationsMax}`)
  return {
    kind: 'transaction',
    transaction: { form: 'operations', operations: given.map(readOperation) },
    feeSponsorId: readText(body.get('feeSponsorId'), 'feeSponsorId', nameLengthMax),
    ...readExternalId(body),
  }
}

function readOperation(item: Json): OperationsBody['operations'][number] {
  const members = readMembers(item, 'an operation')
  onlyMembers(members, 'an operation', ['to', 'value', 'data'])
  return {
    to: readText(members.get('to'), 'to', addressLengthMax),
    value: members.has('value') ? readAmount(members.get('value'), 'value') : 0n,
    data: members.has('data')
      ? readHex(members.get('data'), 'data', payloadBytesMax)
      : new Uint8Array(),
  }
}

function readAsk(body: Members): SignatureIntent['ask'] {
  const kind = ofKind(body, 'signature', [
    ...(['Hash', 'Message', 'Transaction', 'Eip191', 'Eip712', 'Eip7702'] as const),
  ])
  const own = {
    Hash: ['hash', 'taprootMerkleRoot'],
    Message: ['message'],
    Transaction: ['transaction'],
    Eip191: ['message'],
    Eip7702: ['address', 'nonce', 'chainId'],
    Eip712: ['types', 'domain', 'message'],
  }[kind]
  const common = ['kind', 'network', 'blockchainKind', 'externalId']
  onlyMembers(body, 'the request', [...common, ...own])
  if (kind === 'Hash') return { kind, hash: readHash(body.get('hash')), ...readMerkleRoot(body) }
  if (kind === 'Message' || kind === 'Eip191')
    return { kind, message: readHex(body.get('message'), 'message', payloadBytesMax) }
  if (kind === 'Transaction') return { kind, transaction: readTransaction(body) }
  if (kind === 'Eip7702')
    return {
      kind,
      address: readText(body.get('address'), 'address', addressLengthMax),
      nonce: readNatural(body.get('nonce'), 'nonce'),
      chainId: readNatural(body.get('chainId'), 'chainId'),
    }
  return {
    kind,
    types: body.get('types') ?? null,
    domain: body.get('domain') ?? null,
    message: body.get('message') ?? null,
  }
}

function ofKind<const K extends string>(body: Members, what: string, kinds: readonly K[]): K {
  const asked = readText(body.get('kind'), 'kind', nameLengthMax)
  const kind = kinds.find((known) => known === asked)
  if (kind === undefined) throw unsupported(`no ${what} of kind ${quoted(asked)}`)
  return kind
}

function readTransaction(body: Members): TransactionBody {
  const value = body.get('transaction')
  if (typeof value === 'string')
    return { form: 'bytes', bytes: readHex(value, 'transaction', payloadBytesMax) }
  if (value === undefined || value === null) throw refused('transaction is missing')
  return { form: 'object', object: value }
}

function readHash(value: Json | undefined): Uint8Array {
  const hash = readHex(value, 'hash', 32)
  if (hash.length !== 32) throw refused('hash is not 32 bytes')
  return hash
}

function readMerkleRoot(body: Members): { readonly merkleRoot?: Uint8Array } {
  const value = body.get('taprootMerkleRoot')
  if (value === undefined) return {}
  const merkleRoot = readHex(value, 'taprootMerkleRoot', 32)
  if (merkleRoot.length !== 0 && merkleRoot.length !== 32)
    throw refused('taprootMerkleRoot is neither empty nor 32 bytes')
  return { merkleRoot }
}

/** Decimal text alone: in JSON, an amount is never a number. */
function readAmount(value: Json | undefined, what: string): bigint {
  if (typeof value !== 'string' || value.startsWith('0x'))
    throw refused(`${what} is not a text of digits`)
  return readNatural(value, what)
}

function readPriority(value: Json | undefined): Priority {
  if (value === undefined) return 'Standard'
  if (value !== 'Slow' && value !== 'Standard' && value !== 'Fast')
    throw refused('priority is not Slow, Standard or Fast')
  return value
}

function readExternalId(body: Members): { readonly externalId?: string } {
  const read = readOptional(body, 'externalId', externalIdLengthMax)
  if (read.externalId === '') throw refused('externalId is empty')
  return read
}

function readOptional<const N extends string>(
  body: Members,
  name: N,
  lengthMax: number,
): { readonly [K in N]?: string } {
  const value = body.get(name)
  if (value === undefined) return {}
  const read: Partial<Record<N, string>> = {}
  read[name] = readText(value, name, lengthMax)
  return read
}
