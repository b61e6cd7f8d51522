import { secp256k1 } from '@noble/curves/secp256k1.js'
import { equalBytes, fromHex, toHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { isFailure } from '@quorate/core/failure'
import { nameOf } from '@quorate/core/id'
import { certificateCodec } from '@quorate/authority/agreement/messages'
import { decodeBody, type Body } from '@quorate/authority/body'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { follow, History } from '@quorate/authority/history'
import { matchOperation, permissionsFor, readRequestBody } from '@quorate/authority/operations'
import {
  decodeRecord,
  keyTable,
  nameTable,
  recordKey,
  type RecordOf,
} from '@quorate/authority/records'
import type { Reader, Rules } from '@quorate/authority/reduce/judging'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import { messagesOf } from '@quorate/authority/reduce/questions'
import { decodePreimage } from '@quorate/authority/request'
import { permissionsBehind } from '@quorate/authority/standing'
import { rootOf, streamName, type StreamId } from '@quorate/authority/stream'
import { decodeDerivation, decodeSchnorr } from '@quorate/effects/instruction'
import { rulesFor } from '@quorate/judge/rules'
import type { Trust } from './trust.ts'
import { verifyDerivation } from './verify-derivation.ts'
import { verifySchnorr } from './verify-schnorr.ts'
import { verifyStark } from './verify-stark.ts'

/** A step as it was exported, and where it is said to stand. Hex. */
export type ExportedStep = { readonly body: string; readonly certificate: string }
/** A signature as it was given out, over one digest of a request. Hex; ECDSA as r ‖ s. */
export type ExportedSignature = {
  readonly request: string
  readonly digest: number
  readonly signature: string
}
/** One signature that was allowed: who wanted it, by which credential, and by which right. */
export type Accounted = {
  readonly stream: string
  readonly seq: number
  readonly request: string
  readonly operation: string
  readonly user: string
  readonly token: string | undefined
  /** Fingerprints of the credentials that have signed the request. */
  readonly credentials: readonly string[]
  /** By name, those that gave the right at that moment. */
  readonly permissions: readonly string[]
  readonly network: string
  readonly digest: string
  /** Empty where it was agreed on and never made, or was not exported. */
  readonly signature: string | undefined
}
/** Something does not follow from what stands before it. */
export type Fault = { readonly at: string; readonly reason: string }
export type Verdict = {
  readonly steps: number
  readonly signatures: readonly Accounted[]
  readonly faults: readonly Fault[]
  /** The newest step of each stream: compare them, since a log may have been cut off behind them. */
  readonly heads: readonly {
    readonly stream: string
    readonly seq: number
    readonly hash: string
  }[]
}

type Wanted = {
  readonly told: Omit<Accounted, 'signature'>
  readonly holds: (signature: Uint8Array) => boolean
}

/**
 * Replays a log from its genesis and accounts for every signature in its journal, without a server
 * and believing nobody: the same rules that signers voted by, the seals of a quorum on every step,
 * and each signature under its key. A stream is followed up to its first fault; what stands behind
 * it is not believed.
 *
 * What it cannot see is a log that was cut off at its end: compare the newest steps with what the
 * signers say, or with an earlier export.
 */
export class Replay {
  private readonly trust: Trust
  private readonly rules: Rules
  private readonly history = new History()
  private readonly wanted = new Map<string, Wanted>()
  private readonly given = new Map<string, string>()
  private readonly faults: Fault[] = []
  private readonly broken = new Set<string>()
  /** Full ids by name: they stand in the streams of keys, where nothing else has one. */
  private readonly approvals = new Map<string, Uint8Array>()
  private count = 0

  constructor(trust: Trust) {
    this.trust = trust
    this.rules = rulesFor(trust.manifest)
  }

  add({ body: encoded, certificate }: ExportedStep): void {
    this.count += 1
    const body = readBody(encoded)
    if (body === undefined)
      return this.fault(`step ${this.count} of the export`, 'it cannot be read')
    const { stream, seq } = body.step
    const [name, at] = [streamName(stream), `${streamName(stream)} ${seq}`]
    if (this.broken.has(name)) return
    const reason = this.judge(body, certificate)
    if (reason === undefined) return
    this.broken.add(name)
    this.fault(at, reason)
  }

  private fault(at: string, reason: string): void {
    this.faults.push({ at, reason })
  }

  /** @returns what is wrong with a step, after taking it in if nothing is */
  private judge(body: Body, certificate: string): string | undefined {
    const { organization } = this.trust
    const { step } = body
    if (!equalBytes(step.organization, organization)) return 'it is of another organization'
    const seals = attempt(() => decode(certificateCodec, fromHex(certificate)))
    const outcome = follow(this.history, body, seals, this.rules)
    if (!outcome.ok) return outcome.reason
    const reader = this.history.before(step)
    for (const index of step.items.keys()) this.want(body, index, reader)
    for (const { operation } of step.items)
      if (operation.kind === 'approval')
        this.approvals.set(nameOf('approval', operation.approval), operation.approval)
    return undefined
  }

  /** Notes what a use of a key lets be signed: the first one does, a renewal adds nothing. */
  private want({ step, evidence }: Body, index: number, reader: Reader): void {
    const item = step.items[index]
    const beside = evidence[index]
    if (item === undefined || beside === undefined) return
    const { operation } = item
    if (operation.kind !== 'use' && operation.kind !== 'sponsor') return
    const made = messagesOf({ step, evidence, reader, rules: this.rules }, index)
    const { user, token, method, path } = decodePreimage(beside.preimage)
    const match = matchOperation(method, path)
    const key = keyOf(reader, rootOf(step.organization), operation.key)
    if (!made.ok || user === undefined || match === undefined || key === undefined) return
    const records = this.history.recordsOf(reader, step.organization)
    const needed = permissionsFor(match.operation, readRequestBody(match, beside.payload))
    const request = toHex(nameOfCause(item.cause))
    for (const [i, message] of made.messages.entries())
      this.wanted.set(`${request}/${i}`, {
        told: {
          ...{ stream: streamName(step.stream), seq: step.seq, request, operation: match.name },
          user: nameOf('user', user),
          token: token && nameOf('token', token.id),
          credentials: beside.assertions.map(({ fingerprint }) => toHex(fingerprint)),
          permissions: permissionsBehind(records, user, needed),
          network: operation.network,
          digest: toHex(operation.digests[i] ?? new Uint8Array()),
        },
        holds: (signature) => isSignature(key, message, signature),
      })
  }

  /** A signature of the journal: after the steps that it rests on. */
  note({ request, digest, signature }: ExportedSignature): void {
    const name = `${request}/${digest}`
    const wanted = this.wanted.get(name)
    const bytes = attempt(() => fromHex(signature))
    if (wanted === undefined) this.fault(`signature ${name}`, 'nobody asked for it')
    else if (bytes === undefined || !wanted.holds(bytes))
      this.fault(`signature ${name}`, 'it is not of the agreed message under its key')
    else this.given.set(name, signature)
  }

  /** @returns the full id of what the log calls by this name, so far as it was followed */
  idOf(name: string): Uint8Array | undefined {
    const { organization } = this.trust
    const stream = rootOf(organization)
    const seq = (this.history.newest(stream)?.seq ?? -1) + 1
    const reader = this.history.before({ stream, seq, heads: [] })
    const records = this.history.recordsOf(reader, organization)
    return records.find(nameTable, name)?.id ?? this.approvals.get(name)
  }

  verdict(): Verdict {
    const signatures = [...this.wanted].map(([name, { told }]) => ({
      ...told,
      signature: this.given.get(name),
    }))
    return { steps: this.count, signatures, faults: this.faults, heads: this.history.heads() }
  }
}

function readBody(encoded: string): Body | undefined {
  return attempt(() => decodeBody(fromHex(encoded)))
}

type KeyRecord = RecordOf<typeof keyTable>

function keyOf(reader: Reader, root: StreamId, key: Uint8Array): KeyRecord | undefined {
  const value = reader.read(root, recordKey(keyTable, key))
  return value === undefined ? undefined : decodeRecord(keyTable, value)
}

/** What a DH key leaves is no signature, and is held to the same: it follows from key and message. */
function isSignature(
  { terms, publicKey }: KeyRecord,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (terms.scheme === 'DH') {
    const asked = decodeDerivation(message)
    return verifyDerivation({ publicKey, ...asked, proof: signature }) !== undefined
  }
  if (signature.length !== 64) return false
  if (terms.scheme === 'Schnorr') return verifySchnorr(publicKey, decodeSchnorr(message), signature)
  if (terms.curve === 'stark') return verifyStark(publicKey, message, signature)
  return terms.scheme === 'EdDSA'
    ? verifyEd25519(publicKey, message, signature)
    : secp256k1.verify(signature, message, publicKey, { prehash: false })
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}
