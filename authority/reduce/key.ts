import { equalBytes } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { idOf } from '@quorate/core/id'
import { isObject, type JsonObject } from '@quorate/core/json'
import {
  curves,
  isCertified,
  keyStatementHash,
  keyTerms,
  mayBeMaster,
  readBirth,
  schemes,
  storeId,
  type Curve,
  type KeyTerms,
  type Scheme,
} from '../key-certificate.ts'
import { keyTable, walletsPerKeyMax, walletTable } from '../records.ts'
import type { NewKey } from '../step.ts'
import { subjectId, type Authored } from './author.ts'
import { childKey, judgeMaster } from './child-key.ts'
import { find, refuse, type Judging, type NetworkTraits } from './judging.ts'
import { vouched } from './confirmation.ts'
import { bind } from './pool.ts'
import { judgeActive, judgeReach, newOwner, type KeyRecord } from './ownership.ts'
import { bornTags } from './tags.ts'
import {
  flagOf,
  objectOf,
  optionalText,
  put,
  putName,
  textOf,
  type Reduced,
  type Write,
} from './writes.ts'

type Wallets = KeyRecord['wallets']

/** Combinations that the API knows; one key has one, for ever (threats 4.8). */
const pairs: readonly (readonly [Scheme, Curve])[] = [
  ['ECDSA', 'secp256k1'],
  ['EdDSA', 'ed25519'],
  ['Schnorr', 'secp256k1'],
  ['DH', 'secp256k1'],
  ['ECDSA', 'stark'],
]
/**
 * The terms of the key that this request would create, or nothing when it creates none. Every
 * signer works them out by itself, before it takes part in the key generation.
 */
export function keyTermsOf(judging: Judging, authored: Authored): KeyTerms | undefined {
  const wanted = wantedKey(judging, authored)
  return wanted?.from === undefined ? wanted?.terms : undefined
}

/** A key that comes into being, of shares of its own unless it is derived from another. */
type WantedKey = { readonly terms: KeyTerms; readonly from: Parent | undefined }
type Parent = { readonly role: string; readonly path: string | undefined }

function wantedKey(judging: Judging, authored: Authored): WantedKey | undefined {
  const { match, body } = authored
  if (!isObject(body)) return refuse('the body is not an object')
  if (match.name === 'keys.createKey') return wantedAlone(judging, authored, body)
  if (match.name !== 'wallets.createWallet') return undefined
  refuseMembers(body, ['masterKey', 'untweaked', 'deriveFrom', 'storeId'])
  const asked = objectOf(body['signingKey'] ?? {})
  refuseMembers(asked, ['masterKey', 'untweaked'])
  refuseOtherStore(asked)
  const from = parentIn(asked, 'signingKey.deriveFrom')
  if (asked['id'] !== undefined)
    return from === undefined ? undefined : refuse('the key is there or derived, and not both')
  const network = openNetworkOf(judging, textOf(body, 'network'))
  const isOther =
    (asked['scheme'] !== undefined && asked['scheme'] !== network.scheme) ||
    (asked['curve'] !== undefined && asked['curve'] !== network.curve)
  if (isOther) refuse('the key does not suit the network')
  return { terms: termsFor(judging, network, ownerOf(judging, authored)), from }
}

/** `POST /keys` */
function wantedAlone(judging: Judging, authored: Authored, body: JsonObject): WantedKey {
  refuseOtherStore(body)
  const pair = pairOf(textOf(body, 'scheme'), textOf(body, 'curve'))
  const [scheme, curve] = pair
  const master = flagOf(body, 'masterKey')
  const from = parentIn(body, 'deriveFrom')
  if (master && !mayBeMaster({ scheme, curve })) refuse('no keys are derived from such a key')
  // BIP 32 has deeper trees by longer paths: a second way to the same key would lead to two of it.
  if (master && from !== undefined) refuse('a derived key is no master key')
  const untweaked = flagOf(body, 'untweaked')
  if (untweaked && scheme !== 'Schnorr') refuse('only Schnorr keys are tweaked or not')
  const owner = ownerOf(judging, authored)
  return { terms: terms(judging, { pair, raw: true, owner, master, untweaked }), from }
}

/** @param role of the member in the body, and so of its subject */
function parentIn(asked: JsonObject, role: string): Parent | undefined {
  const from = asked['deriveFrom']
  if (from === undefined) return undefined
  return { role: `${role}.keyId`, path: optionalText(objectOf(from), 'path') }
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
  readonly master?: boolean
  readonly untweaked?: boolean
  readonly index?: number
}

function terms({ request, step }: Judging, wanted: Wanted): KeyTerms {
  const { pair, raw, owner, master = false, untweaked = false, index = 0 } = wanted
  const [scheme, curve] = pair
  return {
    organization: step.organization,
    key: idOf(request, 'key', index),
    request,
    owner,
    scheme,
    curve,
    raw: raw ? 'yes' : 'no',
    master: master ? 'yes' : 'no',
    untweaked: untweaked ? 'yes' : 'no',
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
  const { key, record, ...born } = newKey(judging, authored) ?? refuse('the request makes no key')
  const { confirmed, writes } = vouched(judging, authored)
  const { terms } = record
  const delegable = record.delegableBy === undefined ? 'no' : 'yes'
  return {
    operation: { kind: 'key', key, delegable, confirmed },
    writes: [
      put(keyTable, [terms.key], record),
      putName(judging, 'key', terms.key),
      ...born.writes,
      ...writes,
    ],
  }
}

/** `POST /wallets`, with a key of its own or with one that exists. */
export function reduceWallet(judging: Judging, authored: Authored): Reduced {
  const { body } = authored
  if (!isObject(body)) return refuse('the body is not an object')
  const network = textOf(body, 'network')
  const added = { network, wallet: idOf(judging.request, 'wallet') }
  const born = newKey(judging, authored)
  const record = born ? { ...born.record, wallets: [added] } : joined(judging, authored, added)
  const key = record.terms.key
  const tags = tagsOf(authored)
  const { confirmed, writes } = vouched(judging, authored)
  return {
    operation: {
      ...{ kind: 'wallet', network, tags, confirmed },
      key: born ? { kind: 'created', ...born.key } : { kind: 'existing', id: key },
      delegable: born?.record.delegableBy === undefined ? 'no' : 'yes',
    },
    writes: [
      put(keyTable, [key], record),
      ...(born ? [putName(judging, 'key', key), ...born.writes] : []),
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

type Born = {
  readonly record: KeyRecord
  readonly key: NewKey
  /** Besides the key's own record. */
  readonly writes: readonly Write[]
}

function newKey(judging: Judging, authored: Authored): Born | undefined {
  const wanted = wantedKey(judging, authored)
  if (wanted === undefined) return undefined
  const { terms, from } = wanted
  const { record: born, writes } =
    from === undefined
      ? certifiedKey(judging, terms, judging.evidence.facts)
      : derived(judging, authored, { terms, from })
  const delegableBy = isToBeDelegated(authored.body) ? authored.user : undefined
  const record = { ...born, delegableBy }
  const { certificate, derivation } = record
  return { record, key: { terms, certificate, derivation }, writes }
}

function derived(
  judging: Judging,
  authored: Authored,
  { terms, from }: { readonly terms: KeyTerms; readonly from: Parent },
) {
  const master = find(judging, keyTable, subjectId(judging, from.role))
  if (master === undefined) return refuse('there is no such key')
  judgeMaster(judging, authored, master)
  return childKey(judging, { terms, master, text: from.path })
}

/**
 * The record of a key of these terms, of which every signer has certified that it holds a share: it
 * was born for them, or waited in the pool.
 */
export function certifiedKey(
  judging: Judging,
  terms: KeyTerms,
  encoded: Uint8Array,
): {
  readonly record: KeyRecord
  readonly certificate: Uint8Array
  /** What is kept of a key from the pool. */
  readonly writes: readonly Write[]
} {
  const { kind, statement, signed } = readBirth(encoded)
  if (!isCertified(encoded, judging.rules.manifest))
    refuse('the key is not certified by every signer')
  const certificate = keyStatementHash(signed)
  if (kind === 'asked' && !areSameTerms(terms, statement.terms))
    refuse('the certificate is of another key')
  const writes =
    kind === 'pooled' ? [bind(judging, terms, { terms: statement.terms, certificate })] : []
  const { owner, master } = terms
  const { publicKey } = statement
  const chainCode = master === 'yes' ? statement.chainCode : undefined
  return {
    record: {
      ...{ terms, certificate, publicKey, chainCode, derivation: undefined, wallets: [] },
      ...{ owner, delegableBy: undefined, status: 'active' },
    },
    certificate,
    writes,
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
  const traits = openNetworkOf(judging, added.network)
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

/** The network of a wallet that is about to be made. */
export function openNetworkOf(judging: Judging, id: string): NetworkTraits {
  const network = networkOf(judging, id)
  return network.isRetired ? refuse('the network takes no new wallets') : network
}

/** Is there such a kind of keys? */
export function isKind({ scheme, curve }: Pick<KeyTerms, 'scheme' | 'curve'>): boolean {
  return pairs.some(([s, c]) => s === scheme && c === curve)
}

function pairOf(scheme: string, curve: string): readonly [Scheme, Curve] {
  const isKnown = Object.hasOwn(schemes, scheme) && Object.hasOwn(curves, curve)
  const pair = pairs.find(([s, c]) => s === scheme && c === curve)
  return isKnown && pair !== undefined ? pair : refuse('the scheme and curve do not go together')
}

/** Each would make another key of it than the terms can say. */
function refuseOtherStore(body: JsonObject): void {
  if (body['storeId'] !== storeId) refuseMembers(body, ['storeId'])
}

function refuseMembers(body: JsonObject, names: readonly string[]): void {
  for (const name of names)
    if (body[name] !== undefined && body[name] !== false) refuse(`${name} is not supported`)
}
