/** What leaves if the bytes are signed, as far as anybody can tell from them. */
export type Outflow = {
  /** `movements` is everything that can leave by this signature, now or at somebody's later call. */
  readonly isKnown: boolean
  /** A hash, or what stands for one: bytes that mean something only to whoever made them. */
  readonly isRaw: boolean
  readonly movements: readonly Movement[]
  /** The most that fees can take; absent where nothing is sent to a chain. */
  readonly fee: Omit<Movement, 'to'> | undefined
}

export type Movement = {
  /** Network and token, such as `EthereumSepolia/Native` or `EthereumSepolia/Erc20/0x…`. */
  readonly asset: string
  /** As the network writes it; on EVM in lower case. Empty for a contract that is only made. */
  readonly to: string
  /** In the asset's smallest unit. */
  readonly amount: bigint
}

/** What somebody says of prices and recipients at a moment. Policies ask for it, the bytes do not. */
export type Opinions = {
  readonly prices: readonly Price[]
  readonly screenings: readonly Screening[]
}

export type Price = {
  /** As a movement names it. */
  readonly asset: string
  readonly currency: 'USD'
  /** Of `10 ** decimals` of the smallest unit, in millionths of the currency. */
  readonly micros: bigint
  /** As the source has it: no token is asked about itself. */
  readonly decimals: number
  readonly source: string
  /** Milliseconds since 1970. */
  readonly at: number
}

export type Screening = {
  readonly address: string
  readonly isListed: boolean
  readonly source: string
  readonly at: number
}

/** What a key's stream has counted before. */
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
  /** Was there any movement of it? One of an amount of 0 may have been piece 0 of a collection. */
  readonly hasMoved: (asset: string, since: number) => boolean
}
