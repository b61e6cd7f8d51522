import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Answer, type AnswerDraft, type Request, signAnswer } from './exchange.ts'
import { type OpaqueStep, noStep, verifyCertificate } from './messages.ts'
import { agreementFor, mark, stepNamed } from './model/world.ts'
import {
  type Advance,
  type ProposerAction,
  type ProposerEvent,
  type ProposerState,
  advance,
  startBlind,
  startProposer,
} from './proposer.ts'
import {
  type Judge,
  type VoterState,
  newVoter,
  onBallot,
  onCertificate,
  onLock,
  onPropose,
} from './voter.ts'

const agreement = agreementFor({ n: 4, t: 2, q: 3 })
const x = stepNamed('x', { seq: 0, previous: noStep })
const y = stepNamed('y', { seq: 0, previous: noStep })
const willing: Judge = { deterministic: () => ({ ok: true }), fresh: () => ({ ok: true }) }
const unwilling: Judge = { ...willing, fresh: () => ({ ok: false, detail: 'old heads', item: 1 }) }

describe('a proposer', () => {
  it('sends nothing before its row is written, and then proposes what the row says', () => {
    const begun = startProposer(x, undefined)
    assert.deepEqual(begun.actions, [{ kind: 'mustRecord', ballot: 0, step: x }])
    const other = feed(begun, { kind: 'recorded', ballot: 0, step: y })
    assert.deepEqual(stepsOf(other.actions), [y])
  })

  it('takes a step through votes and seals to a certificate that verifies', () => {
    const cluster = signers()
    const done = run(cluster, recorded(startProposer(x, undefined), x))
    assert.equal(done.state.phase, 'certified')
    const [certificate] = done.actions.flatMap((a) =>
      a.kind === 'certified' ? [a.certificate] : [],
    )
    assert.ok(certificate && verifyCertificate(certificate, agreement.trust))
    for (const { state } of cluster) assert.deepEqual(state.head?.hash, x.hash)
  })

  it("brings a replica's step to its certificate and hands it on with its body", () => {
    const cluster = signers()
    const done = run(cluster, recorded(startProposer(x, undefined), y))
    const [step] = done.actions.flatMap((a) => (a.kind === 'certified' ? [a.step] : []))
    assert.deepEqual(step, y)
    const sent = done.actions.flatMap((a) => (a.kind === 'send' ? [a.request] : []))
    assert.ok(sent.some((request) => request.kind === 'certificate' && request.step === y))
  })

  it('starts in the ballot in which the step before was certified', () => {
    const head = certificateIn(4)
    const after = stepNamed('z', { seq: 1, previous: x.hash })
    assert.deepEqual(startProposer(after, head).actions, [
      { kind: 'mustRecord', ballot: 4, step: after },
    ])
  })

  it('counts no vote with a bad signature, by another channel, or twice', () => {
    const voting = recorded(startProposer(x, undefined), x)
    const [one, two] = [answer(1, voting), answer(2, voting)]
    let at = feedAnswer(feedAnswer(voting, 1, one), 1, one)
    at = feedAnswer(at, 3, two)
    const { statement } = two as Extract<Answer, { kind: 'vote' }>
    at = feedAnswer(at, 2, { kind: 'vote', statement, signature: new Uint8Array(64) })
    assert.equal(at.state.votes.length, 1)
    assert.equal(at.state.phase, 'voting')
  })

  it('opens the next ballot with promises after a timeout, and carries on with its step', () => {
    const cluster = signers()
    const voting = recorded(startProposer(x, undefined), x)
    const waiting = feed(voting, { kind: 'timeout', phase: 'voting', ballot: 0 })
    assert.deepEqual(waiting.actions, [{ kind: 'wait', attempt: 1 }])
    const done = run(cluster, feed(waiting, { kind: 'timeout', phase: 'waiting', ballot: 0 }))
    assert.equal(done.state.certificate?.ballot, 1)
    assert.deepEqual(done.state.certificate?.stepHash, x.hash)
  })

  it('ignores a timeout of a phase that is over', () => {
    const voting = recorded(startProposer(x, undefined), x)
    const late = feed(voting, { kind: 'timeout', phase: 'recording', ballot: 0 })
    assert.equal(late.state, voting.state)
  })

  it('must propose the step of a lock that a promise shows, not its own', () => {
    const cluster = signers()
    const lock = lockOn(x)
    for (const signer of cluster.slice(1, 3))
      signer.state = onLock(agreement, signer.state, { lock, step: x }, willing).state
    const done = run(cluster, startBlind(y, undefined))
    assert.deepEqual(done.state.certificate?.stepHash, x.hash)
    assert.deepEqual(done.state.certificate?.ballot, 1)
  })

  it('gives a ballot up in which a replica has recorded a step that a lock forbids', () => {
    const cluster = signers()
    const lock = lockOn(x)
    for (const signer of cluster)
      signer.state = onLock(agreement, signer.state, { lock, step: x }, willing).state
    let at = startBlind(y, undefined)
    for (const signer of [1, 2, 3]) at = feedAnswer(at, signer, answer(signer, at, cluster))
    assert.deepEqual(at.actions, [{ kind: 'mustRecord', ballot: 1, step: x }])
    assert.equal(recorded(at, y).state.phase, 'waiting')
  })

  it('asks for another step when too few will vote for this one, and proposes that', () => {
    const cluster = signers()
    let at = recorded(startProposer(x, undefined), x)
    for (const signer of [1, 2]) at = feedAnswer(at, signer, answer(signer, at, cluster, unwilling))
    const [replace, wait] = at.actions
    assert.ok(replace?.kind === 'replace' && wait?.kind === 'wait')
    assert.deepEqual(
      replace.refusals.map(({ signer, refusal }) => [signer, refusal.item]),
      [
        [1, 1],
        [2, 1],
      ],
    )
    at = feed(at, { kind: 'timeout', phase: 'waiting', ballot: 0 })
    for (const signer of [1, 2, 3]) at = feedAnswer(at, signer, answer(signer, at, cluster))
    assert.equal(at.state.phase, 'replacing')
    const replaced = feed(at, { kind: 'replacement', step: y })
    const done = run(cluster, recorded(replaced, y))
    assert.deepEqual(done.state.certificate?.stepHash, y.hash)
  })

  it('proposes the step of a lock that somebody shows while another one is waited for', () => {
    const cluster = signers()
    const fourth = cluster[3] ?? assert.fail()
    const locked = onLock(agreement, fourth.state, { lock: lockOn(x), step: x }, willing)
    fourth.state = locked.state
    let at = recorded(startProposer(x, undefined), x)
    for (const signer of [1, 2]) at = feedAnswer(at, signer, answer(signer, at, cluster, unwilling))
    at = feed(at, { kind: 'timeout', phase: 'waiting', ballot: 0 })
    for (const signer of [1, 2, 3]) at = feedAnswer(at, signer, answer(signer, at, cluster))
    assert.equal(at.state.phase, 'replacing')
    at = feedAnswer(at, 4, answer(4, at, cluster))
    assert.deepEqual(at.actions, [{ kind: 'mustRecord', ballot: 1, step: x }])
    assert.deepEqual(run(cluster, recorded(at, x)).state.certificate?.stepHash, x.hash)
  })

  it('sends a signer that is behind the certificates it lacks, and then asks again', () => {
    const after = stepNamed('z', { seq: 1, previous: x.hash })
    const voting = recorded(startProposer(after, certificateIn(0)), after)
    const behind = feedAnswer(voting, 3, answer(3, voting))
    assert.deepEqual(behind.actions, [{ kind: 'catchUp', signer: 3, fromSeq: 0 }])
    const again = feed(behind, { kind: 'caughtUp', signer: 3 })
    assert.ok(again.actions[0]?.kind === 'send' && again.actions[0].to === 3)
  })

  it('learns from one signer that another step is in force, or that the stream is ahead', () => {
    const ahead = headedAt(y)
    const voting = recorded(startProposer(x, undefined), x)
    const told = feedAnswer(voting, 3, answer(3, voting, signers(ahead)))
    assert.equal(told.state.phase, 'certified')
    assert.deepEqual(told.state.certificate?.stepHash, y.hash)

    const after = stepNamed('z', { seq: 1, previous: y.hash })
    const further = headedAt(after, ahead)
    const overtaken = feedAnswer(voting, 3, answer(3, voting, signers(further)))
    assert.deepEqual(
      overtaken.actions.map(({ kind }) => kind),
      ['overtaken'],
    )
  })

  it('is not led beyond one leap by a signer that boasts of a ballot', () => {
    const voting = recorded(startProposer(x, undefined), x)
    const boast = feedAnswer(voting, 1, answer(1, voting, signers({ ...newVoter, ballot: 4e9 })))
    assert.equal(boast.state.ballotSeen, 999)
    const told = feedAnswer(voting, 2, answer(2, voting, signers({ ...newVoter, ballot: 7 })))
    const waiting = feed(told, { kind: 'timeout', phase: 'voting', ballot: 0 })
    assert.equal(feed(waiting, { kind: 'timeout', phase: 'waiting', ballot: 0 }).state.ballot, 8)
  })

  it('leads a signer far below its ballot upwards, leap by leap', () => {
    const cluster = signers()
    const start = startProposer(x, undefined).state
    const state = { ...start, phase: 'waiting', ballot: 2499, ballotSeen: 2499 } as const
    let at = feed({ state }, { kind: 'timeout', phase: 'waiting', ballot: 2499 })
    const asked: number[] = []
    for (let i = 0; i < 4; i++) {
      const [self] = cluster
      const [action] = at.actions
      assert.ok(self && action?.kind === 'send' && action.request.kind === 'ballot')
      asked.push(action.request.ballot)
      at = feedAnswer(at, 1, reply(self, action.request, willing))
    }
    assert.deepEqual(asked, [2500, 1000, 2000, 2500])
    assert.equal(at.state.promises.length, 1)
  })

  it('passes an alarm on', () => {
    const voting = recorded(startProposer(x, undefined), x)
    const { actions } = feedAnswer(voting, 2, { kind: 'alarm', detail: 'two steps' })
    assert.deepEqual(actions, [{ kind: 'alarmed', signer: 2, detail: 'two steps' }])
  })
})

type Signer = { readonly signer: number; state: VoterState }

function signers(state: VoterState = newVoter): Signer[] {
  return [1, 2, 3, 4].map((signer) => ({ signer, state }))
}

function feed({ state }: { readonly state: ProposerState }, event: ProposerEvent): Advance {
  return advance(agreement, state, event)
}

function feedAnswer(at: Advance, signer: number, given: Answer): Advance {
  return feed(at, { kind: 'answer', signer, answer: given })
}

function recorded(at: Advance, step: OpaqueStep): Advance {
  return feed(at, { kind: 'recorded', ballot: at.state.ballot, step })
}

function stepsOf(actions: readonly ProposerAction[]): OpaqueStep[] {
  return actions.flatMap((action) =>
    action.kind === 'send' && action.request.kind === 'propose' ? [action.request.step] : [],
  )
}

/** What a signer answers to the request that these actions send. */
function answer(signer: number, at: Advance, cluster = signers(), judge = willing): Answer {
  const asked = feed(at, { kind: 'caughtUp', signer }).actions[0]
  const self = cluster[signer - 1]
  assert.ok(self && asked?.kind === 'send')
  return reply(self, asked.request, judge)
}

function reply(self: Signer, request: Request, judge: Judge): Answer {
  const { state, answer: draft } = answered(self.state, request, judge)
  self.state = state
  const origin = { signer: self.signer, bootId: new Uint8Array(16), storeSequence: 1 }
  return signAnswer(draft, origin, (bytes) => mark(self.signer, bytes))
}

function answered(
  state: VoterState,
  request: Request,
  judge: Judge,
): { readonly state: VoterState; readonly answer: AnswerDraft } {
  if (request.kind === 'propose') return onPropose(agreement, state, request, judge)
  if (request.kind === 'lock') return onLock(agreement, state, request, judge)
  if (request.kind === 'ballot') return onBallot(agreement, state, request)
  if (request.kind === 'certificate') return onCertificate(agreement, state, request)
  return assert.fail('a proposer asks nothing else')
}

/** Delivers everything at once, writes every row, and returns what happened last. */
function run(cluster: readonly Signer[], from: Advance): Advance {
  let last = from
  const queue: ProposerAction[] = [...from.actions]
  const seen: ProposerAction[] = []
  for (let action = queue.shift(); action !== undefined; action = queue.shift()) {
    seen.push(action)
    for (const event of eventsOf(cluster, action)) {
      last = feed(last, event)
      queue.push(...last.actions)
    }
  }
  return { state: last.state, actions: seen }
}

function eventsOf(cluster: readonly Signer[], action: ProposerAction): ProposerEvent[] {
  if (action.kind === 'mustRecord')
    return [{ kind: 'recorded', ballot: action.ballot, step: action.step }]
  if (action.kind !== 'send') return []
  return cluster.map((self) => {
    return { kind: 'answer', signer: self.signer, answer: reply(self, action.request, willing) }
  })
}

function lockOn(step: OpaqueStep) {
  let at = recorded(startProposer(step, undefined), step)
  for (const signer of [1, 2, 3]) at = feedAnswer(at, signer, answer(signer, at))
  assert.ok(at.state.lock)
  return at.state.lock
}

/** x, certified in this ballot. */
function certificateIn(ballot: number) {
  let at = startProposer(x, undefined)
  if (ballot > 0) {
    const state = { ...at.state, ballot: ballot - 1, phase: 'waiting' } as const
    at = feed({ state }, { kind: 'timeout', phase: 'waiting', ballot: ballot - 1 })
    const done = run(signers(), at)
    assert.equal(done.state.certificate?.ballot, ballot)
    return done.state.certificate
  }
  const { certificate } = run(signers(), recorded(at, x)).state
  assert.ok(certificate)
  return certificate
}

function headedAt(step: OpaqueStep, before: VoterState = newVoter): VoterState {
  const cluster = signers(before)
  const { state } = run(cluster, recorded(startProposer(step, before.head?.certificate), step))
  assert.ok(state.certificate)
  const request = { certificate: state.certificate, step }
  return onCertificate(agreement, before, request).state
}
