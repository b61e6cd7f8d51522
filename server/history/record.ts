import { bigToBytes, concat, fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'
import type { ChainTransfer } from '@quorate/chains/adapter'
import { sql } from 'kysely'
import { noteTokens } from '../assets/candidates.ts'
import { noteMovements, type Place } from '../balances/watch.ts'
import type { DatabaseTransaction } from '../database/database.ts'
import { walletsOfAll, type WalletRow } from '../wallets/find.ts'
import type { HistoryRow } from './entity.ts'

/** Written at once: a statement takes 65,535 parameters, and a row has twenty. */
const rowsAtOnce = 1_000
/** A second or two of one statement. */
const setAsideAtOnce = 10_000
/** Whose wallets are looked up at once. */
const transfersAtOnce = 1_000

export type Movement = { readonly row: HistoryRow; readonly wallet: WalletRow }

type About = {
  readonly network: string
  /** All of it is in blocks after this one, unless it is the first that is held. */
  readonly before: Place
}

/** One row for each wallet and direction, to be told of once it is settled (`tell.ts`). */
export async function addHistory(
  transaction: DatabaseTransaction,
  about: About,
  transfers: readonly ChainTransfer[],
): Promise<void> {
  for await (const movements of movementsIn(transaction, about.network, transfers))
    await addMovements(transaction, about, movements)
}

/** The same, and nobody is to be told. @returns what was not known */
export async function addEarlier(
  transaction: DatabaseTransaction,
  about: About,
  transfers: readonly ChainTransfer[],
): Promise<readonly Movement[]> {
  const added: Movement[] = []
  for await (const movements of movementsIn(transaction, about.network, transfers)) {
    const silent = movements.map(({ row, wallet }) => ({ row: { ...row, told: true }, wallet }))
    added.push(...(await addMovements(transaction, about, silent)))
  }
  return added
}

/** As many at once as a statement takes. */
async function* movementsIn(
  transaction: DatabaseTransaction,
  network: string,
  transfers: readonly ChainTransfer[],
): AsyncGenerator<readonly Movement[]> {
  for (let i = 0; i < transfers.length; i += transfersAtOnce) {
    const some = transfers.slice(i, i + transfersAtOnce)
    const movements = await movementsOf(transaction, network, some)
    for (let at = 0; at < movements.length; at += rowsAtOnce)
      yield movements.slice(at, at + rowsAtOnce)
  }
}

async function movementsOf(
  transaction: DatabaseTransaction,
  network: string,
  transfers: readonly ChainTransfer[],
): Promise<readonly Movement[]> {
  const wallets = await walletsAt(transaction, network, transfers)
  const movements = new Map<string, Movement>()
  for (const transfer of transfers)
    for (const wallet of wallets.get(transfer.address) ?? []) {
      const row = rowOf(network, transfer, wallet)
      movements.set(nameOf(row), { row, wallet })
    }
  return [...movements.values()]
}

/** @returns those that were not known, or had stopped counting */
export async function addMovements(
  transaction: DatabaseTransaction,
  { before }: About,
  movements: readonly Movement[],
): Promise<readonly Movement[]> {
  if (movements.length === 0) return []
  const rows = movements.map(({ row }) => row)
  const news = await transaction
    .insertInto('history')
    .values(rows)
    .onConflict((conflict) =>
      conflict
        .columns(['organization', 'wallet', 'id'])
        // What was told of before a reorganization is not told again.
        .doUpdateSet({ canonical: true })
        .where('history.canonical', '=', false),
    )
    .returning(['organization', 'wallet', 'id'])
    .execute()
  await noteTokens(transaction, rows)
  await noteMovements(transaction, rows, before)
  const added = new Set(news.map(nameOf))
  return movements.filter(({ row }) => added.has(nameOf(row)))
}

function nameOf(row: Pick<HistoryRow, 'organization' | 'wallet' | 'id'>): string {
  return [row.organization, row.wallet, row.id].map(toHex).join()
}

/** Of every organization: two may have wallets of one key. */
async function walletsAt(
  transaction: DatabaseTransaction,
  network: string,
  transfers: readonly ChainTransfer[],
): Promise<ReadonlyMap<string, readonly WalletRow[]>> {
  const addresses = [...new Set(transfers.map(({ address }) => address))]
  const rows = await walletsOfAll(transaction)
    .where('wallets.network', '=', network)
    .where(sql<boolean>`wallets.address = any(${addresses}::text[])`)
    .execute()
  const found = new Map<string, WalletRow[]>()
  for (const wallet of rows) {
    const at = wallet.address ?? ''
    found.set(at, [...(found.get(at) ?? []), wallet])
  }
  return found
}

/** Rows stay, and stop counting with their blocks, however much a block has moved. */
export async function setHistoryAside(
  transaction: DatabaseTransaction,
  { network, hashes }: { readonly network: string; readonly hashes: readonly string[] },
): Promise<void> {
  const some = transaction
    .selectFrom('history')
    .select(sql`ctid`.as('place'))
    .where('network', '=', network)
    .where('block_hash', 'in', hashes)
    .where('canonical', '=', true)
    .limit(setAsideAtOnce)
    .forUpdate()
  for (;;) {
    const { numUpdatedRows } = await transaction
      .updateTable('history')
      .set({ canonical: false })
      .where(sql<boolean>`ctid = any(array(${some}))`)
      .executeTakeFirst()
    if (numUpdatedRows < BigInt(setAsideAtOnce)) return
  }
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
    ...{ canonical: true, opening: false, told: false },
  }
}

/** What nobody has seen move, as the balance tells of it at a block. */
export function rowByBalance(
  { organization, id: wallet, network }: Pick<WalletRow, 'organization' | 'id' | 'network'>,
  block: Place & { readonly time: number },
  difference: bigint,
): HistoryRow {
  const direction = difference > 0n ? 'In' : 'Out'
  const value = difference > 0n ? difference : -difference
  return {
    ...{ organization, wallet, network, direction, kind: 'NativeTransfer' },
    id: lastIn(block.hash, direction),
    ...{ block_hash: block.hash, block_number: block.number, time: block.time * 1000 },
    ...{ hash: null, index: 0, sender: null, recipient: null, fee: null },
    ...{ value: value.toString(), contract: null, token_id: null },
    ...{ canonical: true, opening: false, told: false },
  }
}

/** Sorts after everything that has a place in the block. */
function lastIn(blockHash: string, direction: string): Uint8Array {
  const parts = [fromHex(blockHash.slice(2)), toUtf8(direction)]
  const own = hashOf('quorate/balance-movement/1', ...parts).subarray(0, 28)
  return concat(placeOf(0xffff_ffff), own)
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
