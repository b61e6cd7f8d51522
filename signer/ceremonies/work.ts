import type { Inbound } from '@quorate/threshold/session'
import type { SessionReply } from '@quorate/wire/link'
import { fromOut, type Answer, type Start } from '../worker/messages.ts'
import { wipeDirect } from '../worker/wipe.ts'
import type { Lost, SessionWorker, WorkerSession } from '../worker/worker.ts'
import { aborted, end, refused, type Move } from './ceremony.ts'

/**
 * A ceremony whose arithmetic the worker thread does. What is asked here is asked in this thread, in
 * the transaction behind an answer: however many sessions are being worked on, one after the other
 * they come to their word.
 */
export type Course = {
  readonly sid: Uint8Array
  /** Why it may not go on: before a round is worked out, and again before anybody hears of it. */
  readonly forbidden: () => string | undefined
  /** A round is about to be worked out. */
  readonly onRound: () => void
  readonly ending: (answer: Exclude<Answer, { kind: 'next' }>) => SessionReply
}

export function work(worker: SessionWorker, start: Start, course: Course): Move {
  const session = worker.session()
  return round(session, course, { number: 1, ask: () => session.begin(start) })
}

function round(
  session: WorkerSession,
  course: Course,
  { number, ask }: { readonly number: number; readonly ask: () => Promise<Answer | Lost> },
): Move {
  return {
    kind: 'work',
    async run() {
      const answer = await ask()
      return () => moveOf(session, course, number, answer)
    },
  }
}

function moveOf(
  session: WorkerSession,
  course: Course,
  number: number,
  answer: Answer | Lost,
): Move {
  if (answer.kind === 'lost') return end(lost(course.sid))
  // First of all: a bet that was lost is lost, whatever has become of the session meanwhile.
  if (answer.kind !== 'next') return end(course.ending(answer))
  const stop = (reason: string): Move => {
    session.end()
    return end(refused(reason))
  }
  const reason = course.forbidden()
  if (reason !== undefined) return stop(reason)
  // Parts of round 1 travel in clear (`mail.ts`), in these very bytes.
  const isSealed = number > 1
  const out = answer.out.map(fromOut)
  const proceed = (inbox: readonly Inbound[]): Move => {
    const late = course.forbidden()
    if (late !== undefined) return stop(late)
    course.onRound()
    const ask = (): Promise<Answer | Lost> => {
      const answered = session.advance(inbox)
      if (isSealed) wipeDirect(inbox)
      return answered
    }
    return round(session, course, { number: number + 1, ask })
  }
  const onPacked = (): void => {
    if (isSealed) wipeDirect(out)
  }
  return { kind: 'next', out, proceed, onPacked, discard: () => session.end() }
}

function lost(sid: Uint8Array): SessionReply {
  return aborted(sid, { reason: 'the worker thread has ended', culprits: [], burned: [] })
}
