import type { Movement, Outflow } from '@quorate/core/outflow'
import { bytesToBig, equalBytes, fromUtf8, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { rawOutflow } from '../effect.ts'
import { naturalWord, selectorSize, wordSize } from './abi.ts'
import { type AssetNetwork, coinMovement, nativeAsset } from './coin.ts'
import type { EvmTransaction } from './transaction.ts'
import { type Call, readWrapped } from './wrappers.ts'

type Known = {
  readonly standard: 'Erc20' | 'Erc721' | 'Erc1155'
  /** Of its parameters, each one word of the ABI's encoding: of a type, or the only one there may be. */
  readonly words: readonly (keyof typeof sizes | bigint)[]
  /** Which of them is the one who receives or may take, and which the amount: without one, a piece. */
  readonly to: number
  readonly amount?: number
  /** Which of them is the token, where that is not the contract called: then it is Permit2 that is. */
  readonly token?: number
  readonly isAllowance: boolean
  /** Do the bytes alone say that it is a token, and not one thing of a collection, that moves? */
  readonly isCertain: boolean
}

const sizes = { address: 20, amount: 32, uint160: 20, uint48: 6, uint8: 1, bytes32: 32 } as const
const payment = {
  ...({ standard: 'Erc20', words: ['address', 'amount'], to: 0, amount: 1 } as const),
  isCertain: true,
}
/**
 * The few calls that are understood, by selector (ERC-20, ERC-2612, ERC-721, ERC-1155). Any other can move whatever the
 * contract called has power over: multicalls, swaps, executions of a Safe, operators of a collection.
 *
 * A contract that only bears the name of a function does nothing worse by it: what it can take from its
 * caller was approved before, and counted then. Its own asset has a price or a limit only if
 * somebody holds it for a token.
 */
const calls: Readonly<Record<string, Known>> = {
  // transfer(address,uint256)
  a9059cbb: { ...payment, isAllowance: false },
  // approve(address,uint256)
  '095ea7b3': { ...payment, isAllowance: true },
  // increaseAllowance(address,uint256)
  '39509351': { ...payment, isAllowance: true },
  // transferFrom(address,address,uint256): ERC-721 gives the same bytes another meaning.
  '23b872dd': {
    standard: 'Erc20',
    words: ['address', 'address', 'amount'],
    ...{ to: 1, amount: 2, isAllowance: false, isCertain: false },
  },
  // permit(address,address,uint256,uint256,uint8,bytes32,bytes32)
  d505accf: {
    standard: 'Erc20',
    words: ['address', 'address', 'amount', 'amount', 'uint8', 'bytes32', 'bytes32'],
    ...{ to: 1, amount: 2, isAllowance: true, isCertain: true },
  },
  // approve(address,address,uint160,uint48) of Permit2
  '87517c45': {
    standard: 'Erc20',
    words: ['address', 'address', 'uint160', 'uint48'],
    ...{ token: 0, to: 1, amount: 2, isAllowance: true, isCertain: true },
  },
  // safeTransferFrom(address,address,uint256): no coin has it.
  '42842e0e': {
    standard: 'Erc721',
    words: ['address', 'address', 'amount'],
    ...{ to: 1, isAllowance: false, isCertain: true },
  },
  // safeTransferFrom(address,address,uint256,uint256,bytes) without bytes, which the recipient would act on.
  f242432a: {
    standard: 'Erc1155',
    words: ['address', 'address', 'amount', 'amount', 160n, 0n],
    ...{ to: 1, amount: 3, isAllowance: false, isCertain: true },
  },
}
/** At one address on every chain, without an owner. */
export const permit2 = '0x000000000022d473030f116ddee9f6b43ac78ba3'
const onePiece = naturalWord(1n)
/**
 * From here on an allowance is one of all there is. Tokens with votes keep 2^96 - 1 as endless, others
 * 2^256 - 1, and no supply comes near either.
 */
const endlessAllowance = 2n ** 96n - 1n

type Bounds = {
  readonly network: AssetNetwork
  readonly feeMax: bigint
  /** Whose account it is: 20 bytes. */
  readonly from: Uint8Array
}

/** Everything that can leave by this transaction, as far as its bytes alone tell. */
export function outflowOfTransaction(tx: EvmTransaction, bounds: Bounds): Outflow {
  const called = outflowOfCall(tx, bounds)
  // Accounts get other code by it, this one perhaps.
  return tx.type === 4 ? { ...called, isKnown: false, isRaw: true } : called
}

/** The same of all that an account does in one transaction for whose fees somebody else pays. */
export function outflowOfOperations(
  operations: readonly (Call & { readonly to: Uint8Array })[],
  bounds: Omit<Bounds, 'feeMax'>,
): Outflow {
  const outflows = operations.map((one) => outflowOfCall(one, { ...bounds, feeMax: 0n }))
  return {
    isKnown: outflows.every(({ isKnown }) => isKnown),
    isRaw: outflows.some(({ isRaw }) => isRaw),
    movements: outflows.flatMap(({ movements }) => movements),
    fee: undefined,
  }
}

/**
 * An account that has code does what that says when it is called (EIP-7702), by itself or by a contract that it has
 * asked to, whatever it seems to be asked.
 */
function isOwnCode({ to, data }: Call, { from }: Pick<Bounds, 'from'>): boolean {
  return data.length > 0 && to !== undefined && equalBytes(to, from)
}

/** A call within a call within one: deeper, nobody would follow. */
const depthMax = 3

function outflowOfCall(tx: Call, bounds: Bounds, depth = 0): Outflow {
  const read = readOutflow(tx, bounds, depth)
  return isOwnCode(tx, bounds) ? { ...read, isKnown: false, isRaw: true } : read
}

function readOutflow(tx: Call, bounds: Bounds, depth: number): Outflow {
  const { network, feeMax } = bounds
  const asset = nativeAsset(network)
  const to = tx.to === undefined ? '' : addressText(tx.to)
  const native = { asset, to, amount: tx.value }
  const fee = { asset, amount: feeMax }
  const isPlain = tx.to !== undefined && tx.data.length === 0
  // A call that carries nothing else names its recipient itself.
  const carried = tx.value > 0n || isPlain ? [native] : []
  if (isPlain) return { isKnown: true, isRaw: false, movements: carried, fee }
  const called = tx.to === undefined ? undefined : readCall(tx.data, { network, contract: to })
  const inner = called === undefined && depth < depthMax ? readWrapped(tx) : undefined
  if (inner?.kind === 'operations') return { isKnown: false, isRaw: true, movements: carried, fee }
  if (inner?.kind === 'calls') {
    const outflows = inner.calls.map((one) => outflowOfCall(one, bounds, depth + 1))
    const movements = [...carried, ...outflows.flatMap((outflow) => outflow.movements)]
    const isKnown = tx.value === 0n && outflows.every((outflow) => outflow.isKnown)
    return { isKnown, isRaw: outflows.some(({ isRaw }) => isRaw), movements, fee }
  }
  if (called === undefined) return { isKnown: false, isRaw: false, movements: carried, fee }
  // None of these takes value: a contract that does is another one than the bytes pretend.
  const isKnown = called.isWhole && tx.value === 0n
  return { isKnown, isRaw: false, movements: [...carried, called.movement], fee }
}

/** What a signer's own bytes would be read as by whoever executes them, and by nobody else. */
function readCall(
  data: Uint8Array,
  { network, contract }: { readonly network: AssetNetwork; readonly contract: string },
): { readonly isWhole: boolean; readonly movement: Movement } | undefined {
  const selector = toHex(data.subarray(0, selectorSize))
  const call = Object.hasOwn(calls, selector) ? calls[selector] : undefined
  if (call === undefined || data.length !== selectorSize + call.words.length * wordSize)
    return undefined
  const words = call.words.map((kind, i) => {
    const start = selectorSize + i * wordSize
    const word = data.subarray(start, start + wordSize)
    if (typeof kind === 'bigint') return bytesToBig(word) === kind ? word : undefined
    // Decoders differ over what stands before a short value: some cut it off, some refuse.
    return bytesToBig(word.subarray(0, wordSize - sizes[kind])) === 0n ? word : undefined
  })
  const token = call.token === undefined ? undefined : words[call.token]
  if (call.token !== undefined && contract !== permit2) return undefined
  const to = words[call.to]
  const amount = call.amount === undefined ? onePiece : words[call.amount]
  if (to === undefined || amount === undefined || words.includes(undefined)) return undefined
  const moved = token === undefined ? contract : addressText(token.subarray(12))
  // As a collection such a contract is none that anybody knows.
  if (call.standard !== 'Erc20' && moved === network.nativeContract?.address) return undefined
  const named = { to: addressText(to.subarray(12)), amount: bytesToBig(amount) }
  const movement =
    call.standard === 'Erc20'
      ? coinMovement(network, { contract: moved, ...named })
      : { asset: `${network.id}/${call.standard}/${moved}`, ...named }
  const isEndlessOne = call.isAllowance && isEndless(named.amount)
  return { isWhole: call.isCertain && !isEndlessOne, movement }
}

/** Is an allowance of this much one of all there is? */
export function isEndless(amount: bigint): boolean {
  return amount >= endlessAllowance
}

function addressText(address: Uint8Array): string {
  return `0x${toHex(address)}`
}

/**
 * A text moves nothing. A hash does: contracts take the signature over one under this very prefix for
 * a user operation (ERC-4337) or a Safe's transaction, be it in bytes or written out.
 */
export function outflowOfMessage(message: Uint8Array): Outflow {
  if (message.length === 32 || !isText(message)) return rawOutflow
  return { isKnown: true, isRaw: false, movements: [], fee: undefined }
}

function isText(message: Uint8Array): boolean {
  try {
    return !/^\s*(?:0x)?[0-9a-f]{64}\s*$/i.test(fromUtf8(message))
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return false
    throw error
  }
}

/** The account itself is put into the hands of whoever wrote the operation. */
const givingAway: ReadonlySet<string> = new Set(['UserOperation', 'PackedUserOperation'])

/** One whose whole type is known to let somebody take tokens: see `permits.ts`. */
type Permit = { readonly isWhole: boolean; readonly movements: readonly Movement[] }

/** What a contract makes of a struct is in its code alone, and most hand something over later. */
export function outflowOfTypedData(primaryType: string, permit?: Permit): Outflow {
  if (permit !== undefined)
    return { isKnown: permit.isWhole, isRaw: false, movements: permit.movements, fee: undefined }
  const isRaw = givingAway.has(primaryType)
  return { isKnown: false, isRaw, movements: [], fee: undefined }
}
