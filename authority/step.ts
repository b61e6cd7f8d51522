import {
  bytes,
  decode,
  encode,
  hash32,
  list,
  natural,
  oneOf,
  option,
  struct,
  tag,
  text,
  u16,
  u8,
  u32,
  u64,
  union,
} from '@quorate/core/codec'
import type { Codec, Decoded } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { childPathCodec } from './child-path.ts'
import { assertionsCodec } from './credential.ts'
import { keyCertificateBytesMax, keyTerms } from './key-certificate.ts'
import { spkiBytesMax } from './public-key.ts'
import {
  feeSponsorStatusCodec,
  openingCodec,
  permissionNameBytesMax,
  permissionOperationsMax,
  policyBytesMax,
  sponsorLimitsCodec,
} from './records.ts'
import {
  payloadBytesMax,
  preimageBytesMax,
  subjectsCodec,
  tracesCodec,
  type Trace,
} from './request.ts'
import { rootQuorumCodec, settingsCodec } from './settings.ts'
import { streamCodec } from './stream.ts'

/** Which version of the rules a step is judged by, for ever. */
export const reducerVersion = 1
export const itemsMax = 64
/**
 * How long after a step's time signers take part in what it allows. What is in force has certainly
 * bitten when this and the skew of clocks have passed.
 */
export const executionWindowMs = 60_000
/** How far a step's time may be from a voter's own clock, and those from each other. */
export const skewMsMax = 5_000
export const headsMax = 4

/** Why an item is there. */
const cause = union({
  request: [1, struct({ hash: hash32 })],
  /** The end of an unsigned way, such as a registration: its pre-image and SHA-256 of its body. */
  completion: [2, struct({ preimage: hash32, body: hash32 })],
  /** A standing rule, and the request around which it acts; how many it has outbid of its own. */
  rule: [3, struct({ rule: hash32, request: hash32, bid: u8 })],
  /** A signed statement that came through the second mailbox. */
  statement: [4, struct({ hash: hash32 })],
  manifest: [5, struct({ hash: hash32 })],
})

/** Of which key a key is a child, and which of its children. */
const derivation = struct({ master: hash32, path: childPathCodec })
const newKey = struct({
  terms: keyTerms,
  /** Its own, or its master's: nobody generates a derived key. */
  certificate: hash32,
  derivation: option(derivation),
})
export type NewKey = Decoded<typeof newKey>
/** The set of unconfirmed credentials that the author vouched for; empty where he named none. */
const confirmedSet = option(hash32)
const use = struct({
  key: hash32,
  wallet: option(hash32),
  network: text(64),
  action: oneOf({
    ...{ transfer: 1, transaction: 2, signature: 3, derivation: 4 },
    ...{ speedUp: 5, cancellation: 6 },
  }),
  /** The place on the chain that only one transaction can take: on EVM, the nonce. */
  slot: option(natural),
  /** The most that it can cost, in the smallest unit of the network's own asset. */
  fee: natural,
  /** What is signed: a digest as it is, or for whole messages a hash that names them. */
  digests: list(hash32, 64, 1),
})
export type Use = Decoded<typeof use>

/** What a key signs because somebody else's wallet has: it pays the fees, and does nothing besides. */
const sponsorship = struct({
  sponsor: hash32,
  /** Whose fees are paid. */
  wallet: hash32,
  /** The one that pays. */
  key: hash32,
  network: text(64),
  slot: natural,
  fee: natural,
  /** To fill a slot is to send nothing, where what was paid for can be carried out no more. */
  does: oneOf({ pay: 1, fill: 2 }),
  digests: list(hash32, 64, 1),
})
export type Sponsorship = Decoded<typeof sponsorship>

const status = oneOf({ active: 1, inactive: 2, archived: 3 })
const newCredential = struct({
  kind: oneOf({ Key: 1, Fido2: 2, PasswordProtectedKey: 3, RecoveryKey: 4 }),
  publicKey: bytes(spkiBytesMax),
  rank: oneOf({ unconfirmed: 0, confirmed: 1 }),
  relyingParty: option(text(253)),
})
export type NewCredential = Decoded<typeof newCredential>
/** Credentials that one registration or recovery brings: two factors and a recovery key. */
export const newCredentialsMax = 3
const newCredentials = list(newCredential, newCredentialsMax)
/** Keys and wallets that a newcomer's registration brings. */
export const newWalletsMax = 8
const newWallet = struct({ network: text(64), key: newKey })
/**
 * What a registration that brings wallets rests on: their keys' certificates, in the same order.
 * One that brings none rests on nothing at all, so that no list of none is ever written.
 */
export const keyCertificatesCodec = list(bytes(keyCertificateBytesMax), newWalletsMax, 1)

/** What an item does, in canonical form and without personal members. */
export const operationCodec = union({
  genesis: [
    1,
    struct({ administrator: bytes(spkiBytesMax), rootQuorum: rootQuorumCodec, manifest: hash32 }),
  ],
  serviceAccount: [
    2,
    struct({ publicKey: bytes(spkiBytesMax), permission: option(hash32), expiresAt: u64 }),
  ],
  assignment: [3, struct({ permission: hash32, identity: hash32, confirmed: confirmedSet })],
  key: [4, struct({ key: newKey, delegable: oneOf({ no: 0, yes: 1 }), confirmed: confirmedSet })],
  wallet: [
    5,
    struct({
      network: text(64),
      key: union({ existing: [1, struct({ id: hash32 })], created: [2, newKey] }),
      delegable: oneOf({ no: 0, yes: 1 }),
      tags: list(text(100), 50),
      confirmed: confirmedSet,
    }),
  ],
  use: [6, use],
  /** The same request, slot and digests, judged afresh for a new execution window. */
  renew: [7, use],
  user: [
    8,
    struct({
      user: hash32,
      userKind: oneOf({ employee: 1, endUser: 2 }),
      origin: oneOf({ invited: 2, delegated: 3, social: 4 }),
      /** Fingerprint of the key that must sign the enrolment. */
      pinned: option(hash32),
    }),
  ],
  userUpdate: [9, struct({ user: hash32, ssoRequired: oneOf({ no: 0, yes: 1 }) })],
  userStatus: [10, struct({ user: hash32, status })],
  registration: [
    11,
    struct({ user: hash32, credentials: newCredentials, wallets: list(newWallet, newWalletsMax) }),
  ],
  confirmation: [12, struct({ user: hash32, confirmed: confirmedSet })],
  credential: [13, struct({ user: hash32, credential: newCredential })],
  credentialCode: [14, struct({ user: hash32, expiresAt: u64 })],
  credentialStatus: [15, struct({ user: hash32, fingerprint: hash32, status })],
  recovery: [
    16,
    struct({ user: hash32, credentials: newCredentials, generation: u32, effectiveAt: u64 }),
  ],
  recoveryEnd: [17, struct({ recovery: hash32 })],
  token: [
    18,
    struct({
      user: hash32,
      publicKey: bytes(spkiBytesMax),
      permission: option(hash32),
      expiresAt: u64,
    }),
  ],
  tokenStatus: [19, struct({ token: hash32, status })],
  permission: [
    20,
    struct({
      name: text(permissionNameBytesMax),
      operations: list(text(64), permissionOperationsMax, 1),
    }),
  ],
  permissionUpdate: [
    21,
    struct({
      permission: hash32,
      name: text(permissionNameBytesMax),
      operations: list(text(64), permissionOperationsMax),
      status: oneOf({ active: 1, archived: 2 }),
    }),
  ],
  assignmentEnd: [22, struct({ assignment: hash32 })],
  settings: [
    23,
    struct({
      /** Of what is asked for, whoever signs it and when. */
      proposal: hash32,
      settings: settingsCodec,
      rootQuorum: rootQuorumCodec,
      inForce: oneOf({ no: 0, yes: 1 }),
    }),
  ],
  keyStatus: [24, struct({ key: hash32, status: oneOf({ active: 1, archived: 2 }) })],
  delegation: [25, struct({ key: hash32, owner: hash32, confirmed: confirmedSet })],
  tags: [26, struct({ wallet: hash32, tags: list(text(100), 50) })],
  /** Names and other words that authority does not read: all of them erasable. */
  update: [27, struct({ id: hash32 })],
  agreement: [28, struct({ id: text(64) })],
  freeze: [
    29,
    struct({
      freeze: hash32,
      what: oneOf({ organization: 1, user: 2, key: 3 }),
      target: hash32,
      status: oneOf({ active: 1, ended: 2 }),
    }),
  ],
  /** Everything personal that was said of or by this user may go. */
  erasure: [30, struct({ user: hash32 })],
  policy: [31, struct({ definition: bytes(policyBytesMax) })],
  policyUpdate: [
    32,
    struct({
      policy: hash32,
      definition: bytes(policyBytesMax),
      status: oneOf({ active: 1, archived: 2 }),
    }),
  ],
  /** The request is held: these policies want it approved. */
  approval: [33, struct({ approval: hash32, opening: openingCodec })],
  decision: [
    34,
    struct({
      approval: hash32,
      value: oneOf({ approved: 1, denied: 2 }),
      /** What the approval is from then on. */
      status: oneOf({ pending: 1, approved: 2, denied: 3 }),
    }),
  ],
  break: [35, struct({ policy: hash32, effectiveAt: option(u64) })],
  breakEnd: [36, struct({ policy: hash32 })],
  feeSponsor: [
    37,
    struct({
      wallet: hash32,
      network: text(64),
      allowEndUser: oneOf({ no: 0, yes: 1 }),
      limits: sponsorLimitsCodec,
    }),
  ],
  feeSponsorUpdate: [
    38,
    struct({ sponsor: hash32, status: feeSponsorStatusCodec, limits: sponsorLimitsCodec }),
  ],
  sponsor: [40, sponsorship],
  /** The same request, slot and digests, judged afresh for a new execution window. */
  sponsorRenewal: [41, sponsorship],
})
export type ItemOperation = Decoded<typeof operationCodec>
export type ItemKind = ItemOperation['kind']

/** Those by which a key signs something. */
export type SigningOperation = Extract<
  ItemOperation,
  { kind: 'use' | 'renew' | 'sponsor' | 'sponsorRenewal' }
>

export function isSigning(operation: ItemOperation): operation is SigningOperation {
  return ['use', 'renew', 'sponsor', 'sponsorRenewal'].includes(operation.kind)
}

const item = struct({
  cause,
  subjects: subjectsCodec,
  payload: hash32,
  fields: hash32,
  operation: operationCodec,
  /** SHA-256 of the encoded assertions, and of the facts, that lie beside. */
  assertions: hash32,
  facts: hash32,
  /** Versions of the records that the author saw: none are named yet. */
  versions: list(struct({ record: hash32, seq: u64 }), 16),
})
export type Item = Decoded<typeof item>

const head = struct({ stream: streamCodec, seq: u64, step: hash32 })
export type Head = Decoded<typeof head>

const step = struct({
  format: tag('quorate/step/1'),
  organization: hash32,
  stream: streamCodec,
  seq: u64,
  /** Hash of the step before; 32 zero bytes at seq 0. */
  previous: hash32,
  manifest: hash32,
  reducer: u16,
  /** Milliseconds since 1970, proposed by the server and checked by every voter's own clock. */
  time: u64,
  heads: list(head, headsMax),
  items: list(item, itemsMax, 1),
  /** Over the records that it changes, so that diverging rules meet at the vote. */
  written: hash32,
})
export type Step = Decoded<typeof step>
export const stepBytesMax = 256 * 1024

/** What a transaction rests on, or the certificates of the keys that a request brings. */
const factsBytesMax = 8 * keyCertificateBytesMax + 1024

const evidence = struct({
  preimage: bytes(preimageBytesMax),
  payload: text(payloadBytesMax),
  opening: union({
    whole: [1, struct({ salt: hash32 })],
    erased: [2, struct({ traces: tracesCodec })],
  }),
  assertions: assertionsCodec,
  facts: bytes(factsBytesMax),
})

type Beside = {
  readonly preimage: Uint8Array
  readonly payload: string
  readonly assertions: Decoded<typeof assertionsCodec>
  readonly facts: Uint8Array
}
/** As it was signed. */
export type WholeEvidence = Beside & { readonly salt: Uint8Array; readonly traces?: undefined }
/** Without its erasable members: `payload` has the others, and the salt of the whole is gone. */
export type ErasedEvidence = Beside & {
  readonly salt?: undefined
  readonly traces: readonly Trace[]
}
/** What lies beside an item, in the items' order: enough to judge it, not part of the hash. */
export type Evidence = WholeEvidence | ErasedEvidence

export const evidenceCodec: Codec<Evidence> = {
  write: (out, { salt, traces, ...beside }) =>
    evidence.write(out, {
      ...beside,
      opening: salt === undefined ? { kind: 'erased', traces } : { kind: 'whole', salt },
    }),
  read: (from) => {
    const { opening, ...beside } = evidence.read(from)
    return opening.kind === 'whole'
      ? { ...beside, salt: opening.salt }
      : { ...beside, traces: opening.traces }
  },
}

export const noStep = new Uint8Array(32)

export function encodeStep(value: Step): Uint8Array {
  return encode(step, value)
}

/** @throws Failure `bytes.malformed` */
export function decodeStep(encoded: Uint8Array): Step {
  return decode(step, encoded)
}

export function stepHash(encoded: Uint8Array): Uint8Array {
  return sha256(encoded)
}

export function assertionsHash(assertions: Evidence['assertions']): Uint8Array {
  return sha256(encode(assertionsCodec, assertions))
}

export function encodeEvidence(value: Evidence): Uint8Array {
  return encode(evidenceCodec, value)
}

/** @throws Failure `bytes.malformed` */
export function decodeEvidence(encoded: Uint8Array): Evidence {
  return decode(evidenceCodec, encoded)
}
