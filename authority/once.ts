import { toBase64url } from '@quorate/core/bytes'
import { hashOf } from '@quorate/core/hash'

/**
 * Signatures that have been verified in this process. One signature is looked at at the vote, the seal,
 * the certificate and each round; it says the same each time, and a hash costs a fiftieth of it.
 */
const kept = new Set<string>()
/** Half a megabyte. What is dropped is verified again. */
const keptMax = 4_096

type Parts = readonly [key: Uint8Array, message: Uint8Array, signature: Uint8Array]

/**
 * Verifies, unless the same key, message and signature have been found good before. A bad one is
 * never remembered, so that nobody can fill the memory with what costs him nothing.
 *
 * @param scheme tells apart what one key may verify in different ways
 */
export function verifiedOnce(scheme: string, parts: Parts, verify: () => boolean): boolean {
  const name = nameOf(scheme, parts)
  if (kept.has(name)) return true
  if (!verify()) return false
  keep(name)
  return true
}

/** For whoever has made the signature. */
export function foundGood(scheme: string, parts: Parts): void {
  keep(nameOf(scheme, parts))
}

function nameOf(scheme: string, parts: Parts): string {
  return toBase64url(hashOf(scheme, ...parts))
}

function keep(name: string): void {
  const [oldest] = kept
  if (kept.size >= keptMax && oldest !== undefined) kept.delete(oldest)
  kept.add(name)
}
