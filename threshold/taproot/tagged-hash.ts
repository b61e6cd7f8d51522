import { toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'

export type Tag = 'BIP0340/challenge' | 'TapTweak'

const prefixes: Readonly<Record<Tag, Uint8Array>> = {
  'BIP0340/challenge': sha256(toUtf8('BIP0340/challenge')),
  TapTweak: sha256(toUtf8('TapTweak')),
}

/** BIP 340, "Design": SHA-256 of the tag's own hash, twice, and the parts. */
export function taggedHash(tag: Tag, ...parts: readonly Uint8Array[]): Uint8Array {
  return sha256(prefixes[tag], prefixes[tag], ...parts)
}
