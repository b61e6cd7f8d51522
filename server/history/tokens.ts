import { readTokenWords, type TokenWords } from '@quorate/chains/evm/index'
import { Failure, isFailure } from '@quorate/core/failure'
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

/**
 * So long since a contract was met its events wait for its answer, which is asked for within seconds: for a few
 * tries, so that nobody holds events back with what no node answers.
 */
export const awaitedMs = 5 * 60_000

/** What is shown of a token: by the operator's word, or else by its contract's. */
export type ShownWords = TokenWords & { readonly verified?: boolean }
export type TokenWordsByContract = ReadonlyMap<string, ShownWords>

type Met = {
  readonly contracts: readonly string[]
  /** The hash of the newest block that is known; none is asked where there is none. */
  readonly at: string | undefined
  /** Milliseconds. */
  readonly now: number
}

/**
 * Notes contracts that were not met before, and asks some of those that have not answered yet: those
 * first whose events wait for it, as they were met.
 * @throws Failure `chain.unavailable`
 */
export async function learnTokens(
  database: Database,
  chain: Chain,
  { contracts, at, now }: Met,
): Promise<void> {
  const { id: network } = chain.network
  await meetTokens(database, network, { contracts, metAt: now })
  if (at === undefined) return
  for (const contract of await unasked(database, network, now)) {
    const asked = undisputed(chain, { contract, at }, readTokenWords(chain.rpc, contract, at))
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

/** Notes those that were not met before. @param met.metAt 0 where no event waits for what they say */
export async function meetTokens(
  database: Database | DatabaseTransaction,
  network: string,
  { contracts, metAt }: { readonly contracts: readonly string[]; readonly metAt: number },
): Promise<void> {
  if (contracts.length === 0) return
  await sql`insert into token_words (network, contract, met_at)
    select ${network}, unnest(${[...new Set(contracts)]}::text[]), ${metAt}
    on conflict do nothing`.execute(database)
}

async function unasked(
  database: Database,
  network: string,
  now: number,
): Promise<readonly string[]> {
  const rows = await database
    .selectFrom('token_words')
    .select('contract')
    .where('network', '=', network)
    .where('asked_at', 'is', null)
    .where(isDue('token_words', now))
    .orderBy(sql`met_at > ${now - awaitedMs}`, 'desc')
    .orderBy('met_at')
    .orderBy('contract')
    .limit(askedMax)
    .execute()
  return rows.map(({ contract }) => contract)
}

/**
 * A contract may answer each node otherwise. Where nodes disagree about it, and about nothing else, it is
 * refused like by one that does not want to ask it: nobody stops the following of a chain so.
 */
async function undisputed<T>(
  { adapter, rpc, network }: Chain,
  { contract, at }: { readonly contract: string; readonly at: string },
  asked: Promise<T>,
): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (!isFailure(error, 'chain.unavailable')) throw error
    // No contract has a say in this: where it is not answered either, it is the node.
    await adapter.balance(rpc, contract, at)
    const about = { network: network.id, reason: 'nodes disagree about the contract' }
    throw new Failure('chain.refused', about, { cause: error })
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
