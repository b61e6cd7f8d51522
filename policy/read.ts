import { Failure, isFailure } from '@quorate/core/failure'
import { isObject, type Json, type JsonObject } from '@quorate/core/json'
import { numberToMicros } from './decimal.ts'
import { flawOf, traitsOf } from './bounds.ts'
import { encodePolicy } from './format.ts'
import {
  type Action,
  type ActivityKind,
  activityKinds,
  type ApprovalGroup,
  type Filters,
  type Policy,
  type Rule,
} from './policy.ts'

export type ReadPolicy =
  | { readonly ok: true; readonly policy: Policy }
  | { readonly ok: false; readonly unsupported: boolean; readonly reason: string }

/** Reads the body of `POST` and `PUT /v2/policies`. A member that nobody knows is refused. */
export function readPolicy(body: Json): ReadPolicy {
  try {
    const policy = policyOf(body)
    const flaw = flawOf(policy)
    if (flaw !== undefined) return { ok: false, unsupported: false, reason: flaw }
    encodePolicy(policy)
    return { ok: true, policy }
  } catch (error) {
    if (isFailure(error, 'request.unsupported'))
      return { ok: false, unsupported: true, reason: error.context.reason }
    if (isFailure(error, 'request.refused'))
      return { ok: false, unsupported: false, reason: error.context.reason }
    // Every list is within its own limit by now: it is all of them together.
    if (isFailure(error, 'bytes.malformed'))
      return { ok: false, unsupported: false, reason: 'the policy is too large' }
    throw error
  }
}

function policyOf(body: Json): Policy {
  const members = ['name', 'activityKind', 'rule', 'action', 'filters']
  const { name, activityKind, rule, action, filters } = objectOf(body, 'the body', members)
  const kind = textOf(activityKind, 'activityKind')
  if (!isActivityKind(kind)) throw refused('activityKind is not a known one')
  return {
    name: textOf(name, 'name'),
    activityKind: kind,
    rule: ruleOf(rule),
    action: actionOf(action),
    filters: filtersOf(kind, filters),
  }
}

const configurations: { readonly [K in Rule['kind']]: readonly string[] } = {
  AlwaysTrigger: [],
  TransactionRecipientWhitelist: ['addresses'],
  TransactionAmountLimit: ['limit', 'currency'],
  TransactionAmountVelocity: ['limit', 'currency', 'timeframe'],
  TransactionCountVelocity: ['limit', 'timeframe'],
  TransactionAssetLimit: ['asset', 'limit'],
  TransactionAssetVelocity: ['asset', 'limit', 'timeframe'],
  RawSigning: [],
  TransactionRecipientScreening: [],
}

/** Rules of the API that ask a vendor. None of them is asked here, and a rule that never looks would be a trap. */
const vendors: Readonly<Record<string, string>> = {
  ChainalysisTransactionPrescreening: 'Chainalysis',
  ChainalysisTransactionScreening: 'Chainalysis',
  GlobalLedgerTransactionPrescreening: 'Global Ledger',
  TravelRuleTransactionPrescreening: 'Notabene',
}

function ruleOf(value: Json | undefined): Rule {
  const { kind: asked, configuration } = objectOf(value, 'rule', ['kind', 'configuration'])
  const kind = textOf(asked, 'rule.kind')
  if (Object.hasOwn(vendors, kind))
    throw unsupported(`${kind} needs ${vendors[kind]}, which is not connected here`)
  if (!isRuleKind(kind)) throw refused('rule.kind is not a known one')
  const where = 'rule.configuration'
  const members = objectOf(configuration ?? {}, where, configurations[kind])
  switch (kind) {
    case 'TransactionRecipientWhitelist':
      return { kind, addresses: textsOf(members['addresses'], `${where}.addresses`) }
    case 'TransactionAmountLimit':
      return { kind, ...fiatOf(members) }
    case 'TransactionAmountVelocity':
      return { kind, ...fiatOf(members), ...timeframeOf(members) }
    case 'TransactionCountVelocity':
      return {
        ...{ kind, limit: integerOf(members['limit'], `${where}.limit`) },
        ...timeframeOf(members),
      }
    case 'TransactionAssetLimit':
      return { kind, ...unitsOf(members) }
    case 'TransactionAssetVelocity':
      return { kind, ...unitsOf(members), ...timeframeOf(members) }
    default:
      return { kind }
  }
}

function fiatOf({ currency, limit }: JsonObject): { currency: 'USD'; limit: bigint } {
  if (currency !== 'USD') throw refused('rule.configuration.currency is not USD')
  const micros = typeof limit === 'number' ? numberToMicros(limit) : undefined
  if (micros === undefined)
    throw refused('rule.configuration.limit is not a number of at most six decimal places')
  return { currency, limit: micros }
}

function unitsOf({ asset, limit }: JsonObject): { asset: string; limit: bigint } {
  // The length keeps what is read within what can be meant: 78 digits hold every 256-bit number.
  if (typeof limit !== 'string' || !/^(?:0|[1-9][0-9]{0,77})$/.test(limit))
    throw refused("rule.configuration.limit is not a text of digits, in the asset's smallest unit")
  return { asset: textOf(asset, 'rule.configuration.asset'), limit: BigInt(limit) }
}

function timeframeOf({ timeframe }: JsonObject): { timeframe: number } {
  return { timeframe: integerOf(timeframe, 'rule.configuration.timeframe') }
}

function actionOf(value: Json | undefined): Action {
  const members = ['kind', 'approvalGroups', 'autoRejectTimeout']
  const { kind, ...rest } = objectOf(value, 'action', members)
  if (kind === 'Block' || kind === 'NoAction') {
    objectOf(rest, `a ${kind}`, [])
    return { kind }
  }
  if (kind !== 'RequestApproval') throw refused('action.kind is not a known one')
  const { approvalGroups, autoRejectTimeout } = rest
  return {
    kind,
    groups: listOf(approvalGroups, 'action.approvalGroups').map(groupOf),
    autoRejectTimeout:
      autoRejectTimeout === undefined || autoRejectTimeout === null
        ? undefined
        : integerOf(autoRejectTimeout, 'action.autoRejectTimeout'),
  }
}

function groupOf(value: Json): ApprovalGroup {
  const where = 'a group of action.approvalGroups'
  const flags = ['initiatorCanApprove', 'serviceAccountsCanApprove'] as const
  const members = objectOf(value, where, ['name', 'quorum', 'approvers', ...flags])
  const { name, quorum, approvers } = members
  const { userId } = objectOf(approvers, `approvers of ${where}`, ['userId'])
  return {
    name: name === undefined ? undefined : textOf(name, `name of ${where}`),
    quorum: integerOf(quorum, `quorum of ${where}`),
    approvers: namedIn(userId, `approvers.userId of ${where}`),
    initiatorCanApprove: flagOf(members, flags[0]),
    serviceAccountsCanApprove: flagOf(members, flags[1]),
  }
}

function filtersOf(kind: ActivityKind, value: Json | undefined): Filters {
  const { ids: named } = traitsOf[kind]
  const names = named === undefined ? [] : [named, ...(named === 'walletId' ? ['walletTags'] : [])]
  const members = objectOf(value ?? {}, `filters of ${kind}`, names)
  const where = 'filters.walletTags'
  const tags = objectOf(members['walletTags'] ?? {}, where, ['hasAny', 'hasAll'])
  const listed = (name: 'hasAny' | 'hasAll') =>
    tags[name] === undefined ? undefined : textsOf(tags[name], `${where}.${name}`)
  return {
    ids: named && namedIn(members[named], `filters.${named}`),
    hasAny: listed('hasAny'),
    hasAll: listed('hasAll'),
  }
}

/** `{ in: […] }`, where absence means everybody or everything. */
function namedIn(value: Json | undefined, where: string): readonly string[] | undefined {
  return value === undefined
    ? undefined
    : textsOf(objectOf(value, where, ['in'])['in'], `${where}.in`)
}

function objectOf(value: Json | undefined, what: string, names: readonly string[]): JsonObject {
  if (!isObject(value)) throw refused(`${what} is not an object`)
  const unknown = Object.keys(value).find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw refused(`${what} has an unknown member ${JSON.stringify(unknown.slice(0, 64))}`)
  return value
}

function listOf(value: Json | undefined, what: string): readonly Json[] {
  if (!Array.isArray(value)) throw refused(`${what} is not a list`)
  return value
}

function textsOf(value: Json | undefined, what: string): readonly string[] {
  return listOf(value, what).map((item) => textOf(item, `an entry of ${what}`))
}

function textOf(value: Json | undefined, what: string): string {
  if (typeof value !== 'string') throw refused(`${what} is not a text`)
  return value
}

function integerOf(value: Json | undefined, what: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    throw refused(`${what} is not a whole number`)
  return value
}

/** Absent is no: who may approve is never more than what was written. */
function flagOf(members: JsonObject, name: string): boolean {
  const value = members[name] ?? false
  if (typeof value !== 'boolean') throw refused(`${name} is not true or false`)
  return value
}

function isActivityKind(text: string): text is ActivityKind {
  return Object.hasOwn(activityKinds, text)
}

function isRuleKind(text: string): text is Rule['kind'] {
  return Object.hasOwn(configurations, text)
}

function refused(reason: string): Failure {
  return new Failure('request.refused', { reason })
}

function unsupported(reason: string): Failure {
  return new Failure('request.unsupported', { reason })
}
