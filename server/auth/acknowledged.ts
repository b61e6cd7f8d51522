import type { InForce } from './log.ts'

/** Which signers have put it in force, by their places in the manifest: told of what takes away. */
export function acknowledgedBy({ certificate }: InForce): number[] {
  return certificate.voices.map(({ signer }) => signer)
}
