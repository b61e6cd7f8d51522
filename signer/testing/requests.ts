import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'
import { clientDataFor } from '@quorate/authority/client-data'
import { fingerprintOf } from '@quorate/authority/credential'
import { matchOperation, namedIds } from '@quorate/authority/operations'
import {
  challengeOf,
  commitTo,
  encodePreimage,
  requestHash,
  type Preimage,
} from '@quorate/authority/request'
import type { WholeEvidence } from '@quorate/authority/step'
import { toHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import { encodeFacts, noFacts, type Facts } from '@quorate/effects/facts'

export type Credential = {
  readonly privateKey: KeyObject
  readonly spki: Uint8Array
  readonly pem: string
}

export function makeCredential(): Credential {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return {
    privateKey,
    spki: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' })),
    pem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

/** Somebody who may sign requests: an administrator, or a service account with its token. */
export type Person = {
  readonly organization: Uint8Array
  readonly user: Uint8Array
  readonly credential: Credential
  readonly token?: { readonly id: Uint8Array; readonly kind: 'ServiceAccount' | 'Pat' }
}

export type Ask = {
  readonly path: string
  /** An object is written as JSON; a text is taken as it is. */
  readonly body: object | string
  readonly now: number
  /** Full ids by the names that path and body call them. */
  readonly ids?: ReadonlyMap<string, Uint8Array>
  readonly maxFee?: bigint
  readonly facts?: Facts | Uint8Array
  /** Of the pre-image, before it is signed. */
  readonly change?: Partial<Preimage>
}

export const signWithinMs = 10 * 60_000
export const executeWithinMs = 7 * 24 * 60 * 60_000

/** What lies beside an item of the log when `person` has really asked for it. */
export function signedRequest(person: Person, ask: Ask): WholeEvidence {
  const salt = new Uint8Array(randomBytes(32))
  const payload = typeof ask.body === 'string' ? ask.body : JSON.stringify(ask.body)
  const preimage = encodePreimage({
    ...preimageOf(person, ask),
    ...commitTo(payload, salt),
    ...ask.change,
  })
  const facts = ask.facts ?? noFacts
  return {
    preimage,
    payload,
    salt,
    assertions: [assertionOf(person.credential, preimage)],
    facts: facts instanceof Uint8Array ? facts : encodeFacts(facts),
  }
}

export function assertionOf({ privateKey, spki }: Credential, preimage: Uint8Array) {
  const clientData = clientDataFor(challengeOf(preimage))
  const signature = new Uint8Array(sign(null, clientData, privateKey))
  return { fingerprint: fingerprintOf(spki), clientData, signature, authenticatorData: undefined }
}

function preimageOf(
  { organization, user, token }: Person,
  { path, body, now, ids, maxFee }: Ask,
): Omit<Preimage, 'payload' | 'payloadLength' | 'fields'> {
  const match = matchOperation('POST', path)
  const parsed = typeof body === 'string' ? parseJson(body) : body
  const named = match === undefined ? [] : namedIds(match, parsed)
  return {
    purpose: 'action',
    organization,
    user,
    token,
    method: 'POST',
    path,
    verification: 'none',
    subjects: named.map(({ role, name }) => {
      const id = ids?.get(name)
      if (id === undefined) throw new Error(`the test world knows no ${name}`)
      return { role, id }
    }),
    maxFee,
    nonce: new Uint8Array(randomBytes(32)),
    issuedAt: now,
    signBefore: now + signWithinMs,
    executeBefore: now + executeWithinMs,
  }
}

/** The first request of an organization, and who it makes its administrator. */
export function genesisRequest(
  manifestHash: Uint8Array,
  now: number,
): { readonly evidence: WholeEvidence; readonly administrator: Person } {
  const credential = makeCredential()
  const payload = JSON.stringify({
    rootQuorum: 1,
    manifest: toHex(manifestHash),
    publicKey: credential.pem,
  })
  const salt = new Uint8Array(randomBytes(32))
  const preimage = encodePreimage({
    purpose: 'genesis',
    organization: undefined,
    user: undefined,
    token: undefined,
    method: 'POST',
    path: '/orgs',
    ...commitTo(payload, salt),
    verification: 'none',
    subjects: [],
    maxFee: undefined,
    nonce: new Uint8Array(randomBytes(32)),
    issuedAt: now,
    signBefore: now + signWithinMs,
    executeBefore: now + executeWithinMs,
  })
  const hash = requestHash(preimage)
  return {
    evidence: {
      preimage,
      payload,
      salt,
      assertions: [assertionOf(credential, preimage)],
      facts: encodeFacts(noFacts),
    },
    administrator: {
      organization: idOf(hash, 'organization'),
      user: idOf(hash, 'user'),
      credential,
    },
  }
}

/** The same request with another payload beside it: what a hostile server would like to be signed. */
export function withPayload(
  evidence: WholeEvidence,
  change: (body: object) => object,
): WholeEvidence {
  const body = parseJson(evidence.payload)
  if (!isObject(body)) throw new Error('the payload is no object')
  return { ...evidence, payload: JSON.stringify(change(body)) }
}
