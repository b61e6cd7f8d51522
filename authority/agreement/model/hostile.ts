import { toHex } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { requestCodec } from '../exchange.ts'
import type { HeadStatement, Lock, PromiseProof, PromiseStatement } from '../messages.ts'
import {
  type HeadReport,
  abstention,
  headHash,
  newVoter,
  nextSeq,
  onAsk,
  restored,
  voterStateCodec,
} from '../voter.ts'
import {
  type Numbers,
  type Rules,
  type Violation,
  type World,
  conclude,
  createWorld,
  forge,
  judgeOf,
  learn,
  lockNamed,
  placeName,
  say,
  soundRules,
  stateOf,
  stepNamed,
} from './world.ts'

export type HostileRun = {
  readonly seed: number
  readonly numbers: Numbers
  readonly rules?: Rules
  readonly moves?: number
  /** May one honest signer be set back to an old state, and go through its quarantine? */
  readonly restores?: boolean
}

/** Few enough that a random walk meets itself again. */
const ballotMax = 3
const seqMax = 2
const movesUsual = 90

export type Adversary = {
  readonly world: World
  readonly backups: Map<number, Uint8Array>
  /** Restored signers that are still asking the others where they stand. */
  readonly asking: Map<number, { readonly nonce: Uint8Array; readonly reports: HeadReport[] }>
  readonly restores: boolean
}

/** A server, a network and f signers that do what they like, in random order. */
export function runHostile(run: HostileRun): World {
  return playHostile(run).world
}

export function violationsOf(run: HostileRun): ReadonlySet<Violation> {
  return runHostile(run).violations
}

function playHostile(run: HostileRun): Adversary {
  const { seed, numbers, rules = soundRules, moves = movesUsual, restores = false } = run
  const world: World = createWorld(seed, numbers, {
    rules,
    isFresh: () => world.random.chance(0.9),
  })
  const adversary: Adversary = { world, backups: new Map(), asking: new Map(), restores }
  for (let i = 0; i < moves; i++) move(adversary)
  return adversary
}

const movesByWeight = [
  [8, propose],
  [6, lock],
  [4, ballot],
  [3, certificate],
  [1, backUp],
  [0.4, restore],
  [2, report],
] as const

function move(adversary: Adversary): void {
  const total = movesByWeight.reduce((sum, [weight]) => sum + weight, 0)
  let at = (adversary.world.random.below(1000) / 1000) * total
  for (const [weight, play] of movesByWeight) {
    at -= weight
    if (at < 0) return play(adversary)
  }
}

function propose({ world, asking }: Adversary): void {
  const { random, rules, agreement } = world
  const signer = random.pick(world.honest)
  if (asking.has(signer)) return
  const state = stateOf(world, signer)
  const seq = nextSeq(state)
  if (seq > seqMax) return
  const previous = headHash(state)
  const name = random.pick(['x', 'y', 'x', 'y', 'x', 'y', 'invalid'])
  const step = learn(world, stepNamed(name, { seq, previous }))
  const ballots = [state.ballot, state.head?.certificate.ballot ?? 0, random.below(ballotMax + 1)]
  const chosen = random.pickAny(ballots) ?? 0
  const promises = promisesFor(world, { seq, ballot: chosen, previous })
  const headCertificate = random.pickAny([
    ...(world.certificates.get(seq - 1)?.values() ?? []),
    undefined,
  ])
  const request = { kind: 'propose', ballot: chosen, step, headCertificate, promises } as const
  const received = decode(requestCodec, encode(requestCodec, request))
  if (received.kind !== 'propose') throw new Error('A request has changed its kind.')
  conclude(world, signer, rules.onPropose(agreement, state, received, judgeOf(world, signer)))
}

/** The corrupt promise at once, and mostly deny that anything is locked. */
function promisesFor(
  world: World,
  at: { readonly seq: number; readonly ballot: number; readonly previous: Uint8Array },
): PromiseProof[] {
  const { random, numbers, honest } = world
  if (at.ballot === 0 || random.chance(0.1)) return []
  const known = world.promises.get(placeName(at)) ?? new Map<number, PromiseProof>()
  const honestOnes = random.shuffled(honest.flatMap((signer) => known.get(signer) ?? []))
  const forged = world.corrupt.map((signer) => forgePromise(world, signer, at))
  return [...forged, ...honestOnes]
    .slice(0, numbers.q)
    .sort((a, b) => a.statement.signer - b.statement.signer)
}

function forgePromise(
  world: World,
  signer: number,
  { seq, ballot, previous }: { seq: number; ballot: number; previous: Uint8Array },
): PromiseProof {
  const { random, agreement } = world
  const lock = random.chance(0.2) ? random.pickAny(locksAt(world, seq, ballot)) : undefined
  const signed = forge<PromiseStatement>(world, signer, {
    kind: 'promise',
    manifestHash: agreement.trust.manifestHash,
    organization: agreement.organization,
    stream: agreement.stream,
    seq,
    ballot,
    previous,
    lock: lock && { ballot: lock.ballot, stepHash: lock.stepHash },
  })
  return { ...signed, lock }
}

function locksAt(world: World, seq: number, below: number): Lock[] {
  return [...world.votes.keys()]
    .filter((name) => name.startsWith(`${seq} `) && Number(name.split(' ')[1]) < below)
    .flatMap((name) => lockNamed(world, name) ?? [])
}

function lock({ world, asking }: Adversary): void {
  const { random, rules, agreement } = world
  const name = random.pickAny([...world.votes.keys()])
  const made = name === undefined ? undefined : lockNamed(world, name)
  const signer = random.pick(world.honest)
  if (made === undefined || asking.has(signer)) return
  const step = world.steps.get(toHex(made.stepHash))
  const request = { lock: made, step }
  const judge = judgeOf(world, signer)
  conclude(world, signer, rules.onLock(agreement, stateOf(world, signer), request, judge))
}

function ballot({ world, asking }: Adversary): void {
  const { random, rules, agreement } = world
  const signer = random.pick(world.honest)
  if (asking.has(signer)) return
  const state = stateOf(world, signer)
  const request = { seq: nextSeq(state), ballot: 1 + random.below(ballotMax) }
  conclude(world, signer, rules.onBallot(agreement, state, request))
}

function certificate({ world, asking }: Adversary): void {
  const { random, rules, agreement } = world
  const signer = random.pick(world.honest)
  if (asking.has(signer)) return
  const state = stateOf(world, signer)
  const made = random.pickAny([...(world.certificates.get(nextSeq(state))?.values() ?? [])])
  if (made === undefined) return
  const request = { certificate: made, step: world.steps.get(toHex(made.stepHash)) }
  conclude(world, signer, rules.onCertificate(agreement, state, request))
}

function backUp({ world, backups }: Adversary): void {
  const signer = world.random.pick(world.honest)
  const disk = world.disks.get(signer)
  if (disk !== undefined) backups.set(signer, disk)
}

/** One signer in a run, as the cluster counts it as faulty until it speaks again. */
function restore({ world, backups, asking, restores }: Adversary): void {
  const [, signer] = world.honest
  if (!restores || signer === undefined || asking.size > 0 || backups.has(-1)) return
  world.disks.set(signer, backups.get(signer) ?? encode(voterStateCodec, newVoter))
  backups.set(-1, new Uint8Array())
  asking.set(signer, { nonce: new Uint8Array(16).fill(7), reports: [] })
}

function report({ world, asking }: Adversary): void {
  const { agreement, honest, corrupt, random, rules } = world
  for (const [self, { nonce, reports }] of asking) {
    const signer = random.pickAny([...honest, ...corrupt])
    if (signer === undefined || signer === self) continue
    const told = reports.some(({ statement }) => statement.signer === signer)
    if (told) continue
    reports.push(reportOf(world, signer, nonce))
    const upTo = abstention(agreement, reports, { self, nonce })
    if (upTo === undefined) continue
    const state = restored(stateOf(world, self), rules.abstainUpTo(upTo))
    world.disks.set(self, encode(voterStateCodec, state))
    asking.delete(self)
  }
}

/** A corrupt signer says that it stands at the very beginning. */
function reportOf(world: World, signer: number, nonce: Uint8Array): HeadReport {
  const { agreement, corrupt } = world
  const state = corrupt.includes(signer) ? newVoter : stateOf(world, signer)
  const answer = say(world, signer, onAsk(agreement, state, nonce).answer)
  if (answer.kind !== 'head' || answer.statement.kind !== 'head')
    throw new Error('A report is an answer of the kind head.')
  const statement: HeadStatement = answer.statement
  return { statement, signature: answer.signature, certificate: answer.certificate }
}
