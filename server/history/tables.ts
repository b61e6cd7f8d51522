import type { Generated } from 'kysely'

/** The rows of migrations 0021, 0165, 0166, 0172, 0173, 0175 to 0178, 0192, 0200, 0209, 0210, by hand. Times are milliseconds since 1970, amounts decimal text. */
export type ChainTables = {
  /** One row for each network that is followed, leased by the one server that follows it. */
  readonly chain_heads: {
    readonly network: string
    readonly lease_holder: string
    readonly lease_until: number
    /** How often another server than before has followed. */
    readonly lease_count: number
    /** Why nothing is judged by this chain at the moment. */
    readonly condition: ChainCondition | null
    readonly condition_since: number | null
    /** Down to which block it was read, and the hash of the one before; null: down to the first that is held. */
    readonly read_from: number | null
    readonly read_after: string | null
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
    /** Null, as the sender is, for what the balance alone has told of. */
    readonly hash: string | null
    readonly index: number
    readonly kind: 'NativeTransfer' | 'Erc20Transfer' | 'Erc721Transfer' | 'Erc1155Transfer'
    readonly direction: 'In' | 'Out'
    readonly sender: string | null
    readonly recipient: string | null
    readonly value: string
    /** Of the transaction; null where somebody else has paid for a movement of tokens. */
    readonly fee: string | null
    readonly contract: string | null
    readonly token_id: string | null
    readonly time: number
    readonly canonical: boolean
    /** What was there when the watching began, as far as nothing that is known explains it. */
    readonly opening: boolean
    /** Whether its event is written, or none is to be. */
    readonly told: boolean
  }
  /** Contracts that have moved something of ours, and what they said of themselves when asked. */
  readonly token_words: {
    readonly network: string
    readonly contract: string
    readonly symbol: string | null
    readonly decimals: number | null
    /** When it was met first; 0 for those of earlier blocks, and of before this was kept. */
    readonly met_at: Generated<number>
    /** Null until it has answered, be it that it refuses to. */
    readonly asked_at: number | null
  }
  /** What the operator's file says of tokens. */
  readonly listed_assets: {
    readonly network: string
    readonly contract: string
    readonly kind: 'Erc20' | 'Erc721' | 'Erc1155'
    readonly symbol: string
    readonly decimals: number | null
    /** Null until the contract has answered. */
    readonly checked_at: number | null
    /** What it said otherwise. */
    readonly contradiction: string | null
    /** When to ask for it, and how often there was no such contract. */
    readonly due_at: Generated<number>
    readonly attempts: Generated<number>
  }
  /** Contracts that a node refused to ask: neither of the two above says anything of them yet. */
  readonly unanswered_tokens: {
    readonly network: string
    readonly contract: string
    /** When to ask again. */
    readonly due_at: number
    readonly attempts: number
  }
  /** What was moved to or from a wallet once, and so may be there. */
  readonly wallet_tokens: {
    readonly organization: Uint8Array
    readonly wallet: Uint8Array
    /** `Erc20`, `Erc721` or `Erc1155`. */
    readonly kind: string
    readonly contract: string
    /** Empty for coins. */
    readonly token_id: string
    readonly block_number: number
  }
  /** One for the native asset of each wallet, and for each token that has moved. */
  readonly balances: {
    readonly organization: Uint8Array
    readonly wallet: Uint8Array
    readonly kind: 'Native' | 'Erc20' | 'Erc721' | 'Erc1155'
    /** Empty for the native asset. */
    readonly contract: string
    /** Empty for coins. */
    readonly token_id: string
    readonly network: string
    /** Up to which history was held against the chain; null until the chain's follower has met the row. */
    readonly block_number: number | null
    readonly block_hash: string | null
    /** By the chain's word at that block; null until it was asked. */
    readonly balance: string | null
    /** How much of it no movement explains: some tokens grow by themselves. Always 0 of the native asset. */
    readonly unexplained: string
    /** The last block with a movement. */
    readonly moved_number: number
    readonly due_at: number
    /** Without an answer, since the last one. */
    readonly attempts: number
    /** The last balance that is known, also while it is asked for anew. */
    readonly held: string
  }
  /** The sums of what is held, by asset; all pieces of a collection are one. */
  readonly balance_totals: {
    readonly organization: Uint8Array
    readonly network: string
    readonly kind: 'Native' | 'Erc20' | 'Erc721' | 'Erc1155'
    readonly contract: string
    readonly token_id: string
    readonly amount: string
    /** How many rows have any. */
    readonly wallets: number
  }
}

/**
 * `younger`: the chain is younger than our database, so a node was reset or lags far behind.
 * `too-deep`: every block we hold is gone from it.
 */
export type ChainCondition = 'younger' | 'too-deep'
