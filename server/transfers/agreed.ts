import type { SignedTransaction } from '@quorate/chains/adapter'
import { equalBytes } from '@quorate/core/bytes'
import { skewMsMax } from '@quorate/authority/step'
import type { Signed } from '../coordinator/coordinator.ts'
import { operationAt } from '../coordinator/streams.ts'
import type { Move } from './move.ts'
import { writtenFacts } from './reading.ts'
import { expire, isExpired, lastMoments, type Outcome, type StepDeps } from './outcome.ts'
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
  await deps.coordinator.conclude(row.organization, row.key)
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
  return (await isAgreed(deps, row)) ? { kind: 'wait', why: ways.reason, ms: 0 } : ways.end()
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
  if (facts === null || equalBytes(facts, writtenFacts(row))) return { event: 'sign', values }
  // It holds another slot by now, which nobody has agreed on.
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
  const { now } = deps
  if (!isExpired(row, now) || (await isAgreed(deps, row))) return undefined
  if (isExpired(row, now - toleranceMs)) return expire(row, now)
  return { kind: 'wait', why: row.waiting ?? lastMoments, ms: againMs }
}
