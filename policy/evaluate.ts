import type { Activity } from './activity.ts'
import type { Filters, Policy } from './policy.ts'
import { type Finding, judgeRule, type Moment, type Signing } from './rules.ts'

/** A policy as it is in force, under its name on the wire. */
export type NamedPolicy = { readonly id: string; readonly policy: Policy }

export type Evaluation = {
  readonly verdict: 'allow' | 'hold' | 'deny'
  /** Of every policy of this kind whose filters match, by id: so that order says nothing. */
  readonly evaluations: readonly PolicyEvaluation[]
  /** The policies whose groups have to approve, by id, whatever the verdict. */
  readonly heldBy: readonly NamedPolicy[]
}

export type PolicyEvaluation = Finding & { readonly policyId: string }

/** Without a policy everything is allowed; one that blocks beats all that hold, and those all others. */
export function evaluate(
  policies: readonly NamedPolicy[],
  activity: Activity,
  at: Moment,
): Evaluation {
  const matching = policies.filter(({ policy }) => matches(policy, activity)).sort(byId)
  const signing: Signing | undefined =
    activity.kind === 'Wallets:Sign' ? { ...activity, ...at } : undefined
  const evaluations = matching.map(({ id, policy }): PolicyEvaluation => {
    return { policyId: id, ...judgeRule(policy.rule, signing) }
  })
  const triggered = matching.filter((_, i) => evaluations[i]?.triggered)
  const having = (kind: Policy['action']['kind']) =>
    triggered.filter(({ policy }) => policy.action.kind === kind)
  const heldBy = having('RequestApproval')
  const held = heldBy.length > 0 ? 'hold' : 'allow'
  return { verdict: having('Block').length > 0 ? 'deny' : held, evaluations, heldBy }
}

function matches({ activityKind, filters }: Policy, activity: Activity): boolean {
  if (activityKind !== activity.kind) return false
  if (activity.kind !== 'Wallets:Sign') return filters.ids?.includes(activity.id) ?? true
  return matchesKey(filters, activity.wallets)
}

/**
 * Over all wallets of the key together, so that it applies whenever it would to one of them: what a
 * policy forbids one wallet, a second one of the same key cannot do either.
 */
function matchesKey(
  { ids, hasAny, hasAll }: Filters,
  wallets: Extract<Activity, { kind: 'Wallets:Sign' }>['wallets'],
): boolean {
  const has = (tag: string) => wallets.some(({ tags }) => tags.includes(tag))
  return (
    (ids === undefined || wallets.some(({ id }) => ids.includes(id))) &&
    (hasAny?.some(has) ?? true) &&
    (hasAll?.every(has) ?? true)
  )
}

/** By code unit, which no locale changes. */
function byId(a: NamedPolicy, b: NamedPolicy): number {
  return a.id < b.id ? -1 : Number(a.id > b.id)
}
