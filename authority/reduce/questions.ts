import { nameOf } from '@quorate/core/id'
import type { KeyTerms } from '../key-certificate.ts'
import { recordKey, requestTable } from '../records.ts'
import { reducerVersion, type Evidence, noStep, type Step } from '../step.ts'
import { rootOf } from '../stream.ts'
import { judgeAuthor, presumedAuthor, type Authored } from './author.ts'
import { judgeCompletion } from './completion.ts'
import { activePolicies, definitionOf } from './definitions.ts'
import { judgeNotDenied } from './approved.ts'
import { evaluateBy, governedActivity } from './gate.ts'
import {
  refuse,
  type Activity,
  type Judging,
  type PolicyAsk,
  type PolicyVerdict,
  type Reader,
  type Rules,
} from './judging.ts'
import { keyTermsOf } from './key.ts'
import { registrationTerms } from './registration.ts'
import { planSponsorship } from './sponsorship.ts'
import { planUse } from './use.ts'
import { type Drafted, draftItem, judgingOf, outcomeOf } from './asked.ts'
import { authorOf } from './item.ts'

/**
 * Before any share of a key exists: would this request be allowed to create one, now, and which?
 * @param asked.time the judge's own clock, in milliseconds
 * @param asked.index which of its keys; only a registration makes several
 */
export function judgeKeyRequest(
  asked: {
    readonly organization: Uint8Array
    readonly time: number
    readonly evidence: Evidence
    readonly index?: number
  },
  reader: Reader,
  rules: Rules,
): { ok: true; terms: KeyTerms } | { ok: false; reason: string } {
  const { organization, time, evidence, index = 0 } = asked
  return outcomeOf(
    () => {
      const step = {
        organization,
        stream: rootOf(organization),
        seq: 1,
        previous: noStep,
        manifest: rules.manifest.hash,
        reducer: reducerVersion,
        time,
        heads: [],
        items: [],
        written: noStep,
      }
      return judgingOf({ step, reader, rules }, draftItem(evidence), evidence)
    },
    (judging) => {
      const marker = recordKey(requestTable, judging.challenge)
      const terms = keysOf(judging)[index] ?? refuse('the request makes no such key')
      if (reader.read(rootOf(organization), marker) !== undefined)
        refuse('the request has been used')
      return { terms }
    },
  )
}

/** All keys that a request makes, by whichever way it came. */
function keysOf(judging: Judging): readonly KeyTerms[] {
  if (judging.item.cause.kind === 'completion')
    return registrationTerms(judging, judgeCompletion(judging))
  return [keyTermsOf(judging, judgeAuthor(judging)) ?? refuse('the request makes no key')]
}

/**
 * What a use signs, rebuilt once more from its evidence. With the newest records in `reader` it
 * also says whether the author may still, and no approver has denied it meanwhile: the gate before the
 * last round of a signature.
 */
export function messagesOf(
  { step, evidence, reader, rules }: Drafted,
  index: number,
): { ok: true; messages: readonly Uint8Array[] } | { ok: false; reason: string } {
  return outcomeOf(
    () => {
      const item = step.items[index]
      const beside = evidence[index]
      if (item === undefined || beside === undefined) return refuse('evidence is missing')
      return judgingOf({ step, reader, rules }, item, beside, item.operation.kind)
    },
    (judging) => {
      judgeNotDenied(judging)
      return { messages: plannedFor(judging, authorOf(judging)).plan.messages }
    },
  )
}

/**
 * What policies say of an item, whatever the rules made of it, under the records in `reader`: for
 * people who are asked to approve it, and for those who draft a policy and want to see what it would
 * have done. Nothing follows from it.
 *
 * @param of which policies, in their canonical form; those that are in force unless said
 */
export function evaluationOf(
  { step, evidence, reader, rules }: Drafted,
  index: number,
  of?: PolicyAsk['policies'],
): { ok: true; said: PolicyVerdict | undefined } | { ok: false; reason: string } {
  return outcomeOf(
    () => {
      const [item, beside] = [step.items[index], evidence[index]]
      if (item === undefined || beside === undefined) return refuse('evidence is missing')
      return judgingOf({ step, reader, rules }, item, beside, item.operation.kind)
    },
    (judging) => ({ said: saidOf(judging, of) }),
  )
}

/**
 * The same of a request that nobody has signed, and nobody will: as if its author asked for it now.
 */
export function rehearsalOf(
  asked: {
    readonly organization: Uint8Array
    readonly stream: Step['stream']
    readonly time: number
    readonly evidence: Evidence
  },
  reader: Reader,
  rules: Rules,
  of?: PolicyAsk['policies'],
): { ok: true; said: PolicyVerdict | undefined } | { ok: false; reason: string } {
  const { evidence, ...at } = asked
  return outcomeOf(
    () => {
      const step = { ...at, seq: 1, previous: noStep, manifest: rules.manifest.hash, items: [] }
      const draft = { ...step, reducer: reducerVersion, heads: [], written: noStep }
      return judgingOf({ step: draft, reader, rules }, draftItem(evidence), evidence)
    },
    (judging) => ({ said: saidOf(judging, of) }),
  )
}

function saidOf(judging: Judging, of?: PolicyAsk['policies']): PolicyVerdict | undefined {
  const authored = presumedAuthor(judging)
  const isUse = authored.match.operation.changes.item === 'use'
  const activity = isUse
    ? plannedFor(judging, authored).activity
    : governedActivity(judging, authored)
  return activity && evaluateBy(judging, activity, of ?? policiesOn(judging, activity))
}

/** What a key is to sign, be it by itself or around what another one has signed. */
function plannedFor(judging: Judging, authored: Authored) {
  return judging.rule === undefined
    ? planUse(judging, authored)
    : planSponsorship(judging, authored)
}

function policiesOn(judging: Judging, activity: Activity | undefined): PolicyAsk['policies'] {
  const active = activity === undefined ? [] : activePolicies(judging, activity.kind)
  return active.map(({ policy, definition }) => ({
    id: nameOf('policy', policy),
    definition: definitionOf(judging, definition),
  }))
}
