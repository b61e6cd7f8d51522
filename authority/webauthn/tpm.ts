import { concat, equalBytes, fromHex, toBase64url } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { refuse } from '../attempt.ts'
import { childrenOf, contextTag } from '../der.ts'
import { spkiOfJwk } from '../public-key.ts'
import {
  expectAttester,
  expectCertified,
  extensionOf,
  readLeaf,
  readName,
  readOid,
  type Certificate,
} from './certificate.ts'
import { bytesOf, expectMembers, signedBytes, type Attested, type Signer } from './statement.ts'

/**
 * Section 8.3: a TPM certifies the new key with an attestation key of its own. Digests are SHA-256;
 * older Windows signs over SHA-1 here, which is refused.
 */
export function verifyTpm(attested: Attested): Signer {
  const { statement, key, credential } = attested
  expectMembers(statement, ['ver', 'alg', 'x5c', 'sig', 'certInfo', 'pubArea'])
  if (statement.get('ver') !== '2.0') refuse('the attestation is of another version')
  const info = bytesOf(statement.get('certInfo'))
  const leaf = readLeaf(statement)
  expectTpmCertificate(leaf)
  expectAttester(leaf, credential.aaguid)
  expectCertified(leaf, statement, info)
  const area = bytesOf(statement.get('pubArea'))
  if (!equalBytes(readPublicArea(area), key.spki)) refuse('the TPM speaks of another key')
  const { extraData, name } = readCertifyInfo(info)
  if (!equalBytes(extraData, sha256(signedBytes(attested))))
    refuse('the TPM speaks of another challenge')
  if (!equalBytes(name, concat(algorithmSha256, sha256(area))))
    refuse('the TPM speaks of another key')
  return 'attester'
}

/** TCG, TPM 2.0 Library, Part 2, section 6.3: TPM_ALG_ID. */
const algorithmSha256 = fromHex('000b')
const algorithms = { rsa: 0x0001, sha256: 0x000b, none: 0x0010, ecc: 0x0023 } as const
const schemes = { rsassa: 0x0014, ecdsa: 0x0018 } as const
const curveP256 = 0x0003

/** Part 2, section 12.2.4, TPMT_PUBLIC, of a key for signing. */
function readPublicArea(area: Uint8Array): Uint8Array {
  const from = new TpmReader(area)
  const type = from.int(2)
  if (from.int(2) !== algorithms.sha256) refuse('the TPM names keys by another digest')
  from.take(4) // objectAttributes
  from.sized() // authPolicy
  if (from.int(2) !== algorithms.none) refuse('the key of the TPM is not for signing')
  if (type !== algorithms.rsa && type !== algorithms.ecc) refuse('the TPM speaks of no known key')
  const spki = type === algorithms.rsa ? rsaKey(from) : ecKey(from)
  from.end()
  return spki ?? refuse('the key of the TPM is not usable')
}

function rsaKey(from: TpmReader): Uint8Array | undefined {
  expectScheme(from, schemes.rsassa)
  from.take(2) // keyBits: the modulus itself is compared
  // Section 12.2.3.5: zero stands for 65537, and no other is taken anywhere.
  if (![0, 65537].includes(from.int(4))) refuse('the key of the TPM has another exponent')
  return spkiOfJwk({ kty: 'RSA', n: toBase64url(from.sized()), e: 'AQAB' })
}

function ecKey(from: TpmReader): Uint8Array | undefined {
  expectScheme(from, schemes.ecdsa)
  if (from.int(2) !== curveP256) refuse('the key of the TPM is on another curve')
  if (from.int(2) !== algorithms.none) refuse('the key of the TPM is not for signing')
  const [x, y] = [from.sized(), from.sized()]
  if (x.length !== 32 || y.length !== 32) refuse('the key of the TPM is on another curve')
  return spkiOfJwk({ kty: 'EC', crv: 'P-256', x: toBase64url(x), y: toBase64url(y) })
}

/** Any, or this one with SHA-256. */
function expectScheme(from: TpmReader, scheme: number): void {
  const named = from.int(2)
  if (named === algorithms.none) return
  if (named !== scheme || from.int(2) !== algorithms.sha256)
    refuse('the key of the TPM has another scheme')
}

/** Part 2, section 10.12.8, TPMS_ATTEST, of type TPM_ST_ATTEST_CERTIFY. */
function readCertifyInfo(info: Uint8Array): { extraData: Uint8Array; name: Uint8Array } {
  const from = new TpmReader(info)
  if (from.int(4) !== 0xff544347 || from.int(2) !== 0x8017) refuse('the TPM certifies no key')
  from.sized() // qualifiedSigner
  const extraData = from.sized()
  from.take(17 + 8) // clockInfo, firmwareVersion
  const name = from.sized()
  from.sized() // qualifiedName
  from.end()
  return { extraData, name }
}

const subjectAlternativeName = '2.5.29.17'
const extendedKeyUsage = '2.5.29.37'
const attestationKeyUsage = '2.23.133.8.3'
/** TCG EK Credential Profile, section 3.2.9: manufacturer, model and version. */
const deviceAttributes = ['2.23.133.2.1', '2.23.133.2.2', '2.23.133.2.3']

/** Section 8.3.1: nobody's name, a TPM's marks, and the one use. */
function expectTpmCertificate(certificate: Certificate): void {
  if (certificate.subject.length > 0) refuse('the certificate names a subject')
  const usages = extensionOf(certificate, extendedKeyUsage)
  if (
    usages === undefined ||
    !childrenOf(usages).some((use) => readOid(use) === attestationKeyUsage)
  )
    refuse('the certificate is not for attestations of a TPM')
  const names = extensionOf(certificate, subjectAlternativeName)
  const directory = names && childrenOf(names).find(({ tag }) => tag === contextTag(4))
  if (directory === undefined) return refuse('the certificate is not of a TPM')
  const [name] = childrenOf(directory, contextTag(4))
  const given = readName(name).filter(({ value }) => value !== '')
  if (!deviceAttributes.every((oid) => given.some(({ type }) => type === oid)))
    refuse('the certificate is not of a TPM')
}

/** Big-endian; a sized part carries two bytes of length. */
class TpmReader {
  private readonly bytes: Uint8Array
  private at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
  take(size: number): Uint8Array {
    if (size > this.bytes.length - this.at) refuse('the TPM speaks of less than it says')
    this.at += size
    return this.bytes.slice(this.at - size, this.at)
  }
  int(size: number): number {
    return this.take(size).reduce((value, byte) => value * 256 + byte, 0)
  }
  sized(): Uint8Array {
    return this.take(this.int(2))
  }
  end(): void {
    if (this.at !== this.bytes.length) refuse('the TPM speaks of more than it says')
  }
}
