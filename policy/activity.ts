import type { ActivityKind } from './policy.ts'

/** What somebody is about to do, as the signers have worked it out from what he signed. */
export type Activity =
  | {
      readonly kind: 'Wallets:Sign'
      /** All of the key's: a policy that names one of them is a policy on the key. */
      readonly wallets: readonly { readonly id: string; readonly tags: readonly string[] }[]
      readonly outflow: Outflow
      /** Counted already: a renewal signs once more what was agreed. */
      readonly isCounted: boolean
    }
  | {
      readonly kind: Exclude<ActivityKind, 'Wallets:Sign' | 'Wallets:IncomingTransaction'>
      /** The permission or policy; empty for what does not exist yet. */
      readonly id: string
    }

/** What leaves if the bytes are signed, as far as anybody can tell from them. */
export type Outflow = {
  /** `movements` is everything that can leave by this signature, now or at somebody's later call. */
  readonly isKnown: boolean
  readonly isRaw: boolean
  readonly movements: readonly Movement[]
  /** The most that fees can take. */
  readonly fee: Omit<Movement, 'to'> | undefined
}

export type Movement = {
  /** Network and token, such as `EthereumSepolia/Native` or `EthereumSepolia/Erc20/0x…`. */
  readonly asset: string
  /** As the network writes it; on EVM in lower case. */
  readonly to: string
  /** In the asset's smallest unit. */
  readonly amount: bigint
}

/** What somebody says of the world at a moment, in milliseconds since 1970. */
export type Facts = {
  readonly prices: readonly Price[]
  readonly screenings: readonly Screening[]
}
export type Price = {
  readonly asset: string
  readonly currency: 'USD'
  /** Of `10 ** decimals` of the smallest unit, in millionths of the currency. */
  readonly micros: bigint
  /** As the source has it: no token is asked about itself. */
  readonly decimals: number
  readonly source: string
  readonly at: number
}
export type Screening = {
  readonly address: string
  readonly isListed: boolean
  readonly source: string
  readonly at: number
}

/** What the key's stream has counted before this. */
export type Spending = {
  /** Uses, and what they were worth, after `since`, in milliseconds since 1970. */
  readonly uses: (since: number) => {
    readonly count: number
    readonly micros: bigint
    /** How many of them nobody could price. */
    readonly unpriced: number
    /** How many of them nobody could tell what they do. */
    readonly unknown: number
  }
  readonly asset: (asset: string, since: number) => bigint
}
