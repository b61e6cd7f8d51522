import { nameOf } from '@quorate/core/id'
import { isObject } from '@quorate/core/json'
import { operations, type OperationName } from '../operations.ts'
import { keyTable, walletTable, type RecordOf } from '../records.ts'
import { blockedReason, judgeApproved } from './approved.ts'
import { subjectId, type Authored } from './author.ts'
import { activePolicies, definitionOf, type ActivePolicy } from './definitions.ts'
import {
  find,
  refuse,
  type Activity,
  type Judging,
  type PolicyAsk,
  type PolicyEvaluation,
  type PolicyVerdict,
  type SignablePlan,
} from './judging.ts'
import { spendingOf } from './spending.ts'

/** What policies come to. `heldBy` are those that want an approval. */
export type Gate = {
  readonly verdict: 'allow' | 'hold' | 'deny'
  readonly heldBy: readonly ActivePolicy[]
  readonly reason: string
  readonly evaluations: readonly PolicyEvaluation[]
}
const free: Gate = { verdict: 'allow', heldBy: [], reason: '', evaluations: [] }

export type UseActivity = Extract<Activity, { kind: 'Wallets:Sign' }>

/**
 * What the organization's policies say of this, under the records as they are: every signer works it
 * out again from what was signed.
 */
export function evaluate(judging: Judging, activity: Activity | undefined): Gate {
  const policies = activity === undefined ? [] : activePolicies(judging, activity.kind)
  if (activity === undefined || policies.length === 0) return free
  const named = policies.map((one) => ({ ...one, id: nameOf('policy', one.policy) }))
  const { heldBy, ...said } = evaluateBy(
    judging,
    activity,
    named.map(({ id, definition }) => ({ id, definition: definitionOf(judging, definition) })),
  )
  const holding = named.filter(({ id }) => heldBy.includes(id))
  return { ...said, heldBy: holding.map(({ policy, definition }) => ({ policy, definition })) }
}

/** What just these policies say, in force or not. */
export function evaluateBy(
  judging: Judging,
  activity: Activity,
  policies: PolicyAsk['policies'],
): PolicyVerdict {
  return judging.rules.policies.evaluate({
    policies,
    activity,
    facts: judging.evidence.facts,
    spending: spendingOf(judging),
    time: judging.step.time,
  })
}

/** Refuses what a policy blocks, and what nobody has approved that one wants approved. */
export function judgeGate(judging: Judging, activity: Activity | undefined): void {
  const gate = evaluate(judging, activity)
  if (gate.verdict === 'deny') refuse(blockedReason + gate.reason)
  judgeApproved(judging, gate)
}

/** Keys that their owner alone uses are his, and no policy of the organization is on them. */
export function useActivity(
  judging: Judging,
  { owner, wallets }: Pick<RecordOf<typeof keyTable>, 'owner' | 'wallets'>,
  plan: Pick<SignablePlan, 'outflow' | 'replaces'> & Pick<UseActivity, 'excess'>,
): UseActivity | undefined {
  if (owner !== undefined) return undefined
  return {
    kind: 'Wallets:Sign',
    wallets: wallets.map(({ wallet }) => ({
      id: nameOf('wallet', wallet),
      tags: find(judging, walletTable, wallet)?.tags ?? [],
    })),
    outflow: plan.outflow,
    isCounted: judging.isRenewal || plan.replaces !== undefined,
    excess: plan.excess,
  }
}

/** What such requests are to policies, if they are about them at all. */
export function activityKindOf(name: OperationName): Activity['kind'] | undefined {
  if (operations[name].changes.item === 'use') return 'Wallets:Sign'
  return governed[name]
}

const governed: { readonly [Name in OperationName]?: GovernedKind } = {
  'permissions.updatePermission': 'Permissions:Modify',
  'permissions.archivePermission': 'Permissions:Modify',
  'permissions.createAssignment': 'Permissions:Assign',
  'permissions.deleteAssignment': 'Permissions:Assign',
  // Whoever makes an identity with a permission has assigned it.
  'auth.createServiceAccount': 'Permissions:Assign',
  'auth.createPersonalAccessToken': 'Permissions:Assign',
  'policies.updatePolicy': 'Policies:Modify',
  'policies.archivePolicy': 'Policies:Modify',
  'policies.createPolicy': 'Policies:Create',
}
type GovernedKind = Exclude<Activity['kind'], 'Wallets:Sign'>

/** What a request of the root stream is to policies, if they are about such requests at all. */
export function governedActivity(
  judging: Judging,
  { match, body }: Authored,
): Activity | undefined {
  const kind = governed[match.name]
  if (kind === undefined) return undefined
  if (kind === 'Policies:Create') return { kind, id: '' }
  if (kind === 'Policies:Modify')
    return { kind, id: nameOf('policy', subjectId(judging, 'policyId')) }
  const isAsked =
    !match.operation.creates.includes('token') ||
    (isObject(body) && body['permissionId'] !== undefined)
  return isAsked
    ? { kind, id: nameOf('permission', subjectId(judging, 'permissionId')) }
    : undefined
}
