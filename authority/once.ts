import { equalBytes, toBase64url } from '@quorate/core/bytes'
import { Kept } from '@quorate/core/kept'

/** At most some four megabytes. What is dropped is verified again. */
const keptMax = 4_096
/**
 * Signatures that have been verified in this process, by themselves. One signature is looked at at the
 * vote, the seal, the certificate and each round; it says the same each time, and to compare what it is
 * over costs a hundredth of it.
 */
const kept = new Kept<Pair>(keptMax)
/** What agreement and post sign is shorter by far. */
const messageBytesMax = 1_024

type Parts = readonly [key: Uint8Array, message: Uint8Array, signature: Uint8Array]
type Pair = { readonly key: Uint8Array; readonly message: Uint8Array }

/**
 * Verifies, unless the same key, message and signature have been found good before. A bad one is
 * never remembered, so that nobody can fill the memory with what costs him nothing.
 *
 * @param scheme tells apart what one key may verify in different ways
 */
export function verifiedOnce(scheme: string, parts: Parts, verify: () => boolean): boolean {
  const name = nameOf(scheme, parts)
  const [key, message] = parts
  const found = kept.get(name)
  const isSame =
    found !== undefined && equalBytes(found.key, key) && equalBytes(found.message, message)
  if (isSame) return true
  if (!verify()) return false
  keep(name, parts)
  return true
}

/** For whoever has made the signature. */
export function foundGood(scheme: string, parts: Parts): void {
  keep(nameOf(scheme, parts), parts)
}

function nameOf(scheme: string, [, , signature]: Parts): string {
  return `${scheme}/${toBase64url(signature)}`
}

/** Copies: what is given may lie in a larger piece of memory, which would be kept as a whole. */
function keep(name: string, [key, message]: Parts): void {
  if (message.length > messageBytesMax) return
  kept.put(name, { key: key.slice(), message: message.slice() })
}
