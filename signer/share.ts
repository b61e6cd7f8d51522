import {
  bytes,
  decode,
  encode,
  hash32,
  list,
  oneOf,
  option,
  struct,
  tag,
  u32,
  u8,
} from '@quorate/core/codec'
import type { Decoded } from '@quorate/core/codec'
import { signersMax } from '@quorate/authority/manifest'
import type { KeyShare } from '@quorate/threshold/dkg/context'
import type { KeyEncryption } from './kek.ts'

/** Shares are born in epoch 0; a refresh would begin the next. */
const firstEpoch = 0

export const shareCodec = struct({
  format: tag('quorate/share/1'),
  group: oneOf({ secp256k1: 1, ed25519: 2, stark: 3 }),
  n: u8,
  t: u8,
  self: u8,
  secret: bytes(32),
  publicKey: bytes(33),
  publicShares: list(bytes(33), signersMax, 2),
  chainCode: hash32,
  transcript: hash32,
})

/** Whose share of what: another row, signer or organization cannot be put in its place. */
const owner = struct({
  format: tag('quorate/share-of/1'),
  signer: u8,
  organization: hash32,
  key: hash32,
  owner: option(hash32),
  /** Of the key certificate's statement. */
  statement: hash32,
  epoch: u32,
})
export type ShareOf = Omit<Decoded<typeof owner>, 'epoch'>

/** Of a key in the pool, which has no name yet but its certificate's. */
export function pooledAs(of: Pick<ShareOf, 'signer' | 'organization' | 'statement'>): ShareOf {
  return { ...of, key: of.statement, owner: undefined }
}

export function sealShare(kek: KeyEncryption, of: ShareOf, share: KeyShare): Uint8Array {
  const plaintext = encode(shareCodec, share)
  const sealed = kek.wrap(plaintext, associatedWith(of))
  plaintext.fill(0)
  return sealed
}

/** @returns nothing when it was sealed under another key or for another place */
export function openShare(
  kek: KeyEncryption,
  of: ShareOf,
  sealed: Uint8Array,
): KeyShare | undefined {
  const plaintext = kek.unwrap(sealed, associatedWith(of))
  if (plaintext === undefined) return undefined
  const share = decode(shareCodec, plaintext)
  plaintext.fill(0)
  return share
}

function associatedWith(of: ShareOf): Uint8Array {
  return encode(owner, { ...of, epoch: firstEpoch })
}
