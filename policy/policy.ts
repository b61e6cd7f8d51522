/**
 * A policy: when this kind of activity touches these things and the rule is triggered, the action
 * follows. Names of wallets, permissions, policies and users are those of the wire; no two things of
 * one organization bear the same.
 */
export type Policy = {
  readonly name: string
  readonly activityKind: ActivityKind
  readonly rule: Rule
  readonly action: Action
  readonly filters: Filters
}

/** As the API has them, and `Policies:Create`, which is ours: creation can be gated too. */
export const activityKinds = {
  'Wallets:Sign': 1,
  'Wallets:IncomingTransaction': 2,
  'Permissions:Modify': 3,
  'Permissions:Assign': 4,
  'Policies:Modify': 5,
  'Policies:Create': 6,
  'Registry:Addresses:Modify': 7,
  'Registry:ContractSchemas:Modify': 8,
} as const
export type ActivityKind = keyof typeof activityKinds

/** Times are in minutes. Fiat is in millionths of its unit, assets in their smallest. */
export type Rule =
  | { readonly kind: 'AlwaysTrigger' }
  | { readonly kind: 'TransactionRecipientWhitelist'; readonly addresses: readonly string[] }
  | { readonly kind: 'TransactionAmountLimit'; readonly currency: 'USD'; readonly limit: bigint }
  | {
      readonly kind: 'TransactionAmountVelocity'
      readonly currency: 'USD'
      readonly limit: bigint
      readonly timeframe: number
    }
  | {
      readonly kind: 'TransactionCountVelocity'
      readonly limit: number
      readonly timeframe: number
    }
  /** Ours, and so are all below: limits that need nobody's word for a price. */
  | { readonly kind: 'TransactionAssetLimit'; readonly asset: string; readonly limit: bigint }
  | {
      readonly kind: 'TransactionAssetVelocity'
      readonly asset: string
      readonly limit: bigint
      readonly timeframe: number
    }
  /** Bytes of which nobody can tell what they do. */
  | { readonly kind: 'RawSigning' }
  /** A recipient is on the deny list, or nobody has looked. */
  | { readonly kind: 'TransactionRecipientScreening' }

export type Action =
  | { readonly kind: 'Block' }
  | { readonly kind: 'NoAction' }
  | {
      readonly kind: 'RequestApproval'
      readonly groups: readonly ApprovalGroup[]
      /** Minutes. Absent: as long as the request itself may be used. */
      readonly autoRejectTimeout: number | undefined
    }

export type ApprovalGroup = {
  readonly name: string | undefined
  readonly quorum: number
  /** Absent: anybody of the organization. */
  readonly approvers: readonly string[] | undefined
  readonly initiatorCanApprove: boolean
  readonly serviceAccountsCanApprove: boolean
}

/** All that are there must hold. None: the whole organization. */
export type Filters = {
  /** Wallets, permissions or policies, as the activity has them. */
  readonly ids: readonly string[] | undefined
  readonly hasAny: readonly string[] | undefined
  readonly hasAll: readonly string[] | undefined
}
