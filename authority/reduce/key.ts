import { equalBytes } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { isObject, type JsonObject } from '@quorate/core/json'
import {
  curves,
  isCertified,
  keyStatementHash,
  readKeyCertificate,
  schemes,
  type Curve,
  type KeyTerms,
  type Scheme,
} from '../key-certificate.ts'
import { keyTable, walletsPerKeyMax, walletTable, type RecordOf } from '../records.ts'
import { subjectId, type Authored } from './author.ts'
import { find, refuse, type Judging, type NetworkTraits } from './judging.ts'
import { vouched } from './confirmation.ts'
import { objectOf, put, putName, textOf, type Reduced } from './writes.ts'

type KeyRecord = RecordOf<typeof keyTable>
type Wallets = KeyRecord['wallets']

/** Combinations that the API knows; one key has one, for ever (threats 4.8). */
const pairs: readonly (readonly [Scheme, Curve])[] = [
  ['ECDSA', 'secp256k1'],
  ['EdDSA', 'ed25519'],
]
/** Each of these would make another key of it than the terms can say. */
const unsupported = ['masterKey', 'deriveFrom', 'storeId', 'delegateTo', 'delayDelegation'] as const

/**
 * The terms of the key that this request would create, or nothing when it creates none. Every
 * signer works them out by itself, before it takes part in the key generation.
 */
export function keyTermsOf(judging: Judging, { match, body }: Authored): KeyTerms | undefined {
  if (!isObject(body)) return refuse('the body is not an object')
  if (match.name === 'keys.createKey') {
    refuseUnsupported(body)
    return terms(judging, pairOf(textOf(body, 'scheme'), textOf(body, 'curve')), true)
  }
  if (match.name !== 'wallets.createWallet') return undefined
  refuseUnsupported(body)
  const signingKey = body['signingKey']
  if (signingKey !== undefined) refuseUnsupported(objectOf(signingKey))
  if (objectOf(signingKey ?? {})['id'] !== undefined) return undefined
  const network = networkOf(judging, textOf(body, 'network'))
  const asked = objectOf(signingKey ?? {})
  const isOther =
    (asked['scheme'] !== undefined && asked['scheme'] !== network.scheme) ||
    (asked['curve'] !== undefined && asked['curve'] !== network.curve)
  if (isOther) refuse('the key does not suit the network')
  return terms(judging, [network.scheme, network.curve], network.rawAllowed)
}

function terms(
  { request, step }: Judging,
  [scheme, curve]: readonly [Scheme, Curve],
  raw: boolean,
): KeyTerms {
  return {
    organization: step.organization,
    key: idOf(request, 'key'),
    request,
    owner: undefined,
    scheme,
    curve,
    raw: raw ? 'yes' : 'no',
  }
}

/** `POST /keys` */
export function reduceKey(judging: Judging, authored: Authored): Reduced {
  const { record, certificate } = bornKey(judging, authored, [])
  const { confirmed, writes } = vouched(judging, authored)
  const { terms } = record
  return {
    operation: { kind: 'key', key: { terms, certificate }, delegable: 'no', confirmed },
    writes: [put(keyTable, [terms.key], record), putName(judging, 'key', terms.key), ...writes],
  }
}

/** `POST /wallets`, with a key of its own or with one that exists. */
export function reduceWallet(judging: Judging, authored: Authored): Reduced {
  const { body } = authored
  if (!isObject(body)) return refuse('the body is not an object')
  const network = textOf(body, 'network')
  const traits = networkOf(judging, network)
  const wallet = idOf(judging.request, 'wallet')
  const isNew = keyTermsOf(judging, authored) !== undefined
  const born = isNew ? bornKey(judging, authored, [{ network, wallet }]) : undefined
  const record = born?.record ?? joined(judging, traits, { network, wallet })
  const key = record.terms.key
  const { confirmed, writes } = vouched(judging, authored)
  return {
    operation: {
      kind: 'wallet',
      network,
      key: born
        ? { kind: 'created', terms: record.terms, certificate: born.certificate }
        : { kind: 'existing', id: key },
      delegable: 'no',
      tags: [],
      confirmed,
    },
    writes: [
      put(keyTable, [key], record),
      ...(born ? [putName(judging, 'key', key)] : []),
      put(walletTable, [wallet], { key, network, tags: [] }),
      putName(judging, 'wallet', wallet),
      ...writes,
    ],
  }
}

function bornKey(
  judging: Judging,
  authored: Authored,
  wallets: Wallets,
): { record: KeyRecord; certificate: Uint8Array } {
  const asked = keyTermsOf(judging, authored) ?? refuse('the request makes no key')
  const { statement, signed } = readKeyCertificate(judging.evidence.facts)
  if (!isCertified(judging.evidence.facts, judging.rules.manifest))
    refuse('the key is not certified by every signer')
  if (!areSameTerms(asked, statement.terms)) refuse('the certificate is of another key')
  const certificate = keyStatementHash(signed)
  return {
    record: {
      ...{ terms: asked, certificate, publicKey: statement.publicKey, wallets },
      ...{ owner: asked.owner, delegableBy: undefined, status: 'active' },
    },
    certificate,
  }
}

function areSameTerms(a: KeyTerms, b: KeyTerms): boolean {
  return (
    equalBytes(a.organization, b.organization) &&
    equalBytes(a.key, b.key) &&
    equalBytes(a.request, b.request) &&
    a.owner === undefined &&
    b.owner === undefined &&
    a.scheme === b.scheme &&
    a.curve === b.curve &&
    a.raw === b.raw
  )
}

/**
 * A key may back several networks only if their signing bytes tell them apart (A13), and one wallet
 * on each. From its first wallet on a real chain it signs nothing raw any more.
 */
function joined(judging: Judging, traits: NetworkTraits, added: Wallets[number]): KeyRecord {
  const key = find(judging, keyTable, subjectId(judging, 'signingKey.id'))
  if (key === undefined) return refuse('there is no such key')
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

/** Raw bytes may be signed by a key born for it, and only while no wallet on a real chain has it. */
export function isRawAllowed(judging: Judging, key: KeyRecord): boolean {
  return (
    key.terms.raw === 'yes' &&
    key.wallets.every(({ network }) => networkOf(judging, network).rawAllowed)
  )
}

function networkOf({ rules }: Judging, id: string): NetworkTraits {
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
