import { toBase64url } from '@quorate/core/bytes'
import { refuse } from '../attempt.ts'
import { spkiOfJwk } from '../public-key.ts'
import type { Cbor, CborMap } from './cbor.ts'

/** COSE's numbers of the signature algorithms that a passkey may have (RFC 9053, RFC 8812). */
export const coseAlgorithms = { ES256: -7, EdDSA: -8, RS256: -257 } as const
export type CoseAlgorithm = (typeof coseAlgorithms)[keyof typeof coseAlgorithms]

export type PasskeyKey = {
  readonly algorithm: CoseAlgorithm
  /** Canonical: one key, one encoding, one fingerprint. */
  readonly spki: Uint8Array
}

/** Labels of a COSE_Key (RFC 9052, section 7; RFC 9053, section 7; RFC 8230, section 4). */
const labels = { kty: 1, alg: 3, crv: -1, x: -2, y: -3, n: -1, e: -2 } as const

/**
 * A credential's public key, which names its algorithm and has no optional members (Web
 * Authentication, section 6.5.1.1).
 * @throws Failure `request.refused`
 */
export function readCoseKey(key: CborMap): PasskeyKey {
  const algorithm = key.get(labels.alg)
  if (algorithm === coseAlgorithms.ES256) return { algorithm, spki: ecKey(key) }
  if (algorithm === coseAlgorithms.EdDSA) return { algorithm, spki: edKey(key) }
  if (algorithm === coseAlgorithms.RS256) return { algorithm, spki: rsaKey(key) }
  return refuse('the key is of none of the algorithms ES256, EdDSA and RS256')
}

/** Type 2 on curve 1: P-256, x and y in full. */
function ecKey(key: CborMap): Uint8Array {
  expectMembers(key, { kty: 2, crv: 1 }, [labels.x, labels.y])
  const x = coordinate(key.get(labels.x))
  const y = coordinate(key.get(labels.y))
  return spkiOfJwk({ kty: 'EC', crv: 'P-256', x, y }) ?? refuse('the key is not on its curve')
}

/** Type 1 on curve 6: Ed25519. */
function edKey(key: CborMap): Uint8Array {
  expectMembers(key, { kty: 1, crv: 6 }, [labels.x])
  const x = coordinate(key.get(labels.x))
  return spkiOfJwk({ kty: 'OKP', crv: 'Ed25519', x }) ?? refuse('the key is not of full order')
}

/** Type 3. Numbers have no leading zeros (RFC 8230, section 4). */
function rsaKey(key: CborMap): Uint8Array {
  expectMembers(key, { kty: 3 }, [labels.n, labels.e])
  const n = natural(key.get(labels.n))
  const e = natural(key.get(labels.e))
  return (
    spkiOfJwk({ kty: 'RSA', n, e }) ??
    refuse('the key is not RSA of 2048 to 4096 bits with exponent 65537')
  )
}

function expectMembers(
  key: CborMap,
  { kty, crv }: { readonly kty: number; readonly crv?: number },
  further: readonly number[],
): void {
  const known = [labels.kty, labels.alg, ...(crv === undefined ? [] : [labels.crv]), ...further]
  const isForm = key.size === known.length && known.every((label) => key.has(label))
  const isType = key.get(labels.kty) === kty && (crv === undefined || key.get(labels.crv) === crv)
  if (!isForm || !isType) refuse('the key has not the members of its type')
}

function coordinate(value: Cbor | undefined): string {
  if (!(value instanceof Uint8Array) || value.length !== 32)
    return refuse('a coordinate is not of 32 bytes')
  return toBase64url(value)
}

/** 4096 bits at most: nothing larger reaches the big-number code. */
function natural(value: Cbor | undefined): string {
  if (!(value instanceof Uint8Array) || value.length > 512 || (value[0] ?? 0) === 0)
    return refuse('a number of the key is not in its shortest form')
  return toBase64url(value)
}
