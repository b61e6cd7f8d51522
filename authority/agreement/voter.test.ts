import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decode, encode } from '@quorate/core/codec'
import { type AnswerDraft, signAnswer, signStatement } from './exchange.ts'
import {
  type Lock,
  type OpaqueStep,
  type PromiseProof,
  certificateOf,
  lockOf,
  noStep,
} from './messages.ts'
import { agreementFor, mark, stepNamed } from './model/world.ts'
import {
  type HeadReport,
  type Judge,
  type Outcome,
  type VoterState,
  abstention,
  newVoter,
  onAsk,
  onBallot,
  onCertificate,
  onLock,
  onPropose,
  restored,
  voterStateCodec,
} from './voter.ts'

const agreement = agreementFor({ n: 4, t: 2, q: 3 })
const x = stepNamed('x', { seq: 0, previous: noStep })
const y = stepNamed('y', { seq: 0, previous: noStep })
const next = stepNamed('z', { seq: 1, previous: x.hash })
const willing: Judge = { deterministic: () => ({ ok: true }), fresh: () => ({ ok: true }) }
const stale: Judge = { ...willing, fresh: () => ({ ok: false, detail: 'newer heads', item: 2 }) }
const never: Judge = {
  deterministic: () => assert.fail('must not be asked'),
  fresh: () => assert.fail('must not be asked'),
}

describe('a signer that is asked to vote', () => {
  it('votes in ballot 0 at once, and again for the same step without judging anew', () => {
    const first = propose(newVoter, { ballot: 0, step: x })
    assert.equal(first.answer.kind, 'vote')
    assert.deepEqual(first.state.vote, { ballot: 0, stepHash: x.hash })
    assert.deepEqual(first.state.steps, [x])
    const again = propose(first.state, { ballot: 0, step: x }, never)
    assert.deepEqual(again, first)
  })

  it('never votes for a second step in one ballot', () => {
    const { state } = propose(newVoter, { ballot: 0, step: x })
    const outcome = propose(state, { ballot: 0, step: y }, never)
    assert.equal(reasonOf(outcome), 'voted')
    assert.equal(outcome.state, state)
  })

  it('judges validity before freshness, and persists nothing when it refuses', () => {
    const invalid: Judge = { ...never, deterministic: () => ({ ok: false, detail: 'no', item: 1 }) }
    assert.deepEqual(propose(newVoter, { ballot: 0, step: x }, invalid), {
      state: newVoter,
      answer: { kind: 'refusal', reason: 'invalid', item: 1, detail: 'no' },
    })
    assert.equal(reasonOf(propose(newVoter, { ballot: 0, step: x }, stale)), 'not_fresh')
    const early: Judge = {
      deterministic: () => ({ ok: true }),
      fresh: () => ({ ok: false, reason: 'early', detail: 'no' }),
    }
    assert.equal(reasonOf(propose(newVoter, { ballot: 0, step: x }, early)), 'early')
  })

  it('answers a ballot below its own with where it stands', () => {
    const { state } = onBallot(agreement, newVoter, { seq: 0, ballot: 3 })
    const { answer } = propose(state, { ballot: 2, step: x }, never)
    assert.ok(answer.kind === 'stale' && answer.statement.ballot === 3)
  })

  it('wants certificates before a later place, and is stale about an earlier one', () => {
    assert.equal(propose(newVoter, { ballot: 0, step: next }, never).answer.kind, 'behind')
    const { answer } = propose(headed(0), { ballot: 0, step: x }, never)
    assert.ok(answer.kind === 'stale' && answer.certificate?.seq === 0)
  })

  it('refuses a step that does not follow its head, or is not what its bytes say', () => {
    const stray = stepNamed('z', { seq: 1, previous: y.hash })
    assert.equal(reasonOf(propose(headed(0), { ballot: 0, step: stray }, never)), 'invalid')
    const forged = { ...x, hash: y.hash }
    assert.equal(reasonOf(propose(newVoter, { ballot: 0, step: forged }, never)), 'malformed')
  })

  it('keeps a higher ballot closed without promises, and with q - 1 of them', () => {
    const few = [promise(1, 1), promise(2, 1)]
    for (const promises of [[], few, [...few, promise(2, 1)], [...few, promise(3, 2)]])
      assert.equal(reasonOf(propose(newVoter, { ballot: 1, step: x, promises }, never)), 'closed')
  })

  it('votes otherwise in a higher ballot that q promises open', () => {
    const { state } = propose(newVoter, { ballot: 0, step: x })
    const promises = [1, 2, 3].map((signer) => promise(signer, 1))
    const outcome = propose(state, { ballot: 1, step: y, promises })
    assert.equal(outcome.answer.kind, 'vote')
    assert.equal(outcome.state.ballot, 1)
    assert.deepEqual(outcome.state.steps, [y])
  })

  it('votes only for the lock that a promise shows, and then whether or not it is fresh', () => {
    const promises = [promise(1, 1), promise(2, 1, lock(x, 0)), promise(3, 1)]
    const refused = propose(newVoter, { ballot: 1, step: y, promises }, never)
    assert.equal(reasonOf(refused), 'locked')
    assert.equal(propose(newVoter, { ballot: 1, step: x, promises }, stale).answer.kind, 'vote')
  })

  it('judges even a locked step for validity', () => {
    const promises = [promise(1, 1), promise(2, 1, lock(x, 0)), promise(3, 1)]
    const invalid: Judge = { ...never, deterministic: () => ({ ok: false, detail: 'no' }) }
    assert.equal(reasonOf(propose(newVoter, { ballot: 1, step: x, promises }, invalid)), 'invalid')
  })

  it('takes the ballot in which its head was certified for open, whoever shows that', () => {
    assert.equal(propose(headed(4), { ballot: 4, step: next }).answer.kind, 'vote')
    assert.equal(reasonOf(propose(headed(0), { ballot: 4, step: next }, never)), 'closed')
    const proposal = { ballot: 4, step: next, headCertificate: certificate(x, 4) }
    assert.equal(propose(headed(0), proposal).answer.kind, 'vote')
    const other = { ...proposal, headCertificate: certificate(y, 4) }
    assert.equal(reasonOf(propose(headed(0), other, never)), 'closed')
  })
})

describe('a signer that is shown a lock', () => {
  it('seals it, whatever it voted itself, and keeps both bodies', () => {
    const { state } = propose(newVoter, { ballot: 0, step: y })
    const outcome = onLock(agreement, state, { lock: lock(x, 0), step: x }, stale)
    assert.equal(outcome.answer.kind, 'seal')
    assert.deepEqual(outcome.state.lock, lock(x, 0))
    assert.deepEqual(outcome.state.steps, [y, x])
  })

  it('does not seal below the ballot it has promised', () => {
    const { state } = onBallot(agreement, newVoter, { seq: 0, ballot: 1 })
    const outcome = onLock(agreement, state, { lock: lock(x, 0), step: x }, never)
    assert.equal(outcome.answer.kind, 'stale')
    assert.equal(outcome.state, state)
  })

  it('refuses fewer than q votes, votes of another stream, and a body that is missing', () => {
    const seal = (request: { lock: Lock; step: OpaqueStep | undefined }) =>
      reasonOf(onLock(agreement, newVoter, request, never))
    assert.equal(seal({ lock: lock(x, 0, [1, 2]), step: x }), 'evidence')
    const elsewhere = { ...lock(x, 0), organization: x.hash }
    assert.equal(seal({ lock: elsewhere, step: x }), 'evidence')
    assert.equal(seal({ lock: lock(x, 0), step: undefined }), 'body_missing')
    assert.equal(seal({ lock: lock(x, 0), step: y }), 'body_missing')
    assert.equal(seal({ lock: lock(x, 0), step: { ...y, hash: x.hash } }), 'body_missing')
  })

  it('raises the alarm, and seals nothing, when q signers voted for what cannot be', () => {
    const invalid: Judge = { ...never, deterministic: () => ({ ok: false, detail: 'no' }) }
    const outcome = onLock(agreement, newVoter, { lock: lock(x, 0), step: x }, invalid)
    assert.equal(outcome.answer.kind, 'alarm')
    assert.equal(outcome.state, newVoter)
    const { state } = onLock(agreement, newVoter, { lock: lock(x, 0), step: x }, willing)
    const second = onLock(agreement, state, { lock: lock(y, 0), step: y }, never)
    assert.equal(second.answer.kind, 'alarm')
  })
})

describe('a signer that is asked for a promise', () => {
  it('gives it once, with its lock and the body', () => {
    const sealed = onLock(agreement, newVoter, { lock: lock(x, 0), step: x }, willing).state
    const { state, answer } = onBallot(agreement, sealed, { seq: 0, ballot: 1 })
    assert.ok(answer.kind === 'promise')
    assert.deepEqual(answer.statement.lock, { ballot: 0, stepHash: x.hash })
    assert.deepEqual([answer.lock, answer.step], [lock(x, 0), x])
    assert.equal(state.ballot, 1)
    assert.equal(onBallot(agreement, state, { seq: 0, ballot: 1 }).answer.kind, 'stale')
  })

  it('leaps at most 1000 ballots, and none for a place that is not its next', () => {
    const tooFar = onBallot(agreement, newVoter, { seq: 0, ballot: 1001 })
    assert.deepEqual([tooFar.answer.kind, tooFar.state], ['behind', newVoter])
    const leap = onBallot(agreement, newVoter, { seq: 0, ballot: 1000 })
    assert.equal(leap.answer.kind, 'promise')
    assert.equal(onBallot(agreement, newVoter, { seq: 1, ballot: 1 }).answer.kind, 'behind')
    assert.equal(onBallot(agreement, headed(0), { seq: 0, ballot: 1 }).answer.kind, 'stale')
  })
})

describe('a signer that is shown a certificate', () => {
  it('adopts it, whatever it has voted or sealed, and keeps its ballot', () => {
    const { state: promised } = onBallot(agreement, newVoter, { seq: 0, ballot: 5 })
    const state: VoterState = { ...promised, lock: lock(y, 0), steps: [y] }
    const outcome = onCertificate(agreement, state, { certificate: certificate(x, 0), step: x })
    assert.equal(outcome.adopted, x)
    assert.deepEqual(outcome.state, { ...headed(0), ballot: 5 })
  })

  it('goes one place at a time, needs the body, and refuses what q signers have not sealed', () => {
    const at = (certificate_: ReturnType<typeof certificate>, step?: OpaqueStep) =>
      onCertificate(agreement, newVoter, { certificate: certificate_, step })
    assert.equal(at(certificate(next, 0), next).answer.kind, 'behind')
    assert.equal(reasonOf(at(certificate(x, 0))), 'body_missing')
    assert.equal(reasonOf(at(certificate(x, 0, [1, 2]), x)), 'evidence')
    assert.equal(reasonOf(at({ ...certificate(x, 0), manifestHash: x.hash }, x)), 'evidence')
  })

  it('knows the one that it has, and raises the alarm over a fork', () => {
    const again = { certificate: certificate(x, 3), step: x }
    assert.equal(onCertificate(agreement, headed(0), again).answer.kind, 'head')
    const forked = { certificate: certificate(y, 3), step: y }
    assert.equal(onCertificate(agreement, headed(0), forked).answer.kind, 'alarm')
    const stray = stepNamed('stray', { seq: 1, previous: y.hash })
    const wrong = { certificate: certificate(stray, 0), step: stray }
    assert.equal(onCertificate(agreement, headed(0), wrong).answer.kind, 'alarm')
  })
})

describe('a signer that was restored', () => {
  const nonce = new Uint8Array(16).fill(3)
  const asked = { self: 4, nonce }

  it('keeps silent up to one place beyond all that q others report, and then speaks', () => {
    const reports = [report(1, newVoter), report(2, headed(0)), report(3, newVoter)]
    assert.equal(abstention(agreement, reports, asked), 1)
    const state = restored(newVoter, 1)
    assert.equal(reasonOf(propose(state, { ballot: 0, step: x }, never)), 'abstaining')
    assert.equal(reasonOf(onBallot(agreement, state, { seq: 0, ballot: 1 })), 'abstaining')
    const shown = onLock(agreement, state, { lock: lock(x, 0), step: x }, never)
    assert.equal(reasonOf(shown), 'abstaining')

    const first = onCertificate(agreement, state, { certificate: certificate(x, 0), step: x }).state
    assert.equal(first.abstainUpTo, 1)
    assert.equal(reasonOf(propose(first, { ballot: 0, step: next }, never)), 'abstaining')
    const request = { certificate: certificate(next, 0), step: next }
    assert.equal(onCertificate(agreement, first, request).state.abstainUpTo, undefined)
  })

  it('counts votes that are under way', () => {
    const { state } = propose(newVoter, { ballot: 0, step: x })
    const reports = [report(1, newVoter), report(2, state), report(3, newVoter)]
    assert.equal(abstention(agreement, reports, asked), 1)
  })

  it('needs q others, each with a signature under its own nonce', () => {
    const three = [report(1, newVoter), report(2, newVoter), report(3, newVoter)]
    assert.equal(abstention(agreement, three, asked), 0)
    const [a, b, c] = three
    assert.ok(a && b && c)
    for (const few of [
      [a, b],
      [a, b, b],
      [a, b, report(4, newVoter)],
    ])
      assert.equal(abstention(agreement, few, asked), undefined)
    assert.equal(abstention(agreement, three, { self: 4, nonce: new Uint8Array(16) }), undefined)
    const forged = { ...c, statement: { ...c.statement, signer: 2 } }
    assert.equal(abstention(agreement, [a, report(3, newVoter), forged], asked), undefined)
  })

  it('is not silenced for ever by a report of a place that nobody has certified', () => {
    const boast = report(1, {
      ...headed(0),
      head: { seq: 999, hash: x.hash, certificate: certificate(x, 0) },
    })
    const reports = [boast, report(2, newVoter), report(3, newVoter)]
    assert.equal(abstention(agreement, reports, asked), undefined)
  })
})

describe('the row of a signer', () => {
  it('survives its encoding with everything in it', () => {
    const voted = propose(headed(2), { ballot: 2, step: next }).state
    const state: VoterState = { ...voted, lock: lock(next, 2), abstainUpTo: 7 }
    assert.deepEqual(decode(voterStateCodec, encode(voterStateCodec, state)), state)
    assert.deepEqual(decode(voterStateCodec, encode(voterStateCodec, newVoter)), newVoter)
  })
})

type Proposal = Partial<Parameters<typeof onPropose>[2]> & {
  readonly ballot: number
  readonly step: OpaqueStep
}

function propose(state: VoterState, proposal: Proposal, judge = willing): Outcome {
  const usual = { headCertificate: undefined, promises: [] }
  return onPropose(agreement, state, { ...usual, ...proposal }, judge)
}

function reasonOf({ answer }: { readonly answer: AnswerDraft }): string {
  return answer.kind === 'refusal' ? answer.reason : answer.kind
}

/** A signer whose head is x, certified in this ballot. */
function headed(ballot: number): VoterState {
  return { ...newVoter, head: { seq: 0, hash: x.hash, certificate: certificate(x, ballot) } }
}

const place = {
  manifestHash: agreement.trust.manifestHash,
  organization: agreement.organization,
  stream: agreement.stream,
}

function origin(signer: number) {
  return { signer, bootId: new Uint8Array(16).fill(signer), storeSequence: 1 }
}

type Said = { readonly step: OpaqueStep; readonly ballot: number; readonly signer: number }

function about({ step, ballot, signer }: Said) {
  return { ...place, seq: step.seq, ballot, stepHash: step.hash, ...origin(signer) }
}

function lock(step: OpaqueStep, ballot: number, signers: readonly number[] = [1, 2, 3]): Lock {
  const [first, ...others] = signers.map((signer) => {
    const statement = { kind: 'vote', ...about({ step, ballot, signer }) } as const
    return signStatement(statement, (bytes) => mark(signer, bytes))
  })
  assert.ok(first)
  return lockOf([first, ...others])
}

function certificate(step: OpaqueStep, ballot: number, signers: readonly number[] = [1, 2, 3]) {
  const [first, ...others] = signers.map((signer) => {
    const statement = { kind: 'seal', ...about({ step, ballot, signer }) } as const
    return signStatement(statement, (bytes) => mark(signer, bytes))
  })
  assert.ok(first)
  return certificateOf([first, ...others])
}

function promise(signer: number, ballot: number, shown?: Lock): PromiseProof {
  const statement = {
    kind: 'promise',
    ...place,
    seq: 0,
    ballot,
    previous: noStep,
    lock: shown && { ballot: shown.ballot, stepHash: shown.stepHash },
    ...origin(signer),
  } as const
  return { ...signStatement(statement, (bytes) => mark(signer, bytes)), lock: shown }
}

function report(signer: number, state: VoterState): HeadReport {
  const { answer } = onAsk(agreement, state, new Uint8Array(16).fill(3))
  const signed = signAnswer(answer, origin(signer), (bytes) => mark(signer, bytes))
  assert.ok(signed.kind === 'head' && signed.statement.kind === 'head')
  const { statement, signature, certificate: proof } = signed
  return { statement, signature, certificate: proof }
}
