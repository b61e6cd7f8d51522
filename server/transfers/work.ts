import type { Rules } from '@quorate/authority/reduce/judging'
import { isFailure } from '@quorate/core/failure'
import type { Chains } from '../chain/chains.ts'
import type { Opine } from '../facts/file.ts'
import { conditionOf } from '../history/condition.ts'
import type { Database } from '../database/database.ts'
import { giveBack, postpone } from './lease.ts'
import { isAtRest } from './lifecycle.ts'
import { makeMove } from './move.ts'
import { isEnd, waitForClock, type Outcome, type StepDeps, type Wait } from './outcome.ts'
import { nextStep } from './steps.ts'
import { notNow } from './take-slot.ts'
import type { Outgoing } from './tables.ts'
import { triggeredBy } from './triggered.ts'

export type WorkDeps = {
  readonly database: Database
  readonly coordinator: StepDeps['coordinator']
  readonly chains: Chains
  readonly opine: Opine
  readonly rules: Rules
  readonly log: WorkLog
  readonly now: () => number
  readonly isHeld?: StepDeps['isHeld']
  /** What to do in each state, if not what `steps.ts` says: whoever simulates faults has others. */
  readonly stepIn?: typeof nextStep
}
export type WorkLog = {
  warn(context: object, message: string): void
  error(context: object, message: string): void
}

/** A local chain makes a block each second, Ethereum one in twelve: soon at first, then less so. */
const firstLookMs = 400
const laterLooksMsMax = 8_000
const growth = 1.4
/** While the chain cannot be trusted, people are at work on it. */
const conditionMs = 5_000

/** One step of one row, written down. @returns the row, if it may go on at once */
export async function workOnce(deps: WorkDeps, row: Outgoing): Promise<Outgoing | undefined> {
  const outcome = await attempt(deps, row)
  if (outcome.kind === 'wait') return wait(deps, row, outcome)
  const tells = await triggeredBy(deps, row, outcome)
  const moved = await makeMove(deps.database, row, { ...outcome, tells }, deps.now())
  if (moved.kind === 'not-now') return wait(deps, row, notNow(row))
  if (moved.kind === 'lost') return overtaken(deps, row)
  if (!isAtRest(moved.row.state) && outcome.later === undefined) return moved.row
  await giveBack(deps.database, moved.row)
  return undefined
}

/**
 * Steps as long as there is something to be done at once.
 * @param stepped after each of them, since it may be what another row has waited for
 */
export async function work(deps: WorkDeps, row: Outgoing, stepped: () => void): Promise<void> {
  let next: Outgoing | undefined = row
  while (next !== undefined) {
    next = await workOnce(deps, next)
    stepped()
  }
}

async function attempt(deps: WorkDeps, row: Outgoing): Promise<Outcome> {
  const { database, coordinator, chains, opine, log, isHeld, stepIn = nextStep } = deps
  try {
    const condition = await conditionOf(database, row.network)
    if (condition !== undefined) return { kind: 'wait', why: condition.text, ms: conditionMs }
    const chain = chains.find(row.network)
    await chain.ready()
    const step = stepIn(row)
    if (step === undefined) return { kind: 'wait', why: null }
    const outcome = await step(
      { database, coordinator, chain, opine, isHeld, now: deps.now() },
      row,
    )
    return await unlessUntimely(coordinator, outcome)
  } catch (error) {
    if (isFailure(error, 'chain.unavailable'))
      return { kind: 'wait', why: `no node of ${row.network} answers` }
    if (isFailure(error, 'chain.refused')) return { kind: 'wait', why: error.context.reason }
    log.error({ err: error, id: row.name, state: row.state }, 'a step failed')
    return { kind: 'wait', why: 'an error that an operator has to look at' }
  }
}

/** No row ends by a clock that signers do not vouch for: nothing has expired because it says so. */
async function unlessUntimely(
  coordinator: Pick<StepDeps['coordinator'], 'clock'>,
  outcome: Outcome,
): Promise<Outcome> {
  if (!isEnd(outcome)) return outcome
  const clock = await coordinator.clock()
  return clock === 'right' ? outcome : waitForClock(clock)
}

/** Once it is rare. A row of which it is told again and again is never written down. */
function overtaken({ log }: WorkDeps, { name: id, state }: Outgoing): undefined {
  log.warn({ id, state }, 'what a step has found out was not written down: the row has moved on')
}

async function wait(
  deps: WorkDeps,
  row: Outgoing,
  { why, ms, isRefused, isStill }: Wait,
): Promise<undefined> {
  const at = deps.now()
  const dueAt = at + (ms ?? delayMs(row.attempts))
  const refusedAt = row.refused_at ?? (isRefused ? at : null)
  const attempts = isStill === true ? row.attempts : row.attempts + 1
  const isWritten = await postpone(deps.database, row, {
    ...{ dueAt, waiting: why, refusedAt, attempts },
  })
  if (!isWritten) overtaken(deps, row)
}

function delayMs(attempts: number): number {
  return Math.round(Math.min(firstLookMs * growth ** attempts, laterLooksMsMax))
}
