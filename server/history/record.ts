import { bigToBytes, concat, fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { ChainTransfer } from '@quorate/chains/adapter'
import { sql } from 'kysely'
import { noteTokens } from '../assets/candidates.ts'
import type { DatabaseTransaction } from '../database/database.ts'
import { eventRow } from '../outbox.ts'
import { type WalletRow, walletRows } from '../wallets/find.ts'
import { walletOf } from '../wallets/entity.ts'
import { historyItemOf, type HistoryRow } from './entity.ts'
import { findTokenWords } from './tokens.ts'

/** Written at once: a statement takes 65,535 parameters, and a row has twenty. */
const rowsAtOnce = 1_000

type Movement = { readonly row: HistoryRow; readonly wallet: WalletRow }

/** One row for each wallet and direction, with the event that tells of it. */
export async function addHistory(
  transaction: DatabaseTransaction,
  network: string,
  transfers: readonly ChainTransfer[],
  now: number,
): Promise<void> {
  if (transfers.length === 0) return
  const wallets = await walletsAt(transaction, network, transfers)
  const movements = new Map<string, Movement>()
  for (const transfer of transfers)
    for (const wallet of wallets.get(transfer.address) ?? []) {
      const row = rowOf(network, transfer, wallet)
      movements.set(`${wallet.wallet_id} ${toHex(row.id)}`, { row, wallet })
    }
  const all = [...movements.values()]
  for (let i = 0; i < all.length; i += rowsAtOnce)
    await addMovements(transaction, network, { movements: all.slice(i, i + rowsAtOnce), now })
}

async function addMovements(
  transaction: DatabaseTransaction,
  network: string,
  { movements, now }: { readonly movements: readonly Movement[]; readonly now: number },
): Promise<void> {
  const rows = movements.map(({ row }) => row)
  const words = await findTokenWords(
    transaction,
    network,
    rows.map(({ contract }) => contract),
  )
  await transaction
    .insertInto('history')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['organization', 'wallet', 'id']).doUpdateSet({ canonical: true }),
    )
    .execute()
  await noteTokens(transaction, rows)
  const events = movements.map(({ row, wallet }) =>
    eventRow({
      organization: row.organization,
      kind: 'wallet.blockchainevent.detected',
      data: {
        blockchainEvent: historyItemOf(row, wallet, words.get(row.contract ?? '')),
        wallet: walletOf(wallet),
      },
      at: now,
    }),
  )
  await transaction.insertInto('outbox').values(events).execute()
}

/** Of every organization: two may have wallets of one key. */
async function walletsAt(
  transaction: DatabaseTransaction,
  network: string,
  transfers: readonly ChainTransfer[],
): Promise<ReadonlyMap<string, readonly WalletRow[]>> {
  const addresses = [...new Set(transfers.map(({ address }) => address))]
  const named = await transaction
    .selectFrom('wallets')
    .select(['organization', 'wallet_id', 'address'])
    .where('network', '=', network)
    .where(sql<boolean>`address = any(${addresses}::text[])`)
    .execute()
  const found = new Map<string, WalletRow[]>()
  for (const { organization, wallet_id, address } of named) {
    const wallet = await walletRows(transaction, { organization })
      .where('wallet_id', '=', wallet_id)
      .executeTakeFirstOrThrow()
    const at = address ?? ''
    found.set(at, [...(found.get(at) ?? []), wallet])
  }
  return found
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
  const { token } = transfer
  return {
    ...{ organization, wallet, network, direction: transfer.direction },
    kind: token === undefined ? 'NativeTransfer' : `${token.kind}Transfer`,
    id: idOf(transfer),
    block_hash: transfer.blockHash,
    block_number: Number(transfer.blockNumber),
    hash: transfer.hash,
    index: token?.logIndex ?? transfer.index,
    sender: transfer.from,
    recipient: transfer.to ?? null,
    value: transfer.value.toString(),
    fee: transfer.fee?.toString() ?? null,
    contract: token?.contract ?? null,
    token_id: token === undefined || token.kind === 'Erc20' ? null : token.tokenId.toString(),
    time: Number(transfer.timestamp) * 1000,
    canonical: true,
  }
}

/** Sorts by the place in the block; the same movement in another block is another one. */
function idOf(transfer: ChainTransfer): Uint8Array {
  const { index, direction, hash, blockHash } = transfer
  const parts = [fromHex(blockHash.slice(2)), fromHex(hash.slice(2)), toUtf8(direction)]
  const { name, places } = kindOf(transfer)
  const own = hashOf(name, ...parts, ...places.map(placeOf)).subarray(0, 28)
  return concat(placeOf(index), own)
}

function kindOf({ token, internal }: Pick<ChainTransfer, 'token' | 'internal'>) {
  if (token !== undefined)
    return { name: 'quorate/token-movement/1', places: [token.logIndex, token.position] }
  return internal === undefined
    ? { name: 'quorate/movement/1', places: [] }
    : { name: 'quorate/internal-movement/1', places: [internal] }
}

function placeOf(index: number): Uint8Array {
  return bigToBytes(BigInt(index), 4)
}
