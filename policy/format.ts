import {
  bool,
  type Codec,
  decode,
  encode,
  list,
  natural,
  oneOf,
  option,
  struct,
  tag,
  text,
  u32,
  union,
} from '@quorate/core/codec'
import { Failure } from '@quorate/core/failure'
import type { JsonObject } from '@quorate/core/json'
import {
  addressesMax,
  approversMax,
  filterEntriesMax,
  flawOf,
  groupsMax,
  nameLengthMax,
  textLengthMax,
  traitsOf,
} from './bounds.ts'
import { microsToNumber } from './decimal.ts'
import { type Action, activityKinds, type Filters, type Policy, type Rule } from './policy.ts'

/** Every signer keeps every policy of an organization, and an approval holds the ones it is about. */
export const policyBytesMax = 16 * 1024

/** A UTF-16 unit takes at most three bytes of UTF-8. */
const bytesPerUnit = 3
const name = text(nameLengthMax * bytesPerUnit)
const entry = text(textLengthMax * bytesPerUnit)
const currency = oneOf({ USD: 1 })
const fiat = { currency, limit: natural }
const units = { asset: entry, limit: natural }
const timeframe = u32

const rule: Codec<Rule> = union({
  AlwaysTrigger: [1, struct({})],
  TransactionRecipientWhitelist: [2, struct({ addresses: list(entry, addressesMax) })],
  TransactionAmountLimit: [3, struct(fiat)],
  TransactionAmountVelocity: [4, struct({ ...fiat, timeframe })],
  TransactionCountVelocity: [5, struct({ limit: u32, timeframe })],
  TransactionAssetLimit: [6, struct(units)],
  TransactionAssetVelocity: [7, struct({ ...units, timeframe })],
  RawSigning: [8, struct({})],
  TransactionRecipientScreening: [9, struct({})],
})
const group = struct({
  name: option(name),
  quorum: u32,
  approvers: option(list(entry, approversMax)),
  initiatorCanApprove: bool,
  serviceAccountsCanApprove: bool,
})
const action: Codec<Action> = union({
  Block: [1, struct({})],
  NoAction: [2, struct({})],
  RequestApproval: [
    3,
    struct({ groups: list(group, groupsMax, 1), autoRejectTimeout: option(u32) }),
  ],
})
const entries = option(list(entry, filterEntriesMax, 1))
const filters: Codec<Filters> = struct({ ids: entries, hasAny: entries, hasAll: entries })
const policyCodec = struct({
  version: tag('quorate.policy.1'),
  name,
  activityKind: oneOf(activityKinds),
  rule,
  action,
  filters,
})

/**
 * One policy has one encoding.
 * @throws Failure `bytes.malformed` for what is no policy, and above `policyBytesMax`
 */
export function encodePolicy(policy: Policy): Uint8Array {
  checkPolicy(policy)
  const bytes = encode(policyCodec, policy)
  checkSize(bytes)
  return bytes
}

/** @throws Failure `bytes.malformed` */
export function decodePolicy(bytes: Uint8Array): Policy {
  checkSize(bytes)
  const policy: Policy = decode(policyCodec, bytes)
  checkPolicy(policy)
  return policy
}

function checkPolicy(policy: Policy): void {
  const flaw = flawOf(policy)
  if (flaw !== undefined) throw new Failure('bytes.malformed', { expected: `a policy: ${flaw}` })
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length > policyBytesMax)
    throw new Failure('bytes.malformed', { expected: `at most ${policyBytesMax} bytes` })
}

/** As the API shows it, and takes it again. */
export function writePolicy({ name, activityKind, rule, action, filters }: Policy): JsonObject {
  const written = writeFilters(traitsOf[activityKind].ids, filters)
  return {
    name,
    activityKind,
    rule: { kind: rule.kind, configuration: writeConfiguration(rule) },
    action: writeAction(action),
    ...(Object.keys(written).length === 0 ? {} : { filters: written }),
  }
}

function writeConfiguration(rule: Rule): JsonObject {
  switch (rule.kind) {
    case 'TransactionRecipientWhitelist':
      return { addresses: rule.addresses }
    case 'TransactionAmountLimit':
    case 'TransactionAmountVelocity': {
      const { kind: _, limit, ...rest } = rule
      return { limit: microsToNumber(limit), ...rest }
    }
    case 'TransactionAssetLimit':
    case 'TransactionAssetVelocity': {
      const { kind: _, limit, ...rest } = rule
      return { ...rest, limit: limit.toString() }
    }
    case 'TransactionCountVelocity':
      return { limit: rule.limit, timeframe: rule.timeframe }
    default:
      return {}
  }
}

function writeAction(action: Action): JsonObject {
  if (action.kind !== 'RequestApproval') return { kind: action.kind }
  const { kind, groups, autoRejectTimeout } = action
  return {
    kind,
    approvalGroups: groups.map(({ name, approvers, ...rest }) => ({
      ...(name === undefined ? {} : { name }),
      ...rest,
      approvers: approvers === undefined ? {} : { userId: { in: approvers } },
    })),
    ...(autoRejectTimeout === undefined ? {} : { autoRejectTimeout }),
  }
}

function writeFilters(named: string | undefined, { ids, hasAny, hasAll }: Filters): JsonObject {
  const tags = {
    ...(hasAny === undefined ? {} : { hasAny }),
    ...(hasAll === undefined ? {} : { hasAll }),
  }
  return {
    ...(ids === undefined || named === undefined ? {} : { [named]: { in: ids } }),
    ...(Object.keys(tags).length === 0 ? {} : { walletTags: tags }),
  }
}
