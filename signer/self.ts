import { verifyEd25519 } from '@quorate/authority/ed25519'
import type { Manifest } from '@quorate/authority/manifest'

/** Who this signer is, in this life of its process. */
export type Self = {
  /** Its place in the manifest, 1..n. */
  readonly index: number
  readonly manifest: Manifest
  readonly bootId: Uint8Array
  /** Ed25519 with the identity key that the manifest names. */
  readonly sign: (message: Uint8Array) => Uint8Array
}

export function verifyAs(
  { signers }: Manifest,
  signer: number,
  signed: { readonly message: Uint8Array; readonly signature: Uint8Array },
): boolean {
  const named = signers[signer - 1]
  return named !== undefined && verifyEd25519(named.identity, signed.message, signed.signature)
}
