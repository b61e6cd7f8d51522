import { concat, fromHex, toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { ChainTransfer } from '@quorate/chains/adapter'
import type { DatabaseTransaction } from '../database/database.ts'
import { recordEvent } from '../outbox.ts'
import { walletRows } from '../wallets/find.ts'
import { walletOf } from '../wallets/entity.ts'
import { historyItemOf, type HistoryRow } from './entity.ts'

/** One row for each wallet and direction, with the event that tells of it. */
export async function addHistory(
  transaction: DatabaseTransaction,
  network: string,
  transfers: readonly ChainTransfer[],
  now: number,
): Promise<void> {
  for (const transfer of transfers) {
    const wallets = await transaction
      .selectFrom('wallets')
      .select(['organization', 'wallet_id'])
      .where('network', '=', network)
      .where('address', '=', transfer.address)
      .execute()
    for (const { organization, wallet_id } of wallets) {
      const wallet = await walletRows(transaction, { organization })
        .where('wallet_id', '=', wallet_id)
        .executeTakeFirstOrThrow()
      const row = rowOf(network, transfer, wallet)
      await transaction
        .insertInto('history')
        .values(row)
        .onConflict((conflict) =>
          conflict.columns(['organization', 'wallet', 'id']).doUpdateSet({ canonical: true }),
        )
        .execute()
      await recordEvent(transaction, {
        organization,
        kind: 'wallet.blockchainevent.detected',
        data: { blockchainEvent: historyItemOf(row, wallet), wallet: walletOf(wallet) },
        at: now,
      })
    }
  }
}

/** Rows stay; whether they count goes by their block. */
export async function setHistoryCanonical(
  transaction: DatabaseTransaction,
  blocks: {
    readonly network: string
    readonly hashes: readonly string[]
    readonly canonical: boolean
  },
): Promise<void> {
  await transaction
    .updateTable('history')
    .set({ canonical: blocks.canonical })
    .where('network', '=', blocks.network)
    .where('block_hash', 'in', blocks.hashes)
    .execute()
}

function rowOf(
  network: string,
  transfer: ChainTransfer,
  { organization, id: wallet }: { readonly organization: Uint8Array; readonly id: Uint8Array },
): HistoryRow {
  return {
    ...{ organization, wallet, network, kind: 'NativeTransfer', direction: transfer.direction },
    id: idOf(transfer),
    block_hash: transfer.blockHash,
    block_number: Number(transfer.blockNumber),
    hash: transfer.hash,
    index: transfer.index,
    sender: transfer.from,
    recipient: transfer.to ?? null,
    value: transfer.value.toString(),
    fee: transfer.fee.toString(),
    time: Number(transfer.timestamp) * 1000,
    canonical: true,
  }
}

/** Sorts by the place in the block; the same movement in another block is another one. */
function idOf({ index, direction, hash, blockHash }: ChainTransfer): Uint8Array {
  const place = new Uint8Array([index >>> 24, index >>> 16, index >>> 8, index])
  const parts = [fromHex(blockHash.slice(2)), fromHex(hash.slice(2)), toUtf8(direction)]
  return concat(place, hashOf('quorate/movement/1', ...parts).subarray(0, 28))
}
