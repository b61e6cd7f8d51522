import {
  type Decoded,
  fixed,
  list,
  oneOf,
  option,
  struct,
  text,
  u64,
  u8,
  union,
} from '@quorate/core/codec'
import {
  type Certificate,
  type Draft,
  type HeadStatement,
  type Lock,
  type Origin,
  type PromiseStatement,
  type Seal,
  type Signed,
  type Statement,
  type OpaqueStep,
  type Vote,
  certificateCodec,
  lockCodec,
  nonceCodec,
  promiseProofCodec,
  statementBytes,
  statementCodec,
  stepCodec,
} from './messages.ts'
import { signersMax } from '../manifest.ts'

/** What the server asks. Nothing in it is believed: every part proves itself or is judged. */
export const requestCodec = union({
  propose: [
    1,
    struct({
      ballot: u64,
      step: stepCodec,
      headCertificate: option(certificateCodec),
      promises: list(promiseProofCodec, signersMax),
    }),
  ],
  lock: [2, struct({ lock: lockCodec, step: option(stepCodec) })],
  ballot: [3, struct({ ballot: u64, seq: u64, headCertificate: option(certificateCodec) })],
  certificate: [4, struct({ certificate: certificateCodec, step: option(stepCodec) })],
  ask: [5, struct({ nonce: nonceCodec })],
})
export type Request = Decoded<typeof requestCodec>
export type RequestOf<K extends Request['kind']> = Extract<Request, { readonly kind: K }>

/** Why a signer keeps silent. Local, never part of validity. Numbers are never reused. */
export const refusalReasons = {
  malformed: 1,
  abstaining: 2,
  voted: 3,
  sealed: 4,
  closed: 5,
  locked: 6,
  evidence: 7,
  body_missing: 8,
  invalid: 9,
  not_fresh: 10,
  /** The step says an earlier time than this signer's clock: more than clocks of signers may differ. */
  early: 11,
  late: 12,
} as const
export type RefusalReason = keyof typeof refusalReasons

/** A sentence for a person, without anything personal in it. */
export const detailMax = 200

const refusal = struct({
  reason: oneOf(refusalReasons),
  item: option(u8),
  detail: text(detailMax * 4),
})
export type Refusal = { readonly kind: 'refusal' } & Decoded<typeof refusal>

const alarm = struct({ detail: text(detailMax * 4) })
export type Alarm = { readonly kind: 'alarm' } & Decoded<typeof alarm>

const signed = { statement: statementCodec, signature: fixed(64) }
const headAnswer = struct({ ...signed, certificate: option(certificateCodec) })

/** What a signer answers on the wire. A reader narrows `statement.kind` before it uses one. */
export const answerCodec = union({
  vote: [1, struct(signed)],
  seal: [2, struct(signed)],
  promise: [3, struct({ ...signed, lock: option(lockCodec), step: option(stepCodec) })],
  stale: [4, headAnswer],
  behind: [5, headAnswer],
  head: [6, headAnswer],
  refusal: [7, refusal],
  alarm: [8, alarm],
})
export type Answer = Decoded<typeof answerCodec>

type HeadDraft = {
  readonly statement: Draft<HeadStatement>
  readonly certificate: Certificate | undefined
}

/**
 * An answer before it is signed. `stale`: the stream has moved on; `behind`: the signer lacks
 * certificates, or is more than one leap below the ballot; `head`: it has them. `alarm`: more than f signers are corrupt or there is a bug,
 * and the organization must stop.
 */
export type AnswerDraft =
  | { readonly kind: 'vote'; readonly statement: Draft<Vote> }
  | { readonly kind: 'seal'; readonly statement: Draft<Seal> }
  | {
      readonly kind: 'promise'
      readonly statement: Draft<PromiseStatement>
      readonly lock: Lock | undefined
      readonly step: OpaqueStep | undefined
    }
  | ({ readonly kind: 'stale' | 'behind' | 'head' } & HeadDraft)
  | Refusal
  | Alarm

/** Call it only once the state that came with the draft is on disk. */
export function signAnswer(
  draft: AnswerDraft,
  origin: Origin,
  sign: (statementBytes: Uint8Array) => Uint8Array,
): Answer {
  if (draft.kind === 'refusal' || draft.kind === 'alarm') return draft
  return { ...draft, ...signStatement({ ...draft.statement, ...origin }, sign) }
}

export function signStatement<S extends Statement>(
  statement: S,
  sign: (statementBytes: Uint8Array) => Uint8Array,
): Signed<S> {
  return { statement, signature: sign(statementBytes(statement)) }
}
