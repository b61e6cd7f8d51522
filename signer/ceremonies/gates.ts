import type { Body } from '@quorate/authority/body'
import { executionWindowMs } from '@quorate/authority/step'
import { equalBytes } from '@quorate/core/bytes'
import { bodyOf } from '../body.ts'
import { refusedByFirstSight } from '../first-sight.ts'
import { sealedAtRoot } from '../judgement.ts'
import { withStatements } from '../statements.ts'
import { newestReader } from '../store/reader.ts'
import type { Place } from '../store/store.ts'
import type { CeremonyDeps } from './deps.ts'

/**
 * How long after a step's time this signer takes part in what it allows. A revocation in force has
 * certainly bitten when this, and the skew of the clocks, have passed (steps.md section 2).
 */
export const windowMs = executionWindowMs

export type Named = { readonly place: Place; readonly seq: number; readonly step: Uint8Array }
export type Standing = 'unknown' | 'voted' | 'sealed' | 'certified'

/** What this signer itself has said of a step: all in its store, none of it in the call. */
export function standingOf(
  { store }: CeremonyDeps,
  { place, seq, step }: Named,
): { readonly standing: Standing; readonly body: Body | undefined } {
  const stored = store.log.stepAt(place, seq)
  if (stored !== undefined)
    return equalBytes(stored.hash, step)
      ? { standing: 'certified', body: bodyOf({ bytes: stored.body }) }
      : { standing: 'unknown', body: undefined }
  const { steps, lock, vote } = store.log.voter(place)
  const open = steps.find((one) => one.seq === seq && equalBytes(one.hash, step))
  const isSealed = lock !== undefined && equalBytes(lock.stepHash, step)
  const isVoted = vote !== undefined && equalBytes(vote.stepHash, step)
  const standing = isSealed ? 'sealed' : isVoted ? 'voted' : 'unknown'
  return { standing, body: open && bodyOf(open) }
}

export type Permitted =
  | {
      readonly ok: true
      readonly body: Body
      readonly messages: readonly Uint8Array[]
      readonly now: number
    }
  | { readonly ok: false; readonly reason: string }

/**
 * May this signer take part in using the key now, and what exactly would be signed? Asked before
 * its first word and again before its last, each time of everything it knows by then.
 */
export function permitted(
  deps: CeremonyDeps,
  named: Named & { readonly item: number },
  needed: readonly Standing[],
): Permitted {
  const { store, rules, clock } = deps
  const { organization } = named.place
  if (store.memory.stopped(organization) !== undefined) return no('the organization stands still')
  if (store.memory.number('restored') === 1) return no('this store is an old one')
  const { standing, body } = standingOf(deps, named)
  if (body === undefined || !needed.includes(standing))
    return no(`the step is ${standing} here, not ${needed.join(' or ')}`)
  const now = clock.read()
  if (!now.ok) return no(now.reason)
  if (now.time > body.step.time + windowMs) return no('the execution window has passed')
  const ahead = withStatements(store, organization, sealedAtRoot(deps, organization))
  const reader = newestReader(store.log, organization, ahead)
  const { evidence, step } = body
  const early = refusedByFirstSight(store, {
    ...{ organization, evidence, reader, time: step.time, now: now.time },
  })
  if (early !== undefined) return no(early.detail)
  const judged = deps.verdicts({ body, reader, rules }, named.item)
  if (!judged.ok) return no(judged.reason)
  return { ok: true, body, messages: judged.messages, now: now.time }
}

function no(reason: string): Permitted {
  return { ok: false, reason }
}
