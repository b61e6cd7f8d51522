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
  /** What a signer finds fresh, when it is not a matter of luck. */
  readonly isFresh?: World['isFresh']
}

const movesUsual = 90

/** Differs from run to run: few places and ballots let a random walk meet itself again. */
type Temper = {
  readonly ballotMax: number
  readonly seqMax: number
  /** How often the server stays with one step in one ballot, so that votes add up. */
  readonly steady: number
  /** Which of two steps is the favourite; it alternates with the ballot, so that they clash. */
  readonly favour: number
  readonly ballotWeight: number
  readonly certificateWeight: number
  /** How often one promise too few, or none, is tried. */
  readonly stingy: number
}

function temperOf({ random }: World): Temper {
  return {
    ballotMax: random.pick([0, 1, 1, 2, 3]),
    seqMax: random.pick([0, 0, 1, 2]),
    steady: random.pick([0.5, 0.9, 1]),
    favour: random.below(2),
    ballotWeight: random.pick([0.5, 2, 4]),
    certificateWeight: random.pick([0.2, 1, 4]),
    stingy: random.pick([0, 0.3]),
  }
}

export type Adversary = {
  readonly world: World
  readonly backups: Map<number, Uint8Array>
  /** Restored signers that are still asking the others where they stand. */
  readonly asking: Map<number, { readonly nonce: Uint8Array; readonly reports: HeadReport[] }>
  readonly restores: boolean
  readonly temper: Temper
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
  const isFresh = run.isFresh ?? (() => world.random.chance(0.9))
  const world: World = createWorld(seed, numbers, { rules, isFresh })
  const temper = temperOf(world)
  const adversary: Adversary = { world, backups: new Map(), asking: new Map(), restores, temper }
  for (let i = 0; i < moves; i++) move(adversary)
  return adversary
}

function move(adversary: Adversary): void {
  const { world, temper, restores } = adversary
  const moves = [
    [8, propose],
    [8, lock],
    [temper.ballotWeight, ballot],
    [temper.certificateWeight, certificate],
    [restores ? 1 : 0, backUp],
    [restores ? 0.4 : 0, restore],
    [restores ? 2 : 0, report],
  ] as const
  const total = moves.reduce((sum, [weight]) => sum + weight, 0)
  let at = (world.random.below(1000) / 1000) * total
  for (const [weight, play] of moves) {
    at -= weight
    if (at < 0) return play(adversary)
  }
}

function propose(adversary: Adversary): void {
  const { world, asking, temper } = adversary
  const { ballotMax, seqMax, steady, favour } = temper
  const { random, rules, agreement } = world
  const signer = random.pick(world.honest)
  if (asking.has(signer)) return
  const state = stateOf(world, signer)
  const seq = nextSeq(state)
  if (seq > seqMax) return
  const previous = headHash(state)
  const ballots = [state.ballot, state.ballot, random.below(ballotMax + 1)]
  const chosen = random.pickAny(ballots) ?? 0
  const favourite = (chosen + seq + favour) % 2 === 0 ? 'x' : 'y'
  const name = random.chance(steady) ? favourite : random.pick(['x', 'y', 'invalid'])
  const step = learn(world, stepNamed(name, { seq, previous }))
  const promises = promisesFor(adversary, { seq, ballot: chosen, previous })
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
  { world, temper }: Adversary,
  at: { readonly seq: number; readonly ballot: number; readonly previous: Uint8Array },
): PromiseProof[] {
  const { random, numbers, honest } = world
  if (at.ballot === 0) return []
  const wanted = random.chance(temper.stingy) ? random.pick([0, numbers.q - 1]) : numbers.q
  const places = random.chance(0.8) ? [at.seq] : [at.seq, at.seq - 1]
  const honestOnes = random.shuffled(
    honest.flatMap((signer) => promised(world, signer, { ballot: at.ballot, places }) ?? []),
  )
  const forged = world.corrupt.map((signer) => forgePromise(world, signer, at))
  return [...forged, ...honestOnes]
    .slice(0, wanted)
    .sort((a, b) => a.statement.signer - b.statement.signer)
}

/** Old promises are tried as well: they must not count at a later place. */
function promised(
  world: World,
  signer: number,
  { ballot, places }: { readonly ballot: number; readonly places: readonly number[] },
): PromiseProof | undefined {
  const found = places.flatMap((seq) => {
    return world.promises.get(placeName({ seq, ballot }))?.get(signer) ?? []
  })
  return world.random.pickAny(found)
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
  return lockable(world, seq)
    .filter((name) => Number(name.split(' ')[1]) < below)
    .flatMap((name) => lockNamed(world, name) ?? [])
}

function lock({ world, asking }: Adversary): void {
  const { random, rules, agreement } = world
  const signer = random.pick(world.honest)
  const state = stateOf(world, signer)
  const names = lockable(world, nextSeq(state))
  const name = random.pickAny(names)
  const made = name === undefined ? undefined : lockNamed(world, name)
  if (made === undefined || asking.has(signer)) return
  const request = { lock: made, step: world.steps.get(toHex(made.stepHash)) }
  conclude(world, signer, rules.onLock(agreement, state, request, judgeOf(world, signer)))
}

function lockable({ votes, corrupt, numbers }: World, seq: number): string[] {
  const enough = ([name, heard]: readonly [string, ReadonlyMap<number, unknown>]): boolean => {
    const honest = [...heard.keys()].filter((signer) => !corrupt.includes(signer)).length
    return name.startsWith(`${seq} `) && honest + corrupt.length >= numbers.q
  }
  return [...votes].filter(enough).map(([name]) => name)
}

function ballot({ world, asking, temper: { ballotMax } }: Adversary): void {
  const { random, rules, agreement } = world
  const signer = random.pick(world.honest)
  if (asking.has(signer)) return
  const state = stateOf(world, signer)
  const request = { seq: nextSeq(state), ballot: 1 + random.below(ballotMax + 1) }
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
    const quarantine = rules.abstainUpTo(upTo)
    const state = stateOf(world, self)
    const returned = quarantine === undefined ? state : restored(state, quarantine)
    world.disks.set(self, encode(voterStateCodec, returned))
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
