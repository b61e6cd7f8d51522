import type { Evidence } from '@quorate/authority/step'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import { recordEvent, type Event as Told } from '../outbox.ts'
import { releaseSlot } from '../chain/slots.ts'
import { eventOf } from './entity.ts'
import { after, atTheDesk, isAtRest, statusOf, type Event, type State } from './lifecycle.ts'
import { stand } from './line.ts'
import type { Outgoing } from './tables.ts'

/** What a step has found out: an event of the table, with what it brings along. */
export type Move = {
  readonly event: Event
  readonly values?: Change
  /** The slot that it holds goes back, since no signer has ever agreed on that. */
  readonly freesSlot?: boolean
  /** What it waits for from now on, if that is known at once. */
  readonly waiting?: string
  /** Not to be looked at again at once, and why. */
  readonly later?: { readonly why: string; readonly ms: number }
  /** On what policies have refused it. */
  readonly judged?: Evidence
  /** To be done together with the change; what it gives is written too. Nothing: not now. */
  readonly within?: (transaction: DatabaseTransaction) => Promise<Change | undefined>
}
export type Change = Partial<
  Pick<
    Outgoing,
    | 'reason'
    | 'slot'
    | 'facts'
    | 'cost'
    | 'signed'
    | 'hash'
    | 'block_hash'
    | 'block_number'
    | 'fee'
    | 'approval_id'
    | 'policy_resolved_at'
    | 'replacement_id'
    | 'delegation_nonce'
    | 'broadcasted_at'
    | 'confirmed_at'
  >
>
export type Moved =
  | { readonly kind: 'moved'; readonly row: Outgoing }
  | { readonly kind: 'not-now' }
  /** Somebody else has the row by now: what this worker knows of it is old. */
  | { readonly kind: 'lost' }

/**
 * Writes a move down, with the event that it is for the world, in one transaction: provided that
 * the row is where the worker found it and still leased to it.
 *
 * @throws Failure `transfer.wrong_state`
 */
export async function makeMove(
  database: Database,
  row: Outgoing,
  move: Move & { readonly tells?: readonly Told[] },
  now: number,
): Promise<Moved> {
  const state = after(row.state, move.event)
  return inTransaction(database, async (transaction) => {
    const more = await move.within?.(transaction)
    if (move.within !== undefined && more === undefined) return { kind: 'not-now' as const }
    const values = { ...move.values, ...more, ...datesOf(row, state, now) }
    const dueAt = isAtRest(state) ? null : now + (move.later?.ms ?? 0)
    const next = {
      state,
      waiting: move.later?.why ?? move.waiting ?? null,
      attempts: 0,
      refused_at: null,
      due_at: dueAt,
    }
    const moved = await transaction
      .updateTable('outgoing')
      .set({ ...values, ...next })
      .where('organization', '=', row.organization)
      .where('id', '=', row.id)
      .where('state', '=', row.state)
      .where('lease_holder', row.lease_holder === null ? 'is' : '=', row.lease_holder)
      .returningAll()
      .executeTakeFirst()
    if (moved === undefined) throw new Lost()
    if (move.freesSlot === true) await releaseSlot(transaction, row.request)
    if (makesRoom(row.state, state)) await callNext(transaction, row, now)
    for (const event of move.tells ?? []) await recordEvent(transaction, event)
    await tell(transaction, row.state, moved, now)
    await callSponsored(transaction, moved, now)
    return { kind: 'moved' as const, row: moved }
  }).catch((error: unknown) => {
    if (error instanceof Lost) return { kind: 'lost' as const }
    throw error
  })
}

/** The event of a row that has come from another state to the one it is in. */
export async function tell(
  transaction: DatabaseTransaction,
  from: State,
  row: Outgoing,
  at: number,
): Promise<void> {
  const isNews = statusOf(row.state) !== statusOf(from)
  const event = isNews ? eventOf(row) : undefined
  if (event === undefined) return
  await recordEvent(transaction, { organization: row.organization, ...event, at })
}

/** Takes back with it what the transaction has written so far. */
class Lost extends Error {}

function datesOf(row: Outgoing, state: State, now: number): Change {
  const isSent = statusOf(state) === 'Broadcasted' && row.broadcasted_at === null
  return {
    ...(isSent ? { broadcasted_at: now } : {}),
    ...(isPaidFor(row, state) ? { confirmed_at: now } : {}),
  }
}

/** A fee is paid for what has failed, too. */
function isPaidFor({ kind }: Outgoing, state: State): boolean {
  return state === 'confirmed' || (state === 'reverted' && kind === 'sponsorship')
}

/** Also where it was called and goes another way: then the call is the next one's. */
function makesRoom(from: State, to: State): boolean {
  if (from === 'requested') return to !== 'slotted'
  return (isAtDesk(from) && !isAtDesk(to)) || (isInPool(from) && !isInPool(to))
}

function isInPool(state: State): boolean {
  return state === 'signed' || state === 'broadcasted'
}

function isAtDesk(state: State): boolean {
  return atTheDesk.some((each) => each === state)
}

/** What follows a sponsorship looks at it again. */
async function callSponsored(
  transaction: DatabaseTransaction,
  { organization, sponsored }: Outgoing,
  now: number,
): Promise<void> {
  if (sponsored === null) return
  await transaction
    .updateTable('outgoing')
    .set({ due_at: now })
    .where('organization', '=', organization)
    .where('id', '=', sponsored)
    .where('due_at', 'is not', null)
    .execute()
}

/**
 * Of the others, the one that has stood in line longest for this address's next slot may come now. Who
 * stands back does so for his time: two of them would call each other for as long as nothing changes.
 */
async function callNext(
  transaction: DatabaseTransaction,
  { network, address, name }: Outgoing,
  now: number,
): Promise<void> {
  const next = transaction
    .selectFrom('outgoing')
    .select(['organization', 'id'])
    .where('network', '=', network)
    .where('address', '=', address)
    .where(stand)
    .where('name', '!=', name)
    .orderBy('created_at')
    .limit(1)
  await transaction
    .updateTable('outgoing')
    .set({ due_at: now })
    .where((eb) => eb(eb.refTuple('organization', 'id'), 'in', next.$asTuple('organization', 'id')))
    .where('state', '=', 'requested')
    .execute()
}
