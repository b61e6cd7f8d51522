import { equalBytes, fromUtf8, toHex } from '@quorate/core/bytes'
import { refuse } from '../attempt.ts'
import { childrenOf, contentsOf, contextTag, readDer, tags, type Der } from '../der.ts'
import { parseSpki, type Algorithm } from '../public-key.ts'
import type { Cbor, CborMap } from './cbor.ts'
import { coseAlgorithms } from './cose.ts'
import { bytesOf, expectSignature } from './statement.ts'

/**
 * As much of a certificate as attestation formats look at (RFC 5280, section 4.1). Read here and
 * not by OpenSSL, whose versions differ. Its own signature and its dates are not looked at: without
 * a root to trust they would say nothing.
 */
export type Certificate = {
  readonly spki: Uint8Array
  readonly subject: readonly Attribute[]
  readonly extensions: ReadonlyMap<string, Extension>
}
export type Attribute = { readonly type: string; readonly value: string }
export type Extension = { readonly critical: boolean; readonly value: Uint8Array }

/** Longer chains than any maker has; only the first certificate is looked at. */
const chainLengthMax = 8

/** @throws Failure `bytes.malformed`, or `request.refused` when the chain is empty or too long */
export function readLeaf(statement: CborMap): Certificate {
  const chain = statement.get('x5c')
  if (!Array.isArray(chain)) return refuse('the attestation has no certificate')
  const [leaf, ...rest]: readonly Cbor[] = chain
  if (rest.length >= chainLengthMax || !rest.every((entry) => entry instanceof Uint8Array))
    refuse('the chain of certificates is not well-formed')
  return readCertificate(bytesOf(leaf))
}

/** @throws Failure `bytes.malformed` when it is not of version 3, which all formats ask for */
export function readCertificate(der: Uint8Array): Certificate {
  const [body] = childrenOf(readDer(der))
  const [version, , , , , subject, spki, ...rest] = childrenOf(body)
  const [number] = childrenOf(version, contextTag(0))
  if (toHex(contentsOf(number, tags.integer)) !== '02')
    refuse('the certificate is not of version 3')
  const extensions = rest.find(({ tag }) => tag === contextTag(3))
  return {
    spki: spki?.whole ?? refuse('the certificate has no public key'),
    subject: readName(subject),
    extensions: extensions === undefined ? new Map() : readExtensions(extensions),
  }
}

/**
 * A sequence of sets of attributes, whose values are read where they are UTF-8 or a part of it.
 * @throws Failure `bytes.malformed`
 */
export function readName(name: Der | undefined): readonly Attribute[] {
  const attributes = childrenOf(name).flatMap((set) => childrenOf(set, tags.set))
  return attributes.map((attribute) => {
    const [type, value] = childrenOf(attribute)
    const isText = value !== undefined && textTags.has(value.tag)
    return { type: readOid(type), value: isText ? fromUtf8(value.contents) : '' }
  })
}
const textTags = new Set<number>([tags.utf8, tags.printable, tags.ia5])

/** X.690, section 8.19, for numbers below 2^28: two in the first group, then one in each. */
export function readOid(oid: Der | undefined): string {
  const numbers: number[] = []
  let number = 0
  let length = 0
  for (const byte of contentsOf(oid, tags.oid)) {
    number = number * 128 + (byte & 0x7f)
    if (++length > 4 || (length === 1 && byte === 0x80)) refuse('an object identifier is malformed')
    if (byte >= 0x80) continue
    numbers.push(number)
    number = length = 0
  }
  const [first, ...rest] = numbers
  if (first === undefined || length > 0) return refuse('an object identifier is malformed')
  const top = Math.min(2, Math.floor(first / 40))
  return [top, first - top * 40, ...rest].join('.')
}

function readExtensions(wrapped: Der): ReadonlyMap<string, Extension> {
  const extensions = new Map<string, Extension>()
  for (const extension of childrenOf(childrenOf(wrapped, contextTag(3))[0])) {
    const [oid, ...rest] = childrenOf(extension)
    const name = readOid(oid)
    if (extensions.has(name)) refuse('the certificate has an extension twice')
    // DER leaves the default out, so the only boolean that can stand here is true.
    const critical = rest.length === 2
    if (critical && toHex(contentsOf(rest[0], tags.boolean)) !== 'ff')
      refuse('the certificate has a malformed extension')
    extensions.set(name, { critical, value: contentsOf(rest.at(-1), tags.octets) })
  }
  return extensions
}

/** The extension's value, as DER. */
export function extensionOf(certificate: Certificate, oid: string): Der | undefined {
  const extension = certificate.extensions.get(oid)
  return extension === undefined ? undefined : readDer(extension.value)
}

const basicConstraints = '2.5.29.19'
const aaguidExtension = '1.3.6.1.4.1.45724.1.1.4'

/** What sections 8.2.1 and 8.3.1 both ask: it certifies nobody, and is for this model if for any. */
export function expectAttester(certificate: Certificate, aaguid: Uint8Array): void {
  const constraints = extensionOf(certificate, basicConstraints)
  const [isAuthority] = constraints === undefined ? [] : childrenOf(constraints)
  if (isAuthority?.tag === tags.boolean) refuse('the certificate is of an authority')
  const named = extensionOf(certificate, aaguidExtension)
  if (named === undefined) return
  const isCritical = certificate.extensions.get(aaguidExtension)?.critical === true
  if (isCritical || !equalBytes(contentsOf(named, tags.octets), aaguid))
    refuse('the certificate is for another model')
}

const algorithms: ReadonlyMap<Cbor | undefined, Algorithm> = new Map([
  [coseAlgorithms.ES256, 'P-256'],
  [coseAlgorithms.EdDSA, 'Ed25519'],
  [coseAlgorithms.RS256, 'RSA'],
])

/** Has the certificate's key signed this, in the algorithm that the statement names? */
export function expectCertified(
  { spki }: Certificate,
  statement: CborMap,
  message: Uint8Array,
): void {
  if (parseSpki(spki)?.algorithm !== (algorithms.get(statement.get('alg')) ?? 'none'))
    refuse('the attestation is of another algorithm than its certificate')
  expectSignature(spki, message, statement.get('sig'))
}
