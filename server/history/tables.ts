/** The rows of migration 0021, by hand. Times are milliseconds since 1970, amounts decimal text. */
export type ChainTables = {
  /** One row for each network that is followed, leased by the one server that follows it. */
  readonly chain_heads: {
    readonly network: string
    readonly lease_holder: string
    readonly lease_until: number
    /** Why nothing is judged by this chain at the moment. */
    readonly condition: ChainCondition | null
    readonly condition_since: number | null
  }
  readonly block_headers: {
    readonly network: string
    readonly hash: string
    readonly number: number
    readonly parent_hash: string
    readonly time: number
    readonly canonical: boolean
  }
  readonly history: {
    readonly organization: Uint8Array
    readonly wallet: Uint8Array
    /** Of block, transaction and direction; orders what one block holds. */
    readonly id: Uint8Array
    readonly network: string
    readonly block_hash: string
    readonly block_number: number
    readonly hash: string
    readonly index: number
    readonly kind: 'NativeTransfer'
    readonly direction: 'In' | 'Out'
    readonly sender: string
    readonly recipient: string | null
    readonly value: string
    readonly fee: string
    readonly time: number
    readonly canonical: boolean
  }
}

/**
 * `younger`: the chain is younger than our database, so a node was reset or lags far behind.
 * `too-deep`: every block we hold is gone from it.
 */
export type ChainCondition = 'younger' | 'too-deep'
