import type { Movement, Opinions, Outflow, Spending } from '@quorate/core/outflow'
import type { Activity } from '../activity.ts'
import type { NamedPolicy } from '../evaluate.ts'
import { type Action, type ActivityKind, activityKinds, type Policy, type Rule } from '../policy.ts'
import type { Moment } from '../rules.ts'
import { traitsOf } from '../bounds.ts'

/** Draws a number below the given one. */
export type Draw = (below: number) => number

/** Marsaglia, "Xorshift RNGs", 32 bits: the same every time. */
export function numbersFrom(seed: number): Draw {
  let state = (seed * 2_654_435_761 + 1) | 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

export function pick<T>(list: readonly [T, ...(readonly T[])] | readonly T[], next: Draw): T {
  const picked = list[next(list.length)]
  if (picked === undefined) throw new RangeError('an empty list')
  return picked
}

/** Few, so that they meet. */
const now = Date.UTC(2026, 0, 31)
const assets = ['EthereumSepolia/Native', `EthereumSepolia/Erc20/0x${'c0'.repeat(20)}`] as const
const people = ['0xa', '0xb', '0xc', '0xd'] as const
const wallets = ['wa-1', 'wa-2', 'wa-3'] as const
const tags = ['hot', 'cold', 'eu'] as const
const things = ['pm-1', 'plc-1', 'plc-2'] as const
const kinds = Object.keys(activityKinds).filter(
  (kind): kind is Exclude<ActivityKind, 'Wallets:IncomingTransaction'> =>
    kind !== 'Wallets:IncomingTransaction',
)

export function namedPolicyFrom(next: Draw): NamedPolicy {
  return { id: `plc-${next(1_000_000)}`, policy: policyFrom(next) }
}

export function policyFrom(next: Draw): Policy {
  const activityKind = next(4) > 0 ? 'Wallets:Sign' : pick(kinds, next)
  const { ids, actions } = traitsOf[activityKind]
  const isSign = activityKind === 'Wallets:Sign'
  const named = isSign ? wallets : things
  return {
    name: `policy ${next(100)}`,
    activityKind,
    rule: isSign ? ruleFrom(next) : { kind: 'AlwaysTrigger' },
    action: actionFrom(pick(actions, next), next),
    filters: {
      ids: ids !== undefined && next(4) === 0 ? some(named, next) : undefined,
      hasAny: isSign && next(5) === 0 ? some(tags, next) : undefined,
      hasAll: isSign && next(5) === 0 ? some(tags, next) : undefined,
    },
  }
}

export function ruleFrom(next: Draw): Rule {
  const timeframe = 1 + next(300)
  const asset = pick(assets, next)
  const fiat = { currency: 'USD', limit: BigInt(next(20_000)) * 500_000n } as const
  const units = { asset, limit: BigInt(next(1_000)) * 10n ** 16n }
  return pick<Rule>(
    [
      { kind: 'AlwaysTrigger' },
      { kind: 'RawSigning' },
      { kind: 'TransactionRecipientScreening' },
      { kind: 'TransactionRecipientWhitelist', addresses: some(people, next) },
      { kind: 'TransactionAmountLimit', ...fiat },
      { kind: 'TransactionAmountVelocity', ...fiat, timeframe },
      { kind: 'TransactionCountVelocity', limit: next(6), timeframe },
      { kind: 'TransactionAssetLimit', ...units },
      { kind: 'TransactionAssetVelocity', ...units, timeframe },
    ],
    next,
  )
}

function actionFrom(kind: Action['kind'], next: Draw): Action {
  if (kind !== 'RequestApproval') return { kind }
  const groups = Array.from({ length: 1 + next(3) }, (_, i) => {
    const approvers = next(2) === 0 ? undefined : some(['us-1', 'us-2', 'us-3'], next)
    return {
      name: next(2) === 0 ? undefined : `group ${i}`,
      quorum: 1 + next(approvers?.length ?? 3),
      approvers,
      initiatorCanApprove: next(2) === 0,
      serviceAccountsCanApprove: next(2) === 0,
    }
  })
  return { kind, groups, autoRejectTimeout: next(2) === 0 ? undefined : 1 + next(500_000) }
}

export function activityFrom(next: Draw): Activity {
  const kind = next(5) > 0 ? 'Wallets:Sign' : pick(kinds, next)
  if (kind !== 'Wallets:Sign') return { kind, id: pick([...things, ''], next) }
  return {
    kind,
    wallets: Array.from({ length: next(3) }, () => ({
      id: pick(wallets, next),
      tags: next(2) === 0 ? [] : some(tags, next),
    })),
    outflow: outflowFrom(next),
    isCounted: next(6) === 0,
    excess: next(3) === 0 ? { asset: pick(assets, next), amount: BigInt(next(50)) } : undefined,
  }
}

export function outflowFrom(next: Draw): Outflow {
  const movements = Array.from({ length: next(4) }, (): Movement => {
    const amount = BigInt(next(1_000)) * 10n ** BigInt(next(17))
    return { asset: pick(assets, next), to: pick(people, next), amount }
  })
  const isRaw = next(10) === 0
  return {
    ...{ isKnown: !isRaw && next(8) > 0, isRaw, movements },
    fee: next(3) === 0 ? undefined : { asset: assets[0], amount: BigInt(next(1e9)) * 10n ** 6n },
  }
}

export function momentFrom(next: Draw): Moment {
  return { facts: factsFrom(next), spending: spendingFrom(next), time: now }
}

function factsFrom(next: Draw): Opinions {
  const at = () => now + 60_000 - next(10) * 600_000
  return {
    prices: Array.from({ length: 1 + next(5) }, () => ({
      ...{
        asset: pick(assets, next),
        currency: 'USD' as const,
        micros: BigInt(next(4_000)) * 10n ** 6n,
      },
      ...{ decimals: pick([6, 18, 18, 18, 40], next), source: 'treasury', at: at() },
    })),
    screenings: people.flatMap((address) =>
      next(4) === 0 ? [] : [{ address, isListed: next(6) === 0, source: 'list', at: at() }],
    ),
  }
}

function spendingFrom(next: Draw): Spending {
  const uses = Array.from({ length: next(6) }, () => ({
    ...{ at: now - next(20_000_000), micros: BigInt(next(5_000)) * 1_000_000n },
    ...{ asset: pick(assets, next), amount: BigInt(next(1_000)) * 10n ** 15n },
    ...{ isPriced: next(12) > 0, isKnown: next(12) > 0 },
  }))
  const after = (since: number) => uses.filter(({ at }) => at > since)
  return {
    uses: (since) => ({
      count: after(since).length,
      micros: after(since).reduce((sum, use) => sum + use.micros, 0n),
      unpriced: after(since).filter(({ isPriced }) => !isPriced).length,
      unknown: after(since).filter(({ isKnown }) => !isKnown).length,
    }),
    asset: (asset, since) =>
      after(since).reduce((sum, use) => (use.asset === asset ? sum + use.amount : sum), 0n),
    hasMoved: (asset, since) => after(since).some((use) => use.asset === asset),
  }
}

/** At least one, each once. */
function some<T>(list: readonly T[], next: Draw): readonly T[] {
  const first = next(list.length)
  return list.filter((_, i) => i === first || next(3) === 0)
}
