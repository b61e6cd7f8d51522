/**
 * One blockchain family. A transaction passes through it in this order:
 *
 *   observe ─▶ build ─▶ (the signers) ─▶ assemble ─▶ broadcast ─▶ status
 *
 * Only what takes an `Rpc` touches the network. The rest is pure, and facts are plain data kept with
 * the request, so that its bytes can be built again and compared. The signers build them too, with
 * other code (`effects/`), and sign nothing that differs.
 */
export interface ChainAdapter<Ask, Facts, Signature> {
  readonly family: string

  /** @throws Failure `address.malformed` */
  parseAddress(text: string): string

  /** Is this node of this network? Ask before anything else. @throws Failure `chain.refused` */
  checkChain(rpc: Rpc, network: Network): Promise<void>
  /** Asks for what only the chain knows and the caller left open. */
  observe(rpc: Rpc, ask: Ask): Promise<Facts>
  build(network: Network, ask: Ask, facts: Facts): Unsigned
  assemble(unsigned: Uint8Array, signature: Signature): SignedTransaction

  broadcast(rpc: Rpc, signed: SignedTransaction): Promise<BroadcastOutcome>
  status(rpc: Rpc, network: Network, sent: SentTransaction): Promise<TransactionStatus>
  /** In the smallest unit; at one block when its hash is given, else at the newest. */
  balance(rpc: Rpc, address: string, blockHash?: string): Promise<bigint>

  /** What became of the chain since the headers we hold; see `HeadChange`. */
  advance(rpc: Rpc, held: readonly Header[]): Promise<HeadChange>
  /** Native payments. */
  transfersOf(
    rpc: Rpc,
    block: Block,
    addresses: ReadonlySet<string>,
  ): Promise<readonly ChainTransfer[]>
  /** What contracts have paid on in a block. @throws Failure `chain.refused` where nobody can tell */
  internalPayments(rpc: Rpc, block: Block): Promise<readonly InternalPayment[]>
  internalTransfersOf(
    block: Block,
    payments: readonly InternalPayment[],
    addresses: ReadonlySet<string>,
  ): readonly ChainTransfer[]
  /** All that contracts say of tokens in a block, whoever they are of. */
  tokenLogs(rpc: Rpc, block: Block): Promise<BlockLogs>
  tokenTransfersOf(
    rpc: Rpc,
    seen: { readonly block: Block; readonly logs: readonly TokenLog[] },
    addresses: ReadonlySet<string>,
  ): Promise<readonly ChainTransfer[]>
}

/** One call to one node: no retry, no failover, so that whoever waits decides how long. */
export type Rpc = (method: string, params: readonly unknown[]) => Promise<unknown>

/** A network is data. Adding one of a known family is adding one of these, not code. */
export type Network = {
  readonly id: string
  readonly name: string
  readonly family: string
  readonly chainId: number
  readonly testnet: boolean
  readonly nativeAsset: { readonly symbol: string; readonly decimals: number }
  /** Blocks, its own counted, after which a transaction is taken as settled. */
  readonly confirmationsFinal: number
  /** Where a transaction pays for its bytes on the chain below as well: whose way of telling how much that is. */
  readonly dataFee?: 'OpStack'
  /**
   * It has tokens alone: nothing native can be held or paid, and `nativeAsset` is what fees are counted in. What its nodes
   * say of a balance is no balance: Tempo's say of every address that it has 42…42, of 76 digits, so that no wallet
   * takes its owner for poor (docs.tempo.xyz, "EVM Differences").
   */
  readonly noCoin?: true
}

export type Priority = 'Slow' | 'Standard' | 'Fast'

/** Not signed yet: whole bytes, and the digest that a signature must be over. */
export type Unsigned = { readonly bytes: Uint8Array; readonly digest: Uint8Array }

/** The hash is known before the broadcast: a lost answer must never lead to a second payment. */
export type SignedTransaction = { readonly hash: string; readonly bytes: Uint8Array }

/** What it takes to find a transaction again, or to know that it can never happen any more. */
export type SentTransaction = {
  readonly hash: string
  readonly from: string
  readonly slot: bigint
}

/** All of these are answers. Only a node that cannot be asked is a failure. */
export type BroadcastOutcome =
  | { readonly kind: 'accepted' }
  /** The node had it already: as good as accepted. */
  | { readonly kind: 'known' }
  /** The slot is used up, by these bytes or by others: `status` tells which. */
  | { readonly kind: 'slot-used' }
  | { readonly kind: 'refused'; readonly reason: string }

export type TransactionStatus =
  /** Neither in a block nor in this node's pool: send it again. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'pending' }
  /** A settled block has another transaction in its slot. It will never happen. */
  | { readonly kind: 'lapsed' }
  /** A settled block is past its slot, and the node cannot say by which transaction: perhaps by this one. */
  | { readonly kind: 'slot-used' }
  /** A block has it, and the node has no receipt that says how it went. */
  | { readonly kind: 'no-receipt' }
  | {
      readonly kind: 'included'
      readonly blockHash: string
      readonly blockNumber: bigint
      readonly confirmations: number
      readonly succeeded: boolean
      readonly fee: bigint
    }

export type Header = {
  readonly number: bigint
  readonly hash: string
  readonly parentHash: string
  /** Seconds since 1970, by the block's own clock. */
  readonly timestamp: bigint
}

export type Block = Header & {
  readonly transactions: readonly BlockTransaction[]
  /** What its logs are held against (Yellow Paper, section 4.3.1); not every node tells. */
  readonly logsBloom?: Uint8Array
}

export type BlockTransaction = {
  readonly hash: string
  readonly index: number
  readonly from: string
  /** Absent when a contract was created. */
  readonly to?: string
  readonly value: bigint
}

/** Native money that a contract has paid on within a transaction. */
export type InternalPayment = {
  readonly hash: string
  /** Of the transaction in its block. */
  readonly index: number
  /** Among the payments of the transaction. */
  readonly position: number
  readonly from: string
  readonly to: string
  readonly value: bigint
}

/** A movement of tokens, by the word of the contract alone: a hostile one says what it likes. */
export type TokenLog = Token & {
  readonly from: string
  readonly to: string
  /** 1 for a piece of a collection. */
  readonly value: bigint
  readonly hash: string
  readonly transactionIndex: number
  readonly logIndex: number
  /** Among several that one log tells of. */
  readonly position: number
}

export type BlockLogs = {
  readonly logs: readonly TokenLog[]
  /** Transactions whose receipts no node gives: they have written too much for one answer. */
  readonly unread: ReadonlySet<string>
  /** Nothing of theirs is lacking either. */
  readonly isWhole: boolean
}

export type Token =
  | { readonly kind: 'Erc20'; readonly contract: string }
  | { readonly kind: 'Erc721' | 'Erc1155'; readonly contract: string; readonly tokenId: bigint }

/** A payment in the native asset, or of tokens, seen from one of our addresses. */
export type ChainTransfer = {
  /** Absent for the native asset. */
  readonly token?: TokenLog
  /** Of a payment that a contract has made: its position in the transaction. */
  readonly internal?: number
  readonly direction: 'In' | 'Out'
  readonly address: string
  readonly hash: string
  readonly index: number
  readonly from: string
  readonly to?: string
  /** 0 when it failed: then only the fee was taken. */
  readonly value: bigint
  /** Of the whole transaction. Absent where what moved within it was at somebody else's expense. */
  readonly fee?: bigint
  readonly succeeded: boolean
  readonly blockHash: string
  readonly blockNumber: bigint
  readonly timestamp: bigint
}

/** After it, the caller holds: what it held, less `orphaned` from the end, plus `added`. */
export type HeadChange =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'moved'
      /** Newest first. */
      readonly orphaned: readonly Header[]
      /** Oldest first, each the parent of the next. There may be more: ask again. */
      readonly added: readonly Block[]
    }
  /** No held header is on the chain any more: stop and let a human look. */
  | { readonly kind: 'too-deep' }
  /**
   * The chain is younger than our database: it ends before the first header we hold. A node was
   * reset, or one far behind was asked. Nothing stored may be judged by it.
   */
  | { readonly kind: 'younger'; readonly head: bigint; readonly held: bigint }
