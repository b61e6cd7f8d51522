import { toHex } from '@quorate/core/bytes'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest } from '@quorate/authority/manifest'
import { networksOf } from '@quorate/judge/networks'

/**
 * The name under which a genesis trusts a cluster. Take the file from the operators, not from a
 * server: whoever chooses the manifest chooses the signers.
 *
 * @returns 32 bytes in hex
 * @throws Error when not every operator has signed it, or a network in it would pass for another
 */
export function manifestHashOf(file: Uint8Array): string {
  const manifest = readManifest(file, verifyEd25519)
  networksOf(manifest)
  return toHex(manifest.hash)
}
