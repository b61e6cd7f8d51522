import type { Block, BlockTransaction, ChainTransfer, Rpc, TokenLog } from '../adapter.ts'
import { unreadable } from './answer.ts'
import { inPieces } from './pieces.ts'
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
  const { number: blockNumber, hash: blockHash, timestamp } = block
  const touching = block.transactions.flatMap((transaction) => {
    const sides = sidesOf(transaction, addresses)
    return sides.length === 0 ? [] : [{ transaction, sides }]
  })
  const found = await inPieces(touching, async ({ transaction, sides }) => {
    const { succeeded, fee } = await receiptIn(rpc, block, transaction.hash)
    const value = succeeded ? transaction.value : 0n
    const moved = { ...transaction, value, fee, succeeded, blockHash, blockNumber, timestamp }
    return sides
      .filter(({ direction }) => direction === 'Out' || value > 0n)
      .map((side) => ({ ...moved, ...side }))
  })
  return found.flat()
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
  const ours = logs
    .filter(({ value }) => value > 0n)
    .flatMap((log) => sidesOf(log, addresses).map((side) => ({ log, side })))
  const feeOf = await feesIn(rpc, block, new Set(ours.map(({ log }) => log.hash)), addresses)
  return ours.map(({ log, side }) => {
    const fee = feeOf(log.hash, side.address)
    const { from, to, value, hash, transactionIndex: index } = log
    return {
      ...{ ...side, token: log, from, to, value, hash, index, succeeded: true },
      ...{ blockHash, blockNumber, timestamp },
      ...(fee === undefined ? {} : { fee }),
    }
  })
}

/** The fee of a transaction if this address has paid it; each receipt is asked for once. */
async function feesIn(
  rpc: Rpc,
  block: Block,
  hashes: ReadonlySet<string>,
  addresses: ReadonlySet<string>,
): Promise<(hash: string, payer: string) => bigint | undefined> {
  const paid = block.transactions.filter(
    ({ hash, from }) => hashes.has(hash) && addresses.has(from),
  )
  const fees = await inPieces(paid, async ({ hash, from }) => {
    const { fee } = await receiptIn(rpc, block, hash)
    return [hash, { payer: from, fee }] as const
  })
  const feesByHash = new Map(fees)
  return (hash, payer) => {
    const found = feesByHash.get(hash)
    return found?.payer === payer ? found.fee : undefined
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
