import type { Hex } from 'viem'
import { hashAuthorization } from 'viem/utils'
import { signerOf } from './small-signer.ts'
import type { Draft } from './small-state.ts'

/** What an account has signed of itself, for this chain or for all: whose code it is to run (EIP-7702). */
export type Authorization = {
  readonly authority: string
  readonly address: string
  readonly nonce: number
}
export type Signed = {
  readonly chainId: number
  readonly address: Hex
  readonly nonce: number
  readonly r: Hex
  readonly s: Hex
  /** There in whatever viem has read, for all that its types say. */
  readonly yParity?: number | undefined
}

/** EIP-7702, `PER_EMPTY_ACCOUNT_COST`; and what comes back of it for an account that is there already. */
export const gasOfAuthorization = 25_000n
const gasBack = 12_500n

/** Those that count here. For others too a real chain has their price paid. */
export function readAuthorizations(
  list: readonly Signed[],
  chainId: number,
): readonly Authorization[] {
  return list.flatMap((one) => {
    if (one.chainId !== 0 && one.chainId !== chainId) return []
    const { r, s, yParity: recid = 0, address, nonce } = one
    const digest = hashAuthorization({ chainId: one.chainId, address, nonce, to: 'bytes' })
    const authority = signerOf(digest, { r, s, recid })
    return authority === undefined ? [] : [{ authority, address: address.toLowerCase(), nonce }]
  })
}

/** They stay, whatever comes of the transaction. @returns the gas that comes back */
export function authorize(list: readonly Authorization[], draft: Draft): bigint {
  let back = 0n
  for (const { authority, address, nonce } of list) {
    const { nonce: next, balance } = draft.account(authority)
    if (next !== nonce) continue
    if (nonce > 0 || balance > 0n) back += gasBack
    // EIP-7702: nobody's address is for no code at all.
    const delegate = BigInt(address) === 0n ? undefined : address
    draft.change(authority, { nonce: nonce + 1, delegate })
  }
  return back
}
