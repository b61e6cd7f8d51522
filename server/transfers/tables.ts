import type { State } from './lifecycle.ts'

/** The rows of migrations 0020, 0120, 0155, 0160, 0191, 0196 and 0198, by hand. Times are milliseconds since 1970, amounts decimal text. */
export type OutgoingTables = {
  readonly outgoing: {
    readonly organization: Uint8Array
    readonly id: Uint8Array
    /** A sponsorship is sent for another row, and shown to nobody by itself. */
    readonly kind: 'transfer' | 'transaction' | 'sponsorship'
    /** The wire's name of the id. */
    readonly name: string
    readonly wallet: Uint8Array
    readonly wallet_id: string
    readonly key: Uint8Array
    readonly public_key: Uint8Array
    readonly network: string
    readonly address: string
    /** SHA-256 of the pre-image. */
    readonly request: Uint8Array
    readonly user_id: string
    readonly token_id: string | null
    readonly external_id: string | null
    /** `encodeEvidence`, with no facts: those have a column of their own. */
    readonly evidence: Uint8Array
    /** The one that it waits for, or has waited for. */
    readonly approval_id: string | null
    /** When policies, or those whom they ask, had come to an end with it. */
    readonly policy_resolved_at: number | null
    readonly execute_before: number
    /** Did the payload itself name its slot? Then it waits for no other. */
    readonly names_slot: boolean
    readonly state: State
    readonly reason: string | null
    /** Why it has not gone on yet, while it has not. */
    readonly waiting: string | null
    readonly slot: number | null
    readonly facts: Uint8Array | null
    /** The most that it takes from the address: amount and fees. */
    readonly cost: string | null
    readonly signed: Uint8Array | null
    readonly hash: string | null
    readonly block_hash: string | null
    readonly block_number: number | null
    readonly fee: string | null
    /** Of a token: its words, as JSON. */
    readonly asset: string | null
    /** What it is, if it takes the place of another one. */
    readonly replacement: 'cancellation' | 'speedUp' | null
    /** The id of that one, its slot, and the hash that it had. */
    readonly replaces: Uint8Array | null
    readonly replaces_slot: number | null
    readonly replaces_hash: string | null
    /** `encodeOriginal` of the request whose effect it has. */
    readonly original: Uint8Array | null
    /** The wire's name of the newest row that has come for its place. */
    readonly replacement_id: string | null
    /** Who pays: on the row that is paid for, and on what is sent for it. */
    readonly fee_sponsor: Uint8Array | null
    /** Of a sponsorship: the id of the row that it is sent for. */
    readonly sponsored: Uint8Array | null
    /** Of a sponsorship: how many others of the same row it is to outbid at their slot. */
    readonly bid: number
    /** Of a row that has its account run the contract from then on: the account's nonce for that. */
    readonly delegation_nonce: number | null
    /** Of the state that it is in. */
    readonly attempts: number
    /** Since when, in that state, nodes have refused its bytes. */
    readonly refused_at: number | null
    /** Empty: nothing is left to do. */
    readonly due_at: number | null
    readonly lease_holder: string | null
    readonly lease_until: number
    readonly created_at: number
    readonly broadcasted_at: number | null
    readonly confirmed_at: number | null
  }
  /** Locked by whoever looks for the next slot of an address. */
  readonly slot_queues: { readonly network: string; readonly address: string }
  readonly slots: {
    readonly network: string
    readonly address: string
    readonly slot: number
    readonly request: Uint8Array
  }
}
export type Outgoing = OutgoingTables['outgoing']
/** What a user asks for, and sees. */
export type AskedKind = Exclude<Outgoing['kind'], 'sponsorship'>
