import { readTokenWords, type TokenWords } from '@quorate/chains/evm/index'
import { sql } from 'kysely'
import { findListed } from '../assets/listed.ts'
import { answerTo, isDue } from '../assets/unanswered.ts'
import type { Chain } from '../chain/chains.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'

/**
 * Asked in one look at the chain: a block may bring more new contracts than anybody can ask in the
 * time of a lease, since each costs its maker little. The others have their turn at the next looks.
 */
const askedMax = 32

/** What is shown of a token: by the operator's word, or else by its contract's. */
export type ShownWords = TokenWords & { readonly verified?: boolean }
export type TokenWordsByContract = ReadonlyMap<string, ShownWords>

/**
 * Notes contracts that were not met before, and asks some of those that have not answered yet.
 * @throws Failure `chain.unavailable`
 */
export async function learnTokens(
  database: Database,
  { rpc, network: { id: network } }: Chain,
  met: { readonly contracts: readonly string[]; readonly now: number },
): Promise<void> {
  const { contracts, now } = met
  if (contracts.length > 0)
    await sql`insert into token_words (network, contract)
      select ${network}, unnest(${[...new Set(contracts)]}::text[])
      on conflict do nothing`.execute(database)
  const unasked = await database
    .selectFrom('token_words')
    .select('contract')
    .where('network', '=', network)
    .where('asked_at', 'is', null)
    .where(isDue('token_words', now))
    .limit(askedMax)
    .execute()
  for (const { contract } of unasked) {
    const asked = readTokenWords(rpc, contract)
    const answer = await answerTo(database, { network, contract, now }, asked)
    if (answer === undefined) continue
    const { symbol = null, decimals = null } = answer.said
    await database
      .updateTable('token_words')
      .set({ symbol, decimals, asked_at: now })
      .where('network', '=', network)
      .where('contract', '=', contract)
      .execute()
  }
}

export async function findTokenWords(
  database: Database | DatabaseTransaction,
  network: string,
  contracts: readonly (string | null)[],
): Promise<TokenWordsByContract> {
  const wanted = [...new Set(contracts.filter((contract) => contract !== null))]
  if (wanted.length === 0) return new Map()
  const rows = await database
    .selectFrom('token_words')
    .select(['contract', 'symbol', 'decimals'])
    .where('network', '=', network)
    .where(sql<boolean>`contract = any(${wanted}::text[])`)
    .execute()
  const listed = await findListed(database, network, wanted)
  return new Map([
    ...rows.map((row) => [row.contract, given(row)] as const),
    ...listed.map((row) => [row.contract, { ...given(row), verified: true }] as const),
  ])
}

function given({ symbol, decimals }: { symbol: string | null; decimals: number | null }) {
  return { ...(symbol === null ? {} : { symbol }), ...(decimals === null ? {} : { decimals }) }
}
