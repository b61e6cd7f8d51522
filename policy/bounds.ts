import type { Action, ActivityKind, ApprovalGroup, Filters, Policy, Rule } from './policy.ts'

/** As the API has it, in UTF-16 units; groups follow it. */
export const nameLengthMax = 100
/** More sides than any decision of a company has. */
export const groupsMax = 16
export const approversMax = 64
/** A longer list belongs into several policies, or into the address book. */
export const addressesMax = 256
/** Wallets, permissions or policies that one policy names, and tags of each kind. */
export const filterEntriesMax = 64
/** Room for an id, a tag, an address of any network, or the name of an asset. */
export const textLengthMax = 128
/** A month of thirty days, as the API has it. */
export const timeframeMax = 43_200
/** A year of minutes: what nobody has decided by then, nobody will. */
export const autoRejectTimeoutMax = 525_600
/** More signatures than a key makes in a month at one each second. */
export const countMax = 10_000_000
/** A thousand million of the currency: up to here a JSON number holds every millionth exactly. */
export const microsMax = 10n ** 15n
/** An EVM amount is below it, and so is what any other network counts in. */
const unitsLimit = 2n ** 256n

type Traits = {
  readonly rules: readonly Rule['kind'][]
  readonly actions: readonly Action['kind'][]
  /** What a filter names: nothing, where there is nothing yet or nothing to tell apart. */
  readonly ids: 'walletId' | 'permissionId' | 'policyId' | undefined
}

const always = ['AlwaysTrigger'] as const
/**
 * Which belong together. Who may block a policy's change could lock everybody out by it. Incoming
 * transactions have only rules of vendors, of which there is none here.
 */
export const traitsOf: Readonly<Record<ActivityKind, Traits>> = {
  'Wallets:Sign': {
    rules: [
      ...['AlwaysTrigger', 'RawSigning', 'TransactionRecipientScreening'],
      ...['TransactionRecipientWhitelist', 'TransactionAmountLimit', 'TransactionAmountVelocity'],
      ...['TransactionCountVelocity', 'TransactionAssetLimit', 'TransactionAssetVelocity'],
    ] as const,
    actions: ['RequestApproval', 'Block', 'NoAction'],
    ids: 'walletId',
  },
  'Wallets:IncomingTransaction': { rules: [], actions: ['NoAction'], ids: 'walletId' },
  'Permissions:Modify': {
    ...{ rules: always, actions: ['RequestApproval', 'Block'], ids: 'permissionId' },
  },
  'Permissions:Assign': {
    ...{ rules: always, actions: ['RequestApproval', 'Block'], ids: 'permissionId' },
  },
  'Policies:Modify': { rules: always, actions: ['RequestApproval'], ids: 'policyId' },
  'Policies:Create': { rules: always, actions: ['RequestApproval'], ids: undefined },
  'Registry:Addresses:Modify': {
    ...{ rules: always, actions: ['RequestApproval', 'Block'], ids: undefined },
  },
  'Registry:ContractSchemas:Modify': {
    ...{ rules: always, actions: ['RequestApproval', 'Block'], ids: undefined },
  },
}

/**
 * What keeps this from being a policy, however it was written: as JSON or in bytes.
 * @returns nothing when it is one
 */
export function flawOf({ name, activityKind, rule, action, filters }: Policy): string | undefined {
  const { rules, actions } = traitsOf[activityKind]
  if (!isText(name, nameLengthMax)) return `name is not 1 to ${nameLengthMax} characters`
  if (!rules.includes(rule.kind)) return `${activityKind} knows no rule ${rule.kind}`
  if (!actions.includes(action.kind)) return `${activityKind} knows no action ${action.kind}`
  return flawOfRule(rule) ?? flawOfAction(action) ?? flawOfFilters(activityKind, filters)
}

function flawOfRule(rule: Rule): string | undefined {
  if ('timeframe' in rule && !isWithin(rule.timeframe, 1, timeframeMax))
    return `timeframe is not 1 to ${timeframeMax} minutes`
  switch (rule.kind) {
    case 'TransactionRecipientWhitelist':
      return flawOfList('addresses', rule.addresses, { min: 0, max: addressesMax })
    case 'TransactionAmountLimit':
    case 'TransactionAmountVelocity':
      return isAmount(rule.limit, microsMax) ? undefined : 'limit is out of range'
    case 'TransactionCountVelocity':
      return isWithin(rule.limit, 0, countMax) ? undefined : `limit is not 0 to ${countMax}`
    case 'TransactionAssetLimit':
    case 'TransactionAssetVelocity':
      if (!isAssetName(rule.asset)) return 'asset is not the name of one'
      return isAmount(rule.limit, unitsLimit - 1n) ? undefined : 'limit is out of range'
    default:
      return undefined
  }
}

function flawOfAction(action: Action): string | undefined {
  if (action.kind !== 'RequestApproval') return undefined
  const { groups, autoRejectTimeout } = action
  if (autoRejectTimeout !== undefined && !isWithin(autoRejectTimeout, 1, autoRejectTimeoutMax))
    return `autoRejectTimeout is not 1 to ${autoRejectTimeoutMax} minutes`
  if (!isWithin(groups.length, 1, groupsMax)) return `there are not 1 to ${groupsMax} groups`
  return first(groups, flawOfGroup)
}

function flawOfGroup({ name, quorum, approvers }: ApprovalGroup): string | undefined {
  if (name !== undefined && !isText(name, nameLengthMax))
    return `a group's name is not 1 to ${nameLengthMax} characters`
  if (!isWithin(quorum, 1, approvers?.length ?? approversMax))
    return 'a quorum is not from 1 to the number of approvers'
  return approvers && flawOfList('approvers', approvers, { min: 1, max: approversMax })
}

/** One that is there and empty has two readings, all and nothing. Nobody here chooses. */
function flawOfFilters(kind: ActivityKind, { ids, hasAny, hasAll }: Filters): string | undefined {
  const { ids: named } = traitsOf[kind]
  if (ids !== undefined && named === undefined) return `${kind} has no filters`
  if ((hasAny ?? hasAll) !== undefined && named !== 'walletId') return `${kind} has no tags`
  const range = { min: 1, max: filterEntriesMax }
  return (
    (ids && flawOfList(named ?? 'ids', ids, range)) ??
    (hasAny && flawOfList('hasAny', hasAny, range)) ??
    (hasAll && flawOfList('hasAll', hasAll, range))
  )
}

function flawOfList(
  what: string,
  texts: readonly string[],
  { min, max }: { readonly min: number; readonly max: number },
): string | undefined {
  if (!isWithin(texts.length, min, max)) return `${what} has not ${min} to ${max} entries`
  if (!texts.every((text) => isText(text, textLengthMax)))
    return `an entry of ${what} is not 1 to ${textLengthMax} characters`
  return new Set(texts).size === texts.length ? undefined : `${what} has an entry twice`
}

/** In the one spelling that effects use: a limit on another would never be reached. */
export function isAssetName(text: string): boolean {
  return /^[A-Z][A-Za-z0-9]{0,63}\/(?:Native|Erc(?:20|721|1155)\/0x[0-9a-f]{40})$/.test(text)
}

export function isText(text: string, lengthMax: number): boolean {
  return isWithin(text.length, 1, lengthMax) && text.isWellFormed()
}

function isAmount(amount: bigint, max: bigint): boolean {
  return amount >= 0n && amount <= max
}

function isWithin(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0) && value >= min && value <= max
}

function first<T>(items: readonly T[], flaw: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = flaw(item)
    if (found !== undefined) return found
  }
  return undefined
}
