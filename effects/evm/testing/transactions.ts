import { toHex } from '@quorate/core/bytes'
import type { Hex, TransactionSerializable } from 'viem'
import type { Authorization, EvmSignature, EvmTransaction } from '../transaction.ts'
import type { Draw } from './draw.ts'

/** One transaction, as this room and as viem has it. */
export type Pair = { readonly ours: EvmTransaction; readonly theirs: TransactionSerializable }

/** Viem counts with numbers: nothing above 2^53 here that it would round. */
const countBytesMax = 6

export function transactionFrom(draw: Draw): Pair {
  const type = draw.one([0, 1, 2, 4] as const)
  const hasTo = type === 4 || draw.below(5) > 0
  const to = hasTo ? draw.bytes(20) : undefined
  const [shared, theirs] = commonFrom(draw, to)
  if (type === 0) {
    const gasPrice = draw.natural(30)
    return {
      ours: { type, ...shared, gasPrice },
      theirs: { type: 'legacy', ...theirs, gasPrice },
    }
  }
  const [accessList, theirList] = accessListFrom(draw)
  const [listed, theirListed] = [
    { ...shared, accessList },
    { ...theirs, accessList: theirList },
  ]
  if (type === 1) {
    const gasPrice = draw.natural(30)
    return {
      ours: { type, ...listed, gasPrice },
      theirs: { type: 'eip2930', ...theirListed, gasPrice },
    }
  }
  const maxPriorityFeePerGas = draw.natural(20)
  const fees = { maxPriorityFeePerGas, maxFeePerGas: maxPriorityFeePerGas + draw.natural(20) }
  if (type === 2 || to === undefined)
    return {
      ours: { type: 2, ...listed, ...fees },
      theirs: { type: 'eip1559', ...theirListed, ...fees },
    }
  const authorizations = Array.from({ length: 1 + draw.below(3) }, () => authorizationFrom(draw))
  return {
    ours: { type, ...listed, ...fees, to, authorizations },
    theirs: {
      ...{ type: 'eip7702', ...theirListed, ...fees },
      authorizationList: authorizations.map(authorizationToViem),
    },
  }
}

function commonFrom(draw: Draw, to: Uint8Array | undefined) {
  const shared = {
    chainId: 1n + draw.natural(4),
    nonce: draw.natural(countBytesMax),
    gasLimit: draw.natural(7),
    value: draw.natural(31),
    data: draw.bytes(draw.below(3) * draw.below(128)),
  }
  const theirs = {
    chainId: Number(shared.chainId),
    nonce: Number(shared.nonce),
    gas: shared.gasLimit,
    value: shared.value,
    data: hexText(shared.data),
    ...(to === undefined ? {} : { to: hexText(to) }),
  }
  return [{ ...shared, ...(to === undefined ? {} : { to }) }, theirs] as const
}

function accessListFrom(draw: Draw) {
  // Now and then a long one: RLP writes lengths from 56 and from 256 on in other ways.
  const keysMax = draw.below(16) === 0 ? 20 : 4
  const ours = Array.from({ length: draw.below(3) }, () => ({
    address: draw.bytes(20),
    keys: Array.from({ length: draw.below(keysMax) }, () => draw.bytes(32)),
  }))
  const theirs = ours.map(({ address, keys }) => ({
    address: hexText(address),
    storageKeys: keys.map(hexText),
  }))
  return [ours, theirs] as const
}

export function authorizationFrom(draw: Draw): Authorization {
  return {
    chainId: draw.natural(4),
    address: draw.bytes(20),
    nonce: draw.natural(countBytesMax),
    yParity: BigInt(draw.below(2)),
    r: draw.natural(32),
    s: draw.natural(32),
  }
}

export function authorizationToViem(one: Authorization) {
  return {
    chainId: Number(one.chainId),
    address: hexText(one.address),
    nonce: Number(one.nonce),
    yParity: Number(one.yParity),
    r: wordText(one.r),
    s: wordText(one.s),
  }
}

export function signatureToViem({ r, s, yParity }: EvmSignature) {
  // What viem looks at in legacy transactions is v alone.
  return { r: wordText(r), s: wordText(s), yParity, v: 27n + BigInt(yParity) }
}

export function hexText(bytes: Uint8Array): Hex {
  return `0x${toHex(bytes)}`
}

function wordText(value: bigint): Hex {
  return `0x${value.toString(16).padStart(64, '0')}`
}
