import { secp256k1, secp256k1_hasher } from '@noble/curves/secp256k1.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { decodeBody } from '@quorate/authority/body'
import {
  pooledMs,
  type Curve,
  type KeyTerms,
  type PooledTerms,
} from '@quorate/authority/key-certificate'
import { opaqueStep } from '@quorate/authority/opaque-step'
import {
  keyTable,
  decodeRecord,
  recordKey,
  type Table,
  type Write,
} from '@quorate/authority/records'
import { type Asked } from '@quorate/authority/reduce/asked'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { judgeKeyRequest, messagesOf } from '@quorate/authority/reduce/questions'
import { draftStep, reduceItems } from '@quorate/authority/reduce/step'
import { encodeStep, noStep, reducerVersion, stepHash } from '@quorate/authority/step'
import { sponsorshipHash } from '@quorate/authority/request'
import { keyStream, rootOf, streamName, type StreamId } from '@quorate/authority/stream'
import {
  certifyKey,
  certifyPooled,
  certifyStep,
  makeCluster,
  Records,
} from '@quorate/authority/testing/world'
import { concat, equalBytes, toHex } from '@quorate/core/bytes'
import { certificateCodec } from '@quorate/authority/agreement/messages'
import { decode } from '@quorate/core/codec'
import { Failure } from '@quorate/core/failure'
import { idOf } from '@quorate/core/id'
import { childKeyOf } from '@quorate/effects/child-key'
import { decodeDerivation, encodeDerived } from '@quorate/effects/instruction'
import { rulesFor } from '@quorate/judge/rules'
import type { ClockState } from '../coordinator/hours.ts'
import { Ledger } from '../coordinator/ledger.ts'
import { refusalFor, standingAs } from '../coordinator/streams.ts'
import type { Database } from '../database/database.ts'
import type { CreateKey } from '../keys/create.ts'
import type { Sign } from '../signatures/signature.ts'
import type { Concluding, Log, Timed } from '../auth/log.ts'

/**
 * The coordinator's place in tests of these rooms: the same rules and the same rows, by one process
 * that agrees with itself and holds whole keys.
 */
export class Solo implements Log, Timed, Concluding {
  readonly cluster = makeCluster()
  private readonly rules = rulesFor(this.cluster.manifest)
  private readonly records = new Map<string, Records>()
  private readonly heads = new Map<string, { seq: number; hash: Uint8Array }>()
  private readonly secrets = new Map<string, { curve: Curve; secret: Uint8Array }>()
  /** Whoever asks again gets the same key. */
  private readonly certificates = new Map<string, Uint8Array>()
  private readonly database: Database
  private readonly pool: {
    readonly terms: PooledTerms
    readonly secret: Uint8Array
    readonly certificate: Uint8Array
  }[] = []
  private last: Promise<unknown> = Promise.resolve()
  /** Signers that are gone: whatever needs all of them fails. */
  missing: readonly string[] = []
  /** What they say of the server's clock: nothing is agreed on by one that is off. */
  clockState: ClockState = 'right'

  constructor(database: Database) {
    this.database = database
  }

  readonly settle: Log['settle'] = async ({ organization, kind, evidence, stream }) => {
    if (this.missing.length > 1) throw this.unavailable()
    this.checkClock()
    const place = stream ?? rootOf(organization)
    const { step, certificate } = await this.put(organization, place, { kind, evidence })
    const operation = step.items[0]?.operation
    if (operation === undefined) throw new TypeError('a step has an item')
    return { time: step.time, knownAt: Date.now(), operation, certificate }
  }

  readonly clock: Timed['clock'] = async () => this.clockState

  private checkClock(): void {
    const { clockState: clock } = this
    if (clock === 'ahead' || clock === 'behind') throw new Failure('clock.wrong', { clock })
  }

  readonly read: Log['read'] = async (organization, judge) => judge(this.of(organization))

  readonly readKnown: Log['read'] = this.read

  /** Nothing is proposed here that is not in force at once, unless a test has it so. */
  conclude: Concluding['conclude'] = async () => undefined

  readonly createKey: CreateKey = async ({ organization, evidence, index = 0 }) => {
    const name = toHex(idOf(requestOfEvidence(evidence), 'key', index))
    const made = this.certificates.get(name)
    if (made !== undefined) return { certificate: made }
    const ask = { organization, time: Date.now(), evidence, index }
    const judged = judgeKeyRequest(ask, this.of(organization), this.rules)
    if (!judged.ok) throw new Failure('request.refused', { reason: judged.reason })
    const { terms } = judged
    const waiting = terms.master === 'yes' ? undefined : this.take(terms)
    if (waiting !== undefined) {
      this.certificates.set(name, waiting)
      return { certificate: waiting }
    }
    if (this.missing.length > 0) throw this.unavailable()
    const { secret, publicKey } = newSecret(terms.curve)
    this.secrets.set(toHex(terms.key), { curve: terms.curve, secret })
    const certificate = certifyKey(this.cluster, terms, publicKey)
    this.certificates.set(name, certificate)
    return { certificate }
  }

  /** Keys that are born ahead of need. */
  bear(organization: Uint8Array, curve: 'ed25519' | 'secp256k1'): void {
    const scheme = curve === 'ed25519' ? 'EdDSA' : 'ECDSA'
    const terms = { organization, scheme, curve, bindBefore: Date.now() + pooledMs } as const
    const { secret, publicKey } = newSecret(curve)
    const certificate = certifyPooled(this.cluster, terms, publicKey)
    this.pool.push({ terms, secret, certificate })
  }

  private take({ key, ...asked }: KeyTerms): Uint8Array | undefined {
    const index = this.pool.findIndex(
      ({ terms }) =>
        equalBytes(terms.organization, asked.organization) &&
        terms.scheme === asked.scheme &&
        terms.curve === asked.curve,
    )
    const [taken] = index < 0 ? [] : this.pool.splice(index, 1)
    if (taken === undefined) return undefined
    this.secrets.set(toHex(key), { curve: asked.curve, secret: taken.secret })
    return taken.certificate
  }

  readonly sign: Sign = async ({ organization, key, evidence, kind = 'use', bid }) => {
    if (this.missing.length > 1) throw this.unavailable()
    this.checkClock()
    const made = await this.put(organization, keyStream(key), { kind, evidence, bid })
    const drafted = { ...made, reader: this.of(organization), rules: this.rules }
    const planned = messagesOf({ ...drafted, evidence: [evidence] }, 0)
    if (!planned.ok) throw new Failure('request.refused', { reason: planned.reason })
    const { curve, secret } = this.secretOf(organization, key)
    if (this.key(organization, key)?.terms.scheme === 'DH')
      return { facts: evidence.facts, signatures: planned.messages.map((one) => dh(one, secret)) }
    return {
      facts: evidence.facts,
      signatures: planned.messages.map((message) =>
        curve === 'ed25519'
          ? { scheme: 'EdDSA', signature: ed25519.sign(message, secret) }
          : ecdsa(message, secret),
      ),
    }
  }

  private secretOf(organization: Uint8Array, key: Uint8Array) {
    const derivation = this.key(organization, key)?.derivation
    const kept = this.secrets.get(toHex(derivation?.master ?? key))
    if (kept === undefined) throw new TypeError('no such key')
    const { publicKey, chainCode } = this.key(organization, derivation?.master ?? key) ?? {}
    if (derivation === undefined || !publicKey || !chainCode) return kept
    const { tweak } = childKeyOf({ publicKey, chainCode }, derivation.path) ?? {}
    if (tweak === undefined) throw new TypeError('no key at this path')
    const { Fn } = secp256k1.Point
    const secret = Fn.toBytes(Fn.add(Fn.fromBytes(kept.secret), Fn.fromBytes(tweak)))
    return { curve: kept.curve, secret }
  }

  /** A record as no rule has written it: what another part of the platform will do one day. */
  write(organization: Uint8Array, write: Write): void {
    this.of(organization).apply(rootOf(organization), [write])
  }

  alter<T>(
    organization: Uint8Array,
    table: Table<T>,
    name: readonly Uint8Array[],
    change: Partial<T>,
  ): void {
    const altered = this.of(organization).altered(rootOf(organization), table, name, change)
    this.records.set(toHex(organization), altered)
  }

  key(organization: Uint8Array, id: Uint8Array) {
    const value = this.of(organization).read(rootOf(organization), recordKey(keyTable, id))
    return value && decodeRecord(keyTable, value)
  }

  private unavailable(): Failure {
    return new Failure('signers.unavailable', { missing: this.missing })
  }

  private of(organization: Uint8Array): Records {
    const name = toHex(organization)
    const known = this.records.get(name) ?? new Records()
    this.records.set(name, known)
    return known
  }

  /** One step after the other: two of one moment would be certified at one place. */
  private put(...step: Parameters<Solo['putNext']>): ReturnType<Solo['putNext']> {
    const put = this.last.then(() => this.putNext(...step))
    this.last = put.catch(() => undefined)
    return put
  }

  /** A request that stands already is no refusal. */
  private async found(organization: Uint8Array, { kind, evidence, bid }: Asked, reason: string) {
    const ledger = new Ledger(this.database)
    const own = requestOfEvidence(evidence)
    const request = kind === 'sponsor' ? sponsorshipHash(own, bid) : own
    const standing = await standingAs(ledger, organization, { kind, request })
    if (standing === undefined) throw refusalFor(reason)
    const { body, certificate } = standing.step
    return { step: decodeBody(body).step, certificate }
  }

  private async putNext(organization: Uint8Array, stream: StreamId, asked: Asked) {
    const place = `${toHex(organization)}/${streamName(stream)}`
    const head = this.heads.get(place) ?? { seq: -1, hash: noStep }
    const root = this.heads.get(`${toHex(organization)}/${streamName(rootOf(organization))}`)
    const heads =
      stream.kind === 'root' || root === undefined
        ? []
        : [{ stream: rootOf(organization), seq: root.seq, step: root.hash }]
    const draft = {
      ...{ organization, stream, seq: head.seq + 1, previous: head.hash, heads },
      ...{ manifest: this.cluster.manifest.hash, reducer: reducerVersion, time: Date.now() },
    }
    const reader = this.of(organization)
    const drafted = draftStep(draft, [asked], reader, this.rules)
    if (!drafted.ok) return this.found(organization, asked, drafted.reason)
    const { step } = drafted
    const evidence = [asked.evidence]
    const reduced = reduceItems({ step, evidence, reader, rules: this.rules })
    if (!reduced.ok) throw new TypeError(reduced.reason)
    const hash = stepHash(encodeStep(step))
    const certificate = decode(certificateCodec, certifyStep(this.cluster, step))
    const { writes } = reduced
    const opaque = opaqueStep(step, evidence)
    await new Ledger(this.database).keep({ organization, stream }, opaque, { certificate, writes })
    reader.apply(stream, reduced.writes)
    this.heads.set(place, { seq: step.seq, hash })
    return { step, certificate }
  }
}

function newSecret(name: Curve) {
  const curve = name === 'ed25519' ? ed25519 : secp256k1
  const secret = curve.utils.randomSecretKey()
  return { secret, publicKey: curve.getPublicKey(secret) }
}

/** As one party with the whole key would say it; the proof is none. */
function dh(message: Uint8Array, secret: Uint8Array) {
  const { domain, seed } = decodeDerivation(message)
  const { Fn } = secp256k1.Point
  const input = secp256k1_hasher.hashToCurve(seed, { DST: domain })
  const point = input.multiply(Fn.fromBytes(secret)).toBytes(true)
  const partial = concat(point, new Uint8Array(64))
  const partials = [{ signer: 1, publicShare: secp256k1.getPublicKey(secret), partial }]
  const sid = new Uint8Array(32)
  return { scheme: 'DH', derived: encodeDerived({ sid, point, partials }) } as const
}

function ecdsa(digest: Uint8Array, secret: Uint8Array) {
  const options = { prehash: false, format: 'recovered' } as const
  const [recid = 0, ...rs] = secp256k1.sign(digest, secret, options)
  const bytes = Uint8Array.from(rs)
  return { scheme: 'ECDSA', r: bytes.subarray(0, 32), s: bytes.subarray(32), recid } as const
}
