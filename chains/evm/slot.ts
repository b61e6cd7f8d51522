import { isFailure } from '@quorate/core/failure'
import { recoverAuthorizationAddress } from 'viem/utils'
import type { Network, Rpc, SentTransaction } from '../adapter.ts'
import { type Fields, readFields, readHash, readList, readQuantity, unreadable } from './answer.ts'

/** What a nonce was used by, as settled blocks have it. */
export type SlotUse =
  | 'none'
  /** The transaction that is asked about. */
  | 'own'
  | 'another'
  /** The node has too little of what was to say. */
  | 'unknown'

type Slot = Pick<SentTransaction, 'from' | 'slot'>

/** Has the account passed this nonce in a block that is settled? Newer blocks may yet vanish. */
export async function isSlotSettled(rpc: Rpc, network: Network, slot: Slot): Promise<boolean> {
  return (await settledPast(rpc, network, slot)) !== undefined
}

/**
 * That a node has no receipt for a transaction, and does not know its hash, says little: receipts and indexes
 * are pruned, and behind one address may be nodes of which some lag. So whatever has used the nonce is
 * looked for in the one block at which the account came past it, and only what stands there counts.
 */
export async function useOfSlot(
  rpc: Rpc,
  network: Network,
  sent: SentTransaction,
): Promise<SlotUse> {
  const last = await settledPast(rpc, network, sent)
  if (last === undefined) return 'none'
  try {
    const block = await findPassing(rpc, sent, last)
    return block === undefined ? 'unknown' : await useIn(rpc, sent, block)
  } catch (error) {
    // States and blocks of that time may be pruned, or the nodes do not agree on them.
    if (isFailure(error, 'chain.refused') || isFailure(error, 'chain.unavailable')) return 'unknown'
    throw error
  }
}

/** @returns the newest settled block, if the account is past the nonce there */
async function settledPast(rpc: Rpc, network: Network, slot: Slot): Promise<bigint | undefined> {
  const head = readQuantity(await rpc('eth_blockNumber', []))
  const settled = head - BigInt(network.confirmationsFinal) + 1n
  return settled >= 0n && (await isPastAt(rpc, slot, settled)) ? settled : undefined
}

async function isPastAt(rpc: Rpc, { from, slot }: Slot, block: bigint): Promise<boolean> {
  return readQuantity(await rpc('eth_getTransactionCount', [from, hexOf(block)])) > slot
}

/**
 * The first block after which the account is past the nonce: back in steps that double, as it was most often
 * just before and many nodes have no older states, then halfway each time.
 * @param last one after which it is
 * @returns undefined where it was so from the beginning: such a node tells of now, whatever it is asked about
 */
async function findPassing(rpc: Rpc, slot: Slot, last: bigint): Promise<bigint | undefined> {
  let [before, after] = [last, last]
  for (let step = 1n; before === after; step *= 2n) {
    if (after === 0n) return undefined
    before = after > step ? after - step : 0n
    if (await isPastAt(rpc, slot, before)) after = before
  }
  while (after - before > 1n) {
    const middle = (before + after) / 2n
    if (await isPastAt(rpc, slot, middle)) after = middle
    else before = middle
  }
  return after
}

/** It is used by another one only if that one is there: counts alone may be made up for want of a state. */
async function useIn(rpc: Rpc, sent: SentTransaction, number: bigint): Promise<SlotUse> {
  const block = readFields(await rpc('eth_getBlockByNumber', [hexOf(number), true]))
  if (readQuantity(block['number']) !== number) throw unreadable('the block asked for')
  const transactions = readList(block['transactions']).map(readFields)
  if (transactions.some(({ hash }) => readHash(hash) === sent.hash)) return 'own'
  for (const one of transactions) if (await usesSlot(one, sent)) return 'another'
  return 'unknown'
}

async function usesSlot(transaction: Fields, slot: Slot): Promise<boolean> {
  const { from, nonce, authorizationList } = transaction
  if (isAccount(from, slot) && readQuantity(nonce) === slot.slot) return true
  for (const one of readList(authorizationList ?? []))
    if (await authorizesAt(readFields(one), slot)) return true
  return false
}

/** An account that is given code uses a nonce of its own, whoever sends that (EIP-7702). */
async function authorizesAt(authorization: Fields, slot: Slot): Promise<boolean> {
  const { chainId, address, nonce, r, s, yParity } = authorization
  if (readQuantity(nonce) !== slot.slot) return false
  const [signedR, signedS] = [r, s].map((part) => wordOf(readQuantity(part)))
  if (signedR === undefined || signedS === undefined || typeof address !== 'string') return false
  const recovered = recoverAuthorizationAddress({
    authorization: {
      ...{ chainId: Number(readQuantity(chainId)), nonce: Number(slot.slot) },
      ...{ address: address as `0x${string}`, r: signedR, s: signedS },
      yParity: Number(readQuantity(yParity)),
    },
  })
  // What is no signature stands in blocks as well, and does nothing.
  return isAccount(await recovered.catch(() => undefined), slot)
}

function isAccount(value: unknown, { from }: Slot): boolean {
  return typeof value === 'string' && value.toLowerCase() === from.toLowerCase()
}

function wordOf(value: bigint): `0x${string}` {
  return `0x${value.toString(16).padStart(64, '0')}`
}

function hexOf(value: bigint): string {
  return `0x${value.toString(16)}`
}
