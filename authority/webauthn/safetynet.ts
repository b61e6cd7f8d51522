import { equalBytes, fromBase64url, fromUtf8, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { isObject, parseJson, type Json, type JsonObject } from '@quorate/core/json'
import { refuse } from '../attempt.ts'
import { childrenOf } from '../der.ts'
import { verifySignature } from '../public-key.ts'
import { extensionOf, readCertificate, type Certificate } from './certificate.ts'
import { bytesOf, expectMembers, signedBytes, type Attested, type Signer } from './statement.ts'

const service = 'attest.android.com'
const subjectAlternativeName = '2.5.29.17'
/** `[2]`, a DNS name: implicit, so with no tag of its own inside. */
const dnsNameTag = 0x82

/**
 * Section 8.5: an answer of Android's SafetyNet as a JWS (RFC 7515) with its certificates. The
 * service is no more, the format is still in the specification. How old the answer is cannot be
 * judged without a clock; it is bound to the challenge.
 */
export function verifySafetyNet(attested: Attested): Signer {
  const { statement } = attested
  expectMembers(statement, ['ver', 'response'])
  const version = statement.get('ver')
  if (typeof version !== 'string' || version === '') refuse('the attestation has no version')
  const [header, payload, signature, ...rest] = fromUtf8(bytesOf(statement.get('response'))).split(
    '.',
  )
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0)
    return refuse('the answer is no signed text')
  const leaf = leafOf(objectIn(header))
  if (!isOfService(leaf)) refuse('the certificate is of another host')
  if (!verifySignature(leaf.spki, toUtf8(`${header}.${payload}`), fromBase64url(signature)))
    refuse('the signature of the attestation is not valid')
  const { nonce, ctsProfileMatch } = objectIn(payload)
  if (!equalBytes(fromBase64(nonce), sha256(signedBytes(attested))))
    refuse('the answer is for another challenge')
  if (ctsProfileMatch !== true) refuse('the answer is not of a sound device')
  return 'attester'
}

function objectIn(encoded: string): JsonObject {
  const value = parseJson(fromUtf8(fromBase64url(encoded)))
  return isObject(value) ? value : refuse('the answer is not well-formed')
}

function leafOf({ alg, x5c }: JsonObject): Certificate {
  if (alg !== 'RS256' || !Array.isArray(x5c)) return refuse('the answer has no certificate')
  const [leaf]: readonly Json[] = x5c
  return readCertificate(fromBase64(leaf))
}

function isOfService(certificate: Certificate): boolean {
  const names = extensionOf(certificate, subjectAlternativeName)
  if (names === undefined) return false
  return childrenOf(names).some(
    ({ tag, contents }) => tag === dnsNameTag && equalBytes(contents, toUtf8(service)),
  )
}

/** RFC 7515, section 4.1.6, and SafetyNet's nonce: padded, and of the other alphabet. */
function fromBase64(text: Json | undefined): Uint8Array {
  const bytes = Buffer.from(typeof text === 'string' ? text : '', 'base64')
  if (bytes.toString('base64') !== text) refuse('the answer is not well-formed')
  return new Uint8Array(bytes)
}
