import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import type { Random } from './random.ts'

/** One life of a server's process. What it had begun ends with it, wherever that was. */
export type Life = { readonly server: number; isAlive: boolean }
/** Something that a server is about: one row's steps, or one request of a user; of a row, whose request it is for. */
export type Fiber = { readonly life: Life; step: string; about?: string }
/** To what a server speaks. */
export type Side = 'database' | 'node' | 'signers'

/** A call to the outside that waits for its turn. */
export type Call = {
  readonly side: Side
  readonly fiber: Fiber
  /** What is called, from which step: the name of the place in the code. */
  readonly place: string
  /** Does it change anything out there? */
  readonly isWrite: boolean
  readonly run: () => unknown
  /** Where it may arrive when its caller has long heard that it failed: as it was when it was sent. */
  readonly late?: Late
}
export type Late = {
  /** Of those that go to one place they can be waited for. */
  readonly to: string
  readonly sent: () => () => unknown
}
type Waiting = Call & {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}
/** What becomes of a call. */
export type Fate =
  | 'answered'
  /** It is never made, or nobody is left to hear its answer. */
  | 'dies before'
  | 'dies after'
  /** Whoever called hears that it failed, and it has not happened, or has. */
  | 'lost before'
  | 'lost after'
  | 'twice'
  /** Whoever called hears that it failed, and it happens when he has gone on. */
  | 'late'

/** Of what is on its way one arrives so often between two calls: many others are made meanwhile. */
const arrivalChance = 0.02

/**
 * Decides which of all that runs goes on next, so that one seed is one run. A server runs until it
 * calls a database, a node or the signers; there it waits until it is chosen. A transaction, once
 * begun, goes on alone: another one would wait for its locks, and not for us.
 */
export class Schedule {
  private readonly random: Random
  private readonly fibers = new AsyncLocalStorage<Fiber>()
  private waiting: Waiting[] = []
  /** What is on its way for nobody any more. */
  private travelling: { readonly to: string; readonly run: () => unknown }[] = []
  private alone: Fiber | undefined
  private failed: unknown
  private readonly losses = new WeakSet<Error>()
  private readonly trace = createHash('sha256')
  /** What happens to a call, be it by chance or by plan. */
  fateOf: (call: Call) => Fate = () => 'answered'
  /** The error of a call whose answer is lost. */
  lossOf: (call: Call) => Error = () => new Error('the answer was lost')
  onDeath: (life: Life) => Promise<void> = async () => undefined

  constructor(random: Random) {
    this.random = random
  }

  get isIdle(): boolean {
    return this.waiting.length === 0
  }

  /** A body's own failure is the simulation's: a server's code lets none out but by its callers. */
  start(fiber: Fiber, body: () => Promise<void>): void {
    const isOfTheDead = () => !fiber.life.isAlive
    void this.fibers.run(fiber, body).catch((error: unknown) => {
      if (!isOfTheDead()) this.failed ??= error
    })
  }

  /** Outside of any fiber it is made at once: that is how a world is set up, and read at its end. */
  async call<T>(
    asked: Omit<Call, 'fiber' | 'run'> & { readonly run: () => T | Promise<T> },
  ): Promise<T> {
    const fiber = this.fibers.getStore()
    if (fiber === undefined) return asked.run()
    if (!fiber.life.isAlive) return new Promise<T>(() => undefined)
    return new Promise<T>((resolve, reject) => {
      const call = { ...asked, fiber, place: `${fiber.step} › ${asked.place}` }
      this.waiting.push({ ...call, resolve: resolve as (value: unknown) => void, reject })
    })
  }

  /** Is it the world's own, and not the server's? */
  isLoss(error: unknown): boolean {
    for (let one = error; one instanceof Error; one = one.cause)
      if (this.losses.has(one)) return true
    return false
  }

  /** Of all calls so far, in their order. */
  fingerprint(): string {
    return this.trace.copy().digest('hex')
  }

  get fiber(): Fiber | undefined {
    return this.fibers.getStore()
  }

  /** From here on nothing else of anybody's goes on; nothing: all do again. */
  leaveAlone(fiber: Fiber | undefined): void {
    this.alone = fiber
  }

  /** Lets one call happen. */
  async advance(): Promise<void> {
    const { alone } = this
    if (this.travelling.length > 0 && this.random.happens(arrivalChance))
      await this.arrive(this.random.one(this.travelling))
    const able =
      alone === undefined ? this.waiting : this.waiting.filter((one) => one.fiber === alone)
    if (able.length === 0)
      throw new Error(`${alone?.step}: a transaction waits for something that nobody does`)
    const call = this.random.one(able)
    this.trace.update(`${call.fiber.life.server} ${call.place}\n`)
    this.waiting.splice(this.waiting.indexOf(call), 1)
    await this.happen(call, this.fateOf(call))
    await settled()
    if (this.failed !== undefined) throw this.failed
  }

  /** Whatever is still on its way comes to where it goes; or all that goes to one place. */
  async arriveAll(to?: string): Promise<void> {
    const coming = this.travelling.filter((one) => to === undefined || one.to === to)
    for (const one of coming) await this.arrive(one)
  }

  private async arrive(one: Schedule['travelling'][number]): Promise<void> {
    this.travelling = this.travelling.filter((other) => other !== one)
    this.trace.update(`late to ${one.to}\n`)
    try {
      await one.run()
    } catch {
      // Nobody is left to hear how it went.
    }
  }

  async kill(life: Life): Promise<void> {
    life.isAlive = false
    this.waiting = this.waiting.filter(({ fiber }) => fiber.life !== life)
    if (this.alone?.life === life) this.alone = undefined
    await this.onDeath(life)
  }

  private loss(call: Call): Error {
    const error = this.lossOf(call)
    this.losses.add(error)
    return error
  }

  private async happen(call: Waiting, fate: Fate): Promise<void> {
    if (fate === 'dies before') return this.kill(call.fiber.life)
    if (fate === 'lost before') return call.reject(this.loss(call))
    if (fate === 'late' && call.late !== undefined) {
      const { to, sent } = call.late
      this.travelling.push({ to, run: sent() })
      return call.reject(this.loss(call))
    }
    try {
      const answer: unknown = await call.run()
      if (fate === 'twice') await call.run()
      if (fate === 'dies after') return await this.kill(call.fiber.life)
      if (fate === 'lost after') return call.reject(this.loss(call))
      call.resolve(answer)
    } catch (error) {
      if (fate === 'dies after') return await this.kill(call.fiber.life)
      call.reject(error)
    }
  }
}

/** Until all that can run by itself has come to its next call. */
async function settled(): Promise<void> {
  await new Promise(setImmediate)
}
