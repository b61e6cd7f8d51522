import type { Approval } from './approvals.ts'
import type { EventKind } from './event-kinds.ts'
import type { Key } from './keys.ts'
import type { Policy } from './policies.ts'
import type { KeySignature, WalletSignature } from './signatures.ts'
import type { Transaction } from './transactions.ts'
import type { Transfer } from './transfers.ts'
import type { Wallet } from './wallet.ts'
import type { Movement } from './wallets.ts'

/** One policy that a request has triggered, whatever that policy wants done. */
export type PolicyEvaluation = {
  readonly id: string
  readonly triggered: boolean
  /** What its rule has compared, in words. */
  readonly reason: string
  readonly date: string
  readonly policy: Policy
  /** With what was asked for, such as `transferRequest`. */
  readonly activity: { readonly kind: string; readonly [name: string]: unknown }
  readonly context: { readonly [name: string]: unknown }
}

/** What an event of each kind tells of, as a GET would have shown it at that moment. */
export type EventData = {
  readonly 'policy.triggered': { readonly policyEvaluation: PolicyEvaluation }
  readonly 'wallet.tags.modified': {
    readonly wallet: Wallet
    readonly tagsAdded: readonly string[]
    readonly tagsRemoved: readonly string[]
  }
  readonly 'wallet.blockchainevent.detected': {
    readonly blockchainEvent: Movement
    readonly wallet: Wallet
  }
} & {
  readonly [Kind in EventKind & `policy.approval.${string}`]: { readonly approval: Approval }
} & {
  readonly [Kind in EventKind & `key.${string}`]: { readonly key: Key }
} & {
  readonly [Kind in 'wallet.created' | 'wallet.delegated']: { readonly wallet: Wallet }
} & {
  readonly [Kind in EventKind & `wallet.transfer.${string}`]: { readonly transferRequest: Transfer }
} & {
  readonly [Kind in EventKind & `wallet.transaction.${string}`]: {
    readonly transactionRequest: Transaction
  }
} & {
  readonly [Kind in EventKind & `wallet.signature.${string}`]: {
    readonly signatureRequest: KeySignature | WalletSignature
  }
}

/** What receivers are sent, whatever it tells of. */
export type Delivered = {
  /** Of this attempt: the same one may arrive twice. */
  readonly id: string
  /** When it happened. */
  readonly date: string
  /** Unix seconds of this attempt. */
  readonly timestampSent: number
  /** From 1. */
  readonly deliveryAttempt: number
  /** The id of the first attempt, in all that follow. */
  readonly retryOf?: string
}

export type EventOf<Kind extends EventKind> = Delivered & {
  readonly kind: Kind
  readonly data: EventData[Kind]
}
/** Tells of nothing: somebody has asked that it be sent. */
export type Ping = Delivered & {
  readonly kind: 'ping'
  readonly data: Readonly<Record<string, never>>
}

/** Told apart by `kind`. */
export type ToldEvent = { [Kind in EventKind]: EventOf<Kind> }[EventKind] | Ping
