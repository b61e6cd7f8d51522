import { moves } from '../transfers/lifecycle.ts'
import type { Target } from './faults.ts'
import type { Played, PlayOptions, Weather } from './play.ts'
import type { Simulator } from './simulate.ts'
import { mayBeSponsored, type Scenario, scenarios } from './wishes.ts'
import type { Limits } from './sponsors.ts'
import type { PolicyAction } from './world.ts'

/** A small world that is there for some of the places where a server writes. */
export type Drill = Omit<PlayOptions, 'connections' | 'targets'>
/** A place in the code, before or after which a server may die, and a world that is sure to come to it. */
export type Point = Target & { readonly drill: Drill }
export type Census = {
  readonly points: readonly Point[]
  /** Moves of `lifecycle.ts` to which no drill has come, though money moves by them. */
  readonly unreached: readonly string[]
  readonly played: readonly { readonly drill: Drill; readonly played: Played }[]
}

type Kind = {
  readonly name: string
  readonly only: readonly Scenario[]
  readonly weather?: Weather
  readonly size?: number
  readonly nodes?: number
  readonly wallets?: number
  readonly policies?: readonly PolicyAction[]
  readonly laterPolicies?: readonly PolicyAction[]
  /** Somebody else pays all of its fees, as far as somebody may. */
  readonly sponsors?: readonly Limits[]
  /** Of what it is there for, whatever not every seed comes to. */
  readonly leadsTo?: readonly string[]
  /** The seed to begin with: one that has led there when this was written. */
  readonly seed?: number
}

/** Enough for a scenario to come to every place where it writes. */
const sizeUsual = 4
const kinds: readonly Kind[] = [
  ...scenarios
    .filter((one) => !['aborted', 'sped up', 'cancelled', 'short of tokens'].includes(one))
    .map((only) => ({ name: only, only: [only] })),
  { name: 'aborted', only: ['aborted'], size: 6, leadsTo: ['abort › commit'] },
  { name: 'sped up', only: ['sped up'], size: 6, seed: 6, leadsTo: ['speed-up'] },
  { name: 'cancelled', only: ['cancelled'], size: 6, leadsTo: ['cancel'] },
  {
    ...{ name: 'short of tokens', only: ['short of tokens'], wallets: 1, size: 6, seed: 4 },
    leadsTo: ['included › revert'],
  },
  {
    name: 'nodes that forget',
    only: ['transfer'],
    nodes: 3,
    size: 8,
    weather: { chain: ['drop'] },
    leadsTo: ['broadcasted › node 1 eth_sendRawTransaction'],
  },
  {
    name: 'signers that are late',
    only: ['transfer'],
    // The time is over in which they sign what they have agreed on.
    weather: { chain: [], deaf: 0.8, momentMsMax: 40_000, lasts: 60 },
    leadsTo: ['prepared › agree on a renew'],
  },
  {
    ...{ name: 'answers lost', only: ['transfer'], weather: { chain: ['drop'], lossy: 0.5 } },
    ...{ size: 6, leadsTo: ['signed › include'] },
  },
  {
    ...{ name: 'nobody at the node', only: ['short of time'], weather: { chain: ['down'] } },
    ...{ seed: 5, leadsTo: ['slotted › expire'] },
  },
  {
    ...{
      name: 'nobody at the signers',
      only: ['short of time'],
      weather: { chain: [], deaf: 0.9 },
    },
    ...{ seed: 2, leadsTo: ['prepared › expire'] },
  },
  {
    ...{ name: 'somebody else', only: ['transfer'], weather: { chain: ['outside'] }, size: 8 },
    ...{ wallets: 1, leadsTo: ['signed › lapse', 'broadcasted › lapse', 'slotted › loseSlot'] },
  },
  {
    ...{ name: 'two at one slot', only: ['named nonce', 'transfer'], wallets: 1, size: 8 },
    ...{ seed: 12, leadsTo: ['prepared › loseSlot'] },
  },
  {
    ...{ name: 'two at one slot', only: ['named nonce', 'transfer'], wallets: 1, size: 8 },
    ...{ seed: 21, leadsTo: ['prepared › refuse'] },
  },
  {
    ...{ name: 'turned back', only: ['transfer'], weather: { chain: ['reorganize'] }, size: 8 },
    ...{ seed: 3, leadsTo: ['included › displace', 'included › include'] },
  },
  {
    ...{ name: 'turned back unseen', only: ['transfer'], size: 8, wallets: 1 },
    weather: { chain: ['reorganize', 'outside', 'down'] },
    ...{ seed: 34, leadsTo: ['included › lapse'] },
  },
  {
    ...{ name: 'held', only: ['transfer'], policies: ['asks'], size: 8 },
    leadsTo: ['asked › pass', 'held › release', 'held › reject'],
  },
  {
    ...{ name: 'blocked', only: ['transfer'], policies: ['blocks'], wallets: 1 },
    leadsTo: ['asked › reject'],
  },
  {
    ...{ name: 'held late', only: ['transfer'], laterPolicies: ['asks'], wallets: 1, size: 8 },
    ...{ seed: 6, leadsTo: ['prepared › hold'] },
  },
  {
    ...{ name: 'blocked late', only: ['transfer'], laterPolicies: ['blocks'], wallets: 1 },
    ...{ size: 8, seed: 4, leadsTo: ['prepared › reject'] },
  },
  {
    ...{ name: 'nobody to ask', only: ['short of time'], policies: ['asks'], wallets: 1 },
    ...{ weather: { chain: ['down'], lasts: 40 }, seed: 7, leadsTo: ['asked › expire'] },
  },
]
/** Somebody else pays. */
const sponsoredKinds = [
  ...scenarios
    .filter((only) => mayBeSponsored(only))
    .map((only) => ({ name: `sponsored ${only}`, only: [only], size: 6 })),
  {
    ...{ name: 'sponsored, dearer and dearer', only: ['transfer'], size: 10, seed: 48 },
    // Until its day allows no more.
    ...{ weather: { chain: ['fees'], momentMsMax: 30_000, lasts: 120 }, perDay: 4n * 10n ** 15n },
    leadsTo: ['sponsored signed › outbid', 'sponsorship prepared › again'],
  },
  {
    ...{ name: 'sponsored, dearer and dearer', only: ['transfer'], size: 10, seed: 42 },
    ...{ weather: { chain: ['fees'], momentMsMax: 30_000, lasts: 120 }, perDay: 4n * 10n ** 15n },
    leadsTo: ['sponsored broadcasted › outbid'],
  },
  {
    ...{ name: 'sponsored, turned back', only: ['transfer'], size: 10, wallets: 1, seed: 15 },
    weather: { chain: ['reorganize'] },
    leadsTo: ['sponsored', 'sponsorship'].flatMap((row) => [
      ...[`${row} included › displace`, `${row} included › include`],
    ]),
  },
  {
    ...{ name: 'sponsored beside others', only: ['transfer'], size: 8, wallets: 1, seed: 36 },
    ...{ weather: { chain: ['outside'] }, leadsTo: ['sponsorship prepared › loseSlot'] },
  },
  {
    ...{ name: 'sponsored beside others', only: ['transfer'], size: 8, wallets: 1, seed: 10 },
    ...{ weather: { chain: ['outside'] }, leadsTo: ['sponsorship signed › lapse'] },
  },
  {
    ...{ name: 'sponsored beside others', only: ['transfer'], size: 8, wallets: 1, seed: 55 },
    weather: { chain: ['outside'] },
    leadsTo: ['sponsored broadcasted › lapse', 'sponsorship broadcasted › lapse'],
  },
  {
    ...{ name: 'sponsored, answers lost', only: ['transfer'], size: 6, seed: 4 },
    weather: { chain: ['drop'], lossy: 0.5 },
    leadsTo: ['sponsorship signed › include'],
  },
  {
    ...{ name: 'sponsored, nobody at the node', only: ['short of time'], size: 6, seed: 2 },
    ...{ weather: { chain: ['down'] }, leadsTo: ['sponsorship slotted › expire'] },
  },
  {
    ...{ name: 'sponsored, nobody at the signers', only: ['short of time'], size: 6, seed: 15 },
    weather: { chain: [], deaf: 0.8 },
    leadsTo: ['sponsorship prepared › expire', 'sponsored prepared › expire'],
  },
  {
    ...{ name: 'sponsored and refused', only: ['transfer'], size: 6, seed: 45 },
    ...{ weather: { chain: [], deaf: 0.5 }, leadsTo: ['sponsorship prepared › refuse'] },
  },
  {
    ...{ name: 'sponsored, nobody to ask', only: ['short of time'], policies: ['asks'] },
    ...{ wallets: 1, weather: { chain: ['down'], lasts: 40 }, seed: 2 },
    leadsTo: ['sponsored asked › expire'],
  },
  {
    ...{ name: 'sponsored and held', only: ['transfer'], policies: ['asks'], size: 8 },
    leadsTo: ['sponsored asked › pass', 'sponsored held › release', 'sponsored held › reject'],
  },
  {
    ...{ name: 'sponsored and blocked', only: ['transfer'], policies: ['blocks'], wallets: 1 },
    leadsTo: ['sponsored asked › reject'],
  },
  {
    ...{ name: 'sponsored, held late', only: ['transfer'], laterPolicies: ['asks'], wallets: 1 },
    ...{ size: 8, seed: 2, leadsTo: ['sponsored prepared › hold'] },
  },
  {
    ...{ name: 'sponsored, blocked late', only: ['transfer'], laterPolicies: ['blocks'] },
    ...{ wallets: 1, size: 8, seed: 2, leadsTo: ['sponsored prepared › reject'] },
  },
] as const satisfies readonly (Kind & { readonly perDay?: bigint })[]

const allKinds: readonly Kind[] = [
  ...kinds,
  ...sponsoredKinds.map((kind): Kind => {
    const limits = 'perDay' in kind ? { perDay: kind.perDay.toString() } : {}
    return { ...kind, sponsors: [limits] }
  }),
]
/** Each once, and again for as long as it has not led to where it leads with some luck. */
const roundsMax = 12

/**
 * Moves that are not counted, since nothing that is simulated here can make them: what was confirmed is put
 * back by whoever follows the chain for histories, which is not here. An abort is a move that a request makes.
 */
const elsewhere = ['confirmed › displace', 'reverted › displace'] as const
/** Those of what somebody else pays for, and of what is sent for it: the others have no such part. */
const ofSponsors = ['outbid', 'again', 'requested › prepare'] as const
/** It has no slot, and goes where what is sent for it goes. */
const notSponsored = ['takeSlot', 'slotted', 'loseSlot', 'again', 'included › lapse'] as const
/** Nobody is asked about it, nor has it a slot of its own choice; the sponsor's wallet has no policies here. */
const notSponsorship = [
  ...(['asked', 'held', 'hold', 'reject', 'requested › prepare', 'requested › refuse'] as const),
  // What fills a slot for a request that has ended is left lying by chance alone.
  ...(['outbid', 'included › lapse'] as const),
] as const

const all = moves
  .filter(({ event }) => event !== 'abort')
  .map(({ state, event }) => `${state} › ${event}`)

function without(...parts: readonly string[]): readonly string[] {
  const isIn = (move: string, part: string) =>
    part.includes(' ') ? move === part : move.split(' › ').includes(part)
  return all.filter((move) => ![...elsewhere, ...parts].some((part) => isIn(move, part)))
}

/** What people ask for writes as well. */
const asked = [
  'request a transfer',
  'request a transaction',
  'cancel',
  'speed-up',
  'abort',
  'decide',
]
const sought: readonly string[] = [
  ...asked,
  ...without(...ofSponsors),
  ...without(...notSponsored).map((move) => `sponsored ${move}`),
  ...without(...notSponsorship).map((move) => `sponsorship ${move}`),
]

/** All places where something is written, found in small worlds that between them make every move. */
export async function takeCensus(simulator: Simulator): Promise<Census> {
  const played: { drill: Drill; played: Played }[] = []
  const places = new Map<string, Drill>()
  const isReached = (move: string) => [...places.keys()].some((one) => one.startsWith(move))
  for (let round = 0; round < roundsMax; round++) {
    const left = allKinds.filter(
      ({ leadsTo = [] }) => round === 0 || !leadsTo.every((move) => isReached(move)),
    )
    const run = async (kind: Kind) => {
      const drill = drillOf(kind, round)
      return { drill, played: await simulator.play({ ...drill, targets: [] }) }
    }
    for (const one of await Promise.all(left.map(run))) {
      played.push(one)
      for (const place of one.played.faults.places)
        if (!places.has(place)) places.set(place, one.drill)
    }
  }
  const unreached = sought.filter((move) => !isReached(move))
  const fates = ['dies before', 'dies after'] as const
  const points = [...places]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([place, drill]) => fates.map((fate) => ({ place, fate, time: 1, drill })))
  return { points, unreached, played }
}

function drillOf(kind: Kind, round: number): Drill {
  const { name, only, weather, size = sizeUsual, nodes = 1, wallets = 2, seed = 1 } = kind
  const { policies = [], laterPolicies = [], sponsors = [] } = kind
  const governed = { policies, laterPolicies, sponsors, sponsoredChance: 1 }
  const shape = { servers: 2, nodes, wallets, transfers: size, only, ...governed }
  return {
    seed: `${name} ${seed + round}`,
    ...shape,
    ...(weather === undefined ? {} : { weather }),
  }
}
