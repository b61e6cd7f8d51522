import { toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import {
  keyStatementHash,
  pooledMs,
  readBirth,
  type KeyTerms,
  type PooledTerms,
} from '@quorate/authority/key-certificate'
import { rootOf } from '@quorate/authority/stream'
import { type Database, type DatabaseTransaction, inTransaction } from '../database/database.ts'
import { birth, requireAll, type BirthWorld } from './birth.ts'
import type { CatchUp } from './catch-up.ts'
import { pooledCeremony } from './ceremony-ids.ts'
import type { Ledger } from './ledger.ts'

/** A request lives an hour at most (`reduce/author.ts`): what would not outlive it is left alone. */
const marginMs = 2 * 60 * 60_000
/** Births side by side while nobody waits for a ceremony; one after the other while somebody does. */
const atOnceMax = 8
/**
 * After what has failed: a signer that is stopped and goes on may never lose its link, and then nobody
 * says that it is back. Twice as long each time, so that one who always fails costs next to nothing.
 */
const againMs = { first: 1_000, max: 60_000 }
/** Kinds of keys that are looked after: whoever is forgotten is noticed when he next takes one. */
const lookedAfterMax = 1_000
/** A kind in use is written down that often, and not at every key that is taken. */
const notedMs = 60 * 60_000

export type KeyKind = Pick<PooledTerms, 'organization' | 'scheme' | 'curve'>
export type PoolWorld = BirthWorld & {
  readonly database: Database
  readonly ledger: Ledger
  readonly catchUp: CatchUp
  readonly clock: () => number
  /** So many wait, of each organization and kind that is in use. None: there is no pool. */
  readonly size: number
  readonly prepare: (organization: Uint8Array, scheme: string) => Promise<void>
  /** Does somebody wait for a key that is being born for him? */
  readonly isBusy: () => boolean
}

/**
 * Keys that wait for somebody to ask. A row is a certificate that no request has been promised: to
 * promise it takes the row away and writes the request's, in one transaction, so that no crash and no
 * other server gives it to a second. That one step alone binds it, the signers see to.
 */
export class Pool {
  private readonly world: PoolWorld
  /** In the order in which they were last wanted. */
  private readonly wanted = new Map<string, KeyKind>()
  /** When each was written down last. */
  private readonly noted = new Map<string, number>()
  private filling: Promise<void> | undefined
  /** Something has happened since the filling that is under way has begun. */
  private isDue = false
  private isClosed = false
  private again: NodeJS.Timeout | undefined
  private againMs = againMs.first

  constructor(world: PoolWorld) {
    this.world = world
  }

  /** A key for these terms, if there is one: its certificate. The same terms again get the same. */
  async take(terms: KeyTerms): Promise<Uint8Array | undefined> {
    const { database, clock, size } = this.world
    if (size === 0) return undefined
    await this.note(terms)
    const certificate = await inTransaction(database, (transaction) =>
      promise(transaction, terms, clock() + marginMs),
    )
    this.want(terms)
    return certificate
  }

  /**
   * Looks after those kinds that an earlier life of a server has looked after, also where none is left:
   * as long as a key would have waited, so that nobody's pool is filled for ever.
   */
  async resume(): Promise<void> {
    const { database, clock, size } = this.world
    if (size === 0) return
    const kinds = await database
      .selectFrom('pooled_kinds')
      .select(['organization', 'scheme', 'curve'])
      .where('wanted_at', '>', clock() - pooledMs)
      .orderBy('wanted_at', 'desc')
      .limit(lookedAfterMax)
      .execute()
    for (const kind of kinds.toReversed()) this.want(kind)
  }

  /**
   * Fills what has fallen to half. What fails is tried again at the next occasion, and one that comes
   * meanwhile, such as the signer's return that a birth has failed for, is the next. If none comes,
   * time is one.
   */
  tend(): void {
    if (this.world.size === 0 || this.isClosed) return
    this.isDue = true
    this.filling ??= this.fillWhileDue()
  }

  /** Ends with the births that are under way. */
  async close(): Promise<void> {
    this.isClosed = true
    clearTimeout(this.again)
    await this.filling
  }

  private want({ organization, scheme, curve }: KeyKind): void {
    const kind = { organization, scheme, curve }
    putLast(this.wanted, nameOf(kind), kind)
    this.tend()
  }

  /** The next life of a server is to know of it, although nothing may be left of the kind by then. */
  private async note({ organization, scheme, curve }: KeyKind): Promise<void> {
    const { database, clock } = this.world
    const [kind, now] = [{ organization, scheme, curve }, clock()]
    const name = nameOf(kind)
    if ((this.noted.get(name) ?? -Infinity) > now - notedMs) return
    await database
      .insertInto('pooled_kinds')
      .values({ ...kind, wanted_at: now })
      .onConflict((conflict) =>
        conflict.columns(['organization', 'scheme', 'curve']).doUpdateSet({ wanted_at: now }),
      )
      .execute()
    putLast(this.noted, name, now)
  }

  private async fillWhileDue(): Promise<void> {
    const { log } = this.world
    while (this.isDue && !this.isClosed) {
      this.isDue = false
      const isFilled = await this.fillAll().catch((error) => {
        log.warn({ err: error }, 'the pool of keys was not filled')
        return false
      })
      if (isFilled) this.againMs = againMs.first
      else this.tendLater()
    }
    this.filling = undefined
  }

  private tendLater(): void {
    clearTimeout(this.again)
    if (this.isClosed) return
    this.again = setTimeout(() => this.tend(), this.againMs).unref()
    this.againMs = Math.min(2 * this.againMs, againMs.max)
  }

  /** @returns whether nothing has failed */
  private async fillAll(): Promise<boolean> {
    const { database, clock, log } = this.world
    const old = clock() + marginMs
    await database.deleteFrom('pooled_keys').where('bind_before', '<=', old).execute()
    const unwanted = clock() - pooledMs
    await database.deleteFrom('pooled_kinds').where('wanted_at', '<=', unwanted).execute()
    const failed = new Set<string>()
    while (!this.isClosed) {
      const [next] = [...this.wanted].filter(([name]) => !failed.has(name))
      if (next === undefined) return failed.size === 0
      const [name, kind] = next
      this.wanted.delete(name)
      try {
        await this.fill(kind)
      } catch (error) {
        // Still wanted: when all signers are back, the next key is taken, or after a while.
        failed.add(name)
        this.wanted.set(name, kind)
        log.warn({ err: error }, 'the pool of keys was not filled')
      }
    }
    return true
  }

  private async fill(kind: KeyKind): Promise<void> {
    const { database, size, clock, prepare, isBusy } = this.world
    let missing = size - (await countOf(database, kind, clock() + marginMs))
    if (missing < size / 2) return
    requireAll(this.world)
    await this.reachAll(kind)
    await prepare(kind.organization, kind.scheme)
    while (missing > 0 && !this.isClosed) {
      const atOnce = isBusy() ? 1 : Math.min(atOnceMax, missing)
      const born = await Promise.allSettled(Array.from({ length: atOnce }, () => this.bear(kind)))
      for (const one of born) if (one.status === 'rejected') throw one.reason
      missing -= atOnce
    }
  }

  /** A signer makes keys of organizations that it knows. */
  private async reachAll({ organization }: KeyKind): Promise<void> {
    const { manifest, ledger, catchUp } = this.world
    const root = { organization, stream: rootOf(organization) }
    const signers = manifest.signers.map((_, i) => i + 1)
    const seq = await ledger.headSeq(root)
    await catchUp.reach(root, { seq, signers, enough: signers.length }, () => undefined)
  }

  private async bear(kind: KeyKind): Promise<void> {
    const { database, manifest, clock } = this.world
    const certificate = await birth(this.world, (nonce) => {
      const opening = { kind: 'pool', ...kind, time: clock(), nonce } as const
      return { id: pooledCeremony(manifest.hash, opening), opening }
    })
    await database.insertInto('pooled_keys').values(rowOf(certificate)).execute()
  }
}

const nameOf = ({ organization, scheme, curve }: KeyKind) =>
  `${toHex(organization)}/${scheme}/${curve}`

/** Newest last, and no more than are looked after. */
function putLast<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name)
  map.set(name, value)
  const [oldest] = map.keys()
  if (map.size > lookedAfterMax && oldest !== undefined) map.delete(oldest)
}

/** @returns what these terms have been promised: a key from the pool now, or whatever was before */
async function promise(
  transaction: DatabaseTransaction,
  { organization, scheme, curve, key, request }: KeyTerms,
  before: number,
): Promise<Uint8Array | undefined> {
  const oldest = transaction
    .selectFrom('pooled_keys')
    .select('statement_hash')
    .where('organization', '=', organization)
    .where('scheme', '=', scheme)
    .where('curve', '=', curve)
    .where('bind_before', '>', before)
    .orderBy('bind_before')
    .limit(1)
    .forUpdate()
    .skipLocked()
  const taken = await transaction
    .deleteFrom('pooled_keys')
    .where('statement_hash', 'in', oldest)
    .returning(['statement_hash', 'certificate'])
    .executeTakeFirst()
  if (taken === undefined) return undefined
  const kept = await transaction
    .insertInto('key_certificates')
    .values({ organization, key, request, ...taken })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (kept.numInsertedOrUpdatedRows === 1n) return taken.certificate
  // Another server was faster with the same request: both keep to what that one has promised.
  await transaction.insertInto('pooled_keys').values(rowOf(taken.certificate)).execute()
  const promised = await transaction
    .selectFrom('key_certificates')
    .select('certificate')
    .where('organization', '=', organization)
    .where('key', '=', key)
    .executeTakeFirstOrThrow()
  return promised.certificate
}

async function countOf(
  database: Database,
  { organization, scheme, curve }: KeyKind,
  before: number,
): Promise<number> {
  const { waiting } = await database
    .selectFrom('pooled_keys')
    .select((eb) => eb.fn.countAll<string>().as('waiting'))
    .where('organization', '=', organization)
    .where('scheme', '=', scheme)
    .where('curve', '=', curve)
    .where('bind_before', '>', before)
    .executeTakeFirstOrThrow()
  return Number(waiting)
}

/** @throws Failure `signing.failed` when it was not made for the pool */
function rowOf(certificate: Uint8Array) {
  const { kind, statement, signed } = readBirth(certificate)
  if (kind !== 'pooled')
    throw new Failure('signing.failed', { reason: 'the signers made a key that was not asked for' })
  const { organization, scheme, curve, bindBefore } = statement.terms
  const statement_hash = keyStatementHash(signed)
  return { statement_hash, organization, scheme, curve, bind_before: bindBefore, certificate }
}
