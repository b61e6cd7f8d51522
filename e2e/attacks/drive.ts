import {
  certificateOf,
  lockOf,
  type Seal,
  type Signed,
  type Vote,
} from '@quorate/authority/agreement/messages'
import type { Answer } from '@quorate/authority/agreement/exchange'
import { opaqueStep } from '@quorate/authority/opaque-step'
import { type Asked } from '@quorate/authority/reduce/asked'
import { draftStep, reduceItems } from '@quorate/authority/reduce/step'
import { commitTo, decodePreimage, requestHash } from '@quorate/authority/request'
import {
  assertionsHash,
  noStep,
  reducerVersion,
  type WholeEvidence,
  type Item,
  type Step,
} from '@quorate/authority/step'
import { writtenHash } from '@quorate/authority/records'
import { rootOf } from '@quorate/authority/stream'
import { sha256 } from '@quorate/core/hash'
import { isFailure } from '@quorate/core/failure'
import { toUtf8 } from '@quorate/core/bytes'
import type { Key } from '@quorate/signer/testing/keys'
import type { Drafted, Place } from '@quorate/signer/testing/ledger'
import { combine, roundsOf, runSigning, signCall } from '@quorate/signer/testing/signing'
import { some, toldAnswer, type World } from '@quorate/signer/testing/world'
import type { Outcome } from './attack.ts'
import { placeholderOf } from './placeholder.ts'

/** The signer in the coalition, whose keys and store are the attacker's. */
export const corrupt = 4
export const honest: readonly number[] = [1, 2, 3]

export type Forging = {
  readonly place: Place
  readonly asked: readonly (Asked & { readonly evidence: WholeEvidence })[]
  /** The time that the server gives the step, where it is not now. */
  readonly time?: number
  /** What the server says in place of the truth. */
  readonly change?: (step: Step) => Step
  /** In place of what the rules would write in the item. */
  readonly item?: (item: Item) => Item
}

/**
 * The next step as the attacker needs it: what the rules themselves would say where they allow it,
 * and else one with every hash made to fit, for which nothing is missing but the check to go.
 */
export function forge(world: World, forging: Forging): Drafted {
  const { place, asked, change, item, time = world.now } = forging
  const { ledger, rules } = world
  const empty = { ...emptyStep(world, place), time }
  const allowed = ruled(() => draftStep(empty, asked, ledger.reader, rules))
  const drafted = allowed?.ok
    ? allowed.step
    : { ...empty, items: asked.map(forgedItem), written: writtenHash([]) }
  const items = item === undefined ? drafted.items : drafted.items.map(item)
  const whole = { ...drafted, items }
  const body = change === undefined ? whole : change(whole)
  const evidence = asked.map((one) => one.evidence)
  const outcome = ruled(() => reduceItems({ step: body, evidence, reader: ledger.reader, rules }))
  const writes = outcome?.ok ? outcome.writes : []
  return { step: opaqueStep(body, evidence), body, writes }
}

/** Items of one step, of which each alone would be in order. */
export function forgeTogether(world: World, { place, asked }: Forging): Drafted {
  const alone = asked.map((one) => forge(world, { place, asked: [one] }))
  return forge(world, {
    ...{ place, asked },
    change: (step) => ({
      ...step,
      items: alone.flatMap(({ body }) => body.items),
      written: writtenHash(alone.flatMap(({ writes }) => writes)),
    }),
  })
}

/** Malformed evidence has no item; the attacker writes one all the same. */
function ruled<T>(judge: () => T): T | undefined {
  try {
    return judge()
  } catch (error) {
    if (isFailure(error)) return undefined
    throw error
  }
}

function forgedItem({ kind, evidence, bid = 0 }: Forging['asked'][number]): Item {
  const preimage = ruled(() => decodePreimage(evidence.preimage))
  const committed = ruled(() => commitTo(evidence.payload, evidence.salt))
  const hash = requestHash(evidence.preimage)
  const isRequest = ['action', 'genesis'].includes(preimage?.purpose ?? 'action')
  const rule = preimage?.subjects.find(({ role }) => role === 'feeSponsorId')?.id
  const isRuled = kind === 'sponsor' || kind === 'sponsorRenewal'
  const asked = isRuled && rule ? ruledBy(rule, hash, bid) : ({ kind: 'request', hash } as const)
  return {
    cause: isRequest
      ? asked
      : { kind: 'completion', preimage: hash, body: sha256(toUtf8(evidence.payload)) },
    subjects: preimage?.subjects ?? [],
    payload: committed?.payload ?? noStep,
    fields: committed?.fields ?? noStep,
    operation: placeholderOf(kind),
    assertions: assertionsHash(evidence.assertions),
    facts: sha256(evidence.facts),
    versions: [],
  }
}

function ruledBy(rule: Uint8Array, request: Uint8Array, bid: number): Item['cause'] {
  return { kind: 'rule', rule, request, bid }
}

function emptyStep({ ledger, rules, now: time }: World, { organization, stream }: Place) {
  const last = ledger.head(stream)
  const root = ledger.head(rootOf(organization))
  return {
    ...{ organization, stream, time, manifest: rules.manifest.hash, reducer: reducerVersion },
    seq: last === undefined ? 0 : last.seq + 1,
    previous: last?.step ?? noStep,
    heads: stream.kind === 'root' || root === undefined ? [] : [root],
  }
}

export type Driving = {
  readonly place: Place
  readonly drafted: Drafted
  /** Whose signature is wanted, if one is. */
  readonly key?: Key | undefined
  /** The honest signers that the server talks to. */
  readonly shown?: readonly number[]
}

/**
 * A server that wants this step in force and, where it uses a key, signed: it proposes, adds the
 * corrupt signer's yes, goes on as far as the answers carry it, and asks for the rounds anyhow.
 */
export function drive(world: World, driving: Driving): Promise<Outcome> {
  return watched(world, () => driven(world, driving))
}

async function driven(world: World, driving: Driving): Promise<Omit<Outcome, 'changed'>> {
  const { place, drafted, key, shown = honest } = driving
  const { step, writes } = drafted
  const refusals: string[] = []
  const [votes, seals]: [Signed<Vote>[], Signed<Seal>[]] = [[], []]
  for (const index of shown) {
    const answer = await world.answer(index, place, world.propose(place, step))
    const vote = statedBy(answer, 'vote')
    if (vote === undefined) refusals.push(toldAnswer(answer))
    else votes.push(vote)
  }
  const [voted, sealed] = [world.vote(corrupt, place, step), world.seal(corrupt, place, step)]
  const { quorum } = world.cluster.manifest
  for (const index of votes.length + 1 >= quorum ? shown : []) {
    const lock = lockOf(some([...votes, voted]))
    const answer = await world.answer(index, place, { kind: 'lock', lock, step })
    const seal = statedBy(answer, 'seal')
    if (seal === undefined) refusals.push(toldAnswer(answer))
    else seals.push(seal)
  }
  if (seals.length + 1 >= quorum) {
    const certificate = certificateOf(some([...seals, sealed]))
    for (const index of world.indexes) await world.adopt(index, place, { certificate, step })
    world.ledger.add(place.stream, { step, certificate, writes })
  }
  const signed = key === undefined ? none : await rounds(world, { place, drafted, key })
  return { refusals, votes: votes.length, seals: seals.length, ...signed }
}

const none = { lastRounds: 0, isSigned: false }

/** One honest signer and the corrupt one are as many as a signature needs. */
export async function rounds(
  world: World,
  { place, drafted, key }: { place: Place; drafted: Drafted; key: Key },
) {
  const quorum = [1, corrupt]
  const roundsMax = roundsOf(key)
  const call = signCall(place, drafted, { quorum })
  const { packets } = await runSigning(world, call, { roundsMax })
  const isLast = packets.get(1)?.length === roundsMax
  const operation = drafted.body.items[0]?.operation
  const message = operation && 'digests' in operation ? operation.digests[0] : undefined
  if (!isLast || message === undefined) return none
  return { lastRounds: 1, isSigned: isMade(key, quorum, { message, packets }) }
}

/** But for ECDSA a whole message is signed, and no digest: both shares of it are a signature. */
export function isMade(
  key: Key,
  quorum: readonly number[],
  made: Parameters<typeof combine>[2],
): boolean {
  return key.statement.terms.scheme !== 'ECDSA' || combine(key, quorum, made) !== undefined
}

type Said = { readonly vote: Signed<Vote>; readonly seal: Signed<Seal> }

export function statedBy<K extends keyof Said>(answer: Answer, kind: K): Said[K] | undefined {
  if (answer.kind !== kind || answer.statement.kind !== kind) return undefined
  return { statement: answer.statement, signature: answer.signature } as Said[K]
}

/** How often each honest signer has written to its store; the time it notes now and then is behind. */
export async function writtenBy(world: World): Promise<readonly number[]> {
  const written: number[] = []
  for (const index of honest) {
    await world.ask(index, { kind: 'ping' })
    written.push(world.member(index).store.sequence)
  }
  return written
}

/** What was got, and how many honest signers have written anything meanwhile. */
export async function watched(
  world: World,
  run: () => Promise<Omit<Outcome, 'changed'>>,
): Promise<Outcome> {
  const before = await writtenBy(world)
  const outcome = await run()
  const after = await writtenBy(world)
  return { ...outcome, changed: after.filter((count, i) => count !== before[i]).length }
}
