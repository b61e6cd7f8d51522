import type { Block, BlockTransaction, ChainTransfer, Rpc } from '../adapter.ts'
import { unreadable } from './answer.ts'
import { findReceipt } from './status.ts'

/**
 * The native payments of a block that touch these addresses (with their checksum), once per
 * direction: a payment to oneself is both. What contracts pay on is not seen here.
 *
 * @throws Failure `chain.refused` when the block is no longer on the chain: `advance` comes first
 */
export async function transfersOf(
  rpc: Rpc,
  block: Block,
  addresses: ReadonlySet<string>,
): Promise<readonly ChainTransfer[]> {
  const found: ChainTransfer[] = []
  for (const transaction of block.transactions) {
    const sides = sidesOf(transaction, addresses)
    if (sides.length === 0) continue
    const receipt = await findReceipt(rpc, transaction.hash)
    if (receipt?.blockHash !== block.hash) throw unreadable('a receipt of the block asked about')
    const { succeeded, fee } = receipt
    const value = succeeded ? transaction.value : 0n
    const { number: blockNumber, hash: blockHash, timestamp } = block
    for (const side of sides)
      if (side.direction === 'Out' || value > 0n)
        found.push({
          ...transaction,
          ...side,
          value,
          fee,
          succeeded,
          blockHash,
          blockNumber,
          timestamp,
        })
  }
  return found
}

function sidesOf(
  { from, to }: BlockTransaction,
  addresses: ReadonlySet<string>,
): readonly Pick<ChainTransfer, 'direction' | 'address'>[] {
  return [
    ...(addresses.has(from) ? [{ direction: 'Out' as const, address: from }] : []),
    ...(to !== undefined && addresses.has(to) ? [{ direction: 'In' as const, address: to }] : []),
  ]
}
