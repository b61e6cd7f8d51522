import { networkNamed } from '../chain/chains.ts'
import type { WalletRow } from '../wallets/find.ts'
import type { ChainTables } from './tables.ts'

export type HistoryRow = ChainTables['history']

/** A movement as the API and its events give it. */
export function historyItemOf(row: HistoryRow, wallet: Pick<WalletRow, 'wallet_id'>) {
  const { symbol, decimals } = networkNamed(row.network).nativeAsset
  const asset = { symbol, decimals, verified: true }
  return {
    kind: row.kind,
    walletId: wallet.wallet_id,
    network: row.network,
    direction: row.direction,
    blockNumber: row.block_number,
    txHash: row.hash,
    index: String(row.index),
    timestamp: new Date(row.time).toISOString(),
    metadata: { asset, fee: asset },
    from: row.sender,
    ...(row.recipient === null ? {} : { to: row.recipient }),
    value: row.value,
    fee: row.fee,
    ...asset,
  }
}
