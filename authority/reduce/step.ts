import { equalBytes, toUtf8 } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import { nameOf } from '@quorate/core/id'
import type { KeyTerms } from '../key-certificate.ts'
import { keyTable, recordKey, requestTable, writtenHash, type Write } from '../records.ts'
import {
  commitTo,
  completionHash,
  decodePreimage,
  requestHash,
  sponsorshipHash,
  type Preimage,
} from '../request.ts'
import {
  assertionsHash,
  operationCodec,
  reducerVersion,
  type Evidence,
  type Item,
  type ItemKind,
  noStep,
  type Step,
} from '../step.ts'
import { rootOf, streamName } from '../stream.ts'
import { judgeAuthor, presumedAuthor, type Authored } from './author.ts'
import { judgeCompletion, type Completed } from './completion.ts'
import * as breakGlass from './break-glass.ts'
import { reduceConfirmation } from './confirmation.ts'
import * as credentials from './credentials.ts'
import * as delegation from './delegation.ts'
import { reduceApproval, reduceDecision } from './approval.ts'
import * as feeSponsors from './fee-sponsors.ts'
import { reduceFreeze } from './freeze.ts'
import { activePolicies, definitionOf } from './definitions.ts'
import { judgeNotDenied } from './approved.ts'
import { evaluate, evaluateBy, governedActivity, judgeGate } from './gate.ts'
import { reduceGenesis } from './genesis.ts'
import {
  find,
  Refused,
  refuse,
  type Activity,
  type Judging,
  type PolicyAsk,
  type PolicyVerdict,
  type Reader,
  type Rules,
} from './judging.ts'
import { reduceKey, reduceWallet, keyTermsOf } from './key.ts'
import * as permissions from './permissions.ts'
import * as policies from './policy.ts'
import { reduceRecovery, reduceRecoveryEnd } from './recovery.ts'
import { reduceRegistration, registrationTerms } from './registration.ts'
import { reduceSettings } from './settings.ts'
import { sponsorNamed } from './sponsor.ts'
import { isFill, judgeFill } from './outbidding.ts'
import { planSponsorship, reduceSponsorRenewal, reduceSponsorship } from './sponsorship.ts'
import { reduceTags } from './tags.ts'
import * as tokens from './tokens.ts'
import * as updates from './update.ts'
import { planUse, reduceRenewal, reduceUse } from './use.ts'
import * as users from './users.ts'
import type { Reduced } from './writes.ts'

/**
 * The reason for a step of rules that this program does not have. It may be valid: whoever lags in
 * software refuses, and concludes nothing about those who have agreed to it.
 */
export const unknownReducer = 'unknown reducer version'

/** Whoever votes must see all that he votes on: only what is certified may have lost members. */
export const unseen = 'members of the payload are erased'

export type StepOutcome =
  | { readonly ok: true; readonly writes: readonly Write[] }
  /** `item` is the place of the refused item; empty when it is the step itself. */
  | { readonly ok: false; readonly item?: number; readonly reason: string }

/**
 * The one function that says whether a step is valid and what it changes: the server, every signer
 * and the offline verifier run it. Pure: same step, evidence and records, same answer, for ever.
 *
 * `reader` shows the records as of the heads that the step names, and of its own stream's prefix.
 */
export function reduceStep(
  step: Step,
  evidence: readonly Evidence[],
  reader: Reader,
  rules: Rules,
): StepOutcome {
  const made = reduceItems({ step, evidence, reader, rules })
  if (!made.ok) return made
  const isWritten = equalBytes(step.written, writtenHash(made.writes))
  return isWritten ? made : { ok: false, reason: 'the step changes other records than it says' }
}

type Drafted = {
  readonly step: Step
  readonly evidence: readonly Evidence[]
  readonly reader: Reader
  readonly rules: Rules
}

/** The same without `written`, for the proposer who has yet to work it out. */
export function reduceItems({ step, evidence, reader, rules }: Drafted): StepOutcome {
  if (step.reducer !== reducerVersion) return { ok: false, reason: unknownReducer }
  if (!equalBytes(step.manifest, rules.manifest.hash))
    return { ok: false, reason: 'the step is for another cluster' }
  if (evidence.length !== step.items.length) return { ok: false, reason: 'evidence is missing' }
  const writes: Write[] = []
  const overlaid = overlay(step, reader, writes)
  for (const [index, item] of step.items.entries()) {
    const beside = evidence[index]
    if (beside === undefined) return { ok: false, reason: 'evidence is missing' }
    const refusal = refusalOf(() => {
      const { kind } = item.operation
      writes.push(
        ...reduceItem(judgingOf({ step, reader: overlaid, rules }, item, beside, kind), item),
      )
    })
    if (refusal !== undefined) return { ok: false, item: index, reason: refusal }
  }
  return { ok: true, writes }
}

export type Draft = Omit<Step, 'items' | 'written'>
/** `bid`: of what a sponsor pays, if it is not the first for this request. */
export type Asked = {
  readonly kind: ItemKind
  readonly evidence: Evidence
  readonly bid?: number | undefined
}

/**
 * Makes the step that a server proposes: the rules themselves work out what each item must say.
 * @returns the step and what it changes, or the first item that the rules refuse
 */
export function draftStep(
  draft: Draft,
  asked: readonly Asked[],
  reader: Reader,
  rules: Rules,
):
  | { readonly ok: true; readonly step: Step; readonly writes: readonly Write[] }
  | Extract<StepOutcome, { ok: false }> {
  const items: Item[] = []
  const writes: Write[] = []
  const overlaid = overlay(draft, reader, writes)
  const empty = { ...draft, items, written: noStep }
  for (const [index, one] of asked.entries()) {
    const { kind, evidence } = one
    const refusal = refusalOf(() => {
      const item = draftItem(evidence, one)
      const made = reduced(
        judgingOf({ step: empty, reader: overlaid, rules }, item, evidence, kind),
        kind,
      )
      items.push({ ...item, operation: made.operation })
      writes.push(...made.writes)
    })
    if (refusal !== undefined) return { ok: false, item: index, reason: refusal }
  }
  return { ok: true, step: { ...empty, written: writtenHash(writes) }, writes }
}

/**
 * Do these records allow what the step says, whatever would be written by them? For records that
 * take something away which the log does not know of yet: they restrict what is allowed, and have no
 * part in what follows from it.
 *
 * @param what `authors`: who asks, and no more, for what only takes away itself
 * @returns why not
 */
export function refusedBy(
  { step, evidence, reader, rules }: Drafted,
  what: 'all' | 'authors',
): string | undefined {
  const asked = step.items.flatMap(({ operation: { kind }, cause }, i) => {
    const beside = evidence[i]
    return beside === undefined ? [] : [{ kind, evidence: beside, bid: bidOf(cause) }]
  })
  if (what === 'all') {
    const drafted = draftStep(step, asked, reader, rules)
    return drafted.ok ? undefined : drafted.reason
  }
  for (const one of asked) {
    const outcome = outcomeOf(
      () => {
        const item = draftItem(one.evidence, one)
        return judgingOf({ step, reader, rules }, item, one.evidence, one.kind)
      },
      (judging) => ({ authored: authorOf(judging) }),
    )
    if (!outcome.ok) return outcome.reason
  }
  return undefined
}

/** An item without its operation: the rules look at what was asked, never at this one. */
function draftItem(evidence: Evidence, { kind, bid = 0 }: Partial<Asked> = {}): Item {
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

/** What is signed as it stands is its own cause; a challenge of another purpose is completed. */
function causeOf({ purpose }: Preimage, { preimage, payload }: Evidence): Item['cause'] {
  const hash = requestHash(preimage)
  if (purpose === 'action' || purpose === 'genesis') return { kind: 'request', hash }
  return { kind: 'completion', preimage: hash, body: sha256(toUtf8(payload)) }
}

function ruleIn(preimage: Preimage, { preimage: encoded }: Evidence, bid: number): Item['cause'] {
  const rule = sponsorNamed({ preimage }) ?? refuse('the request has no fee sponsor')
  return { kind: 'rule', rule, request: requestHash(encoded), bid }
}

function bidOf(cause: Item['cause']): number {
  return cause.kind === 'rule' ? cause.bid : 0
}

/** What names all that an item creates, and the item itself: `request` in the tables of steps. */
export function requestOfEvidence(evidence: Evidence): Uint8Array {
  return nameOfCause(causeOf(decodePreimage(evidence.preimage), evidence))
}

/** @throws TypeError for causes that no item has yet */
export function nameOfCause(cause: Item['cause']): Uint8Array {
  if (cause.kind === 'request') return cause.hash
  if (cause.kind === 'completion') return completionHash(cause.preimage, cause.body)
  if (cause.kind === 'rule') return sponsorshipHash(cause.request, cause.bid)
  throw new TypeError(`no item is caused by a ${cause.kind} yet`)
}

/** Later items of a step see what earlier ones have written. */
function overlay(step: Pick<Step, 'stream'>, reader: Reader, writes: readonly Write[]): Reader {
  const home = streamName(step.stream)
  return {
    read: (stream, key) =>
      (streamName(stream) === home
        ? writes.findLast((write) => write.key === key)?.value
        : undefined) ?? reader.read(stream, key),
  }
}

function judgingOf(
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

function requestOfRule({ request: hash }: Extract<Item['cause'], { kind: 'rule' }>) {
  return { kind: 'request', hash } as const
}

/** Kinds of which one key acts around what another has signed. */
function actsByRule(kind: ItemKind | undefined): boolean {
  return kind === 'sponsor' || kind === 'sponsorRenewal'
}

/** @returns the standing rule of what acts by one: whatever is asked for itself has none */
function judgeRule(
  cause: Item['cause'],
  { kind, preimage }: { readonly kind: ItemKind | undefined; readonly preimage: Preimage },
): Uint8Array | undefined {
  const named = cause.kind === 'rule' ? cause.rule : undefined
  if (actsByRule(kind) !== (named !== undefined)) refuse('no standing rule allows such an item')
  const wanted = sponsorNamed({ preimage })
  if (named !== undefined && (wanted === undefined || !equalBytes(named, wanted)))
    refuse('the item names another rule than its user')
  return named
}

function reduceItem(judging: Judging, item: Item): readonly Write[] {
  const { evidence } = judging
  if (!equalBytes(item.assertions, assertionsHash(evidence.assertions))) refuse('other assertions')
  if (!equalBytes(item.facts, sha256(evidence.facts))) refuse('other facts')
  if (item.versions.length > 0) refuse('versions are not understood')
  const { operation, writes } = reduced(judging, item.operation.kind)
  const isSame = equalBytes(
    encode(operationCodec, operation),
    encode(operationCodec, item.operation),
  )
  if (!isSame) refuse('the item does something else than was asked for')
  return writes
}

/** Everything but a use is used once at home in the root stream, where its marker stays. */
function reduced(judging: Judging, kind: ItemKind): Reduced {
  judgeStream(judging)
  if (kind === 'genesis') return marked(judging, reduceGenesis(judging))
  return judging.item.cause.kind === 'completion'
    ? reduceCompleted(judging, kind)
    : reduceAuthored(judging, kind)
}

function reduceAuthored(judging: Judging, kind: ItemKind): Reduced {
  const authored = authorOf(judging)
  judgeHome(judging, kind, authored)
  if (kind === 'approval') return opened(judging, authored)
  if (kind === 'use') return reduceUse(judging, authored)
  if (kind === 'renew') return reduceRenewal(judging, authored)
  if (kind === 'sponsor') return reduceSponsorship(judging, authored)
  if (kind === 'sponsorRenewal') return reduceSponsorRenewal(judging, authored)
  judgeUnused(judging)
  const reduce = authoredKinds[kind] ?? refuse('nobody may ask for such an item')
  judgeGate(judging, governedActivity(judging, authored))
  return marked(judging, reduce(judging, authored))
}

/** Where nothing is done for him any more, he is not asked again. */
function authorOf(judging: Judging): Authored {
  return isFill(judging) ? judgeFill(judging) : judgeAuthor(judging)
}

/** What is held would be valid but for its approval: else nobody is asked. */
function opened(judging: Judging, authored: Authored): Reduced {
  const { item } = authored.match.operation.changes
  if (item === 'use') {
    const { activity } = planUse(judging, authored)
    return reduceApproval(judging, authored, evaluate(judging, activity))
  }
  // Its token is told to whoever asked for it, in the answer: later, nobody asks.
  if (authored.match.operation.creates.includes('token')) refuse('a new token waits for nobody')
  const reduce = item === 'none' ? undefined : authoredKinds[item]
  const activity = governedActivity(judging, authored)
  if (reduce === undefined || activity === undefined) return refuse('policies hold no such request')
  reduce(judging, authored)
  return reduceApproval(judging, authored, evaluate(judging, activity))
}

function reduceCompleted(judging: Judging, kind: ItemKind): Reduced {
  const completed = judgeCompletion(judging)
  judgeHome(judging, kind, completed)
  judgeUnused(judging)
  const reduce = completedKinds[kind] ?? refuse('such an item completes nothing')
  return marked(judging, reduce(judging, completed))
}

function judgeHome({ step }: Judging, kind: ItemKind, { match }: Pick<Authored, 'match'>): void {
  const home = match.operation.changes
  const isOfUse = kind === 'renew' || actsByRule(kind)
  const isExpected = home.item === kind || (home.item === 'use' && isOfUse) || kind === 'approval'
  const isAtHome = home.stream === step.stream.kind || home.stream === 'held'
  if (!isExpected || !isAtHome) refuse('the item does not stand where it belongs')
}

function judgeUnused({ reader, step, challenge }: Judging): void {
  if (reader.read(step.stream, recordKey(requestTable, challenge)) !== undefined)
    refuse('the request has been used')
}

type Table<Cause> = {
  readonly [K in ItemKind]?: (judging: Judging, cause: Cause) => Reduced
}
const authoredKinds: Table<Authored> = {
  user: users.reduceUser,
  userUpdate: users.reduceUserUpdate,
  userStatus: users.reduceUserStatus,
  confirmation: reduceConfirmation,
  credential: credentials.reduceCredential,
  credentialCode: credentials.reduceCredentialCode,
  credentialStatus: credentials.reduceCredentialStatus,
  recoveryEnd: reduceRecoveryEnd,
  serviceAccount: tokens.reduceServiceAccount,
  token: tokens.reduceToken,
  tokenStatus: tokens.reduceTokenStatus,
  permission: permissions.reducePermission,
  permissionUpdate: permissions.reducePermissionUpdate,
  policy: policies.reducePolicy,
  policyUpdate: policies.reducePolicyUpdate,
  decision: reduceDecision,
  break: breakGlass.reduceBreak,
  breakEnd: breakGlass.reduceBreakEnd,
  assignment: permissions.reduceAssignment,
  assignmentEnd: permissions.reduceAssignmentEnd,
  feeSponsor: feeSponsors.reduceFeeSponsor,
  feeSponsorUpdate: feeSponsors.reduceFeeSponsorUpdate,
  settings: reduceSettings,
  key: reduceKey,
  keyStatus: delegation.reduceKeyStatus,
  delegation: delegation.reduceDelegation,
  wallet: reduceWallet,
  tags: reduceTags,
  update: updates.reduceUpdate,
  agreement: updates.reduceAgreement,
  freeze: reduceFreeze,
  erasure: updates.reduceErasure,
}
const completedKinds: Table<Completed> = {
  user: users.reduceSocialUser,
  registration: reduceRegistration,
  credential: credentials.reduceCodeCredential,
  recovery: reduceRecovery,
}

/**
 * An organization has the one root stream that bears its id, and one for each of its keys. In any
 * other, its memory would begin anew: a genesis could be repeated, a used request used again.
 */
function judgeStream(judging: Judging): void {
  const { organization, stream } = judging.step
  const isItsOwn =
    stream.kind === 'root'
      ? equalBytes(stream.id, organization)
      : stream.kind === 'key' && find(judging, keyTable, stream.id) !== undefined
  if (!isItsOwn) refuse('the organization has no such stream')
}

function marked({ preimage, challenge, step }: Judging, { operation, writes }: Reduced): Reduced {
  const marker = {
    key: recordKey(requestTable, challenge),
    value: encode(requestTable.codec, {
      slot: undefined,
      digests: [],
      fee: 0n,
      executeBefore: preimage.executeBefore,
      time: step.time,
    }),
  }
  return { operation, writes: [marker, ...writes] }
}

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

function outcomeOf<T>(
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
function refusalOf(judge: () => void): string | undefined {
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
