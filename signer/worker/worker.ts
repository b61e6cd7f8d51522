import { Worker } from 'node:worker_threads'
import { decode, encode } from '@quorate/core/codec'
import type { Inbound } from '@quorate/threshold/session'
import type { Log } from '../log.ts'
import {
  answerCodec,
  handOver,
  jobCodec,
  toIn,
  type Answer,
  type Job,
  type Start,
} from './messages.ts'

/**
 * Each has at most one job that waits, of some 40 milliseconds: whoever comes last has his turn
 * within five seconds, half of what a server waits for a round. Signatures have room of their own.
 */
export const sessionsMax = 128
/** Above the minute that a ceremony lasts: by then nobody goes on with it any more. */
export const sessionMs = 90_000
/**
 * A thread that has had nothing to do for so long ends, and its memory goes back to the system. Another
 * stands ready then: on a busy machine the start takes seconds, which a birth would wait for.
 */
export const idleMs = 60_000
/** Between the end of a thread that has failed and the start of the next: no loop, whatever it dies of. */
export const restMs = 1_000
/** Sessions have some 40 kilobytes each; the rest is the program, and what waits to be collected. */
const heapMegabytesMax = 256

/** The session's thread is gone, and with it what it held. */
export type Lost = { readonly kind: 'lost' }

/** One session in the worker thread. Over after any answer but `next`. */
export type WorkerSession = {
  begin(start: Start): Promise<Answer | Lost>
  /** The inbox is copied before this comes back. */
  advance(inbox: readonly Inbound[]): Promise<Answer | Lost>
  /** Nobody goes on with it: what it holds is overwritten. */
  end(): void
}

/**
 * The worker thread, and what this one knows of it. It is started by the first job, and again after it has
 * failed; every session that it held is lost then, through nobody's fault.
 */
export class SessionWorker {
  private readonly log: Log
  private last = 0
  private thread: Worker | undefined
  private isResting = false
  private isClosed = false
  private idle: NodeJS.Timeout | undefined
  /** Every open session, and when it is given up. */
  private readonly held = new Map<number, NodeJS.Timeout>()
  private readonly awaited = new Map<number, (answer: Answer | Lost) => void>()

  constructor(log: Log) {
    this.log = log
  }

  /** Starts the thread before it is needed. */
  warm(): void {
    if (this.isClosed) return
    this.thread ??= this.start()
    this.thread.unref()
  }

  /** May no further session begin? */
  isFull(): boolean {
    return this.isResting || this.isClosed || this.held.size >= sessionsMax
  }

  /** Takes the room of one; what is to be done is said later. */
  session(): WorkerSession {
    const id = ++this.last
    const end = (): void => this.end(id)
    clearTimeout(this.idle)
    this.held.set(id, setTimeout(end, sessionMs).unref())
    return {
      begin: (start) => this.ask({ ...start, id }),
      advance: (inbox) => this.ask({ kind: 'advance', id, inbox: inbox.map(toIn) }),
      end,
    }
  }

  close(): void {
    this.isClosed = true
    this.retire()
  }

  private ask(job: Job): Promise<Answer | Lost> {
    if (!this.held.has(job.id) || this.isClosed) return Promise.resolve({ kind: 'lost' })
    return new Promise((resolve) => {
      this.awaited.set(job.id, resolve)
      this.thread ??= this.start()
      // Alive as long as somebody waits for it, and no longer.
      this.thread.ref()
      post(this.thread, job)
    })
  }

  private start(): Worker {
    const thread = new Worker(new URL('./thread.ts', import.meta.url), {
      env: {},
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytesMax },
    })
    let name = 'none'
    thread.on('message', (bytes: Uint8Array) => {
      const answer = decode(answerCodec, bytes)
      bytes.fill(0)
      this.answered(answer)
    })
    thread.on('error', (error) => {
      name = error instanceof Error ? error.name : 'unknown'
    })
    thread.once('exit', () => {
      if (this.thread !== thread) return
      this.log({ event: 'worker-failed', name, sessions: this.held.size })
      this.isResting = true
      setTimeout(() => (this.isResting = false), restMs).unref()
      this.retire()
    })
    return thread
  }

  private answered(answer: Answer): void {
    const { id } = answer
    if (answer.kind !== 'next') this.forget(id)
    const resolve = this.awaited.get(id)
    this.awaited.delete(id)
    if (this.awaited.size === 0) this.thread?.unref()
    this.rest()
    resolve?.(answer)
  }

  /** An answer that is on its way is still heard: it may be a lost bet. */
  private end(id: number): void {
    if (this.forget(id) && this.thread !== undefined) post(this.thread, { kind: 'forget', id })
    this.rest()
  }

  private forget(id: number): boolean {
    clearTimeout(this.held.get(id))
    return this.held.delete(id)
  }

  private rest(): void {
    clearTimeout(this.idle)
    if (this.held.size + this.awaited.size > 0) return
    this.idle = setTimeout(() => {
      this.retire()
      this.warm()
    }, idleMs).unref()
  }

  /** Without its thread: all that it held is gone. */
  private retire(): void {
    const { thread } = this
    this.thread = undefined
    clearTimeout(this.idle)
    thread?.terminate().catch((error: unknown) => {
      this.log({ event: 'worker-stuck', name: error instanceof Error ? error.name : 'unknown' })
    })
    for (const timer of this.held.values()) clearTimeout(timer)
    this.held.clear()
    for (const resolve of this.awaited.values()) resolve({ kind: 'lost' })
    this.awaited.clear()
  }
}

function post(thread: Worker, job: Job): void {
  handOver(thread, encode(jobCodec, job))
}
