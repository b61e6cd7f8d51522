import { equalBytes } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { idOf } from '@quorate/core/id'
import { isObject, type JsonObject } from '@quorate/core/json'
import {
  curves,
  isCertified,
  keyStatementHash,
  keyTerms,
  readKeyCertificate,
  schemes,
  type Curve,
  type KeyTerms,
  type Scheme,
} from '../key-certificate.ts'
import { keyTable, walletsPerKeyMax, walletTable } from '../records.ts'
import { subjectId, type Authored } from './author.ts'
import { find, refuse, type Judging, type NetworkTraits } from './judging.ts'
import { vouched } from './confirmation.ts'
import { judgeActive, judgeReach, newOwner, type KeyRecord } from './ownership.ts'
import { bornTags } from './tags.ts'
import { flagOf, objectOf, put, putName, textOf, type Reduced } from './writes.ts'

type Wallets = KeyRecord['wallets']

/** Combinations that the API knows; one key has one, for ever (threats 4.8). */
const pairs: readonly (readonly [Scheme, Curve])[] = [
  ['ECDSA', 'secp256k1'],
  ['EdDSA', 'ed25519'],
  ['Schnorr', 'secp256k1'],
  ['DH', 'secp256k1'],
  ['ECDSA', 'stark'],
]
/** Each of these would make another key of it than the terms can say. */
const unsupported = ['masterKey', 'deriveFrom', 'storeId'] as const

/**
 * The terms of the key that this request would create, or nothing when it creates none. Every
 * signer works them out by itself, before it takes part in the key generation.
 */
export function keyTermsOf(judging: Judging, authored: Authored): KeyTerms | undefined {
  const { match, body } = authored
  if (!isObject(body)) return refuse('the body is not an object')
  if (match.name === 'keys.createKey') {
    refuseUnsupported(body)
    const pair = pairOf(textOf(body, 'scheme'), textOf(body, 'curve'))
    return terms(judging, { pair, raw: true, owner: ownerOf(judging, authored) })
  }
  if (match.name !== 'wallets.createWallet') return undefined
  refuseUnsupported(body)
  const asked = objectOf(body['signingKey'] ?? {})
  refuseUnsupported(asked)
  if (asked['id'] !== undefined) return undefined
  const network = networkOf(judging, textOf(body, 'network'))
  const isOther =
    (asked['scheme'] !== undefined && asked['scheme'] !== network.scheme) ||
    (asked['curve'] !== undefined && asked['curve'] !== network.curve)
  if (isOther) refuse('the key does not suit the network')
  return termsFor(judging, network, ownerOf(judging, authored))
}

/** Of a key that is made for one network. `index` counts the keys of one request. */
export function termsFor(
  judging: Judging,
  { scheme, curve, rawAllowed }: NetworkTraits,
  owner: Uint8Array | undefined,
  index = 0,
): KeyTerms {
  return terms(judging, { pair: [scheme, curve], raw: rawAllowed, owner, index })
}

type Wanted = {
  readonly pair: readonly [Scheme, Curve]
  readonly raw: boolean
  readonly owner: Uint8Array | undefined
  readonly index?: number
}

function terms({ request, step }: Judging, { pair, raw, owner, index = 0 }: Wanted): KeyTerms {
  const [scheme, curve] = pair
  return {
    organization: step.organization,
    key: idOf(request, 'key', index),
    request,
    owner,
    scheme,
    curve,
    raw: raw ? 'yes' : 'no',
  }
}

/** Whose a new key is: what an end user makes is his, all else the organization's or as it says. */
function ownerOf(judging: Judging, { user, record, body }: Authored): Uint8Array | undefined {
  const isDelayed = isToBeDelegated(body)
  const isDelegated = objectOf(body)['delegateTo'] !== undefined
  if (isDelayed && isDelegated) refuse('the key is delegated now or later, and not both')
  if (record.kind === 'endUser')
    return isDelayed || isDelegated ? refuse('an end user gives no keys away') : user
  if (isDelayed && record.kind !== 'serviceAccount')
    refuse('only a service account makes keys to be delegated later')
  return isDelegated ? newOwner(judging, 'delegateTo') : undefined
}

function isToBeDelegated(body: Authored['body']): boolean {
  return flagOf(objectOf(body), 'delayDelegation')
}

/** `POST /keys` */
export function reduceKey(judging: Judging, authored: Authored): Reduced {
  const { record, certificate } = bornKey(judging, authored, [])
  const { confirmed, writes } = vouched(judging, authored)
  const { terms } = record
  const delegable = record.delegableBy === undefined ? 'no' : 'yes'
  return {
    operation: { kind: 'key', key: { terms, certificate }, delegable, confirmed },
    writes: [put(keyTable, [terms.key], record), putName(judging, 'key', terms.key), ...writes],
  }
}

/** `POST /wallets`, with a key of its own or with one that exists. */
export function reduceWallet(judging: Judging, authored: Authored): Reduced {
  const { body } = authored
  if (!isObject(body)) return refuse('the body is not an object')
  const network = textOf(body, 'network')
  const added = { network, wallet: idOf(judging.request, 'wallet') }
  const isNew = keyTermsOf(judging, authored) !== undefined
  const born = isNew ? bornKey(judging, authored, [added]) : undefined
  const record = born?.record ?? joined(judging, authored, added)
  const key = record.terms.key
  const tags = tagsOf(authored)
  const { confirmed, writes } = vouched(judging, authored)
  return {
    operation: {
      ...{ kind: 'wallet', network, tags, confirmed },
      key: born
        ? { kind: 'created', terms: record.terms, certificate: born.certificate }
        : { kind: 'existing', id: key },
      delegable: born?.record.delegableBy === undefined ? 'no' : 'yes',
    },
    writes: [
      put(keyTable, [key], record),
      ...(born ? [putName(judging, 'key', key)] : []),
      put(walletTable, [added.wallet], { key, network, tags }),
      putName(judging, 'wallet', added.wallet),
      ...writes,
    ],
  }
}

/** Rules may go by tags, so whoever is bound by them does not choose them. */
function tagsOf({ record, body }: Authored): readonly string[] {
  const given = objectOf(body)['tags']
  const isOwner = record.kind === 'endUser'
  return isOwner && given !== undefined ? refuse('an end user gives no tags') : bornTags(given)
}

function bornKey(
  judging: Judging,
  authored: Authored,
  wallets: Wallets,
): { record: KeyRecord; certificate: Uint8Array } {
  const asked = keyTermsOf(judging, authored) ?? refuse('the request makes no key')
  const { record, certificate } = certifiedKey(judging, asked, judging.evidence.facts)
  const delegableBy = isToBeDelegated(authored.body) ? authored.user : undefined
  return { record: { ...record, wallets, delegableBy }, certificate }
}

/** The record of a key of these terms, of which every signer has certified that it holds a share. */
export function certifiedKey(
  { rules }: Judging,
  terms: KeyTerms,
  encoded: Uint8Array,
): { record: KeyRecord; certificate: Uint8Array } {
  const { statement, signed } = readKeyCertificate(encoded)
  if (!isCertified(encoded, rules.manifest)) refuse('the key is not certified by every signer')
  if (!areSameTerms(terms, statement.terms)) refuse('the certificate is of another key')
  const certificate = keyStatementHash(signed)
  const { owner } = terms
  return {
    record: {
      ...{ terms, certificate, publicKey: statement.publicKey, wallets: [] },
      ...{ owner, delegableBy: undefined, status: 'active' },
    },
    certificate,
  }
}

/** Byte by byte, the owner too: a certificate in another's name makes nobody's key. */
function areSameTerms(a: KeyTerms, b: KeyTerms): boolean {
  return equalBytes(encode(keyTerms, a), encode(keyTerms, b))
}

/**
 * A key may back several networks only if their signing bytes tell them apart (A13), and one wallet
 * on each. From its first wallet on a real chain it signs nothing raw any more. The wallet is
 * whosever the key is.
 */
function joined(judging: Judging, authored: Authored, added: Wallets[number]): KeyRecord {
  const traits = networkOf(judging, added.network)
  const key = find(judging, keyTable, subjectId(judging, 'signingKey.id'))
  if (key === undefined) return refuse('there is no such key')
  judgeJoining(authored, key)
  if (key.terms.scheme !== traits.scheme || key.terms.curve !== traits.curve)
    refuse('the key does not suit the network')
  if (key.wallets.some(({ network }) => network === added.network))
    refuse('the key has a wallet on this network')
  const others = key.wallets.map(({ network }) => networkOf(judging, network))
  if (others.length > 0 && [...others, traits].some(({ separated }) => !separated))
    refuse('the signatures of these networks cannot be told apart')
  if (key.wallets.length >= walletsPerKeyMax) refuse('too many wallets for one key')
  return { ...key, wallets: [...key.wallets, added] }
}

function judgeJoining(authored: Authored, key: KeyRecord): void {
  judgeActive(key)
  judgeReach(authored, key)
  const { delegableBy } = key
  if (delegableBy !== undefined && !equalBytes(delegableBy, authored.user))
    refuse('the key waits to be delegated')
  const body = objectOf(authored.body)
  if (body['delegateTo'] !== undefined || isToBeDelegated(body))
    refuse('a key that exists is delegated by itself')
}

/** Raw bytes may be signed by a key born for it, and only while no wallet on a real chain has it. */
export function isRawAllowed(judging: Judging, key: KeyRecord): boolean {
  return (
    key.terms.raw === 'yes' &&
    key.wallets.every(({ network }) => networkOf(judging, network).rawAllowed)
  )
}

export function networkOf({ rules }: Judging, id: string): NetworkTraits {
  return rules.networkOf(id) ?? refuse('the network is unknown')
}

function pairOf(scheme: string, curve: string): readonly [Scheme, Curve] {
  const isKnown = Object.hasOwn(schemes, scheme) && Object.hasOwn(curves, curve)
  const pair = pairs.find(([s, c]) => s === scheme && c === curve)
  return isKnown && pair !== undefined ? pair : refuse('the scheme and curve do not go together')
}

function refuseUnsupported(body: JsonObject): void {
  for (const name of unsupported)
    if (body[name] !== undefined && body[name] !== false) refuse(`${name} is not supported`)
}
