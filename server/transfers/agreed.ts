import type { SignedTransaction } from '@quorate/chains/adapter'
import { equalBytes } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { skewMsMax } from '@quorate/authority/step'
import { keyStream } from '@quorate/authority/stream'
import { agreedSlot } from '../chain/slots.ts'
import type { Signed } from '../coordinator/coordinator.ts'
import { operationAt } from '../coordinator/streams.ts'
import { atTheDesk } from './lifecycle.ts'
import type { Move } from './move.ts'
import {
  expire,
  isEnd,
  isExpired,
  lastMoments,
  unlessMissing,
  waitForSigners,
  type Outcome,
  type Step,
  type StepDeps,
} from './outcome.ts'
import { standBack } from './prepare.ts'
import { writtenFacts } from './reading.ts'
import type { Outgoing } from './tables.ts'

type Log<M extends keyof StepDeps['coordinator']> = {
  readonly coordinator: Pick<StepDeps['coordinator'], M>
}

/**
 * Have the signers agreed on it, whether they have signed or not? A server may have died, or lost their
 * answer, before it could write that down: so whatever was proposed for its key comes to its end first.
 * @throws Failure `signers.unavailable`, `signing.failed`, `clock.wrong`
 */
export async function isAgreed(deps: Log<'conclude' | 'stepOf'>, row: Outgoing): Promise<boolean> {
  await deps.coordinator.conclude(row.organization, keyStream(row.key))
  return isKnownAgreed(deps, row)
}

/** The same as far as it is known here: enough for a row that has ended, since it was looked for before. */
export async function isKnownAgreed(
  { coordinator }: Log<'stepOf'>,
  row: Outgoing,
): Promise<boolean> {
  const standing = await coordinator.stepOf(row.organization, row.request)
  // One that is held stands there too.
  return standing !== undefined && operationAt(standing).kind !== 'approval'
}

/**
 * A slot that the signers have agreed on stays its request's, even if they sign nothing for it any more.
 * What turns out to be agreed on only after it was refused has not been refused, and is signed.
 * @param kept what becomes of one that they had agreed on before
 * @param end of one on which they have not
 */
export async function unlessAgreed(
  deps: StepDeps,
  row: Outgoing,
  ways: {
    readonly reason: string
    readonly kept: Outcome
    readonly end: () => Outcome | Promise<Outcome>
  },
): Promise<Outcome> {
  if (await isKnownAgreed(deps, row)) return ways.kept
  return onceKnown(deps, row, (isIt) =>
    isIt ? { kind: 'wait', why: ways.reason, ms: 0 } : ways.end(),
  )
}

/** @throws Failure `clock.wrong` */
async function onceKnown<T>(
  deps: StepDeps,
  row: Outgoing,
  go: (isIt: boolean) => T | Promise<T>,
): Promise<T | Outcome> {
  const isIt = await isAgreed(deps, row).catch((error: unknown) => standAside(row, error))
  return typeof isIt === 'boolean' ? go(isIt) : isIt
}

/**
 * A signer that is away may have locked what all others say is not agreed on, for as long as it is away. Nobody
 * else of the wallet is held up by that: the desk and the slot are the next one's, whose step takes the
 * place of this one's, or brings this one's into force.
 */
function standAside(row: Outgoing, error: unknown): Outcome {
  const missing = waitForSigners(error)
  if (missing === undefined || isFailure(error, 'clock.wrong')) throw error
  const isAtDesk = atTheDesk.some((state) => state === row.state)
  const keepsOthers = isAtDesk && !row.names_slot && row.slot !== null
  return keepsOthers ? standBack(missing.why ?? '') : missing
}

/**
 * The same for a step of what has no slot yet, or has another one by now: where facts are written, signers may have
 * been asked to agree on it before. If they have, it goes on to be signed, as they have agreed on it.
 */
export function unlessProposed(step: Step): Step {
  return async (deps, row) => {
    const outcome = await step(deps, row)
    if (row.facts === null || !isEnd(outcome)) return outcome
    return unlessMissing(() =>
      onceKnown(deps, row, async (isIt) => {
        if (isIt) return toBeSigned(deps, row)
        return outcome.event === 'expire' ? expireInTime(deps, row) : outcome
      }),
    )
  }
}

/** It leaves the slot that it has by now, if it has one, to the next one. */
async function toBeSigned(
  { database }: Pick<StepDeps, 'database'>,
  row: Outgoing,
): Promise<Outcome> {
  const slot = (await agreedSlot(database, row, row.request)) ?? row.slot
  return { kind: 'move', event: 'prepare', values: { slot }, freesSlot: true }
}

/** As the signers have agreed on it, for ever, whatever it has been prepared for since. */
export function asAgreed(row: Outgoing, { facts, slot }: Signed): Outgoing {
  return { ...row, facts, slot: slot === undefined ? row.slot : Number(slot) }
}

/** @param cost in the network's smallest unit, of what is signed */
export function signedAs(
  row: Outgoing,
  { facts, slot }: Outgoing,
  { bytes, hash, cost }: SignedTransaction & { readonly cost: bigint },
): Move {
  const values = { signed: bytes, hash }
  const isAsWritten = row.cost !== null && row.slot === slot
  if (facts === null || (isAsWritten && equalBytes(facts, writtenFacts(row))))
    return { event: 'sign', values }
  // It holds another slot by now, which nobody has agreed on, or had lost its own.
  return {
    ...{ event: 'sign', freesSlot: true },
    values: { ...values, facts, slot, cost: cost.toString() },
  }
}

/**
 * Signers believe a server about the time as long as that is off from theirs by no more than `skewMsMax`; and
 * the clock of this server may be off by as much the other way.
 */
const toleranceMs = 2 * skewMsMax + 1
/** One that has been agreed on meanwhile goes on then. */
const againMs = 2_000

/**
 * What has run out ends, unless signers have agreed on it; and not before nobody can have them agree
 * on it any more, however slow he is and whatever his clock says.
 * @returns nothing for what is to be signed
 * @throws Failure `signers.unavailable`, `signing.failed`, `clock.wrong`
 */
export async function unlessInTime(deps: StepDeps, row: Outgoing): Promise<Outcome | undefined> {
  if (!isExpired(row, deps.now)) return undefined
  return onceKnown(deps, row, (isIt) => (isIt ? undefined : expireInTime(deps, row)))
}

function expireInTime({ now }: Pick<StepDeps, 'now'>, row: Outgoing): Outcome {
  if (isExpired(row, now - toleranceMs)) return expire(row, now)
  return { kind: 'wait', why: row.waiting ?? lastMoments, ms: againMs }
}
