import { concat, toBase64url, toUtf8 } from '@quorate/core/bytes'
import {
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
  u32,
  u64,
  union,
} from '@quorate/core/codec'
import type { Codec, Decoded } from '@quorate/core/codec'
import { hashOf, hmacSha256, sha256 } from '@quorate/core/hash'
import { membersOf } from '@quorate/core/json'

/** What a signature under this request may be used for. A login never passes for an action. */
const purposes = {
  action: 1,
  login: 2,
  register: 3,
  prove: 4,
  'add-credential': 5,
  recover: 6,
  social: 7,
  genesis: 8,
} as const

export type Purpose = keyof typeof purposes

/** Bearer tokens that are state: a login session is not, and leaves `token` empty. */
const tokenKinds = { ServiceAccount: 1, Pat: 2 } as const

/** How certain the authenticator must have been of its user. Keys cannot tell: `none`. */
const verifications = { none: 0, present: 1, verified: 2 } as const

export const pathLengthMax = 2048
export const subjectsMax = 8
/** The largest body the API takes, in UTF-8 bytes. */
export const payloadBytesMax = 256 * 1024

/** A thing the path or the body names by its short name, here in full. */
const subject = struct({ role: text(32), id: hash32 })
export type Subject = Decoded<typeof subject>
export const subjectsCodec: Codec<readonly Subject[]> = list(subject, subjectsMax)

/**
 * The canonical pre-image of a request. Its SHA-256 is the request's identity and, as base64url,
 * the challenge that the user's credential signs. `organization` is empty at genesis alone.
 *
 * Times are milliseconds since 1970. `maxFee` is in the smallest unit of the network's own asset.
 */
const preimage = struct({
  format: tag('quorate/request/1'),
  purpose: oneOf(purposes),
  organization: option(hash32),
  user: option(hash32),
  token: option(struct({ id: hash32, kind: oneOf(tokenKinds) })),
  method: text(8),
  path: text(pathLengthMax),
  payload: hash32,
  payloadLength: u32,
  fields: hash32,
  verification: oneOf(verifications),
  subjects: subjectsCodec,
  maxFee: option(natural),
  nonce: hash32,
  issuedAt: u64,
  signBefore: u64,
  executeBefore: u64,
})
export type Preimage = Decoded<typeof preimage>
export const preimageBytesMax = 8 * 1024

export function encodePreimage(value: Preimage): Uint8Array {
  return encode(preimage, value)
}

/** @throws Failure `bytes.malformed` */
export function decodePreimage(bytes: Uint8Array): Preimage {
  return decode(preimage, bytes)
}

/** The request's identity, from the encoded pre-image. */
export function requestHash(encoded: Uint8Array): Uint8Array {
  return sha256(encoded)
}

/**
 * What names the things that the end of an unsigned way creates, such as a registration.
 * @param challenge `requestHash` of its pre-image
 * @param body SHA-256 of the body's text
 */
export function completionHash(challenge: Uint8Array, body: Uint8Array): Uint8Array {
  return hashOf('quorate/completion/1', challenge, body)
}

/**
 * What names the second use of a request whose fees somebody else pays: that by the payer's key, in
 * the stream of that key.
 * @param bid the first transaction that is signed for it, or how many have been outbid by this one
 */
export function sponsorshipHash(request: Uint8Array, bid = 0): Uint8Array {
  return hashOf('quorate/sponsorship/1', request, new Uint8Array([bid]))
}

/** The 43 characters a credential is asked to sign. */
export function challengeOf(encoded: Uint8Array): string {
  return toBase64url(requestHash(encoded))
}

/**
 * Top-level members of a payload: four times what any body of the API has. Each costs a few hashes
 * of everybody who is shown the request, before anything of it is known to be signed.
 */
export const membersMax = 64

export type Commitments = Pick<Preimage, 'payload' | 'payloadLength' | 'fields'>

/**
 * Commits to a payload string under a salt of 32 fresh bytes, so that it can be forgotten later
 * without breaking what was signed. `fields` is the root of an RFC 6962 tree over the top-level
 * members in order of appearance.
 *
 * @throws Failure `json.malformed` when the payload is neither empty nor strict JSON of at most
 *   `membersMax` members
 */
export function commitTo(payload: string, salt: Uint8Array): Commitments {
  const bytes = toUtf8(payload)
  const members = payload === '' ? [] : membersOf(payload, membersMax)
  return {
    payload: hashOf('quorate/payload/1', salt, bytes),
    payloadLength: bytes.length,
    fields: treeRoot(
      members.map(({ name, raw }) => leafOf(name, valueHash(memberSalt(salt, name), raw))),
    ),
  }
}

/**
 * The name lies outside of what hides the value, so that a value that is gone still has its name
 * proved: nobody can pass one member off as another.
 */
function leafOf(name: string, value: Uint8Array): Uint8Array {
  const nameBytes = toUtf8(name)
  const length = new Uint8Array([nameBytes.length >>> 8, nameBytes.length])
  return sha256(new Uint8Array([0]), length, nameBytes, value)
}

/** `salt` is that of this one member, and says nothing about any other. */
function valueHash(salt: Uint8Array, raw: string): Uint8Array {
  return hashOf('quorate/member/1', salt, toUtf8(raw))
}

const memberSalt = (salt: Uint8Array, name: string) => hmacSha256(salt, toUtf8(name))

/** What is left of a payload's members once some are erased, in order of appearance. */
const trace = union({
  /** It stands in the payload. */
  kept: [1, struct({ salt: hash32 })],
  /** `value` is what the leaf holds in the place of its value. */
  erased: [2, struct({ name: text(64), value: hash32 })],
})
export type Trace = Decoded<typeof trace>
export const tracesCodec: Codec<readonly Trace[]> = list(trace, membersMax, 1)

export type ErasedPayload = { readonly payload: string; readonly traces: readonly Trace[] }

/** Takes these members out of a payload, for good: what stays proves `fields` and no more. */
export function erasePayload(
  payload: string,
  salt: Uint8Array,
  isErased: (name: string) => boolean,
): ErasedPayload {
  const members = membersOf(payload, membersMax)
  const kept = members.filter(({ name }) => !isErased(name))
  return {
    payload: `{${kept.map(({ name, raw }) => `${JSON.stringify(name)}:${raw}`).join(',')}}`,
    traces: members.map(({ name, raw }) =>
      isErased(name)
        ? { kind: 'erased', name, value: valueHash(memberSalt(salt, name), raw) }
        : { kind: 'kept', salt: memberSalt(salt, name) },
    ),
  }
}

/**
 * @returns the `fields` that an erased payload proves, or nothing when its traces are of another
 * @throws Failure `json.malformed`
 */
export function fieldsOfErased({ payload, traces }: ErasedPayload): Uint8Array | undefined {
  const kept = membersOf(payload, membersMax)
  const seen = new Set<string>()
  let next = 0
  const leaves = traces.map((one) => {
    const member = one.kind === 'kept' ? kept[next++] : undefined
    const name = one.kind === 'erased' ? one.name : member?.name
    if (name === undefined || seen.has(name)) return undefined
    seen.add(name)
    if (one.kind === 'erased') return leafOf(name, one.value)
    return member && leafOf(name, valueHash(one.salt, member.raw))
  })
  const whole = leaves.filter((leaf) => leaf !== undefined)
  return next === kept.length && whole.length === leaves.length ? treeRoot(whole) : undefined
}

/** RFC 6962 section 2.1: the left subtree takes the largest power of two below the count. */
function treeRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) return sha256()
  if (leaves.length === 1) return first
  const half = 2 ** (31 - Math.clz32(leaves.length - 1))
  return sha256(
    concat(new Uint8Array([1]), treeRoot(leaves.slice(0, half)), treeRoot(leaves.slice(half))),
  )
}
