import type { Outflow } from '@quorate/core/outflow'
/** What will happen if the bytes are signed, as far as anybody can tell from them. */
export type Effect = {
  readonly kind:
    | 'transfer'
    | 'transaction'
    | 'message'
    | 'typed-data'
    | 'delegation'
    | 'raw'
    | 'derivation'
  /** What the chain lets happen once: on EVM the nonce. Absent where nothing is spent. */
  readonly slot?: bigint
  readonly from?: string
  /** Recipient or contract called. Absent when a contract is created. */
  readonly to?: string
  /** Native asset leaving, in its smallest unit, fees not counted. */
  readonly value: bigint
  /** The most that fees can take, in the same unit. */
  readonly feeMax: bigint
  /** Nobody can tell what the bytes do. */
  readonly raw: boolean
  /** Known to hand over assets later, at somebody else's call, up to all there is (permits, orders). */
  readonly unlimited: boolean
  readonly outflow: Outflow
  readonly signing: readonly ToSign[]
  /** The transaction before its signature, as its family writes it. */
  readonly unsigned?: Uint8Array
}

/** ECDSA signs a digest; EdDSA the message itself; Schnorr and DH keys are given an instruction. */
export type ToSign = { readonly digest: Uint8Array } | { readonly message: Uint8Array }

export const rawOutflow: Outflow = { isKnown: false, isRaw: true, movements: [], fee: undefined }
