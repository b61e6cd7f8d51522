import type { Network, Rpc, SentTransaction, TransactionStatus } from '../adapter.ts'
import { type Fields, readFields, readHash, readQuantity, unreadable } from './answer.ts'
import { findHeader } from './blocks.ts'
import { type SlotUse, useOfSlot } from './slot.ts'

export type Receipt = {
  readonly hash: string
  readonly blockHash: string
  readonly blockNumber: bigint
  readonly succeeded: boolean
  readonly fee: bigint
}

/** Where a transaction that was signed stands, by block numbers and hashes alone. */
export async function status(
  rpc: Rpc,
  network: Network,
  sent: SentTransaction,
): Promise<TransactionStatus> {
  const included = await findIncluded(rpc, sent.hash)
  if (included !== undefined) return included
  const known = await rpc('eth_getTransactionByHash', [sent.hash])
  if (known !== null) {
    const { blockHash, blockNumber } = readFields(known)
    if (blockHash === null || blockHash === undefined) return { kind: 'pending' }
    const canonical = await findHeader(rpc, readQuantity(blockNumber))
    if (canonical?.hash === readHash(blockHash)) return { kind: 'no-receipt' }
  }
  const use = await useOfSlot(rpc, network, sent)
  // It may have been mined between the questions.
  if (use === 'own') return (await findIncluded(rpc, sent.hash)) ?? { kind: 'no-receipt' }
  return statusBySlot[use]
}

const statusBySlot = {
  none: { kind: 'missing' },
  another: { kind: 'lapsed' },
  unknown: { kind: 'slot-used' },
} as const satisfies Readonly<Record<Exclude<SlotUse, 'own'>, TransactionStatus>>

/** @returns undefined when the node knows of no block with this transaction */
export async function findReceipt(rpc: Rpc, hash: string): Promise<Receipt | undefined> {
  const answer = await rpc('eth_getTransactionReceipt', [hash])
  if (answer === null || answer === undefined) return undefined
  const receipt = readFields(answer)
  if (readHash(receipt['transactionHash']) !== hash) throw unreadable('the receipt asked for')
  return {
    hash,
    blockHash: readHash(receipt['blockHash']),
    blockNumber: readQuantity(receipt['blockNumber']),
    succeeded: readQuantity(receipt['status']) === 1n,
    fee: feeIn(receipt),
  }
}

/** With what a layer-two network takes for the layer below it ("L1 data fee", OP Stack and Scroll). */
function feeIn({ gasUsed, effectiveGasPrice, l1Fee }: Fields): bigint {
  const below = l1Fee === undefined || l1Fee === null ? 0n : readQuantity(l1Fee)
  return readQuantity(gasUsed) * readQuantity(effectiveGasPrice) + below
}

/**
 * A receipt counts only while the block it names is the one at that height. The head is asked for before that:
 * a block that is there after it has been seen so deep stays; one that was there before may be gone by then.
 */
async function findIncluded(
  rpc: Rpc,
  hash: string,
): Promise<Extract<TransactionStatus, { kind: 'included' }> | undefined> {
  const receipt = await findReceipt(rpc, hash)
  if (receipt === undefined) return undefined
  const { blockHash, blockNumber, succeeded, fee } = receipt
  const head = await headNumber(rpc)
  const canonical = await findHeader(rpc, blockNumber)
  if (canonical?.hash !== blockHash || head < blockNumber) return undefined
  const confirmations = Number(head - blockNumber) + 1
  return { kind: 'included', blockHash, blockNumber, confirmations, succeeded, fee }
}

async function headNumber(rpc: Rpc): Promise<bigint> {
  return readQuantity(await rpc('eth_blockNumber', []))
}
