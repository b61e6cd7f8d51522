import type { Outflow } from '@quorate/core/outflow'
import { fromUtf8, toUtf8 } from '@quorate/core/bytes'
import { isObject, parseJson, type Json, type JsonObject } from '@quorate/core/json'
import type { PolicyRules, PolicyView } from '../reduce/judging.ts'

/** `policy/` has the real ones; here a policy is its body, and triggers always or by count. */
export const policies: PolicyRules = {
  read: (body) =>
    isObject(body) && typeof body['activityKind'] === 'string'
      ? { ok: true, definition: toUtf8(JSON.stringify(body)) }
      : { ok: false, reason: 'that is no policy' },
  view,
  worth: () => 0n,
  evaluate: ({ policies: active, activity, spending, time }) => {
    const triggered = active.filter(({ definition }) => {
      const rule = member(read(definition), 'rule')
      const { limit, timeframe } = rule
      if (activity.kind !== 'Wallets:Sign' || typeof limit !== 'number') return true
      const since = time - Number(timeframe) * 60_000
      return spending.uses(since).count + (activity.isCounted ? 0 : 1) > limit
    })
    const actionOf = (definition: Uint8Array) => member(read(definition), 'action')['kind']
    const heldBy = triggered
      .filter(({ definition }) => actionOf(definition) === 'RequestApproval')
      .map(({ id }) => id)
    const isBlocked = triggered.some(({ definition }) => actionOf(definition) === 'Block')
    return {
      verdict: isBlocked ? 'deny' : heldBy.length > 0 ? 'hold' : 'allow',
      heldBy,
      reason: triggered.length > 0 ? 'it always triggers' : '',
      evaluations: active.map((one) => ({
        ...{ policyId: one.id, triggered: triggered.includes(one), reason: '' },
      })),
    }
  },
}

/** Nothing leaves that anybody knows of. */
export const nothingLeaves: Outflow = {
  ...{ isKnown: true, isRaw: false, movements: [] },
  fee: undefined,
}

function view(definition: Uint8Array): PolicyView {
  const body = read(definition)
  const { approvalGroups, autoRejectTimeout } = member(body, 'action')
  return {
    kind: String(body['activityKind']),
    groups: listOf(approvalGroups).map((group) => {
      const named = member(member(group, 'approvers'), 'userId')['in']
      return {
        quorum: Number(group['quorum']),
        approvers: named === undefined ? undefined : textsOf(named),
        initiatorCanApprove: group['initiatorCanApprove'] === true,
        serviceAccountsCanApprove: group['serviceAccountsCanApprove'] === true,
      }
    }),
    autoRejectTimeout: typeof autoRejectTimeout === 'number' ? autoRejectTimeout : undefined,
    ids: textsOf(member(body, 'filters')['ids']),
  }
}

function read(definition: Uint8Array): JsonObject {
  const body = parseJson(fromUtf8(definition))
  return isObject(body) ? body : {}
}

function member(of: JsonObject, name: string): JsonObject {
  const value = of[name]
  return isObject(value) ? value : {}
}

function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

function textsOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : []
}
