import { problemOf } from '@quorate/api/problems'
import { Failure, isFailure } from '@quorate/core/failure'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import type { Caller } from './caller.ts'
import { burnFor, findOpenAction, type OpenAction, type SignedAction } from './use-action.ts'

export type CarryOutDeps = {
  readonly database: Database
  /** Names this life of the server: another has another, and whoever waits here is not waited for there. */
  readonly life: Uint8Array
  readonly now: () => number
}

export type Errand = {
  /** What is better refused before an action is burned for it; of what may stand already, nothing is. */
  readonly check?: ((action: SignedAction) => Promise<void>) | undefined
  /** In the transaction that burns the action or takes it up: what is then the request's, or nobody's. */
  readonly claim?:
    | ((transaction: DatabaseTransaction, action: SignedAction) => Promise<void>)
    | undefined
  /** After a failure: whoever comes next may claim it, and be it the same request. */
  readonly giveBack?: ((action: SignedAction) => Promise<void>) | undefined
  /** After a failure: does the request wait for somebody, with all that it has claimed? */
  readonly isHeld?: ((error: unknown, action: SignedAction) => Promise<boolean>) | undefined
}

/** So many bytes as no life has for its name: whoever comes next takes it up. */
const nobody = new Uint8Array()

/**
 * Burns the user action and does what it stands for. Where that ended without an answer, because the
 * server died or signers were away, the same request with the same action takes it up. It may stand
 * by then: so it is not checked again but done, and what is done twice under one request is done once.
 *
 * @throws Failure `action.missing`, `action.used`, and whatever `work` throws
 */
export async function carryOut<T>(
  deps: CarryOutDeps,
  caller: Caller,
  raw: RawRequest,
  errand: Errand & { readonly work: (action: SignedAction) => Promise<T> },
): Promise<T> {
  const { database, now, life } = deps
  const { organization } = caller
  const { isHeld, giveBack, work } = errand
  const open = await findOpenAction(database, caller, raw, { now: now(), life })
  const { action } = open
  const of = { organization, request: action.request }
  if (open.begunBy === undefined) await errand.check?.(action)
  await take(deps, open, { ...errand, of })
  try {
    return await work(action)
  } catch (error) {
    if (await isHeld?.(error, action)) throw error
    const isOver = isFailure(error) && problemOf(error).status < 500
    await (isOver ? pass(deps, of, null) : leaveOpen(deps, of))
    await giveBack?.(action)
    throw error
  }
}

type Of = Pick<SignedAction, 'request'> & Pick<Caller, 'organization'>

async function take(
  { database, life, now }: CarryOutDeps,
  { action, begunBy }: OpenAction,
  { claim, of }: Pick<Errand, 'claim'> & { readonly of: Of },
): Promise<void> {
  const mark = (at: Database | DatabaseTransaction) =>
    begunBy === undefined
      ? burnFor(at, of, { now: now(), life })
      : takeUp(at, { ...of, begunBy, life })
  if (claim === undefined) return mark(database)
  await inTransaction(database, async (transaction) => {
    await mark(transaction)
    await claim(transaction, action)
  })
}

/** @throws Failure `action.used` for all but one of those who would take it up at once */
async function takeUp(
  database: Database | DatabaseTransaction,
  given: Of & { readonly begunBy: Uint8Array; readonly life: Uint8Array },
): Promise<void> {
  const { organization, request, begunBy, life } = given
  const taken = await database
    .updateTable('challenges')
    .set({ begun_by: life })
    .where('organization', '=', organization)
    .where('request', '=', request)
    .where('begun_by', '=', begunBy)
    .executeTakeFirst()
  if (taken.numUpdatedRows !== 1n) throw new Failure('action.used', {})
}

/** What has ended without an answer: whoever comes with the same action takes it up. */
export function leaveOpen(deps: Pick<CarryOutDeps, 'database' | 'life'>, of: Of): Promise<void> {
  return pass(deps, of, nobody)
}

/** Unless another life has it at hand by now. */
async function pass(
  { database, life }: Pick<CarryOutDeps, 'database' | 'life'>,
  { organization, request }: Of,
  begunBy: Uint8Array | null,
): Promise<void> {
  await database
    .updateTable('challenges')
    .set({ begun_by: begunBy })
    .where('organization', '=', organization)
    .where('request', '=', request)
    .where('begun_by', '=', life)
    .execute()
}
