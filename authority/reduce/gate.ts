import { nameOf } from '@quorate/core/id'
import { isObject } from '@quorate/core/json'
import { keyTable, walletTable, type RecordOf } from '../records.ts'
import { blockedReason, judgeApproved } from './approved.ts'
import { subjectId, type Authored } from './author.ts'
import { activePolicies, definitionOf, type ActivePolicy } from './definitions.ts'
import { find, refuse, type Activity, type Judging, type Plan } from './judging.ts'
import { spendingOf } from './spending.ts'

/** What policies come to. `heldBy` are those that want an approval. */
export type Gate = {
  readonly verdict: 'allow' | 'hold' | 'deny'
  readonly heldBy: readonly ActivePolicy[]
  readonly reason: string
}
const free: Gate = { verdict: 'allow', heldBy: [], reason: '' }

/**
 * What the organization's policies say of this, under the records as they are: every signer works it
 * out again from what was signed.
 */
export function evaluate(judging: Judging, activity: Activity | undefined): Gate {
  const policies = activity === undefined ? [] : activePolicies(judging, activity.kind)
  if (activity === undefined || policies.length === 0) return free
  const named = policies.map((one) => ({ ...one, id: nameOf('policy', one.policy) }))
  const { verdict, heldBy, reason } = judging.rules.policies.evaluate({
    policies: named.map(({ id, definition }) => ({
      id,
      definition: definitionOf(judging, definition),
    })),
    activity,
    facts: judging.evidence.facts,
    spending: spendingOf(judging),
    time: judging.step.time,
  })
  const holding = named.filter(({ id }) => heldBy.includes(id))
  return {
    verdict,
    reason,
    heldBy: holding.map(({ policy, definition }) => ({ policy, definition })),
  }
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
  { outflow }: Pick<Extract<Plan, { ok: true }>, 'outflow'>,
): Activity | undefined {
  if (owner !== undefined) return undefined
  return {
    kind: 'Wallets:Sign',
    wallets: wallets.map(({ wallet }) => ({
      id: nameOf('wallet', wallet),
      tags: find(judging, walletTable, wallet)?.tags ?? [],
    })),
    outflow,
    isCounted: judging.isRenewal,
  }
}

/** What a request of the root stream is to policies, if they are about such requests at all. */
export function governedActivity(
  judging: Judging,
  { match, body }: Authored,
): Activity | undefined {
  const about = (kind: 'permission' | 'policy') => nameOf(kind, subjectId(judging, `${kind}Id`))
  switch (match.name) {
    case 'permissions.updatePermission':
    case 'permissions.archivePermission':
      return { kind: 'Permissions:Modify', id: about('permission') }
    case 'permissions.createAssignment':
    case 'permissions.deleteAssignment':
      return { kind: 'Permissions:Assign', id: about('permission') }
    // Whoever makes an identity with a permission has assigned it.
    case 'auth.createServiceAccount':
    case 'auth.createPersonalAccessToken':
      return isObject(body) && body['permissionId'] !== undefined
        ? { kind: 'Permissions:Assign', id: about('permission') }
        : undefined
    case 'policies.updatePolicy':
    case 'policies.archivePolicy':
      return { kind: 'Policies:Modify', id: about('policy') }
    case 'policies.createPolicy':
      return { kind: 'Policies:Create', id: '' }
    default:
      return undefined
  }
}
