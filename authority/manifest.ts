import {
  bytes,
  decode,
  encode,
  fixed,
  hash32,
  list,
  option,
  struct,
  tag,
  text,
  u8,
  u32,
} from '@quorate/core/codec'
import type { Decoded } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'

/** More signers than seven buy nothing but rounds. */
export const signersMax = 7

/**
 * Who the signers are. A hash chain of epochs; each is signed by the offline keys of the signers'
 * operators. A signer's index, 1..n, is its place in the list and comes from nowhere else.
 *
 * Keys are raw: Ed25519 of 32 bytes. `tls` is the SHA-256 of the link certificate's public key.
 */
const manifestBody = struct({
  format: tag('quorate/manifest/1'),
  epoch: u32,
  previous: option(hash32),
  threshold: u8,
  quorum: u8,
  signers: list(
    struct({ id: text(64), identity: fixed(32), operator: fixed(32), tls: hash32 }),
    signersMax,
    2,
  ),
})
const signedManifest = struct({
  body: bytes(4096),
  /** One per signer's operator, in the signers' order. */
  signatures: list(fixed(64), signersMax),
})

export type Manifest = Decoded<typeof manifestBody> & { readonly hash: Uint8Array }
export type ManifestBody = Decoded<typeof manifestBody>
type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean
type Sign = (operator: number, message: Uint8Array) => Uint8Array

/** Safe against t - 1 corrupt signers only when two quorums share an honest one. */
export function areSoundNumbers(numbers: { n: number; t: number; q: number }): boolean {
  const { n, t, q } = numbers
  return 2 <= t && t <= q && q <= n && n <= signersMax && 2 * q - n >= t
}

/** @param sign gives the Ed25519 signature of the operator at an index, 1..n */
export function signManifest(body: ManifestBody, sign: Sign): Uint8Array {
  const encoded = encode(manifestBody, body)
  return encode(signedManifest, {
    body: encoded,
    signatures: body.signers.map((_, i) => sign(i + 1, encoded)),
  })
}

/**
 * @throws Failure `bytes.malformed`
 * @throws Error when the numbers are unsound, a key stands twice, or an operator has not signed:
 *   a process must not start with such a manifest
 */
export function readManifest(file: Uint8Array, verify: Verify): Manifest {
  const { body, signatures } = decode(signedManifest, file)
  const manifest = decode(manifestBody, body)
  const numbers = { n: manifest.signers.length, t: manifest.threshold, q: manifest.quorum }
  if (!areSoundNumbers(numbers)) throw new Error('The cluster manifest has unsound numbers.')
  for (const part of ['identity', 'operator', 'tls'] as const)
    if (new Set(manifest.signers.map((signer) => signer[part].join())).size !== numbers.n)
      throw new Error(`The cluster manifest names one ${part} twice.`)
  const isSigned = manifest.signers.every(({ operator }, i) => {
    const signature = signatures[i]
    return signature !== undefined && verify(operator, body, signature)
  })
  if (!isSigned || signatures.length !== numbers.n)
    throw new Error('The cluster manifest is not signed by every operator.')
  return { ...manifest, hash: sha256(body) }
}
