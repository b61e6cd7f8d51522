import { toHex, toUtf8, fromUtf8, equalBytes } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { type Answer, type AnswerDraft, signAnswer, signStatement } from '../exchange.ts'
import {
  type Certificate,
  type Draft,
  type Lock,
  type OpaqueStep,
  type Origin,
  type PromiseProof,
  type Seal,
  type Signed,
  type Statement,
  type Vote,
  certificateOf,
  lockOf,
} from '../messages.ts'
import {
  type Agreement,
  type Judge,
  type Outcome,
  type VoterState,
  newVoter,
  onBallot,
  onCertificate,
  onLock,
  onPropose,
  voterStateCodec,
} from '../voter.ts'
import { type Random, randomFrom } from './random.ts'

/** `n` signers, `t` shares for a signature, `q` voices for a fact; at most `t - 1` are corrupt. */
export type Numbers = { readonly n: number; readonly t: number; readonly q: number }

/** The clusters that are documented. The first one is the default. */
export const standardNumbers = [
  { n: 4, t: 2, q: 3 },
  { n: 5, t: 3, q: 4 },
  { n: 7, t: 3, q: 5 },
] as const satisfies readonly Numbers[]

export type Rules = {
  readonly onPropose: typeof onPropose
  readonly onLock: typeof onLock
  readonly onBallot: typeof onBallot
  readonly onCertificate: typeof onCertificate
  /** Up to which place a restored signer keeps silent. */
  readonly abstainUpTo: (reported: number) => number | undefined
  /** Does a lock count as a certificate? */
  readonly onePhase: boolean
}

export const soundRules: Rules = {
  onPropose,
  onLock,
  onBallot,
  onCertificate,
  abstainUpTo: (reported) => reported,
  onePhase: false,
}

/** What must never happen, found out by somebody who sees everything. */
export type Violation =
  | 'two steps certified at one place'
  | 'an honest signer said two things in one ballot'
  | 'an invalid step was certified'
  | 'a step that too few honest signers found fresh was certified'
  | 'an honest signer raised the alarm'

/** Signers 1 to f are corrupt; the others do what the rules say. */
export type World = {
  readonly random: Random
  readonly numbers: Numbers
  readonly rules: Rules
  readonly agreement: Agreement
  readonly corrupt: readonly number[]
  readonly honest: readonly [number, ...number[]]
  /** Encoded, as on disk: whatever a codec loses is lost at every message. */
  readonly disks: Map<number, Uint8Array>
  readonly writes: Map<number, number>
  readonly said: Map<string, Uint8Array>
  readonly votes: Map<string, Map<number, Signed<Vote>>>
  readonly seals: Map<string, Map<number, Signed<Seal>>>
  readonly promises: Map<string, Map<number, PromiseProof>>
  readonly steps: Map<string, OpaqueStep>
  readonly certificates: Map<number, Map<string, Certificate>>
  readonly foundFresh: Map<string, Set<number>>
  readonly violations: Set<Violation>
  readonly isFresh: (signer: number, step: OpaqueStep) => boolean
}

export function createWorld(
  seed: number,
  numbers: Numbers,
  { rules, isFresh }: { readonly rules: Rules; readonly isFresh: World['isFresh'] },
): World {
  const signers = Array.from({ length: numbers.n }, (_, i) => i + 1)
  const [first = 1, ...others] = signers.slice(numbers.t - 1)
  return {
    random: randomFrom(seed),
    numbers,
    rules,
    agreement: agreementFor(numbers),
    corrupt: signers.slice(0, numbers.t - 1),
    honest: [first, ...others],
    disks: new Map(signers.map((signer) => [signer, encode(voterStateCodec, newVoter)])),
    writes: new Map(),
    said: new Map(),
    votes: new Map(),
    seals: new Map(),
    promises: new Map(),
    steps: new Map(),
    certificates: new Map(),
    foundFresh: new Map(),
    violations: new Set(),
    isFresh,
  }
}

export function agreementFor({ n, q }: Numbers): Agreement {
  return {
    organization: sha256(toUtf8('organization')),
    stream: { kind: 'key', id: sha256(toUtf8('key')) },
    trust: {
      manifestHash: sha256(toUtf8('manifest')),
      n,
      q,
      verify: (signer, bytes, signature) => equalBytes(signature, mark(signer, bytes)),
    },
    isStep: (step) => equalBytes(sha256(step.bytes), step.hash),
  }
}

/**
 * Stands in for Ed25519, which would make the search many times slower; `messages.test.ts` uses the
 * real one. Nobody here forges: the adversary is this program, and signs only for the corrupt.
 * FNV-1a, seeded by the signer.
 */
export function mark(signer: number, bytes: Uint8Array): Uint8Array {
  let hash = 0x811c9dc5 ^ signer
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  const signature = new Uint8Array(64)
  new DataView(signature.buffer).setInt32(0, hash)
  return signature
}

export function stepNamed(
  name: string,
  { seq, previous }: { readonly seq: number; readonly previous: Uint8Array },
): OpaqueStep {
  const bytes = toUtf8(`${name} ${seq} ${toHex(previous)}`)
  return { seq, previous, hash: sha256(bytes), time: 0, bytes }
}

export function nameOf(step: OpaqueStep): string {
  return fromUtf8(step.bytes).split(' ')[0] ?? ''
}

export function stateOf(world: World, signer: number): VoterState {
  return decode(voterStateCodec, world.disks.get(signer) ?? encode(voterStateCodec, newVoter))
}

/** Persists, then signs: what an honest signer's caller does. */
export function conclude(world: World, signer: number, outcome: Outcome): Answer {
  world.disks.set(signer, encode(voterStateCodec, outcome.state))
  if (outcome.answer.kind === 'alarm') world.violations.add('an honest signer raised the alarm')
  return say(world, signer, outcome.answer)
}

export function say(world: World, signer: number, draft: AnswerDraft): Answer {
  const answer = signAnswer(draft, originOf(world, signer), (bytes) => mark(signer, bytes))
  if (answer.kind === 'promise' && answer.statement.kind === 'promise') {
    const { statement, signature, lock } = answer
    keep(world.promises, placeName(statement), signer, { statement, signature, lock })
  }
  if ('statement' in answer) hear(world, answer.statement, answer.signature)
  return answer
}

/** The server keeps everything; the observer looks for what must not happen. */
function hear(world: World, statement: Statement, signature: Uint8Array): void {
  if (statement.kind !== 'vote' && statement.kind !== 'seal') return
  const { kind, signer, stepHash } = statement
  const place = `${kind} ${signer} ${placeName(statement)}`
  const before = world.said.get(place)
  if (before !== undefined && !equalBytes(before, stepHash) && !world.corrupt.includes(signer))
    world.violations.add('an honest signer said two things in one ballot')
  world.said.set(place, stepHash)
  const name = `${placeName(statement)} ${toHex(stepHash)}`
  if (statement.kind === 'vote') keep(world.votes, name, signer, { statement, signature })
  else keep(world.seals, name, signer, { statement, signature })
  look(world, statement)
}

function look(world: World, statement: Vote | Seal): void {
  const name = `${placeName(statement)} ${toHex(statement.stepHash)}`
  if (statement.kind === 'vote') {
    const lock = world.rules.onePhase ? lockNamed(world, name) : undefined
    if (lock !== undefined) certify(world, { ...lock, kind: 'certificate' })
    return
  }
  corruptAgree(world, statement)
  const seals = firstOnes(world, world.seals.get(name))
  if (seals !== undefined) certify(world, certificateOf(seals))
}

function certify(world: World, certificate: Certificate): void {
  const { seq, stepHash } = certificate
  const hash = toHex(stepHash)
  const known = world.certificates.get(seq) ?? new Map<string, Certificate>()
  world.certificates.set(seq, known.set(hash, certificate))
  if (known.size > 1) world.violations.add('two steps certified at one place')
  const step = world.steps.get(hash)
  if (step === undefined || isInvalid(step)) world.violations.add('an invalid step was certified')
  const fresh = world.foundFresh.get(hash)?.size ?? 0
  if (fresh < world.numbers.q - world.corrupt.length)
    world.violations.add('a step that too few honest signers found fresh was certified')
}

/** The corrupt give their word for anything, and at once. */
export function corruptAgree(world: World, { kind, ...statement }: Vote | Seal): void {
  for (const signer of world.corrupt) {
    const name = `${placeName(statement)} ${toHex(statement.stepHash)}`
    const heard = kind === 'vote' ? world.votes : world.seals
    if (heard.get(name)?.has(signer)) continue
    const origin = originOf(world, signer)
    const sign = (bytes: Uint8Array): Uint8Array => mark(signer, bytes)
    if (kind === 'vote')
      keep(world.votes, name, signer, signStatement({ ...statement, ...origin, kind }, sign))
    else keep(world.seals, name, signer, signStatement({ ...statement, ...origin, kind }, sign))
  }
}

export function lockNamed(world: World, name: string): Lock | undefined {
  const any = world.votes.get(name)?.values().next().value
  if (any === undefined) return undefined
  corruptAgree(world, any.statement)
  const votes = firstOnes(world, world.votes.get(name))
  return votes && lockOf(votes)
}

function firstOnes<S extends Statement>(
  { numbers, random }: World,
  heard: ReadonlyMap<number, Signed<S>> | undefined,
): [Signed<S>, ...Signed<S>[]] | undefined {
  const [first, ...others] = random.shuffled([...(heard?.values() ?? [])]).slice(0, numbers.q)
  if (first === undefined || others.length + 1 < numbers.q) return undefined
  return [first, ...others]
}

export function judgeOf(world: World, signer: number): Judge {
  return {
    deterministic: (step) =>
      isInvalid(step) ? { ok: false, detail: 'invalid', item: 0 } : { ok: true },
    fresh: (step) => {
      if (!world.isFresh(signer, step)) return { ok: false, detail: 'stale heads', item: 0 }
      const hash = toHex(step.hash)
      world.foundFresh.set(hash, (world.foundFresh.get(hash) ?? new Set()).add(signer))
      return { ok: true }
    },
  }
}

function isInvalid(step: OpaqueStep): boolean {
  return nameOf(step).startsWith('invalid')
}

export function learn(world: World, step: OpaqueStep): OpaqueStep {
  world.steps.set(toHex(step.hash), step)
  return step
}

export function placeName({ seq, ballot }: { readonly seq: number; readonly ballot: number }) {
  return `${seq} ${ballot}`
}

export function originOf(world: World, signer: number): Origin {
  const storeSequence = (world.writes.get(signer) ?? 0) + 1
  world.writes.set(signer, storeSequence)
  return { signer, bootId: new Uint8Array(16).fill(signer), storeSequence }
}

/** What a corrupt signer puts its name to. */
export function forge<S extends Statement>(
  world: World,
  signer: number,
  draft: Draft<S> & Omit<S, keyof Origin>,
): Signed<S> {
  const statement = { ...draft, ...originOf(world, signer) } as S
  return signStatement(statement, (bytes) => mark(signer, bytes))
}

function keep<T>(all: Map<string, Map<number, T>>, name: string, signer: number, value: T): void {
  all.set(name, (all.get(name) ?? new Map<number, T>()).set(signer, value))
}
