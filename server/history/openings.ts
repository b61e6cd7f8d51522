import { toHex } from '@quorate/core/bytes'
import type { Network } from '@quorate/chains/adapter'
import type { DatabaseTransaction } from '../database/database.ts'
import type { WalletRow } from '../wallets/find.ts'
import type { Place } from '../balances/watch.ts'
import { type Movement, rowByBalance } from './record.ts'
import type { HistoryRow } from './entity.ts'
import { tell } from './tell.ts'

type Explained = {
  readonly movements: readonly Movement[]
  /** The first block that is held. */
  readonly held: Place & { readonly time: number }
  readonly network: Network
  readonly now: number
}

/**
 * Of what a wallet held when its watching began, takes away what is known by now to have come
 * before, so that its movements go on making up what it holds.
 */
export async function explainOpenings(
  transaction: DatabaseTransaction,
  { movements, ...about }: Explained,
): Promise<void> {
  const explained = new Map<string, { readonly wallet: WalletRow; net: bigint }>()
  for (const { row, wallet } of movements) {
    if (row.kind !== 'NativeTransfer') continue
    const name = toHex(wallet.organization) + toHex(wallet.id)
    const one = explained.get(name) ?? { wallet, net: 0n }
    one.net += netOfRow(row)
    explained.set(name, one)
  }
  for (const { wallet, net } of explained.values())
    if (net !== 0n) await explain(transaction, wallet, { ...about, net })
}

function netOfRow({ direction, value, fee }: HistoryRow): bigint {
  return direction === 'In' ? BigInt(value) : -BigInt(value) - BigInt(fee ?? 0)
}

async function explain(
  transaction: DatabaseTransaction,
  wallet: WalletRow,
  { net, held, ...about }: Omit<Explained, 'movements'> & { readonly net: bigint },
): Promise<void> {
  const found = await transaction
    .selectFrom('history')
    .selectAll()
    .where('organization', '=', wallet.organization)
    .where('wallet', '=', wallet.id)
    .where('opening', '=', true)
    .where('canonical', '=', true)
    .orderBy('block_number')
    .limit(1)
    .executeTakeFirst()
  // Where nobody has compared it yet, whoever does will know of what came before.
  if (found === undefined && !(await isCompared(transaction, wallet))) return
  const left = (found === undefined ? 0n : netOfRow(found)) - net
  // What explains it is told of by nobody, so that this is told of as it was.
  if (found?.told === false) await tell(transaction, about, [found])
  const row = { ...(found ?? rowByBalance(wallet, held, left)), ...shownAs(left) }
  if (found !== undefined) await remove(transaction, found)
  if (left === 0n) return
  const opening = { ...row, opening: true, told: true }
  await transaction.insertInto('history').values(opening).execute()
}

function shownAs(left: bigint): Pick<HistoryRow, 'direction' | 'value'> {
  return left < 0n
    ? { direction: 'Out', value: (-left).toString() }
    : { direction: 'In', value: left.toString() }
}

async function remove(transaction: DatabaseTransaction, row: HistoryRow): Promise<void> {
  await transaction
    .deleteFrom('history')
    .where('organization', '=', row.organization)
    .where('wallet', '=', row.wallet)
    .where('id', '=', row.id)
    .execute()
}

async function isCompared(
  transaction: DatabaseTransaction,
  { organization, id }: WalletRow,
): Promise<boolean> {
  const row = await transaction
    .selectFrom('balances')
    .select('wallet')
    .where('organization', '=', organization)
    .where('wallet', '=', id)
    .where('kind', '=', 'Native')
    .where('balance', 'is not', null)
    .executeTakeFirst()
  return row !== undefined
}
