import libsecp256k1 from 'secp256k1/bindings.js'
import type { OpaqueStep, Subject } from '@quorate/authority/agreement/messages'
import { certificateCodec } from '@quorate/authority/agreement/messages'
import { decodeBody } from '@quorate/authority/body'
import { matchOperation } from '@quorate/authority/operations'
import { activePoliciesTable, recordKey, requestTable } from '@quorate/authority/records'
import type { Write } from '@quorate/authority/records'
import type { Reader, Rules } from '@quorate/authority/reduce/judging'
import type { Asked } from '@quorate/authority/reduce/asked'
import { actsByRule, requestOfEvidence } from '@quorate/authority/reduce/cause'
import { judgeKeyRequest, messagesOf } from '@quorate/authority/reduce/questions'
import { rawPublicKey, signEd25519, verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest, signManifest } from '@quorate/authority/manifest'
import { decodePreimage, requestHash, sponsorshipHash } from '@quorate/authority/request'
import { executionWindowMs, skewMsMax, type Evidence, type ItemKind } from '@quorate/authority/step'
import { rootOf, streamName } from '@quorate/authority/stream'
import { certifyKey, certifyStep, type Cluster, Records } from '@quorate/authority/testing/world'
import { toHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { Failure } from '@quorate/core/failure'
import { isObject, parseJson } from '@quorate/core/json'
import { rulesFor } from '@quorate/judge/rules'
import { draftNext } from '../coordinator/draft.ts'
import type { Certified } from '../coordinator/ledger.ts'
import type { ClockState } from '../coordinator/hours.ts'
import { refusalFor } from '../coordinator/streams.ts'
import type { Signature } from '../coordinator/signing.ts'
import { keyFrom, Random } from './random.ts'

/** What signers keep of a step, whatever becomes of the server that has proposed it. */
export type Kept = {
  readonly place: Subject
  readonly opaque: OpaqueStep
  readonly certified: Certified
  readonly writes: readonly Write[]
  readonly request: Uint8Array
  readonly kind: ItemKind
}
/** Faults that are planted in them. */
export type Forgetting = {
  readonly forgetRequests?: boolean
  readonly forgetExternalIds?: boolean
  readonly forgetPolicies?: boolean
}
type Stream = { readonly steps: Kept[] }

/**
 * A stand-in for the signers: the rules that they all run, one memory that no server's death
 * touches, and whole keys in place of shares. What they say of a request is what four signers say
 * (`signers.test.ts` asks both); how they come to it (agreement, ceremonies) is not here.
 */
export class SmallSigners {
  readonly cluster: Cluster
  readonly rules: Rules
  private readonly clock: () => number
  private readonly random: Random
  /** Drawn apart, so that what is signed leaves the rest of the chance as it is. */
  private readonly entropy: Random
  private readonly forgetting: Forgetting
  private readonly records = new Records()
  private readonly streams = new Map<string, Stream>()
  private readonly secrets = new Map<string, Uint8Array>()
  private readonly externalIds = new Map<string, string>()

  constructor({
    clock,
    random,
    ...forgetting
  }: Forgetting & { readonly clock: () => number; readonly random: Random }) {
    this.clock = clock
    this.random = random
    this.forgetting = forgetting
    this.cluster = clusterOf(random)
    this.rules = rulesFor(this.cluster.manifest)
    this.entropy = new Random(`entropy of ${toHex(this.cluster.manifest.hash)}`)
  }

  get reader(): Reader {
    return this.records
  }

  /** From this place in the stream on, in order. */
  steps({ stream }: Pick<Subject, 'stream'>, from: number): readonly Kept[] {
    return this.streams.get(streamName(stream))?.steps.slice(from) ?? []
  }

  /** As what it was asked to be: what is held stands there as that alone. */
  standing(place: Subject, kind: ItemKind, request: Uint8Array): Kept | undefined {
    const name = toHex(request)
    return this.steps(place, 0).findLast(
      (kept) =>
        toHex(kept.request) === name && (kept.kind === 'approval') === (kind === 'approval'),
    )
  }

  createKey(organization: Uint8Array, evidence: Evidence): Uint8Array {
    const ask = { organization, time: this.clock(), evidence }
    const judged = judgeKeyRequest(ask, this.records, this.rules)
    if (!judged.ok) throw new Failure('request.refused', { reason: judged.reason })
    const secret = this.random.bytes(32)
    this.secrets.set(toHex(judged.terms.key), secret)
    return certifyKey(this.cluster, judged.terms, libsecp256k1.publicKeyCreate(secret, true))
  }

  publicKey(key: Uint8Array): Uint8Array {
    return libsecp256k1.publicKeyCreate(this.secretOf(key), true)
  }

  /** As its owner signs what nobody here has been asked for. */
  outside(key: Uint8Array, digest: Uint8Array): Signature {
    return signatureOver(digest, this.secretOf(key), this.entropy.bytes(32))
  }

  private secretOf(key: Uint8Array): Uint8Array {
    const secret = this.secrets.get(toHex(key))
    if (secret === undefined) throw new TypeError('no such key')
    return secret
  }

  /**
   * The same request again is the same step, unless it is to be renewed.
   * @param now the proposing server's clock
   * @throws Failure `request.refused`, `clock.wrong`
   */
  agree(place: Subject, asked: Asked, now: number): Kept {
    const request = nameOfAsked(asked)
    const isNew = isRenewal(asked.kind) || this.forgetting.forgetRequests === true
    const standing = isNew ? undefined : this.standing(place, asked.kind, request)
    if (standing !== undefined) return standing
    const [root] = this.steps({ stream: rootOf(place.organization) }, 0).slice(-1)
    const [head] = this.steps(place, 0).slice(-1)
    const snapshot = {
      root: root?.certified,
      head: head?.certified,
      reader: this.readerFor(request),
    }
    const made = draftNext(place, [asked], { snapshot, rules: this.rules, now })
    const clock = this.clockOf(made.ok ? made.step.time : now)
    if (clock !== 'right') throw new Failure('clock.wrong', { clock })
    if (!made.ok) throw refusalFor(made.reason)
    this.requireFirst(place, asked)
    const { opaque, writes } = made
    const certificate = decode(certificateCodec, certifyStep(this.cluster, made.step))
    const { seq, hash, time, bytes: body } = opaque
    const certified = { seq, hash, time, body, certificate }
    const kept: Kept = { place, opaque, certified, writes, request, kind: asked.kind }
    this.records.apply(place.stream, writes)
    this.streamOf(place).steps.push(kept)
    return kept
  }

  /** What they say of the clock of a server. */
  clockOf(now: number): Exclude<ClockState, 'unsure'> {
    const ahead = now - this.clock()
    if (Math.abs(ahead) <= skewMsMax) return 'right'
    return ahead > 0 ? 'ahead' : 'behind'
  }

  /** @throws Failure `request.refused` by the rules as they stand now, `signing.failed` when it is too late */
  sign({ place, certified }: Kept): readonly Signature[] {
    if (this.clock() > certified.time + executionWindowMs)
      throw new Failure('signing.failed', { reason: 'the time of the step is over' })
    const body = decodeBody(certified.body)
    const judged = messagesOf({ ...body, reader: this.records, rules: this.rules }, 0)
    if (!judged.ok) throw new Failure('request.refused', { reason: judged.reason })
    if (place.stream.kind !== 'key') throw new TypeError('nothing is signed in the root stream')
    const secret = this.secretOf(place.stream.id)
    return judged.messages.map((digest) => signatureOver(digest, secret, this.entropy.bytes(32)))
  }

  private readerFor(request: Uint8Array): Reader {
    const { forgetRequests = false, forgetPolicies = false } = this.forgetting
    const forgotten = new Set([
      ...(forgetRequests ? [recordKey(requestTable, request)] : []),
      ...(forgetPolicies ? [recordKey(activePoliciesTable, 'Wallets:Sign')] : []),
    ])
    return {
      read: (stream, key) => (forgotten.has(key) ? undefined : this.records.read(stream, key)),
    }
  }

  private streamOf({ stream }: Subject): Stream {
    const found = this.streams.get(streamName(stream)) ?? { steps: [] }
    this.streams.set(streamName(stream), found)
    return found
  }

  /**
   * Under one external id they know one request, whatever a server says of the first one: among those
   * of the wallet itself. Whoever pays for others sees the ids of all of them.
   */
  private requireFirst({ stream }: Subject, { kind, evidence }: Asked): void {
    const externalId = externalIdOf(evidence)
    if (externalId === undefined || stream.kind !== 'key' || actsByRule(kind)) return
    if (this.forgetting.forgetExternalIds === true) return
    const { method, path } = decodePreimage(evidence.preimage)
    const name = `${streamName(stream)} ${matchOperation(method, path)?.name} ${externalId}`
    const request = toHex(requestOfEvidence(evidence))
    const first = this.externalIds.get(name) ?? request
    const reason = 'the external id stands for another request'
    if (first !== request) throw new Failure('request.refused', { reason })
    this.externalIds.set(name, first)
  }
}

export function isRenewal(kind: ItemKind): boolean {
  return kind === 'renew' || kind === 'sponsorRenewal'
}

/** Under which it is found again: of what somebody else pays for, each bid is one of its own. */
function nameOfAsked({ kind, evidence, bid }: Asked): Uint8Array {
  return actsByRule(kind)
    ? sponsorshipHash(requestHash(evidence.preimage), bid)
    : requestOfEvidence(evidence)
}

const [signersCount, threshold, quorum] = [4, 2, 3]

function clusterOf(random: Random): Cluster {
  const keys = () => Array.from({ length: signersCount }, () => keyFrom(random))
  const [identities, operators] = [keys(), keys()]
  const signers = identities.map((identity, i) => ({
    ...{ id: `signer-${i + 1}`, identity: rawPublicKey(identity), tls: random.bytes(32) },
    operator: rawPublicKey(operators[i] ?? identity),
  }))
  const file = signManifest(
    { epoch: 0, previous: undefined, threshold, quorum, signers, networks: [] },
    (operator, message) => signEd25519(operators[operator - 1] ?? keyFrom(random), message),
  )
  return { manifest: readManifest(file, verifyEd25519), file, identities }
}

function externalIdOf({ payload }: Evidence): string | undefined {
  const body = payload === '' ? {} : parseJson(payload)
  const id = isObject(body) ? body['externalId'] : undefined
  return typeof id === 'string' ? id : undefined
}

/** @param entropy of 32 bytes, by which two signatures over one digest are two (RFC 6979, section 3.6) */
function signatureOver(digest: Uint8Array, secret: Uint8Array, entropy: Uint8Array): Signature {
  const { signature, recid } = libsecp256k1.ecdsaSign(digest, secret, { data: entropy })
  return { scheme: 'ECDSA', r: signature.subarray(0, 32), s: signature.subarray(32), recid }
}
