import { sql, type SqlBool } from 'kysely'
import { toHex } from '@quorate/core/bytes'
import { findListed } from '../assets/listed.ts'
import type { DatabaseTransaction } from '../database/database.ts'
import type { HistoryRow } from './entity.ts'
import { settledNumber } from './find.ts'
import type { Follower } from './follower.ts'
import { awaitedMs } from './tokens.ts'

/** Names a movement. */
export type Untold = Pick<HistoryRow, 'organization' | 'wallet' | 'id'>

/** Where there are too many: of the native asset and verified tokens, so many go before all else. */
const knownShare = 0.5
/** And of so many contracts, so many each. */
const [contractsAtOnce, ofEach] = [50, 20]

/**
 * Movements that are settled, and of which no event tells yet: all of them, or as many as the limit
 * says. Anybody can have tens of thousands of tokens of his own making move in one block, so that then
 * not the oldest are first: of the native asset and of what the operator vouches for there are some,
 * and of each contract, which have their turns in the order of their addresses; the oldest are the
 * rest. Of one contract, and of all that is known, it is always the oldest. Contracts that were not asked
 * yet what they are, and that the operator does not vouch for, are left out for some minutes.
 */
export async function untold(
  transaction: DatabaseTransaction,
  follower: Pick<Follower, 'chain' | 'toldUpTo'>,
  { limit, now }: { readonly limit: number; readonly now: number },
): Promise<readonly Untold[]> {
  const { network } = follower.chain
  const settled = await settledNumber(transaction, network)
  const asked = { network: network.id, settled, metAfter: now - awaitedMs }
  const oldest = await oldestOf(transaction, asked, limit)
  if (oldest.length < limit) return oldest
  const known = await knownOf(transaction, asked, limit)
  const past = follower.toldUpTo
  const { some, upTo } = await someOfEach(transaction, { ...asked, past })
  follower.toldUpTo = upTo
  const first = [...known.slice(0, limit * knownShare), ...some]
  return firstOf([...first, ...oldest, ...known], limit)
}

type Asked = {
  readonly network: string
  readonly settled: number
  /** Contracts that were met since may still answer. */
  readonly metAfter: number
}

// Of a chain that was since followed anew, some blocks are on no chain that anybody holds.
const onChain = sql`history h join block_headers b on b.network = h.network and b.hash = h.block_hash`

function isDue({ network, settled }: Asked) {
  return sql<SqlBool>`h.network = ${network} and h.canonical and not h.told
    and h.block_number <= ${settled}`
}

/** Asked for as one list: of many rows, each is then looked up in memory. */
function awaited({ network, metAfter }: Asked) {
  return sql`(select w.contract from token_words w
    where w.network = ${network} and w.asked_at is null and w.met_at > ${metAfter}
      and not exists (
        select 1 from listed_assets l where l.network = w.network and l.contract = w.contract
          and l.checked_at is not null and l.contradiction is null))`
}

async function oldestOf(
  transaction: DatabaseTransaction,
  asked: Asked,
  limit: number,
): Promise<readonly Untold[]> {
  const { rows } = await sql<Untold>`
    select h.organization, h.wallet, h.id from ${onChain}
    where ${isDue(asked)} and coalesce(h.contract, '') not in ${awaited(asked)}
    order by h.block_number, h.id limit ${limit}`.execute(transaction)
  return rows
}

/** The oldest of them all, each contract's from its own place in the index. */
async function knownOf(
  transaction: DatabaseTransaction,
  asked: Asked,
  limit: number,
): Promise<readonly Untold[]> {
  const listed = await findListed(transaction, asked.network)
  // The native asset has none.
  const contracts = ['', ...listed.map(({ contract }) => contract)]
  const { rows } = await sql<Untold>`
    select own.organization, own.wallet, own.id
    from unnest(${contracts}::text[]) as named (contract) cross join lateral (
      select h.organization, h.wallet, h.id, h.block_number from ${onChain}
      where coalesce(h.contract, '') = named.contract and ${isDue(asked)}
      order by h.block_number, h.id limit ${limit}
    ) own
    order by own.block_number, own.id limit ${limit}`.execute(transaction)
  return rows
}

type OfContract = { readonly contract: string } & (Untold | { readonly id: null })

/**
 * From one contract to the next, past all that one has.
 * @returns also after which one to go on
 */
async function someOfEach(
  transaction: DatabaseTransaction,
  { past, ...asked }: Asked & { readonly past: string },
): Promise<{ readonly some: readonly Untold[]; readonly upTo: string }> {
  const next = sql`select coalesce(contract, '') as contract from history
    where network = ${asked.network} and canonical and not told`
  const { rows } = await sql<OfContract>`
    with recursive named (contract, number) as (
      (select contract, 1 from (
        ${next} and coalesce(contract, '') > ${past} order by 1 limit 1) first)
      union all
      select next.contract, number + 1 from named cross join lateral (
        ${next} and coalesce(history.contract, '') > named.contract order by 1 limit 1) next
      where number < ${contractsAtOnce}
    )
    select named.contract, own.* from named left join lateral (
      select h.organization, h.wallet, h.id from ${onChain}
      where coalesce(h.contract, '') = named.contract and ${isDue(asked)}
        and named.contract not in ${awaited(asked)}
      order by h.block_number, h.id limit ${ofEach}
    ) own on true
    order by named.number`.execute(transaction)
  const contracts = new Set(rows.map(({ contract }) => contract))
  const upTo = contracts.size === contractsAtOnce ? (rows.at(-1)?.contract ?? '') : ''
  return { some: rows.flatMap((row) => (row.id === null ? [] : [row])), upTo }
}

/** The first of them, each once. */
function firstOf(rows: readonly Untold[], limit: number): readonly Untold[] {
  const nameOf = ({ organization, wallet, id }: Untold) =>
    [organization, wallet, id].map(toHex).join()
  return [...new Map(rows.map((row) => [nameOf(row), row])).values()].slice(0, limit)
}
