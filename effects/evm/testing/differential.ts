import assert from 'node:assert/strict'
import { fromHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import {
  concatHex,
  decodeFunctionData,
  encodeFunctionData,
  encodePacked,
  hashMessage,
  hashTypedData as viemHash,
  keccak256,
} from 'viem'
import { parseAbi, parseTransaction, serializeTransaction, type TypedDataDefinition } from 'viem'
import { hashAuthorization } from 'viem/utils'
import { readIntent } from '../../intent.ts'
import { encodeOperations, executeDigest, relayCall } from '../account.ts'
import { personalDigest } from '../messages.ts'
import { attachSignature, decodeUnsigned, delegationDigest, digest } from '../transaction.ts'
import { encodeUnsigned, type EvmSignature, type EvmTransaction } from '../transaction.ts'
import { requestOfTransfer } from '../transfer.ts'
import { hashTypedData } from '../typed-data.ts'
import { readWrapped } from '../wrappers.ts'
import { type Draw, drawFrom } from './draw.ts'
import { sameCall } from './known-calls.ts'
import { authorizationFrom, authorizationToViem, hexText } from './transactions.ts'
import { signatureToViem, transactionFrom } from './transactions.ts'
import { typedDataFrom } from './typed-data.ts'

/**
 * One case of a kind, drawn from a number, held against viem.
 * @throws where the two disagree, or where one of ours breaks in another way than by refusing
 */
export const differentials = {
  transaction: sameTransaction,
  'damaged transaction': sameReading,
  'typed data': sameTypedData,
  'token transfer': sameTransfer,
  'wrapped call': sameWrapped,
  'known call': (draw: Draw) => sameCall(draw, damaged),
  authorization: sameAuthorization,
  message: sameMessage,
  'sponsored call': sameSponsored,
} as const satisfies Readonly<Record<string, (draw: Draw) => void>>
export type DifferentialKind = keyof typeof differentials
/** Most of them are of what has most ways to go wrong. */
const turns: readonly DifferentialKind[] = [
  ...(['transaction', 'transaction', 'damaged transaction', 'typed data', 'typed data'] as const),
  ...(['transaction', 'damaged transaction', 'typed data', 'token transfer'] as const),
]
const rare: readonly DifferentialKind[] = [
  ...(['authorization', 'message', 'wrapped call', 'sponsored call', 'known call'] as const),
]

/** @returns what was compared */
export function compare(seed: number): DifferentialKind {
  const kind =
    (seed % 10 === 9 ? rare[((seed - 9) / 10) % rare.length] : turns[seed % 10]) ?? 'transaction'
  try {
    differentials[kind](drawFrom(seed))
  } catch (cause) {
    throw new Error(`case ${seed}, ${kind}`, { cause })
  }
  return kind
}

const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

function sameTransaction(draw: Draw): void {
  const { ours, theirs } = transactionFrom(draw)
  const unsigned = serializeTransaction(theirs)
  assert.equal(hexText(encodeUnsigned(ours)), unsigned)
  assert.equal(hexText(digest(ours)), keccak256(unsigned))
  assert.deepEqual(decodeUnsigned(fromHex(unsigned.slice(2))), ours)
  // Any numbers in range: neither of the two asks whether they are a signature.
  const number = () => 1n + (draw.natural(32) % (n / 2n))
  const signature: EvmSignature = { r: number(), s: number(), yParity: draw.one([0, 1] as const) }
  const signed = serializeTransaction(theirs, signatureToViem(signature))
  const attached = attachSignature(ours, signature)
  assert.equal(hexText(attached.bytes), signed)
  assert.equal(hexText(attached.hash), keccak256(signed))
}

/**
 * What we read of bytes that somebody has damaged is what they say to the last byte, and what viem reads in
 * them. It may read more than we do: it takes lengths and numbers that are not in their shortest form.
 */
function sameReading(draw: Draw): void {
  const whole = encodeUnsigned(transactionFrom(draw).ours)
  const bytes = damaged(draw, whole)
  const ours = read(bytes)
  if (ours === undefined) return
  assert.equal(hexText(encodeUnsigned(ours)), hexText(bytes))
  if (isBeyondViem(ours)) return
  const theirs = parseTransaction(hexText(bytes) as Parameters<typeof parseTransaction>[0])
  assert.equal(serializeTransaction(theirs as never), hexText(bytes))
  assert.equal(BigInt(theirs.chainId ?? 0), ours.chainId)
  assert.equal(theirs.to ?? undefined, ours.to === undefined ? undefined : hexText(ours.to))
  assert.equal(theirs.value ?? 0n, ours.value)
  if (ours.type === 0) return
  const listed = ours.accessList.map(({ address, keys }) => ({
    ...{ address: hexText(address), storageKeys: keys.map(hexText) },
  }))
  assert.deepEqual(theirs.accessList ?? [], listed)
}

/** What viem refuses to read, though it is well-formed: its plan is refused, or it cannot count so far. */
function isBeyondViem(tx: EvmTransaction): boolean {
  const delegated = tx.type === 4 ? tx.authorizations : []
  const counted = [tx, ...delegated].flatMap(({ chainId, nonce }) => [chainId, nonce])
  if (counted.some((number) => number > BigInt(Number.MAX_SAFE_INTEGER))) return true
  return 'maxFeePerGas' in tx && tx.maxPriorityFeePerGas > tx.maxFeePerGas
}

function damaged(draw: Draw, whole: Uint8Array): Uint8Array {
  const at = draw.below(whole.length)
  switch (draw.below(4)) {
    case 0:
      return whole.slice(0, at)
    case 1:
      return Uint8Array.from([...whole.subarray(0, at), ...draw.bytes(1), ...whole.subarray(at)])
    case 2:
      return Uint8Array.from([...whole.subarray(0, at), ...whole.subarray(at + 1)])
    default:
      return whole.with(at, draw.below(256))
  }
}

function read(bytes: Uint8Array): ReturnType<typeof decodeUnsigned> | undefined {
  try {
    return decodeUnsigned(bytes)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}

function sameTypedData(draw: Draw): void {
  const { typed, primaryType } = typedDataFrom(draw)
  const ours = hashTypedData(typed)
  assert.equal(ours.primaryType, primaryType)
  const theirs = viemHash({ ...typed, primaryType } as unknown as TypedDataDefinition)
  assert.equal(hexText(ours.digest), theirs)
}

const abi = parseAbi([
  'function transfer(address to, uint256 amount)',
  'function safeTransferFrom(address from, address to, uint256 tokenId)',
  'function safeTransferFrom(address from, address to, uint256 tokenId, uint256 amount, bytes data)',
])

function sameTransfer(draw: Draw): void {
  const [owner, contract] = [draw.bytes(20), hexText(draw.bytes(20))]
  const [from, to] = [hexText(owner), hexText(draw.bytes(20))]
  const [tokenId, amount] = [draw.natural(32), draw.natural(32)]
  const functionName = 'safeTransferFrom'
  const [body, theirs] = draw.one<readonly [object, string]>([
    [
      { kind: 'Erc20', amount: `${amount}` },
      encodeFunctionData({ abi, functionName: 'transfer', args: [to, amount] }),
    ],
    [
      { kind: 'Erc721', tokenId: `${tokenId}` },
      encodeFunctionData({ abi, functionName, args: [from, to, tokenId] }),
    ],
    [
      { kind: 'Erc1155', tokenId: `${tokenId}`, amount: `${amount}` },
      encodeFunctionData({ abi, functionName, args: [from, to, tokenId, amount, '0x'] }),
    ],
  ])
  const intent = readIntent('transfer', JSON.stringify({ ...body, to, contract }))
  assert.ok(intent.ok && intent.intent.kind === 'transfer')
  const made = requestOfTransfer(intent.intent, owner)
  assert.equal(hexText(made.data), theirs)
  assert.equal(hexText(made.to ?? new Uint8Array()), contract)
}

const wrapping = parseAbi([
  'function multicall(bytes[] data)',
  'function execTransaction(address to, uint256 value, bytes data, uint8 operation, uint256 safeTxGas, uint256 baseGas, uint256 gasPrice, address gasToken, address refundReceiver, bytes signatures)',
])

/** Half of them damaged: what we still read is what viem reads, and the only way to write it. */
function sameWrapped(draw: Draw): void {
  const whole = wrappedFrom(draw)
  const data = draw.below(2) === 0 ? whole : damaged(draw, whole)
  const to = draw.bytes(20)
  const ours = readWrapped({ to, value: 0n, data })
  if (data === whole && ours === undefined) assert.equal(isPlainExecution(data), false)
  if (ours?.kind !== 'calls') return
  const theirs = decodeFunctionData({ abi: wrapping, data: hexText(data) })
  assert.equal(encodeFunctionData({ abi: wrapping, ...theirs }), hexText(data))
  const calls = ours.calls.map((call) => [hexText(call.to ?? to), call.value, hexText(call.data)])
  const expected =
    theirs.functionName === 'multicall'
      ? theirs.args[0].map((inner) => [hexText(to), 0n, inner])
      : [[theirs.args[0].toLowerCase(), theirs.args[1], theirs.args[2]]]
  assert.deepEqual(calls, expected)
}

/** Neither by delegation nor with a refund. */
function isPlainExecution(data: Uint8Array): boolean {
  const { functionName, args } = decodeFunctionData({ abi: wrapping, data: hexText(data) })
  return functionName === 'multicall' || (args[3] === 0 && args[6] === 0n)
}

function wrappedFrom(draw: Draw): Uint8Array {
  const bytes = () => hexText(draw.bytes(draw.below(100)))
  const account = () => hexText(draw.bytes(20))
  const [value, operation, gasPrice] = [draw.natural(32), draw.below(3) >> 1, draw.below(3) >> 1]
  const text =
    draw.below(2) === 0
      ? encodeFunctionData({
          ...{ abi: wrapping, functionName: 'multicall' },
          args: [Array.from({ length: draw.below(4) }, bytes)],
        })
      : encodeFunctionData({
          ...{ abi: wrapping, functionName: 'execTransaction' },
          args: [
            ...([account(), value, bytes(), operation, draw.natural(4), draw.natural(4)] as const),
            ...([BigInt(gasPrice), account(), account(), bytes()] as const),
          ],
        })
  return fromHex(text.slice(2))
}

function sameAuthorization(draw: Draw): void {
  const one = authorizationFrom(draw)
  const { chainId, address, nonce } = authorizationToViem(one)
  assert.equal(hexText(delegationDigest(one)), hashAuthorization({ chainId, address, nonce }))
}

const relaying = parseAbi([
  'function relay(address account, bytes operations, bytes32 nonce, uint256 deadline, bytes32 r, bytes32 vs)',
])
const executeFields = [
  { name: 'operations', type: 'bytes32' },
  { name: 'nonce', type: 'bytes32' },
  { name: 'deadline', type: 'uint256' },
  { name: 'sponsor', type: 'address' },
]

function sameSponsored(draw: Draw): void {
  const operations = Array.from({ length: draw.below(5) }, () => ({
    ...{ to: draw.bytes(20), value: draw.natural(32), data: draw.bytes(draw.below(100)) },
  }))
  const packed = encodeOperations(operations)
  const types = ['address', 'uint256', 'uint256', 'bytes'] as const
  const parts = operations.map(({ to, value, data }) =>
    encodePacked(types, [hexText(to), value, BigInt(data.length), hexText(data)]),
  )
  assert.equal(hexText(packed), concatHex(parts))
  const [account, nonce, sponsor] = [draw.bytes(20), draw.bytes(32), draw.bytes(20)]
  const [deadline, chainId] = [draw.natural(32), draw.natural(6)]
  const terms = { account, operations: packed, nonce, deadline }
  const named = { nonce: hexText(nonce), deadline, sponsor: hexText(sponsor) }
  const theirs = viemHash({
    ...{ domain: { chainId, verifyingContract: hexText(account) }, primaryType: 'Execute' },
    ...{ types: { Execute: executeFields } },
    message: { operations: keccak256(packed), ...named },
  })
  assert.equal(hexText(executeDigest(terms, { chainId, sponsor })), theirs)
  const [r, s, yParity] = [draw.natural(32), draw.natural(31), draw.one([0, 1] as const)]
  const vs = `0x${((BigInt(yParity) << 255n) | s).toString(16).padStart(64, '0')}` as const
  const call = encodeFunctionData({
    abi: relaying,
    args: [
      ...([hexText(account), hexText(packed), named.nonce, deadline] as const),
      ...([`0x${r.toString(16).padStart(64, '0')}`, vs] as const),
    ],
  })
  assert.equal(hexText(relayCall(terms, { r, s, yParity })), call)
}

function sameMessage(draw: Draw): void {
  const message = draw.bytes(draw.below(300))
  assert.equal(hexText(personalDigest(message)), hashMessage({ raw: message }))
}
