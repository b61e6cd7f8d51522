import { randomUUID } from 'node:crypto'
import { problemOf } from '@quorate/api/problems'
import { equalBytes, toHex, toUtf8 } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import { hashOf } from '@quorate/core/hash'
import { retire, secretHash } from '../auth/use-action.ts'
import type { Caller } from '../auth/caller.ts'
import type { Database } from '../database/database.ts'
import { envelopeOf } from './envelope.ts'
import type { Kept, KeepAnswer, Repeatable, Written } from './repeatable.ts'
import { Room } from './room.ts'

/** Rows of migration 0185. */
export type KeptAnswerTables = {
  readonly kept_answers: {
    readonly organization: Uint8Array
    /** Hash of who asks and of what he calls it. */
    readonly key: Uint8Array
    /** Hash of method, path and body, by which a body could be guessed: empty once an erasure has taken it. */
    readonly request: Uint8Array
    /** Hash of the user action that it is carried out by. */
    readonly action: Uint8Array | null
    /** Whoever is at it, or was when he died. */
    readonly holder: string
    /** Empty as long as nobody knows how it has ended. */
    readonly status: number | null
    /** Empty until then, and again after an erasure. */
    readonly answer: string | null
    readonly begun_at: number
  }
}
type Row = KeptAnswerTables['kept_answers']

/** As clients expect it: whoever has not asked again within a day looks for what he has made. */
export const keptMs = 24 * 60 * 60_000
/** Of an organization in a day. Each costs a signature of its user and some kilobytes of ours. */
export const keptMax = 65_536
/** Far more than come between two looks; what is left waits for the next one. */
const forgottenAtOnce = 4_096

export type KeepDeps = { readonly database: Database; readonly now: () => number }

/**
 * Carries a request out under its key, or gives the answer that it got before. Where that is not
 * known, because the server died or failed, it is carried out again by the user action that came
 * first, whatever has come with the repetition: one action is one payment, two may be two. The
 * errors are those of draft-ietf-httpapi-idempotency-key-header-07, section 2.7.
 *
 * @throws Failure `idempotency_key.reused`, `.in_flight`, `.lost`, `.too_many`
 */
export function openKeptAnswers(deps: KeepDeps, max = keptMax): KeepAnswer<Caller> {
  const atHand = new Set<string>()
  const room = new Room(max)
  return async (asked, carryOut) => {
    const row = rowOf(asked, deps.now())
    const name = toHex(row.key)
    if (atHand.has(name)) throw new Failure('idempotency_key.in_flight', {})
    atHand.add(name)
    try {
      return await answer({ ...deps, room, max, carryOut }, row)
    } finally {
      atHand.delete(name)
    }
  }
}

type Answering = KeepDeps & {
  readonly max: number
  readonly room: Room
  readonly carryOut: (action: Uint8Array | undefined) => Promise<Written>
}

async function answer(deps: Answering, row: Row): Promise<Kept> {
  const first = await claim(deps, row)
  if (first === undefined) return begin(deps, row)
  if (first.request.length === 0) throw lost(undefined)
  if (!equalBytes(first.request, row.request)) throw new Failure('idempotency_key.reused', {})
  const { status, answer: text } = first
  if (status !== null && text !== null) return { status, text, isRepeated: true }
  return takeUp(deps, first, row)
}

function rowOf({ caller, key, request, userAction }: Repeatable<Caller>, now: number): Row {
  const { organization, user, token } = caller
  return {
    organization,
    key: hashOf('quorate/idempotency-key/1', token?.id ?? user, toUtf8(key)),
    request,
    action: userAction === undefined ? null : secretHash(userAction),
    holder: randomUUID(),
    ...{ status: null, answer: null },
    begun_at: now,
  }
}

/** @returns what stands there already */
async function claim(deps: Answering, row: Row): Promise<Row | undefined> {
  const { database, now, max, room } = deps
  const { organization, key } = row
  // A hash: one key in 256 takes those with it that have become too old since the last such one.
  if (key[0] === 0) await forgetKept(database, now())
  await database
    .deleteFrom('kept_answers')
    .where((eb) => eb.and({ organization, key }))
    .where('begun_at', '<=', now() - keptMs)
    .execute()
  const first = await find(database, row)
  if (first !== undefined) return first
  const hasRoom = await room.take(organization, (max) => countKept(deps, organization, max))
  if (!hasRoom) throw new Failure('idempotency_key.too_many', { max })
  const made = await database
    .insertInto('kept_answers')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (made.numInsertedOrUpdatedRows === 1n) return undefined
  // Of two at once, on two servers, it is the other one's; it may be over by now, in whatever way.
  throw new Failure('idempotency_key.in_flight', {})
}

function find(database: Database, { organization, key }: Row): Promise<Row | undefined> {
  return database
    .selectFrom('kept_answers')
    .selectAll()
    .where((eb) => eb.and({ organization, key }))
    .executeTakeFirst()
}

/** Of the last day, from the index alone; what is older only waits to be forgotten. */
async function countKept(
  { database, now }: KeepDeps,
  organization: Uint8Array,
  max: number,
): Promise<number> {
  const live = database
    .selectFrom('kept_answers')
    .select('begun_at')
    .where('organization', '=', organization)
    .where('begun_at', '>', now() - keptMs)
    .limit(max)
    .as('live')
  const { count } = await database
    .selectFrom(live)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

/** By the user action that has come with it, for the first time under this key. */
async function begin(deps: Answering, row: Row): Promise<Kept> {
  try {
    const written = await deps.carryOut(row.action ?? undefined)
    await finish(deps, row, written)
    return { ...written, isRepeated: false }
  } catch (error) {
    return refuse(deps, row, error)
  }
}

/** What has spent nothing may be asked again, under the same key and with another signature. */
async function refuse(deps: Answering, row: Row, error: unknown): Promise<Kept> {
  if (isFailure(error, 'action.used')) return forgetRefused(deps, row, error)
  const use = await useOf(deps, row)
  // An action that there is no row of any more may have been spent by what has failed since.
  const hasSpentNothing = use === 'unused' || (use === 'unknown' && isRefusal(error))
  if (hasSpentNothing) return forgetRefused(deps, row, error)
  return { ...(await finishRefused(deps, row, error)), isRepeated: false }
}

async function forgetRefused(deps: Answering, row: Row, error: unknown): Promise<never> {
  const isOurs = await forget(deps, row)
  throw isOurs ? error : new Failure('idempotency_key.in_flight', {}, { cause: error })
}

/** Another life of the server, or an error of ours, has left it open. */
async function takeUp(deps: Answering, first: Row, own: Row): Promise<Kept> {
  const taken = { ...first, holder: own.holder }
  await pass(deps, first, taken)
  if (first.action === null) return renew(deps, taken, { action: own.action })
  const before = await useOf(deps, first)
  try {
    const written = await deps.carryOut(first.action)
    await finish(deps, taken, written)
    return { ...written, isRepeated: true }
  } catch (error) {
    if (isFailure(error, 'action.missing') && before === 'unused')
      return renew(deps, taken, { action: own.action, cause: error })
    if (!isRefusal(error)) throw error
    // What refuses now may not have refused the one before, which may have made what it was to make.
    if (before !== 'unused' || isFailure(error, 'action.used')) throw lost(error)
    // Whoever had it first may only be slow: he is to make nothing of it once it is called refused.
    if (!(await retire(deps.database, first.action, deps.now()))) throw lost(error)
    return forgetRefused(deps, taken, error)
  }
}

/** By the next user action, once nothing can come of the one before any more: not in another process either. */
async function renew(
  deps: Answering,
  taken: Row,
  { action, cause }: { readonly action: Uint8Array | null; readonly cause?: unknown },
): Promise<Kept> {
  const { database, now } = deps
  const isOver = taken.action === null || (await retire(database, taken.action, now()))
  if (!isOver) throw lost(cause)
  const renewed = { ...taken, action }
  await pass(deps, taken, renewed)
  return begin(deps, renewed)
}

const lost = (cause: unknown) => new Failure('idempotency_key.lost', {}, { cause })

/** @throws Failure `idempotency_key.in_flight` where somebody else has it by now */
async function pass({ database }: Answering, from: Row, to: Row): Promise<void> {
  const { numUpdatedRows } = await database
    .updateTable('kept_answers')
    .set({ holder: to.holder, action: to.action })
    .where((eb) => eb.and(holding(from)))
    .where('status', 'is', null)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) throw new Failure('idempotency_key.in_flight', {})
}

function holding({ organization, key, holder }: Row) {
  return { organization, key, holder }
}

/** Whoever finishes first: what two have carried out by one user action is one. */
async function finish(
  { database }: Answering,
  { organization, key, request }: Row,
  { status, text }: Written,
): Promise<void> {
  await database
    .updateTable('kept_answers')
    .set({ status, answer: text })
    .where((eb) => eb.and({ organization, key, request }))
    .where('status', 'is', null)
    .execute()
}

/** A refusal is an answer like another; an error of ours is none, and the row stays open. */
async function finishRefused(deps: Answering, row: Row, error: unknown): Promise<Written> {
  if (!isRefusal(error)) throw error
  const problem = problemOf(error)
  const written = { status: problem.status, text: JSON.stringify(envelopeOf(problem)) }
  await finish(deps, row, written)
  return written
}

function isRefusal(error: unknown): error is Failure {
  return isFailure(error) && problemOf(error).status < 500
}

async function forget({ database }: Answering, row: Row): Promise<boolean> {
  const { numDeletedRows } = await database
    .deleteFrom('kept_answers')
    .where((eb) => eb.and(holding(row)))
    .where('status', 'is', null)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

type Use = 'used' | 'unused' | 'unknown'

/** A user action that there is no row of was never given out, or its time was over long ago. */
async function useOf({ database }: Answering, { action }: Row): Promise<Use> {
  if (action === null) return 'unused'
  const row = await database
    .selectFrom('challenges')
    .select('used_at')
    .where('action', '=', action)
    .executeTakeFirst()
  if (row === undefined) return 'unknown'
  return row.used_at === null ? 'unused' : 'used'
}

/** Anybody's, the oldest first. */
export async function forgetKept(database: Database, now: number): Promise<void> {
  const old = database
    .selectFrom('kept_answers')
    .select(['organization', 'key'])
    .where('begun_at', '<=', now - keptMs)
    .orderBy('begun_at')
    .limit(forgottenAtOnce)
  await database
    .deleteFrom('kept_answers')
    .where((eb) =>
      eb(eb.refTuple('organization', 'key'), 'in', old.$asTuple('organization', 'key')),
    )
    .execute()
}

/**
 * Takes out of all finished answers of an organization what could name somebody. The keys stay for their day,
 * and refuse whatever comes under them: without its row, what is asked again and signed anew would be done again.
 */
export async function eraseKept(database: Database, organization: Uint8Array): Promise<void> {
  await database
    .updateTable('kept_answers')
    .set({ request: new Uint8Array(), action: null, answer: null })
    .where('organization', '=', organization)
    .where('answer', 'is not', null)
    .execute()
}
