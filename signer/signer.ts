import { quorumOf } from '@quorate/authority/quorum'
import { signAnswer, type AnswerDraft } from '@quorate/authority/agreement/exchange'
import { rulesFor } from '@quorate/judge/rules'
import type { Random } from '@quorate/threshold/session'
import {
  linkProtocol,
  type Call,
  type Hello,
  type Reply,
  type SessionCall,
  type SessionReply,
} from '@quorate/wire/link'
import { isFailure } from '@quorate/core/failure'
import { equalBytes } from '@quorate/core/bytes'
import { Ceremonies, type Said } from './ceremonies/ceremony.ts'
import { beginGenerate } from './ceremonies/generate.ts'
import { beginPair } from './ceremonies/pair.ts'
import { beginPooled } from './ceremonies/pool.ts'
import { beginSign } from './ceremonies/sign.ts'
import type { CeremonyDeps } from './ceremonies/deps.ts'
import { openVerdicts } from './ceremonies/verdicts.ts'
import { type Clock, clockFrom, type ClockSource } from './clock.ts'
import { noteStrikes } from './strikes.ts'
import { isErasure, openSweeper, type Sweeper } from './erasure.ts'
import { externalIdsOf } from './external-ids.ts'
import { noticeRecoveries } from './first-sight.ts'
import { noticeBreaks } from './unseen-breaks.ts'
import type { KeyEncryption } from './kek.ts'
import type { Log, LogEvent } from './log.ts'
import type { OwnFacts } from './own-facts.ts'
import type { Self } from './self.ts'
import { settleShares } from './sweep.ts'
import { acceptStatement, type Accepted } from './statements.ts'
import type { Store } from './store/store.ts'
import { votingOf, type Voting } from './voting.ts'
import type { SessionWorker } from './worker/worker.ts'

export type SignerParts = {
  readonly self: Self
  readonly store: Store
  readonly keyEncryption: KeyEncryption
  readonly clock: ClockSource
  readonly random: Random
  readonly ownFacts: OwnFacts
  /** Where key generations and pair setups are worked out. */
  readonly worker: SessionWorker
  readonly log: Log
  /** The store cannot write, or there is a bug: nothing more may be said in this life. */
  readonly onDefect: (error: unknown) => void
}

export type Signer = {
  readonly hello: Hello
  /** Answers when all that the answer rests on is on the disk. */
  readonly answer: (call: Call) => Promise<Reply>
  /** A statement from a mailbox, kept for good before this comes back. */
  readonly accept: (signed: Uint8Array) => Accepted
  /** Says nothing more. The store and the worker are closed by whoever has opened them. */
  readonly close: () => void
}

/** Calls that may share one transaction, and with it one sync of the disk. */
const batchMax = 64
/** How often the time that has surely passed is written down, when nothing else has to be. */
const clockWriteMs = 1_000

type Task = {
  readonly draft: () => Draft
  readonly resolve: (reply: Reply) => void
  readonly reject: (error: unknown) => void
}

/**
 * One signer. Calls are worked on one after the other and never wait for anything half-way: that
 * one thread owns all that lasts, so that what comes of the checks of a pair, in particular, is
 * strictly serial (threats 4.2). Where the worker thread has something to work out, the call is two:
 * what is to be on the disk before, and what becomes of the answer. Those that arrive in one turn of the event loop become durable together, but
 * nothing shares a transaction with a burned pair and comes after it: a defect there would undo the
 * burning, and the next life would take another guess.
 *
 * @throws Error when the store is another signer's, or sealed under another key
 */
export function openSigner(parts: SignerParts): Signer {
  const { self, store, onDefect } = parts
  claim(store, self)
  const lines: LogEvent[] = []
  const sweeper = openSweeper(store, onDefect)
  const desk = deskOf({ ...parts, log: (event) => lines.push(event) }, sweeper)
  const queue: Task[] = []
  let isClosed = false
  const put = (task: Task): void => {
    if (isClosed) return task.reject(new Error('the signer is closed'))
    if (queue.length === 0) setImmediate(flush)
    queue.push(task)
  }
  const fail = (error: unknown, tasks: readonly Task[]): void => {
    for (const { reject } of tasks) reject(error)
    onDefect(error)
  }
  const answer = (task: Task, draft: Draft): void => {
    if (draft.kind !== 'later') return task.resolve(signed(parts, draft))
    draft.run().then(
      (next) => put({ ...task, draft: next }),
      (error) => fail(error, [task]),
    )
  }
  const flush = (): void => {
    if (isClosed) return
    const batch = queue.splice(0, batchMax)
    try {
      const drafts = store.commit(() => desk.draftAll(batch))
      queue.unshift(...batch.splice(drafts.length))
      for (const line of lines.splice(0)) parts.log(line)
      for (const [i, task] of batch.entries()) {
        const draft = drafts[i]
        if (draft !== undefined) answer(task, draft)
      }
    } catch (error) {
      // What the lines tell has not happened.
      lines.length = 0
      fail(error, [...batch, ...queue.splice(0)])
    }
    if (queue.length > 0) setImmediate(flush)
  }
  const { index: signer, bootId, manifest } = self
  return {
    hello: { protocol: linkProtocol, manifest: manifest.hash, signer, bootId },
    accept: (signed) => store.commit(() => acceptStatement(desk, self, signed)),
    answer: (call) =>
      new Promise((resolve, reject) => put({ draft: () => desk.draft(call), resolve, reject })),
    close() {
      isClosed = true
      for (const { reject } of queue.splice(0)) reject(new Error('the signer is closed'))
    },
  }
}

/** A reply whose statements are still to be signed, which happens after the commit alone. */
type Ready =
  | Exclude<Reply, { kind: 'agree' }>
  | {
      readonly kind: 'agree'
      readonly answer: AnswerDraft
      readonly session: SessionReply | undefined
    }
/** Or what there is to do between this commit and the next. */
type Draft = Ready | { readonly kind: 'later'; readonly run: () => Promise<() => Draft> }

function signed({ self, store }: SignerParts, draft: Ready): Reply {
  if (draft.kind !== 'agree') return draft
  const { index: signer, bootId, sign } = self
  const origin = { signer, bootId, storeSequence: store.sequence }
  return { ...draft, answer: signAnswer(draft.answer, origin, sign) }
}

function deskOf(parts: SignerParts, sweeper: Sweeper) {
  const { self, store, keyEncryption } = parts
  const rules = rulesFor(self.manifest)
  const clock = clockFrom(parts.clock, store.memory.number('clock'))
  const externalIds = externalIdsOf(store, keyEncryption)
  const judges = { rules, clock, externalIds, judged: new Map() }
  const deps: CeremonyDeps = { ...parts, ...judges, verdicts: openVerdicts() }
  const ceremonies = new Ceremonies()
  const voting = votingOf({
    ...deps,
    trust: quorumOf(self.manifest),
    onCertified: (place, certified) => {
      clock.learn(certified.time)
      settleShares({ store, self, keyEncryption }, place, certified)
      noticeRecoveries({ store, clock }, place, certified)
      noticeBreaks({ store, clock }, place, certified)
      if (isErasure(place, certified)) sweeper.begin(place.organization)
    },
  })
  const session = (call: SessionCall, whole: (reply: SessionReply) => Ready): Draft => {
    const finish = (said: Said): Draft => {
      if (said.kind === 'later')
        return {
          kind: 'later',
          run: () => said.run().then((next) => () => apart(store, () => finish(next()))),
        }
      noteStrikes(deps, call, said)
      return whole(said)
    }
    return finish(sessionReply(deps, ceremonies, call))
  }
  let clockFault = ''
  const tellOfClock = (): void => {
    const now = clock.read()
    const fault = now.ok ? '' : now.reason
    if (fault !== clockFault)
      parts.log({ event: now.ok ? 'clock' : 'clock-refused', reason: fault })
    clockFault = fault
  }
  const draft = (call: Call) => draftOf({ store, voting, session, clock }, call)
  const draftAll = (tasks: readonly Pick<Task, 'draft'>[]): readonly Draft[] => {
    const drafts: Draft[] = []
    for (const task of tasks) {
      const draft = task.draft()
      drafts.push(draft)
      if (hasBurned(draft)) return drafts
    }
    tellOfClock()
    const time = clock.surely()
    if (time >= store.memory.number('clock') + clockWriteMs) {
      store.memory.setNumber('clock', time)
      store.memory.forgetSessions(time)
    }
    return drafts
  }
  return { draft, draftAll, store, clock }
}

type Desk = {
  readonly store: Store
  readonly voting: Voting
  readonly session: (call: SessionCall, whole: (reply: SessionReply) => Ready) => Draft
  readonly clock: Clock
}

function timeOf(clock: Clock): number | undefined {
  const now = clock.read()
  return now.ok ? now.time : undefined
}

function draftOf({ store, voting, session, clock }: Desk, call: Call): Draft {
  return apart(store, () => {
    if (call.kind === 'ping') return { kind: 'pong', time: timeOf(clock) }
    if (call.kind === 'session')
      return session(call.session, (reply) => ({ kind: 'session', session: reply }))
    const answer = voting.answer(call, call.request)
    const rides = call.session !== undefined && goesOn.has(answer.kind)
    if (!rides) return { kind: 'agree', answer, session: undefined }
    return session(call.session, (reply) => ({ kind: 'agree', answer, session: reply }))
  })
}

function apart(store: Store, draft: () => Draft): Draft {
  try {
    return store.part(draft)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return { kind: 'failed', reason: 'malformed' }
    throw error
  }
}

function hasBurned(draft: Draft): boolean {
  const session = 'session' in draft ? draft.session : undefined
  return session?.kind === 'aborted' && session.burned.length > 0
}

/** A signature's round goes with a yes. It asks the store by itself whether it may. */
const goesOn: ReadonlySet<AnswerDraft['kind']> = new Set(['vote', 'seal', 'head'])

function sessionReply(deps: CeremonyDeps, ceremonies: Ceremonies, call: SessionCall): Said {
  switch (call.kind) {
    case 'sign':
      return beginSign(deps, ceremonies, call)
    case 'generate':
      return beginGenerate(deps, ceremonies, call)
    case 'pool':
      return beginPooled(deps, ceremonies, call)
    case 'pair':
      return beginPair(deps, ceremonies, call)
    case 'advance':
      return ceremonies.advance(call.ceremony, call.packets, deps.clock.read())
    case 'close':
      return ceremonies.close(call.ceremony)
  }
}

/** A store belongs to one signer for ever: its votes bind the identity that gave them. */
function claim(store: Store, { manifest, index }: Self): void {
  const identity = manifest.signers[index - 1]?.identity
  if (identity === undefined) throw new Error('Cannot start: the manifest has no such signer.')
  const owner = store.memory.bytes('owner')
  if (owner === undefined) store.commit(() => store.memory.setBytes('owner', identity))
  else if (!equalBytes(owner, identity))
    throw new Error('Cannot start: the store is of another signer.')
}
