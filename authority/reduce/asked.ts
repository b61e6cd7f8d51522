import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import {
  commitTo,
  completionHash,
  decodePreimage,
  requestHash,
  sponsorshipHash,
} from '../request.ts'
import {
  assertionsHash,
  type Evidence,
  type Item,
  type ItemKind,
  noStep,
  type Step,
} from '../step.ts'
import { Refused, refuse, type Judging, type Reader, type Rules } from './judging.ts'
import { causeOf, actsByRule, ruleIn, judgeRule, requestOfRule, bidOf } from './cause.ts'

export type Drafted = {
  readonly step: Step
  readonly evidence: readonly Evidence[]
  readonly reader: Reader
  readonly rules: Rules
}

/** `bid`: of what a sponsor pays, if it is not the first for this request. */
export type Asked = {
  readonly kind: ItemKind
  readonly evidence: Evidence
  readonly bid?: number | undefined
}

/** Whoever votes must see all that he votes on: only what is certified may have lost members. */
export const unseen = 'members of the payload are erased'

/** An item without its operation: the rules look at what was asked, never at this one. */
export function draftItem(evidence: Evidence, { kind, bid = 0 }: Partial<Asked> = {}): Item {
  const preimage = decodePreimage(evidence.preimage)
  if (evidence.salt === undefined) return refuse(unseen)
  const { payload, fields } = commitTo(evidence.payload, evidence.salt)
  return {
    cause: actsByRule(kind) ? ruleIn(preimage, evidence, bid) : causeOf(preimage, evidence),
    subjects: preimage.subjects,
    payload,
    fields,
    operation: { kind: 'update', id: noStep },
    assertions: assertionsHash(evidence.assertions),
    facts: sha256(evidence.facts),
    versions: [],
  }
}

export function judgingOf(
  { step, reader, rules }: Omit<Drafted, 'evidence'>,
  item: Omit<Item, 'operation'>,
  evidence: Evidence,
  kind?: ItemKind,
): Judging {
  const preimage = decodePreimage(evidence.preimage)
  const challenge = requestHash(evidence.preimage)
  const { cause } = item
  const rule = judgeRule(cause, { kind, preimage })
  const bid = bidOf(cause)
  const request =
    rule !== undefined
      ? sponsorshipHash(challenge, bid)
      : cause.kind === 'completion'
        ? completionHash(cause.preimage, cause.body)
        : challenge
  const isRenewal = kind === 'renew' || kind === 'sponsorRenewal'
  // Whoever asked for what a rule stands around is judged as for that.
  const asked = cause.kind === 'rule' ? { ...item, cause: requestOfRule(cause) } : item
  const at = { step, item: asked, evidence, preimage, request, challenge, rule, bid, isRenewal }
  return { ...at, reader, rules }
}

export function outcomeOf<T>(
  open: () => Judging,
  judge: (judging: Judging) => T,
): ({ ok: true } & T) | { ok: false; reason: string } {
  let made: T | undefined
  const reason = refusalOf(() => {
    made = judge(open())
  })
  return made === undefined ? { ok: false, reason: reason ?? 'refused' } : { ok: true, ...made }
}

/** Malformed bytes and JSON inside evidence are refusals too: whoever sent them gets no further. */
export function refusalOf(judge: () => void): string | undefined {
  try {
    judge()
    return undefined
  } catch (error) {
    if (error instanceof Refused) return error.message
    if (isFailure(error, 'bytes.malformed')) return `malformed bytes: ${error.context.expected}`
    if (isFailure(error, 'json.malformed')) return `malformed JSON: ${error.context.reason}`
    throw error
  }
}
