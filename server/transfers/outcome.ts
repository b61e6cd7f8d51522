import { isFailure } from '@quorate/core/failure'
import type { Coordinator } from '../coordinator/coordinator.ts'
import type { ClockState } from '../coordinator/hours.ts'
import type { Database } from '../database/database.ts'
import type { Chain } from '../chain/chains.ts'
import type { Opine } from '../facts/file.ts'
import type { Event } from './lifecycle.ts'
import { inLine } from './line.ts'
import type { Move } from './move.ts'
import { preimageOf } from './reading.ts'
import type { Outgoing } from './tables.ts'

/** What a step may ask. It reads, and acts where acting twice is harmless; it writes nothing down. */
export type StepDeps = {
  readonly database: Database
  readonly coordinator: Pick<
    Coordinator,
    'sign' | 'stepOf' | 'conclude' | 'judge' | 'settle' | 'read' | 'readKnown' | 'clock'
  >
  readonly chain: Chain
  readonly opine: Opine
  readonly now: number
  /** Does this worker have the row still, as far as it knows by itself? Else nothing is proposed for it. */
  readonly isHeld?: (() => boolean) | undefined
}
export type Outcome = ({ readonly kind: 'move' } & Move) | Wait
/** `why` is for people; `ms` where something is known about when to look again. */
export type Wait = {
  readonly kind: 'wait'
  readonly why: string | null
  readonly ms?: number
  /** Has a node refused what is signed? */
  readonly isRefused?: true
  /** It has not tried anything: it waits as before. */
  readonly isStill?: true
}
export type Step = (deps: StepDeps, row: Outgoing) => Promise<Outcome>

export function refuse(reason: string): Outcome {
  return { kind: 'move', event: 'refuse', values: { reason, slot: null }, freesSlot: true }
}

const ends: ReadonlySet<Event> = new Set<Event>(['expire', 'refuse', 'reject'])

/** Does a row end by it of which nobody has signed bytes? */
export function isEnd(outcome: Outcome): outcome is { readonly kind: 'move' } & Move {
  return outcome.kind === 'move' && ends.has(outcome.event)
}

/** Signers that were not there, or did not agree: the same again may go well. */
export function waitForSigners(error: unknown): Wait | undefined {
  if (isFailure(error, 'signers.unavailable'))
    return { kind: 'wait', why: `signers unavailable: ${error.context.missing.join(', ')}` }
  if (isFailure(error, 'signing.failed')) return { kind: 'wait', why: error.context.reason }
  return isFailure(error, 'clock.wrong') ? waitForClock(error.context.clock) : undefined
}

/** Does it, and waits where signers are missing for it. */
export async function unlessMissing(work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work()
  } catch (error) {
    const wait = waitForSigners(error)
    if (wait !== undefined) return wait
    throw error
  }
}

export function waitForClock(clock: ClockState): Wait {
  const why =
    clock === 'unsure'
      ? 'too few signers are there to tell the time'
      : `the clock of the server is ${clock}`
  return { kind: 'wait', why }
}

/** The user's own deadlines, which signers hold as well: for what they have not agreed on. */
export function isExpired(row: Outgoing, now: number): boolean {
  return now >= expiresAt(row)
}

/**
 * Nobody may agree any more on what has stood in line until then. What waited for an approval was in
 * time when that was opened; what a sponsor does stands around another request.
 */
export function expiresAt(row: Outgoing): number {
  const { kind, approval_id, execute_before } = row
  if (kind === 'sponsorship' || approval_id !== null) return execute_before
  return Math.min(execute_before, preimageOf(row).signBefore + 1)
}

type RunOut = Pick<Outgoing, 'execute_before' | 'state' | 'waiting' | 'names_slot' | 'fee_sponsor'>

/** What has kept it is said as well, where it is known: who has stood in line comes earlier next time. */
export function expire(row: RunOut, now: number): Outcome {
  const reason = reasonFor(row, now)
  return { kind: 'move', event: 'expire', values: { reason, slot: null }, freesSlot: true }
}

function reasonFor(row: RunOut, now: number): string {
  const isOver = now >= row.execute_before
  if (!isOver && hasStoodInLine(row)) return lineTooLong
  const what = isOver ? 'not executed within its time' : 'not signed within its time'
  return row.waiting === null || row.waiting === lastMoments ? what : `${what}: ${row.waiting}`
}

/** One on which nobody has looked yet stands there, unless it waits for no other. */
function hasStoodInLine({ state, waiting, names_slot, fee_sponsor }: RunOut): boolean {
  if (waiting !== null) return Object.values<string>(inLine).includes(waiting)
  return state === 'requested' && !names_slot && fee_sponsor === null
}

/** What is said of one that has run out while it may still be agreed on, if nothing better is known. */
export const lastMoments = 'until no signer can agree on it any more'

const lineTooLong =
  'too many stood before it in line: nothing was signed, and it may be asked for anew'
