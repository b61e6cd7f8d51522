import {
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto'
import { toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { nameOf } from '@quorate/core/id'
import {
  certificateCodec,
  certificateOf,
  statementBytes,
  type Seal,
  type Signed,
} from '../agreement/messages.ts'
import { clientDataFor } from '../client-data.ts'
import { fingerprintOf, type Assertion } from '../credential.ts'
import { rawPublicKey, signEd25519, verifyEd25519 } from '../ed25519.ts'
import {
  encodeKeyStatement,
  encodePooledStatement,
  sealKeyCertificate,
  type KeyTerms,
  type PooledTerms,
} from '../key-certificate.ts'
import { readManifest, signManifest, type Manifest, type OwnNetwork } from '../manifest.ts'
import { matchOperation, namedIds } from '../operations.ts'
import { readPublicKey } from '../public-key.ts'
import { decodeRecord, encodeRecord, recordKey, type Table, type Write } from '../records.ts'
import { challengeOf, commitTo, encodePreimage, requestHash, type Preimage } from '../request.ts'
import { streamName, type StreamId } from '../stream.ts'
import { encodeStep, stepHash, type Step, type WholeEvidence } from '../step.ts'
import type { Reader } from '../reduce/judging.ts'

/** Real keys, real signatures, records in a map: what tests of rules and signers are made of. */
export const t0 = Date.UTC(2026, 0, 1)
const dayMs = 24 * 60 * 60_000

export type Cluster = {
  readonly manifest: Manifest
  readonly file: Uint8Array
  readonly identities: readonly KeyObject[]
}

export function makeCluster(
  { n, t, q } = { n: 4, t: 2, q: 3 },
  networks: readonly OwnNetwork[] = [],
): Cluster {
  const identities = Array.from({ length: n }, () => generateKeyPairSync('ed25519').privateKey)
  const operators = identities.map(() => generateKeyPairSync('ed25519').privateKey)
  const file = signManifest(
    {
      epoch: 0,
      previous: undefined,
      threshold: t,
      quorum: q,
      signers: identities.map((identity, i) => ({
        id: `signer-${i + 1}`,
        identity: rawPublicKey(identity),
        operator: rawPublicKey(at(operators, i)),
        tls: randomBytes(32),
      })),
      networks,
    },
    (operator, message) => signEd25519(at(operators, operator - 1), message),
  )
  return { manifest: readManifest(file, verifyEd25519), file, identities }
}

export type Person = { readonly key: KeyObject; readonly pem: string; readonly spki: Uint8Array }

export function makePerson(kind: 'ed25519' | 'P-256' | 'secp256k1' | 'rsa' = 'ed25519'): Person {
  const key = keyOf(kind)
  const pem = publicPem(key)
  const spki = readPublicKey(pem)
  if (spki === undefined) throw new Error('not a usable key')
  return { key, pem, spki }
}

function keyOf(kind: 'ed25519' | 'P-256' | 'secp256k1' | 'rsa'): KeyObject {
  if (kind === 'ed25519') return generateKeyPairSync('ed25519').privateKey
  if (kind === 'rsa') return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  return generateKeyPairSync('ec', { namedCurve: kind }).privateKey
}

function publicPem(key: KeyObject): string {
  return String(createPublicKey(key).export({ type: 'spki', format: 'pem' }))
}

export type Ask = {
  readonly organization: Uint8Array
  readonly user: Uint8Array
  readonly token?: Uint8Array
  readonly by: Person
  readonly method?: string
  readonly path: string
  readonly body: unknown
  readonly ids?: Readonly<Record<string, Uint8Array>>
  readonly facts?: Uint8Array
  readonly maxFee?: bigint
  readonly time?: number
  readonly preimage?: Partial<Preimage>
}

/** A request as a server would issue it and this person's client would sign it. */
export function makeRequest(ask: Ask): WholeEvidence {
  const payload = JSON.stringify(ask.body)
  const salt = new Uint8Array(randomBytes(32))
  const issuedAt = ask.time ?? t0
  const preimage = encodePreimage({
    purpose: 'action',
    organization: ask.organization,
    user: ask.user,
    token: ask.token && { id: ask.token, kind: 'ServiceAccount' },
    method: ask.method ?? 'POST',
    path: ask.path,
    ...commitTo(payload, salt),
    verification: 'none',
    subjects: subjectsOf(ask),
    maxFee: ask.maxFee,
    nonce: new Uint8Array(randomBytes(32)),
    issuedAt,
    signBefore: issuedAt + 10 * 60_000,
    executeBefore: issuedAt + 7 * dayMs,
    ...ask.preimage,
  })
  return {
    preimage,
    payload,
    salt,
    assertions: [assertionBy(ask.by, preimage)],
    facts: ask.facts ?? new Uint8Array(),
  }
}

function subjectsOf({ method = 'POST', path, body, ids = {} }: Ask): Preimage['subjects'] {
  const match = matchOperation(method, path)
  if (match === undefined) return []
  return namedIds(match, body).map(({ role }) => ({ role, id: ids[role] ?? new Uint8Array(32) }))
}

export function assertionBy(person: Person, preimage: Uint8Array): Assertion {
  const clientData = clientDataFor(challengeOf(preimage))
  const algorithm = person.key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  return {
    fingerprint: fingerprintOf(person.spki),
    clientData,
    signature: new Uint8Array(sign(algorithm, clientData, person.key)),
    authenticatorData: undefined,
  }
}

/** The genesis request of an organization under this cluster, by its administrator. */
export function makeGenesis(cluster: Cluster, administrator: Person, time = t0): WholeEvidence {
  const payload = JSON.stringify({
    name: 'Example',
    username: 'admin@example.test',
    publicKey: administrator.pem,
    rootQuorum: 1,
    manifest: toHex(cluster.manifest.hash),
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
    issuedAt: time,
    signBefore: time + 10 * 60_000,
    executeBefore: time + 7 * dayMs,
  })
  const assertions = [assertionBy(administrator, preimage)]
  return { preimage, payload, salt, assertions, facts: new Uint8Array() }
}

export function requestOf(evidence: Pick<WholeEvidence, 'preimage'>): Uint8Array {
  return requestHash(evidence.preimage)
}

/** The wire's path of something that a request has created. */
export function pathOf(
  kind: 'wallet' | 'key' | 'permission',
  id: Uint8Array,
  rest: string,
): string {
  return `/${kind}s/${nameOf(kind, id)}${rest}`
}

/** A certificate that all signers of the cluster have signed, over whatever public key. */
export function certifyKey(cluster: Cluster, terms: KeyTerms, publicKey: Uint8Array): Uint8Array {
  return certifyBy(cluster, encodeKeyStatement({ terms, ...madeBy(cluster, publicKey) }))
}

/** The same of a key in the pool. */
export function certifyPooled(
  cluster: Cluster,
  terms: PooledTerms,
  publicKey: Uint8Array,
): Uint8Array {
  return certifyBy(cluster, encodePooledStatement({ terms, ...madeBy(cluster, publicKey) }))
}

function madeBy({ manifest, identities }: Cluster, publicKey: Uint8Array) {
  return {
    manifest: manifest.hash,
    threshold: manifest.threshold,
    publicKey,
    publicShares: identities.map(() => publicKey),
    chainCode: new Uint8Array(32),
    transcript: new Uint8Array(32),
  }
}

function certifyBy({ identities }: Cluster, signed: Uint8Array): Uint8Array {
  return sealKeyCertificate(
    signed,
    identities.map((identity) => signEd25519(identity, signed)),
  )
}

/** The seals of all signers over a step, in the first ballot of its place. */
export function certifyStep({ manifest, identities }: Cluster, step: Step): Uint8Array {
  const { organization, stream, seq } = step
  const place = { manifestHash: manifest.hash, organization, stream, seq, ballot: 0 }
  const said = { ...place, stepHash: stepHash(encodeStep(step)), bootId: new Uint8Array(16) }
  const seals = identities.map((identity, i): Signed<Seal> => {
    const statement: Seal = { kind: 'seal', ...said, signer: i + 1, storeSequence: 1 }
    return { statement, signature: signEd25519(identity, statementBytes(statement)) }
  })
  return encode(certificateCodec, certificateOf([at(seals, 0), ...seals.slice(1)]))
}

/** Records in memory, by stream. */
export class Records implements Reader {
  private readonly values = new Map<string, Uint8Array>()

  read(stream: StreamId, key: string): Uint8Array | undefined {
    return this.values.get(`${streamName(stream)}:${key}`)
  }
  apply(stream: StreamId, writes: readonly Write[]): void {
    for (const { key, value } of writes) this.values.set(`${streamName(stream)}:${key}`, value)
  }
  /** The same with some members of one record changed. */
  altered<T>(
    stream: StreamId,
    table: Table<T>,
    name: readonly (Uint8Array | string)[],
    change: Partial<T>,
  ): Records {
    const key = recordKey(table, ...name)
    const known = this.read(stream, key)
    if (known === undefined) throw new Error(`there is no ${key}`)
    const value = encodeRecord(table, { ...decodeRecord(table, known), ...change })
    return this.with(stream, { key, value })
  }
  with(stream: StreamId, write: Write): Records {
    const copy = new Records()
    for (const [key, value] of this.values) copy.values.set(key, value)
    copy.apply(stream, [write])
    return copy
  }
}

function at<T>(values: readonly T[], index: number): T {
  const value = values[index]
  if (value === undefined) throw new RangeError('no such entry')
  return value
}
