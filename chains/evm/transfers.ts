import type { Block, BlockTransaction, ChainTransfer, Rpc, TokenLog } from '../adapter.ts'
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
    const { succeeded, fee } = await receiptIn(rpc, block, transaction.hash)
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

/**
 * What of a block's logs concerns these addresses, once per direction. Units of nothing are left out:
 * anybody can have a coin say that somebody has sent none of it to an address like a known one.
 */
export async function tokenTransfersOf(
  rpc: Rpc,
  { block, logs }: { readonly block: Block; readonly logs: readonly TokenLog[] },
  addresses: ReadonlySet<string>,
): Promise<readonly ChainTransfer[]> {
  const { number: blockNumber, hash: blockHash, timestamp } = block
  const feeOf = feesIn(rpc, block)
  const found: ChainTransfer[] = []
  for (const log of logs) {
    if (log.value === 0n) continue
    for (const side of sidesOf(log, addresses)) {
      const fee = await feeOf(log.hash, side.address)
      const { from, to, value, hash, transactionIndex: index } = log
      found.push({
        ...{ ...side, token: log, from, to, value, hash, index, succeeded: true },
        ...{ blockHash, blockNumber, timestamp },
        ...(fee === undefined ? {} : { fee }),
      })
    }
  }
  return found
}

/** The fee of a transaction if this address has paid it; each receipt is asked for once. */
function feesIn(
  rpc: Rpc,
  block: Block,
): (hash: string, payer: string) => Promise<bigint | undefined> {
  const payers = new Map(block.transactions.map(({ hash, from }) => [hash, from]))
  const fees = new Map<string, bigint>()
  return async (hash, payer) => {
    if (payers.get(hash) !== payer) return undefined
    const fee = fees.get(hash) ?? (await receiptIn(rpc, block, hash)).fee
    fees.set(hash, fee)
    return fee
  }
}

async function receiptIn(rpc: Rpc, block: Block, hash: string) {
  const receipt = await findReceipt(rpc, hash)
  if (receipt?.blockHash !== block.hash) throw unreadable('a receipt of the block asked about')
  return receipt
}

export function sidesOf(
  { from, to }: Pick<BlockTransaction, 'from' | 'to'>,
  addresses: ReadonlySet<string>,
): readonly Pick<ChainTransfer, 'direction' | 'address'>[] {
  return [
    ...(addresses.has(from) ? [{ direction: 'Out' as const, address: from }] : []),
    ...(to !== undefined && addresses.has(to) ? [{ direction: 'In' as const, address: to }] : []),
  ]
}
