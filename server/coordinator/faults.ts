import { toHex } from '@quorate/core/bytes'
import type { Database } from '../database/database.ts'
import type { Pair } from './attendance.ts'
import type { DriveLog } from './drive.ts'

export type FaultReport = {
  readonly burned: readonly { readonly pair: Pair; readonly organizations: number }[]
  /** Accused by as many others as cannot all be corrupt: an operator is to ban them, or to say no. */
  readonly proposed: readonly number[]
}

/** What is written by others is known here after this. */
const staleMs = 5_000
/** A pair that was burned is tried once in this time: signers say whether an operator has released it. */
export const retriedMs = 60_000
/** An accusation that old has been looked at, or will not be. */
const accusedMs = 30 * 24 * 3_600_000
/** Read at once; what is above that is in the database all the same. */
const rowsMax = 10_000

type Burned = { readonly organization: string; readonly pair: Pair; readonly saidAt: number }

export type FaultsWorld = {
  readonly database: Database
  readonly threshold: number
  readonly log: DriveLog
  readonly clock: () => number
}

/** What signers have said of each other, kept beyond the life of a server. */
export class Faults {
  private readonly world: FaultsWorld
  private readAt = -Infinity
  private reading: Promise<void> | undefined
  private writing: Promise<unknown> = Promise.resolve()
  private changes = 0
  private burned = new Map<string, Burned>()
  private accusers = new Map<number, Set<number>>()
  private proposed: readonly number[] = []
  private readonly told = new Set<number>()

  constructor(world: FaultsWorld) {
    this.world = world
  }

  /** Reads what other servers, or an operator, have changed meanwhile. */
  async fresh(): Promise<void> {
    if (performance.now() < this.readAt + staleMs) return
    this.reading ??= this.read().finally(() => (this.reading = undefined))
    await this.reading
  }

  /** Pairs that no session of this organization's ECDSA keys is to have. */
  burnedPairs(organization: Uint8Array): readonly Pair[] {
    const [name, since] = [toHex(organization), this.world.clock() - retriedMs]
    const all = [...this.burned.values()].filter((one) => one.organization === name)
    return all.flatMap(({ pair, saidAt }) => (saidAt > since ? [pair] : []))
  }

  /** `signer` says that its pairs with these are burned. */
  burn(organization: Uint8Array, signer: number, peers: readonly number[]): void {
    const { database, clock } = this.world
    for (const peer of peers) {
      const pair: Pair = [Math.min(signer, peer), Math.max(signer, peer)]
      const row = { organization: toHex(organization), pair, saidAt: clock() }
      this.burned.set(nameOf(row.organization, pair), row)
      this.write(keepBurned(database, organization, row))
    }
  }

  /** Set up anew. */
  async mend(organization: Uint8Array, pair: Pair): Promise<void> {
    if (!this.burned.delete(nameOf(toHex(organization), pair))) return
    this.changes += 1
    await this.writing
    await forgetBurned(this.world.database, organization, pair)
  }

  /** By the word of `accuser`, over what these have sent. */
  accuse(accuser: number, accused: readonly number[], reason: string): void {
    const { database, clock } = this.world
    for (const one of accused) {
      noteIn(this.accusers, one, accuser)
      this.write(keepAccusation(database, { accuser, accused: one, reason, at: clock() }))
    }
    this.propose()
  }

  report(): FaultReport {
    return { burned: countByPair(this.burned.values()), proposed: this.proposed }
  }

  private async read(): Promise<void> {
    const { database, clock } = this.world
    const before = this.changes
    await this.writing
    const rows = await readAll(database, clock() - accusedMs)
    // What was said meanwhile is not in these rows yet: they are read again the next time.
    if (this.changes !== before) return
    this.burned = new Map(rows.burned.map((row) => [nameOf(row.organization, row.pair), row]))
    this.accusers = new Map()
    for (const { accused, accuser } of rows.accusations) noteIn(this.accusers, accused, accuser)
    this.propose()
    this.readAt = performance.now()
  }

  private propose(): void {
    const { threshold, log } = this.world
    const all = [...this.accusers].flatMap(([one, by]) => (by.size >= threshold ? [one] : []))
    this.proposed = all.sort((a, b) => a - b)
    // Proposed anew after an operator's word, it is told anew.
    for (const one of this.told) if (!this.proposed.includes(one)) this.told.delete(one)
    for (const signer of this.proposed.filter((one) => !this.told.has(one))) {
      this.told.add(signer)
      const accusers = [...(this.accusers.get(signer) ?? [])]
      log.error({ signer, accusers }, 'a signer should be banned')
    }
  }

  private write(work: Promise<unknown>): void {
    this.changes += 1
    const kept = work.catch((error: unknown) =>
      this.world.log.error({ err: error }, 'what a signer said was not kept'),
    )
    this.writing = Promise.all([this.writing, kept])
  }
}

const nameOf = (organization: string, pair: Pair) => `${organization}/${pair}`

function noteIn(accusers: Map<number, Set<number>>, accused: number, accuser: number): void {
  accusers.set(accused, (accusers.get(accused) ?? new Set<number>()).add(accuser))
}

function countByPair(all: Iterable<Burned>): FaultReport['burned'] {
  const counts = new Map<string, { readonly pair: Pair; organizations: number }>()
  for (const { pair } of all) {
    const found = counts.get(String(pair)) ?? { pair, organizations: 0 }
    found.organizations += 1
    counts.set(String(pair), found)
  }
  return [...counts.values()]
}

async function readAll(database: Database, since: number) {
  const [burned, accusations] = await Promise.all([
    database
      .selectFrom('burned_pairs')
      .selectAll()
      .orderBy('said_at', 'desc')
      .limit(rowsMax)
      .execute(),
    database
      .selectFrom('accusations')
      .select(['accused', 'accuser'])
      .distinct()
      .where('last_at', '>', since)
      .execute(),
  ])
  const rows = burned.map(({ organization, low, high, said_at: saidAt }): Burned => ({
    ...{ organization: toHex(organization), pair: [low, high], saidAt },
  }))
  return { burned: rows, accusations }
}

/** Newest first. */
export function readAccusations(database: Database) {
  const all = database.selectFrom('accusations').selectAll()
  return all.orderBy('last_at', 'desc').limit(rowsMax).execute()
}

/** By an operator, who has looked at what this signer is accused of. @returns how many there were */
export async function dismiss(database: Database, accused: number): Promise<number> {
  const deleted = await database
    .deleteFrom('accusations')
    .where('accused', '=', accused)
    .executeTakeFirst()
  return Number(deleted.numDeletedRows)
}

function keepBurned(database: Database, organization: Uint8Array, { pair, saidAt }: Burned) {
  const [low, high] = pair
  return database
    .insertInto('burned_pairs')
    .values({ organization, low, high, said_at: saidAt })
    .onConflict((conflict) =>
      conflict.columns(['organization', 'low', 'high']).doUpdateSet({ said_at: saidAt }),
    )
    .execute()
}

function forgetBurned(database: Database, organization: Uint8Array, [low, high]: Pair) {
  return database
    .deleteFrom('burned_pairs')
    .where('organization', '=', organization)
    .where('low', '=', low)
    .where('high', '=', high)
    .execute()
}

function keepAccusation(
  database: Database,
  { at, ...named }: { accuser: number; accused: number; reason: string; at: number },
) {
  return database
    .insertInto('accusations')
    .values({ ...named, last_at: at })
    .onConflict((conflict) =>
      conflict.columns(['accuser', 'accused', 'reason']).doUpdateSet({ last_at: at }),
    )
    .execute()
}
