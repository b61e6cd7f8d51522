import { readToken } from '@quorate/chains/evm/index'
import { sql } from 'kysely'
import type { Chain } from '../chain/chains.ts'
import { type Database, type DatabaseTransaction, inTransaction } from '../database/database.ts'
import type { FollowLog } from '../history/followers.ts'
import type { Listing } from './file.ts'
import { answerTo, isDue, nextTurn } from './unanswered.ts'

/** Compared in one look at a chain; the others have their turn at the next ones. */
const checkedAtOnce = 16

/** What the operator's file says, and nothing besides. What has changed is compared anew. */
export async function keepListings(
  database: Database,
  listings: readonly Listing[],
): Promise<void> {
  const anew = { checked_at: null, contradiction: null, due_at: 0, attempts: 0 }
  await inTransaction(database, async (transaction) => {
    const names = listings.map(({ network, contract }) => `${network} ${contract}`)
    await transaction
      .deleteFrom('listed_assets')
      .where(sql<boolean>`not (network || ' ' || contract = any(${names}::text[]))`)
      .execute()
    for (const listing of listings)
      await transaction
        .insertInto('listed_assets')
        .values({ ...listing, ...anew })
        .onConflict((conflict) =>
          conflict
            .columns(['network', 'contract'])
            .doUpdateSet({ ...listing, ...anew })
            .where(
              sql<boolean>`(listed_assets.kind, listed_assets.symbol, listed_assets.decimals)
                is distinct from (excluded.kind, excluded.symbol, excluded.decimals)`,
            ),
        )
        .execute()
  })
}

/**
 * Holds some of what is listed against what the contracts say of themselves. Where a node knows of no such
 * contract, it may be made yet, or the node lag behind: that is told of once, and asked again.
 * @throws Failure `chain.unavailable`
 */
export async function checkListings(
  database: Database,
  { rpc, network: { id: network } }: Chain,
  { log, now }: { readonly log: FollowLog; readonly now: number },
): Promise<void> {
  const unchecked = await database
    .selectFrom('listed_assets')
    .selectAll()
    .where('network', '=', network)
    .where('checked_at', 'is', null)
    .where('due_at', '<=', now)
    .where(isDue('listed_assets', now))
    .limit(checkedAtOnce)
    .execute()
  for (const { contract, kind, symbol, decimals, attempts } of unchecked) {
    const asked = readToken(rpc, { kind, contract })
    const answer = await answerTo(database, { network, contract, now }, asked)
    if (answer === undefined) continue
    const contradiction = contradictionIn({ kind, symbol, decimals }, answer.said)
    const isMissing = answer.said === undefined
    await database
      .updateTable('listed_assets')
      .set(isMissing ? nextTurn(attempts, now) : { checked_at: now, contradiction })
      .where('network', '=', network)
      .where('contract', '=', contract)
      .execute()
    if (contradiction === null || (isMissing && attempts > 0)) continue
    const message = 'an asset of the operator’s file is not what its contract says'
    log.error({ network, contract, reason: contradiction }, message)
  }
}

function contradictionIn(
  { kind, symbol, decimals }: Pick<Listing, 'kind' | 'symbol' | 'decimals'>,
  said: Awaited<ReturnType<typeof readToken>>,
): string | null {
  if (said === undefined) return `there is no ${kind} contract`
  if (kind === 'Erc20' && said.decimals !== decimals) return `it has ${said.decimals} decimals`
  if (said.symbol !== undefined && said.symbol !== symbol) return `its symbol is ${said.symbol}`
  return null
}

export type Listed = Pick<Listing, 'contract' | 'kind' | 'symbol' | 'decimals'>

/** Those of a network that their contracts have not contradicted; of these contracts if any are named. */
export async function findListed(
  database: Database | DatabaseTransaction,
  network: string,
  contracts?: readonly string[],
): Promise<readonly Listed[]> {
  let rows = database
    .selectFrom('listed_assets')
    .select(['contract', 'kind', 'symbol', 'decimals'])
    .where('network', '=', network)
    .where('checked_at', 'is not', null)
    .where('contradiction', 'is', null)
  if (contracts !== undefined)
    rows = rows.where(sql<boolean>`contract = any(${[...contracts]}::text[])`)
  return rows.execute()
}
