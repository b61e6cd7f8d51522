import type { Network, Rpc } from '@quorate/chains/adapter'
import { evm } from '@quorate/chains/evm/index'
import { severalNodes } from '@quorate/chains/evm/several-nodes'
import { toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { evmNetwork, openChains, type Chain, type Chains } from '../chain/chains.ts'
import { noOpinions } from '../facts/file.ts'
import { leaseRows } from '../transfers/lease.ts'
import type { State } from '../transfers/lifecycle.ts'
import type { Step } from '../transfers/outcome.ts'
import type { RequestDeps } from '../transfers/request.ts'
import { nextStep } from '../transfers/steps.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { work } from '../transfers/work.ts'
import { openQuota } from '../usage/quota.ts'
import { simulatedCoordinator } from './coordinator.ts'
import type { GatedDatabase } from './gated-database.ts'
import type { Fiber, Life, Schedule } from './schedule.ts'
import type { Forgetting, SmallSigners } from './signers.ts'

export type ServerWorld = {
  readonly schedule: Schedule
  readonly gated: GatedDatabase
  readonly signers: SmallSigners
  readonly network: Network
  /** As this server reaches them. */
  readonly nodes: readonly Rpc[]
  /** The time, as it is. */
  readonly time: () => number
  /** What a planted fault has in place of a step, and of the parts that a server is made of. */
  readonly planted: Planted
  readonly log: (line: string) => void
  /** Something was thrown that is neither an answer to anybody nor the world's doing. */
  readonly onDefect: (line: string) => void
  /** A name that no life before it had. */
  readonly newLife: () => Uint8Array
}
export type Planted = {
  readonly steps?: { readonly [S in State]?: (step: Step) => Step }
  readonly network?: (network: Network) => Network
  /** What a statement is given instead. */
  readonly statement?: (text: string, values: readonly unknown[]) => readonly unknown[]
  readonly signers?: Forgetting
}

/** Rows that one server has in hand: enough for them to race. */
const rowsAtOnce = 4

/** A server's process, for as long as it lives: the real code of the rows, its own clock, its rows in hand. */
export class Server {
  readonly life: Life
  readonly deps: RequestDeps
  private readonly world: ServerWorld
  private inHand = 0
  /** By how much its clock is wrong. */
  skewMs = 0

  constructor(world: ServerWorld, server: number) {
    const { schedule, gated, signers, planted, log } = world
    this.world = world
    this.life = { server, isAlive: true }
    const database = gated.for(this.life, planted.statement)
    const now = () => world.time() + this.skewMs
    const say = (context: object, message: string) => {
      log(`${message} ${'err' in context ? String(context.err) : ''}`)
      if ('err' in context) this.notice(message, context.err)
    }
    this.deps = {
      ...{ database, now, chains: this.chains(), opine: noOpinions, rules: signers.rules },
      coordinator: simulatedCoordinator({ schedule, signers, database, now }),
      log: { warn: say, error: say },
      wake: () => undefined,
      quota: openQuota(undefined),
      life: world.newLife(),
      stepIn: (row) => this.stepIn(row),
      pause: async () => this.call('pause', () => undefined),
    }
  }

  /** As its worker does in a loop: takes what is due, and works on each row until it has to wait. */
  turn(): void {
    const free = rowsAtOnce - this.inHand
    if (!this.life.isAlive || free <= 0) return
    this.inHand += free
    this.run(
      'lease',
      async () => {
        const rows = await leaseRows(this.deps.database, free, this.deps.now())
        this.inHand -= free - rows.length
        // A statement returns them in any order.
        for (const row of rows.toSorted(byName)) this.run(nameOf(row), () => this.work(row))
      },
      () => (this.inHand -= free),
    )
  }

  /** Something that it is asked to do. */
  run(step: string, body: () => Promise<void>, onFailure?: () => void): void {
    const fiber: Fiber = { life: this.life, step }
    this.world.schedule.start(fiber, async () => {
      try {
        await body()
      } catch (error) {
        // What its worker's loop, or the edge, would write into its log.
        this.world.log(`${step}: ${String(error)}`)
        this.notice(step, error)
        onFailure?.()
      }
    })
  }

  private notice(step: string, error: unknown): void {
    const { schedule, onDefect } = this.world
    if (isFailure(error) || schedule.isLoss(error)) return
    onDefect(`${step}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }

  private async work(row: Outgoing): Promise<void> {
    try {
      await work(this.deps, row, () => undefined)
    } finally {
      this.inHand -= 1
    }
  }

  private stepIn(row: Parameters<typeof nextStep>[0]): Step | undefined {
    const { state } = row
    const { planted, schedule } = this.world
    const usual = nextStep(row)
    const step = usual && (planted.steps?.[state]?.(usual) ?? usual)
    const { fiber } = schedule
    if (step === undefined || fiber === undefined) return step
    const name = nameOf(row)
    fiber.step = name
    return async (deps, row) => {
      fiber.about = toHex(row.sponsored ?? row.id)
      const outcome = await step(deps, row)
      fiber.step = outcome.kind === 'move' ? `${name} › ${outcome.event}` : name
      return outcome
    }
  }

  private call<T>(place: string, run: () => T): Promise<T> {
    return this.world.schedule.call({ side: 'node', place, isWrite: false, run })
  }

  private chains(): Chains {
    const { planted } = this.world
    const network = planted.network?.(this.world.network) ?? this.world.network
    const known = openChains(new Map())
    const chain: Chain = {
      network,
      traits: evmNetwork(known.networks, network.id),
      rpc: this.rpc(network),
      adapter: evm,
      ready: async () => undefined,
    }
    return { ...known, find: () => chain, all: [chain] }
  }

  private rpc(network: Network): Rpc {
    const { schedule, nodes, time } = this.world
    const gated = nodes.map((node, i): Rpc => {
      const name = nodes.length === 1 ? '' : `node ${i + 1} `
      return (method, params) => {
        const isWrite = method === 'eth_sendRawTransaction'
        const asked = { side: 'node' as const, place: `${name}${method}`, isWrite }
        const run = () => node(method, params)
        const late = { to: name, sent: () => run }
        return schedule.call({ ...asked, run, ...(isWrite && { late }) })
      }
    })
    const [only, ...others] = gated
    if (only !== undefined && others.length === 0) return only
    return severalNodes({ network, nodes: gated, agree: 2, now: time })
  }
}

/** What somebody else pays for, and what is sent for it, go ways of their own through the same states. */
function nameOf({ state, kind, fee_sponsor }: Parameters<typeof nextStep>[0]): string {
  if (kind === 'sponsorship') return `sponsorship ${state}`
  return fee_sponsor === null ? state : `sponsored ${state}`
}

function byName(a: Outgoing, b: Outgoing): number {
  return a.name < b.name ? -1 : 1
}
