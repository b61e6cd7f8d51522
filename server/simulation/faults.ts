import { Failure } from '@quorate/core/failure'
import type { Rpc } from '@quorate/chains/adapter'
import type { Random } from './random.ts'
import type { Call, Fate } from './schedule.ts'

/** Each per call, of writes three times as often: most of what is begun comes to its end between two. */
const chances: Readonly<Record<Call['side'], number>> = {
  database: 0.0005,
  node: 0.02,
  signers: 0.03,
}
/** A server dies of itself about once in so many calls. */
const deathChance = 0.0005

/** Where a server is to die: at its so manieth coming to a place. */
export type Target = {
  readonly place: string
  readonly fate: 'dies before' | 'dies after'
  readonly time: number
}

type Unreliable = { readonly lossy?: number; readonly deaf?: number }
/** Of the calls that may arrive late, if they may in a world at all. */
const lateChance = 0.04

/** What goes wrong with calls, by chance and by plan, and the count of it. */
export class Faults {
  private readonly random: Random
  private readonly targets: readonly Target[]
  private readonly times = new Map<string, number>()
  readonly counts = new Map<string, number>()
  /** Places where something is written, by how it went there. */
  readonly places = new Set<string>()
  readonly visited = new Set<string>()
  /** Of what signers have agreed on, by the full id of the request. */
  onRefusal: (id: string) => void = () => undefined
  /** Nothing goes wrong by chance any more. */
  isOver = false
  isNodeDown = false
  isNodeLying = false

  private readonly weather: Unreliable
  private readonly known: ReadonlySet<string> | undefined
  private readonly mayBeLate: boolean

  constructor(
    random: Random,
    options: {
      readonly targets: readonly Target[]
      readonly weather?: Unreliable
      readonly known?: ReadonlySet<string>
      readonly mayBeLate?: boolean
    },
  ) {
    this.random = random
    this.targets = options.targets
    this.weather = options.weather ?? {}
    this.known = options.known
    this.mayBeLate = options.mayBeLate === true
  }

  readonly fateOf = (call: Call): Fate => {
    if (call.isWrite) this.places.add(call.place)
    const fate = this.planned(call) ?? (this.isOver ? 'answered' : this.byChance(call))
    if (fate === 'answered') return fate
    if (fate === 'dies before' || fate === 'dies after') {
      if (call.isWrite) this.visited.add(pointOf(call.place, fate))
      this.count(`server ${fate === 'dies before' ? 'killed before' : 'killed after'}`)
    } else this.count(`${call.side}: ${words[fate]}`)
    return fate
  }

  readonly lossOf = ({ side, place, fiber }: Call): Error => {
    if (side === 'node') return new Failure('chain.unavailable', { network: 'EthereumSepolia' })
    if (side === 'database') return new Error('Connection terminated unexpectedly')
    if (!place.endsWith('sign') || !this.random.happens(0.1))
      return new Failure('signers.unavailable', { missing: ['signer-1', 'signer-2'] })
    this.count('signers: refuse what they have agreed on')
    if (fiber.about !== undefined) this.onRefusal(fiber.about)
    return new Failure('request.refused', { reason: 'the key is frozen' })
  }

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  private planned({ place, isWrite }: Call): Fate | undefined {
    if (!isWrite) return undefined
    const time = (this.times.get(place) ?? 0) + 1
    this.times.set(place, time)
    if (time === 1 && this.known?.has(place) === false)
      return this.random.one(['dies before', 'dies after'] as const)
    return this.targets.find((target) => target.place === place && target.time === time)?.fate
  }

  private byChance({ side, isWrite, place, late }: Call): Fate {
    const { random } = this
    const { lossy, deaf = 0 } = this.weather
    // A connection that is lost rolls back as well.
    if (place.endsWith(' rollback')) return 'answered'
    if (side === 'node' && this.isNodeDown) return 'lost before'
    if (side === 'node' && isWrite && lossy !== undefined)
      return random.happens(lossy) ? 'lost after' : 'answered'
    if (side === 'signers' && deaf > 0 && random.happens(deaf)) return 'lost before'
    if (random.happens(deathChance)) return random.one(['dies before', 'dies after'] as const)
    if (this.mayBeLate && late !== undefined && random.happens(lateChance)) return 'late'
    if (!random.happens(chances[side] * (isWrite ? 3 : 1))) return 'answered'
    if (!isWrite) return 'lost before'
    // What a database has done twice is a fault of the database.
    if (side === 'database') return random.one(['lost before', 'lost after'] as const)
    return random.one(['lost before', 'lost after', 'twice'] as const)
  }
}

const words = {
  'lost before': 'not reached',
  'lost after': 'answer lost',
  twice: 'reached twice',
  late: 'reached late',
} as const

export function pointOf(place: string, fate: Target['fate']): string {
  return `${fate} ${place}`
}

/**
 * A node whose answers about the newest nonces are not true while `lies` says so. One that is asked
 * alone says too little: too much would leave a gap, and there is nobody to hold it against.
 */
export function lyingNode(
  rpc: Rpc,
  { random, lies, mayRaise }: { random: Random; lies: () => boolean; mayRaise: boolean },
): Rpc {
  return async (method, params) => {
    const answer = await rpc(method, params)
    const isNewest = params[1] === 'pending' || params[1] === 'latest'
    if (method !== 'eth_getTransactionCount' || !isNewest || !lies()) return answer
    const by = random.between(1, 3)
    const said = mayRaise && random.happens(0.5) ? Number(answer) + by : Number(answer) - by
    return `0x${Math.max(said, 0).toString(16)}`
  }
}
