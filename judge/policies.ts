import type { Opinions } from '@quorate/core/outflow'
import { toHex } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import type {
  PolicyAsk,
  PolicyRules,
  PolicyVerdict,
  PolicyView,
} from '@quorate/authority/reduce/judging'
import type { Json } from '@quorate/core/json'
import { decodeFacts } from '@quorate/effects/facts'
import type { Networks } from '@quorate/effects/networks'
import { evaluate } from '@quorate/policy/evaluate'
import { decodePolicy, encodePolicy } from '@quorate/policy/format'
import type { Policy, Rule } from '@quorate/policy/policy'
import { readPolicy, type ReadPolicy } from '@quorate/policy/read'
import { worthOf } from '@quorate/policy/worth'

/** What policies say, for rules that know of them only who has to approve. */
export function policyRulesOn(networks: Networks): PolicyRules {
  return {
    read: (body) => {
      const read = readPolicyOn(networks, body)
      return read.ok ? { ok: true, definition: encodePolicy(read.policy) } : read
    },
    view: (definition) => viewOf(policyOf(definition)),
    evaluate: judged,
    worth: (outflow, facts, time) => worthOf(outflow, opinionsOf(facts), time),
  }
}

/**
 * Reads a policy by `policy/read`, and refuses a limit that nothing could ever reach: of an asset that no
 * transaction moves under that name, on any network there is.
 */
export function readPolicyOn(networks: Networks, body: Json): ReadPolicy {
  const read = readPolicy(body)
  const reason = read.ok ? flawOfAsset(networks, read.policy.rule) : undefined
  return reason === undefined ? read : { ok: false, unsupported: false, reason }
}

function flawOfAsset(networks: Networks, rule: Rule): string | undefined {
  if (!('asset' in rule)) return undefined
  const [id = '', , contract] = rule.asset.split('/')
  const network = networks.find(id)
  if (network?.family !== 'evm') return `asset is on ${id}, and there is no such network`
  if (contract !== undefined && network.nativeContract?.address === contract)
    return `asset is the coin of ${id}, and called ${id}/Native`
  return undefined
}

function viewOf({ activityKind: kind, action, filters }: Policy): PolicyView {
  const isAsking = action.kind === 'RequestApproval'
  return {
    kind,
    groups: isAsking ? action.groups : [],
    autoRejectTimeout: isAsking ? action.autoRejectTimeout : undefined,
    ids: filters.ids ?? [],
  }
}

function judged({ policies, activity, facts, spending, time }: PolicyAsk): PolicyVerdict {
  const active = policies.map(({ id, definition }) => ({ id, policy: policyOf(definition) }))
  const { verdict, heldBy, evaluations } = evaluate(active, activity, {
    ...{ facts: opinionsOf(facts), spending, time },
  })
  const reasons = evaluations.filter(({ triggered }) => triggered).map(({ reason }) => reason)
  return { verdict, heldBy: heldBy.map(({ id }) => id), reason: reasons.join(' '), evaluations }
}

/** Decoded a moment ago, by hash: one organization's policies are read at every use of its keys. */
const known = new Map<string, Policy>()
const knownMax = 4_096

function policyOf(definition: Uint8Array): Policy {
  const name = toHex(sha256(definition))
  const policy = known.get(name) ?? decodePolicy(definition)
  const [oldest] = known.keys()
  if (known.size >= knownMax && oldest !== undefined) known.delete(oldest)
  known.set(name, policy)
  return policy
}

/** Requests of the root stream rest on no facts. */
function opinionsOf(facts: Uint8Array): Opinions {
  const { prices = [], screenings = [] } = facts.length === 0 ? {} : decodeFacts(facts)
  return { prices, screenings }
}
