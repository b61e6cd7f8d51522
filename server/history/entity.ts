import type { Network } from '@quorate/chains/adapter'
import type { WalletRow } from '../wallets/find.ts'
import type { ChainTables } from './tables.ts'
import type { ShownWords } from './tokens.ts'

export type HistoryRow = ChainTables['history']

/**
 * A movement as the API and its events give it.
 * @param network the row's
 * @param words of the token's contract, a stranger's, unless the operator knows it
 */
export function historyItemOf(
  row: HistoryRow,
  { wallet_id }: Pick<WalletRow, 'wallet_id'>,
  { nativeAsset: { symbol, decimals } }: Pick<Network, 'nativeAsset'>,
  words: ShownWords = {},
) {
  const native = { symbol, decimals, verified: true }
  const { fee } = row
  const common = {
    walletId: wallet_id,
    network: row.network,
    direction: row.direction,
    blockNumber: row.block_number,
    ...placeOf(row),
    timestamp: new Date(row.time).toISOString(),
    metadata: {
      asset: row.contract === null ? native : { verified: false, ...words },
      ...(fee === null ? {} : { fee: native }),
    },
    ...(fee === null ? {} : { fee }),
  }
  const to = row.recipient ?? undefined
  if (row.kind === 'NativeTransfer' || row.contract === null)
    return {
      ...{ kind: 'NativeTransfer' as const, ...common, ...native, value: row.value },
      ...(row.sender === null ? {} : { from: row.sender }),
      ...(to === undefined ? {} : { to }),
    }
  const sides = { from: row.sender ?? '', to: to ?? '' }
  const token = { ...common, contract: row.contract, ...sides, ...symbolOf(words) }
  const tokenId = row.token_id ?? ''
  switch (row.kind) {
    case 'Erc20Transfer':
      // One that says nothing of decimals is counted in its smallest unit.
      return { kind: row.kind, ...token, value: row.value, decimals: words.decimals ?? 0 }
    case 'Erc721Transfer':
      return { kind: row.kind, ...token, tokenId }
    case 'Erc1155Transfer':
      return { kind: row.kind, ...token, tokenId, value: row.value }
  }
}

/** What the balance alone has told of is in no transaction that anybody knows. */
function placeOf({ hash, index }: HistoryRow) {
  return hash === null
    ? { txHash: '', seenBy: 'Balance' as const }
    : { txHash: hash, index: String(index) }
}

function symbolOf({ symbol, verified = false }: ShownWords) {
  return { ...(symbol === undefined ? {} : { symbol }), verified }
}
