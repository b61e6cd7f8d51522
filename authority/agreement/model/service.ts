import { toHex } from '@quorate/core/bytes'
import { decode, encode } from '@quorate/core/codec'
import { type Answer, type Request, answerCodec, requestCodec } from '../exchange.ts'
import { type Certificate, type OpaqueStep, noStep } from '../messages.ts'
import {
  type ProposerAction,
  type ProposerEvent,
  type ProposerState,
  advance,
  startBlind,
  startProposer,
} from '../proposer.ts'
import { headHash, nextSeq, onBallot, onCertificate, onLock, onPropose } from '../voter.ts'
import { runHostile } from './hostile.ts'
import {
  type Numbers,
  type World,
  conclude,
  judgeOf,
  learn,
  nameOf,
  placeName,
  say,
  stateOf,
  stepNamed,
} from './world.ts'

export type ServiceRun = {
  readonly seed: number
  readonly numbers: Numbers
  /** What a hostile server has done before an honest one takes over. */
  readonly hostileMoves: number
}

export type ServiceResult = {
  readonly world: World
  /** Did honest servers fail to bring steps of their own through after the network calmed down? */
  readonly stuck: boolean
}

const placesWanted = 2
const replicas = 2
const calmAt = 400
const timeoutMs = 60
/** How long a step is fresh: longer than three calm round trips, shorter than a quarrel. */
const freshMs = 120
/** Far beyond what any run needs, so that only a stream that is stuck reaches it. */
const timeMax = 40_000

type Service = {
  readonly world: World
  readonly queue: { at: number; run: () => void }[]
  readonly rows: Map<string, OpaqueStep>
  readonly proposers: Map<number, ProposerState>
  readonly certified: Map<number, Certificate>
  /** These answer with whatever hurts; there are as many as may be down. */
  readonly unruly: readonly number[]
  readonly served: Set<number>
  readonly clock: { now: number }
}

/** Honest servers on a bad network that becomes calm, among signers of which n - q are unruly. */
export function runService({ seed, numbers, hostileMoves }: ServiceRun): ServiceResult {
  const clock = { now: -1 }
  const world = runHostile({
    seed,
    numbers,
    moves: hostileMoves,
    isFresh: (_, step) => clock.now < 0 || isRecent(step, clock.now),
  })
  clock.now = 0
  const service: Service = {
    world,
    queue: [],
    rows: new Map(),
    proposers: new Map(),
    certified: new Map(),
    unruly: world.corrupt.slice(0, numbers.n - numbers.q),
    served: new Set(),
    clock,
  }
  for (let replica = 0; replica < replicas; replica++) begin(service, replica, undefined)
  while (service.served.size < placesWanted && service.clock.now < timeMax) tick(service)
  return { world, stuck: service.served.size < placesWanted }
}

function isRecent(step: OpaqueStep, now: number): boolean {
  const [kind, made] = nameOf(step).split('-')
  return kind === 'served' && now - Number(made) < freshMs
}

function tick(service: Service): void {
  const { queue } = service
  const first = queue.reduce((best, { at }, i) => (at < (queue[best]?.at ?? 0) ? i : best), 0)
  const [event] = queue.splice(first, 1)
  if (event === undefined) {
    service.clock.now = timeMax
    return
  }
  service.clock.now = event.at
  event.run()
}

function later(service: Service, delay: number, run: () => void): void {
  service.queue.push({ at: service.clock.now + delay, run })
}

function begin(service: Service, replica: number, head: Certificate | undefined): void {
  const place = { seq: head === undefined ? 0 : head.seq + 1, previous: head?.stepHash ?? noStep }
  const step = wantedAt(service, replica, place)
  // Now and then a server does not know what it proposed before, and asks first.
  const start = service.world.random.chance(0.2) ? startBlind : startProposer
  const { state, actions } = start(step, head)
  service.proposers.set(replica, state)
  act(service, replica, actions)
  setTimer(service, replica, state)
}

function wantedAt(
  service: Service,
  replica: number,
  place: { readonly seq: number; readonly previous: Uint8Array },
): OpaqueStep {
  return learn(service.world, stepNamed(`served-${service.clock.now}-${replica}`, place))
}

function feed(service: Service, replica: number, seq: number, event: ProposerEvent): void {
  const before = service.proposers.get(replica)
  if (before === undefined || before.seq !== seq) return
  const { state, actions } = advance(service.world.agreement, before, event)
  service.proposers.set(replica, state)
  act(service, replica, actions)
  if (state.phase !== before.phase || state.ballot !== before.ballot)
    setTimer(service, replica, state)
}

function setTimer(service: Service, replica: number, state: ProposerState): void {
  const { phase, ballot, seq, attempt } = state
  if (phase === 'waiting' || phase === 'certified') return
  const wait = timeoutMs * Math.min(4, 1 + attempt)
  later(service, wait, () => feed(service, replica, seq, { kind: 'timeout', phase, ballot }))
}

function act(service: Service, replica: number, actions: readonly ProposerAction[]): void {
  const seq = service.proposers.get(replica)?.seq ?? 0
  for (const action of actions) perform(service, { replica, seq }, action)
}

type From = { readonly replica: number; readonly seq: number }

function perform(service: Service, { replica, seq }: From, action: ProposerAction): void {
  const { world, proposers } = service
  const tell = (event: ProposerEvent): void => feed(service, replica, seq, event)
  switch (action.kind) {
    case 'mustRecord':
      return later(service, 1 + world.random.below(4), () => tell(recordRow(service, seq, action)))
    case 'send':
      return send(service, { replica, seq }, action)
    case 'wait': {
      const ballot = proposers.get(replica)?.ballot ?? 0
      const pause = world.random.below(20 * Math.min(8, action.attempt))
      return later(service, pause, () => tell({ kind: 'timeout', phase: 'waiting', ballot }))
    }
    case 'replace': {
      const previous = proposers.get(replica)?.previous ?? noStep
      return later(service, 1, () => {
        tell({ kind: 'replacement', step: wantedAt(service, replica, { seq, previous }) })
      })
    }
    case 'catchUp':
      return later(service, 2, () => {
        teach(service, action.signer, seq)
        tell({ kind: 'caughtUp', signer: action.signer })
      })
    case 'certified':
      return settle(service, replica, action.certificate)
    case 'overtaken':
      return later(service, 1, () => begin(service, replica, action.certificate))
    case 'alarmed':
      return
  }
}

/** What PostgreSQL does with a unique key: whoever comes first writes, the others read. */
function recordRow(
  { rows }: Service,
  seq: number,
  { ballot, step }: { readonly ballot: number; readonly step: OpaqueStep },
): ProposerEvent {
  const name = placeName({ seq, ballot })
  const row = rows.get(name) ?? step
  rows.set(name, row)
  return { kind: 'recorded', ballot, step: row }
}

function settle(service: Service, replica: number, certificate: Certificate): void {
  const { seq, stepHash } = certificate
  const step = service.world.steps.get(toHex(stepHash))
  service.certified.set(seq, certificate)
  if (service.clock.now > calmAt && step !== undefined && nameOf(step).startsWith('served'))
    service.served.add(seq)
  later(service, 5, () => begin(service, replica, certificate))
}

/** Certificates that signers or servers have kept; a server can always ask for them. */
function teach({ world, certified }: Service, signer: number, upTo: number): void {
  for (let seq = nextSeq(stateOf(world, signer)); seq < upTo; seq++) {
    const known = certified.get(seq) ?? world.certificates.get(seq)?.values().next().value
    if (known === undefined) return
    const request = { certificate: known, step: world.steps.get(toHex(known.stepHash)) }
    conclude(world, signer, onCertificate(world.agreement, stateOf(world, signer), request))
  }
}

function send(
  service: Service,
  from: From,
  { request, to }: { readonly request: Request; readonly to?: number },
): void {
  const signers = Array.from({ length: service.world.numbers.n }, (_, i) => i + 1)
  const wire = encode(requestCodec, request)
  for (const signer of to === undefined ? signers : [to])
    travel(service, () => {
      const answer = answerOf(service, signer, decode(requestCodec, wire))
      const back = answer && encode(answerCodec, answer)
      if (back === undefined) return
      travel(service, () => {
        const event = { kind: 'answer', signer, answer: decode(answerCodec, back) } as const
        feed(service, from.replica, from.seq, event)
      })
    })
}

/** Loses, delays, doubles and reorders until it calms down. */
function travel(service: Service, arrive: () => void): void {
  const { random } = service.world
  const calm = service.clock.now > calmAt
  if (!calm && random.chance(0.3)) return
  later(service, 1 + random.below(calm ? 5 : 50), arrive)
  if (random.chance(0.1)) later(service, 1 + random.below(80), arrive)
}

function answerOf(service: Service, signer: number, request: Request): Answer | undefined {
  const { world, unruly } = service
  if (unruly.includes(signer) && world.random.chance(0.8)) return mischief(service, signer, request)
  const { agreement } = world
  const judge = judgeOf(world, signer)
  const state = stateOf(world, signer)
  switch (request.kind) {
    case 'propose':
      return conclude(world, signer, onPropose(agreement, state, request, judge))
    case 'lock':
      return conclude(world, signer, onLock(agreement, state, request, judge))
    case 'ballot':
      return conclude(world, signer, onBallot(agreement, state, request))
    case 'certificate':
      return conclude(world, signer, onCertificate(agreement, state, request))
    case 'ask':
      return undefined
  }
}

function mischief(service: Service, signer: number, request: Request): Answer | undefined {
  const { random, agreement } = service.world
  const { trust, organization, stream } = agreement
  const state = stateOf(service.world, signer)
  const seq = nextSeq(state)
  const ballot = random.below(2000)
  const place = { manifestHash: trust.manifestHash, organization, stream, seq, ballot }
  const previous = headHash(state)
  const tricks = [
    () => undefined,
    () => ({ kind: 'refusal', reason: 'invalid', item: 0, detail: 'a lie' }) as const,
    () => {
      const statement = { kind: 'head', ...place, previous, open: true, nonce: undefined } as const
      return say(service.world, signer, {
        kind: 'stale',
        statement,
        certificate: state.head?.certificate,
      })
    },
    () => {
      if (request.kind !== 'ballot') return undefined
      const at = { ...place, ballot: request.ballot }
      const statement = { kind: 'promise', ...at, previous, lock: undefined } as const
      return say(service.world, signer, {
        kind: 'promise',
        statement,
        lock: undefined,
        step: undefined,
      })
    },
    () => {
      const stepHash = request.kind === 'propose' ? request.step.hash : noStep
      const statement = { kind: 'vote', ...place, stepHash } as const
      return say(service.world, signer, { kind: 'vote', statement })
    },
  ] as const
  return (random.pickAny(tricks) ?? tricks[0])()
}
