import { concat, equalBytes, toHex } from '@quorate/core/bytes'
import {
  type Codec,
  type Decoded,
  bool,
  bytes,
  encode,
  fixed,
  hash32,
  list,
  option,
  struct,
  tag,
  u64,
  u8,
  union,
} from '@quorate/core/codec'
import { signersMax } from '../manifest.ts'
import { streamCodec, type StreamId } from '../stream.ts'

/**
 * Encoded step and the evidence beside it. A server fills steps by size too, not only by items; two
 * of them stand in one row of a signer's store.
 */
export const opaqueBytesMax = 1 << 20

/** A step as agreement sees it. `bytes` are opaque here; whoever can parse them checks the rest. */
export const stepCodec = struct({
  seq: u64,
  previous: hash32,
  hash: hash32,
  time: u64,
  bytes: bytes(opaqueBytesMax),
})
export type OpaqueStep = Decoded<typeof stepCodec>

/** Stands for the hash before a stream's first step, as in `../step.ts`, unknown to this folder. */
export const noStep: Uint8Array = new Uint8Array(32)

/**
 * What signers say to each other through a server that none of them believes.
 * After Castro and Liskov, Practical Byzantine Fault Tolerance (OSDI 1999), sections 4.2 to 4.4:
 * a vote is their prepare, a seal their commit, a promise their view change.
 */
const place = {
  manifestHash: hash32,
  organization: hash32,
  stream: streamCodec,
  seq: u64,
  ballot: u64,
}
const originFields = { signer: u8, bootId: fixed(16), storeSequence: u64 }
const signature = fixed(64)
export const nonceCodec = fixed(16)

/** Who speaks, in which life of the process, and after how many writes to its store. */
const originCodec = struct(originFields)
export type Origin = Decoded<typeof originCodec>

const acknowledgement = struct({ ...place, stepHash: hash32, ...originFields })
/** `seq`: the first place that the speaker has not seen certified; `previous`: the step before. */
const promise = struct({
  ...place,
  previous: hash32,
  lock: option(struct({ ballot: u64, stepHash: hash32 })),
  ...originFields,
})
/** `open`: the speaker has voted or sealed at `seq`. `nonce`: of whoever asked, if anybody did. */
const head = struct({
  ...place,
  previous: hash32,
  open: bool,
  nonce: option(nonceCodec),
  ...originFields,
})

export const statementCodec = union({
  vote: [1, acknowledgement],
  seal: [2, acknowledgement],
  promise: [3, promise],
  head: [4, head],
})
export type Statement = Decoded<typeof statementCodec>
export type StatementOf<K extends Statement['kind']> = Extract<Statement, { readonly kind: K }>
export type Vote = StatementOf<'vote'>
export type Seal = StatementOf<'seal'>
export type PromiseStatement = StatementOf<'promise'>
export type HeadStatement = StatementOf<'head'>
export type Signed<S extends Statement> = {
  readonly statement: S
  readonly signature: Uint8Array
}

/** A statement before anyone has said it. */
export type Draft<S extends Statement> = Omit<S, keyof Origin>

const tags = {
  vote: tag('quorate/vote/1'),
  seal: tag('quorate/seal/1'),
  promise: tag('quorate/promise/1'),
  head: tag('quorate/head/1'),
} as const

/** The bytes that a signer signs. */
export function statementBytes(statement: Statement): Uint8Array {
  return concat(encode(tags[statement.kind], undefined), encode(statementCodec, statement))
}

/** One member of a quorum: all that its statement has beyond what the whole quorum says. */
const voiceCodec = struct({ ...originFields, signature })
export type Voice = Decoded<typeof voiceCodec>

const agreed = struct({
  ...place,
  stepHash: hash32,
  voices: list(voiceCodec, signersMax, 1),
})

/** q votes of one ballot for one step. */
export const lockCodec = tagged('quorate/lock/1', union({ lock: [1, agreed] }))
export type Lock = Decoded<typeof lockCodec>

/** q seals of one ballot: the step is in force and nothing else ever will be at its place. */
export const certificateCodec = tagged('quorate/certificate/1', union({ certificate: [1, agreed] }))
export type Certificate = Decoded<typeof certificateCodec>

/** A promise with the votes behind the lock that it names. */
export const promiseProofCodec = struct({
  statement: union({ promise: [3, promise] }),
  signature,
  lock: option(lockCodec),
})
export type PromiseProof = Decoded<typeof promiseProofCodec>

export type Verify = (signer: number, statementBytes: Uint8Array, signature: Uint8Array) => boolean

/** The manifest as far as agreement needs it. Signers are numbered 1..n by their place in it. */
export type Trust = {
  readonly manifestHash: Uint8Array
  readonly n: number
  readonly q: number
  readonly verify: Verify
}

export function verifySigned(signed: Signed<Statement>, trust: Trust): boolean {
  const { statement } = signed
  return (
    statement.signer >= 1 &&
    statement.signer <= trust.n &&
    equalBytes(statement.manifestHash, trust.manifestHash) &&
    trust.verify(statement.signer, statementBytes(statement), signed.signature)
  )
}

/** At least q voices, every one valid, signers strictly ascending: else the whole is invalid. */
export function verifyLock(lock: Lock, trust: Trust): boolean {
  return isQuorum(votesOf(lock), trust)
}

/** As `verifyLock`. Place and step are the caller's to compare with what he expects. */
export function verifyCertificate(certificate: Certificate, trust: Trust): boolean {
  return isQuorum(sealsOf(certificate), trust)
}

/** The signed votes that a lock is made of. */
export function votesOf(lock: Lock): Signed<Vote>[] {
  const { kind: _, voices, ...common } = lock
  return voices.map(({ signature, ...origin }) => ({
    statement: { kind: 'vote', ...common, ...origin },
    signature,
  }))
}

/** The signed seals that a certificate is made of. */
export function sealsOf(certificate: Certificate): Signed<Seal>[] {
  const { kind: _, voices, ...common } = certificate
  return voices.map(({ signature, ...origin }) => ({
    statement: { kind: 'seal', ...common, ...origin },
    signature,
  }))
}

function isQuorum(members: readonly Signed<Statement>[], trust: Trust): boolean {
  const signers = members.map(({ statement }) => statement.signer)
  return (
    members.length >= trust.q &&
    members.length <= trust.n &&
    areAscending(signers) &&
    members.every((member) => verifySigned(member, trust))
  )
}

function areAscending(signers: readonly number[]): boolean {
  return signers.every((signer, i) => i === 0 || signer > (signers[i - 1] ?? signer))
}

/** Makes a lock of votes for one and the same step in one ballot, from different signers. */
export function lockOf(votes: readonly [Signed<Vote>, ...Signed<Vote>[]]): Lock {
  const { kind: _, signer: _s, bootId: _b, storeSequence: _q, ...common } = votes[0].statement
  return { kind: 'lock', ...common, voices: voicesOf(votes) }
}

/** Makes a certificate of seals for one and the same step in one ballot, from different signers. */
export function certificateOf(seals: readonly [Signed<Seal>, ...Signed<Seal>[]]): Certificate {
  const { kind: _, signer: _s, bootId: _b, storeSequence: _q, ...common } = seals[0].statement
  return { kind: 'certificate', ...common, voices: voicesOf(seals) }
}

function voicesOf(members: readonly Signed<Vote | Seal>[]): Voice[] {
  return members
    .map(({ statement: { signer, bootId, storeSequence }, signature }) => ({
      signer,
      bootId,
      storeSequence,
      signature,
    }))
    .sort((a, b) => a.signer - b.signer)
}

/** One stream of one organization: what every statement must be about to count. */
export type Subject = { readonly organization: Uint8Array; readonly stream: StreamId }

export function isAbout(item: Subject, subject: Subject): boolean {
  return (
    equalBytes(item.organization, subject.organization) &&
    item.stream.kind === subject.stream.kind &&
    equalBytes(item.stream.id, subject.stream.id)
  )
}

/** The place of which q promises must speak to open a ballot there. */
export type Opening = Subject & {
  readonly seq: number
  readonly previous: Uint8Array
  readonly ballot: number
}

export function verifyPromise(proof: PromiseProof, at: Opening, trust: Trust): boolean {
  const { statement, lock } = proof
  return (
    isAbout(statement, at) &&
    statement.seq === at.seq &&
    statement.ballot === at.ballot &&
    equalBytes(statement.previous, at.previous) &&
    provesItsLock(statement, lock, trust) &&
    verifySigned(proof, trust)
  )
}

function provesItsLock(statement: PromiseStatement, lock: Lock | undefined, trust: Trust): boolean {
  const claim = statement.lock
  if (claim === undefined || lock === undefined) return claim === lock
  return (
    isAbout(lock, statement) &&
    lock.seq === statement.seq &&
    lock.ballot === claim.ballot &&
    // A lock of this ballot or a later one is no history: whoever shows it has not promised.
    lock.ballot < statement.ballot &&
    equalBytes(lock.stepHash, claim.stepHash) &&
    verifyLock(lock, trust)
  )
}

export type Opened =
  | { readonly ok: true; readonly only: Uint8Array | undefined }
  | { readonly ok: false }

/**
 * Do these promises open the ballot, and for which step alone if one of them shows a lock?
 * The lock of the highest ballot binds (Castro and Liskov, section 4.4, the choice of O).
 */
export function openedBy(promises: readonly PromiseProof[], at: Opening, trust: Trust): Opened {
  const signers = promises.map(({ statement }) => statement.signer)
  if (promises.length < trust.q || promises.length > trust.n || !areAscending(signers))
    return { ok: false }
  if (!promises.every((proof) => verifyPromise(proof, at, trust))) return { ok: false }

  const locks = promises.flatMap(({ lock }) => lock ?? [])
  const ballot = Math.max(-1, ...locks.map((lock) => lock.ballot))
  const highest = locks.filter((lock) => lock.ballot === ballot)
  const hashes = new Set(highest.map(({ stepHash }) => toHex(stepHash)))
  // Two locks of one ballot need more corrupt signers than the cluster is built for: choose none.
  return hashes.size > 1 ? { ok: false } : { ok: true, only: highest[0]?.stepHash }
}

/** Two votes, or two seals, that no honest signer gives: proof against whoever signed both. */
export function conflicting(a: Signed<Statement>, b: Signed<Statement>, trust: Trust): boolean {
  const [one, two] = [a.statement, b.statement]
  if (one.kind !== two.kind) return false
  if (one.kind !== 'vote' && one.kind !== 'seal') return false
  if (two.kind !== 'vote' && two.kind !== 'seal') return false
  return (
    one.signer === two.signer &&
    isAbout(one, two) &&
    one.seq === two.seq &&
    one.ballot === two.ballot &&
    !equalBytes(one.stepHash, two.stepHash) &&
    verifySigned(a, trust) &&
    verifySigned(b, trust)
  )
}

export function tagged<T>(name: string, inner: Codec<T>): Codec<T> {
  const prefix = tag(name)
  return {
    write: (out, value) => {
      prefix.write(out, undefined)
      inner.write(out, value)
    },
    read: (from) => {
      prefix.read(from)
      return inner.read(from)
    },
  }
}
