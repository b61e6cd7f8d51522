import { toHex } from '@quorate/core/bytes'
import { sql } from 'kysely'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { HistoryRow } from '../history/entity.ts'
import type { WalletRow } from '../wallets/find.ts'

export type Candidate = {
  readonly kind: 'Erc20' | 'Erc721' | 'Erc1155'
  readonly contract: string
  /** Empty for coins. */
  readonly token_id: string
}

/**
 * Asked of the chain for one answer. Anybody can send a wallet tokens of his own making, so that the
 * list has an end: those that moved longest ago are left out.
 */
const candidatesMax = 200

/** Keeps in mind what has moved, in the transaction that writes the movements. */
export async function noteTokens(
  transaction: DatabaseTransaction,
  rows: readonly HistoryRow[],
): Promise<void> {
  const noted = new Map<string, HistoryRow & { readonly contract: string }>()
  for (const row of rows) {
    const { contract } = row
    if (contract === null) continue
    const of = [row.organization, row.wallet].map(toHex)
    const name = [...of, row.kind, contract, row.token_id].join()
    const block_number = Math.max(row.block_number, noted.get(name)?.block_number ?? 0)
    noted.set(name, { ...row, contract, block_number })
  }
  if (noted.size === 0) return
  await transaction
    .insertInto('wallet_tokens')
    .values(
      [...noted.values()].map((row) => ({
        organization: row.organization,
        wallet: row.wallet,
        kind: row.kind.replace('Transfer', ''),
        contract: row.contract,
        token_id: row.token_id ?? '',
        block_number: row.block_number,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['organization', 'wallet', 'kind', 'contract', 'token_id']).doUpdateSet({
        // Earlier blocks are read beside the new ones.
        block_number: sql`greatest(wallet_tokens.block_number, excluded.block_number)`,
      }),
    )
    .execute()
}

/** What moved last comes first. */
export async function listCandidates(
  database: Database,
  { organization, id }: WalletRow,
  kinds: readonly Candidate['kind'][],
): Promise<readonly Candidate[]> {
  const lists = await Promise.all(
    kinds.map(async (kind) => {
      const rows = await database
        .selectFrom('wallet_tokens')
        .select(['contract', 'token_id'])
        .where('organization', '=', organization)
        .where('wallet', '=', id)
        .where('kind', '=', kind)
        .orderBy('block_number', 'desc')
        .orderBy('contract', 'desc')
        .orderBy('token_id', 'desc')
        .limit(candidatesMax)
        .execute()
      return rows.map((row) => ({ kind, ...row }))
    }),
  )
  return lists.flat()
}
