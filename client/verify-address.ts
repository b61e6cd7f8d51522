import { equalBytes, fromHex, toHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { isFailure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { certificateCodec, isAbout, verifyCertificate } from '@quorate/authority/agreement/messages'
import {
  isCertified,
  keyStatementHash,
  readBirth,
  type KeyStatement,
  type PooledStatement,
  type KeyTerms,
} from '@quorate/authority/key-certificate'
import { nameOfCause } from '@quorate/authority/reduce/cause'
import { quorumOf } from '@quorate/authority/quorum'
import { decodeStep, stepHash, type ItemOperation } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import { addressOf } from '@quorate/effects/address'
import { childKeyOf } from '@quorate/effects/child-key'
import { networksOf } from '@quorate/judge/networks'
import { Untrusted, type Trust } from './trust.ts'

/** A wallet as the API gives it; `certificate` (hex) is the extra field that the signers made. */
export type CertifiedWallet = {
  readonly id: string
  readonly network: string
  readonly address?: string | undefined
  readonly signingKey: { readonly id: string; readonly publicKey: string }
  readonly certificate?: string | undefined
}

/** What `GET /wallets/:walletId/proof` answers. Hex. */
export type WalletProof = {
  readonly steps: readonly { readonly step: string; readonly certificate: string }[]
}

export type VerifiedAddress = {
  readonly address: string | undefined
  /** Hex, compressed. */
  readonly publicKey: string
  /** Hash of the request that made the key, hex. */
  readonly request: string
  /**
   * The end user who alone may use it, by the key's birth or by its delegation. None where no
   * delegation was shown: then ask for the owner that you expect.
   */
  readonly owner: string | undefined
  /** Was the key born to sign bytes whose effect nobody can tell? */
  readonly raw: boolean
}

/** The wallet's own step, its key's if that is another, and that of the key's delegation. */
const proofStepsMax = 3

/**
 * Checks that a wallet's key was born on every signer of the cluster, for this organization, under
 * this very id, that the address is derived from it, and that the organization's log has put this
 * wallet on this key into force. Do it before the first deposit: nothing else stands between a
 * deposit and a server that names its own address (threats A15).
 *
 * A key from the pool was born for the organization and for nobody in it; whose it became, and for
 * which request, the step says that put it into force, and there can have been only one.
 *
 * A certificate by all signers does not suffice: a key is certified before it is in force, and when
 * the server lets another come into force in its place, its shares are thrown away. A derived key
 * bears its master's certificate, and is worked out from it by the path in the log.
 *
 * @param expected.owner id of the user whose wallet it must be; what is delegated stays his for ever
 * @throws Untrusted
 */
export function verifyAddress(
  wallet: CertifiedWallet,
  proof: WalletProof,
  trust: Trust,
  expected: { readonly owner?: string } = {},
): VerifiedAddress {
  try {
    const inForce = operationsOf(proof, trust)
    const { verified, hash, terms } = verifyKey(wallet, trust, inForce)
    verifyInForce(wallet, hash, inForce)
    const owner = ownerOf(terms, inForce)
    if (expected.owner !== undefined && owner !== expected.owner)
      throw new Untrusted('The wallet is not of the expected owner.')
    return { ...verified, owner }
  } catch (error) {
    if (isFailure(error, 'bytes.malformed'))
      throw new Untrusted('What was said cannot be read.', { cause: error })
    throw error
  }
}

/** Decided before any share of the key was made, or by a delegation that is in force. */
function ownerOf({ key, owner }: KeyTerms, inForce: readonly InForce[]): string | undefined {
  const given = inForce.flatMap(({ operation }) =>
    operation.kind === 'delegation' && equalBytes(operation.key, key) ? [operation.owner] : [],
  )
  const user = owner ?? given[0]
  return user && nameOf('user', user)
}

type CertifiedKey = {
  readonly verified: Omit<VerifiedAddress, 'owner'>
  /** By which the log speaks of the certificate. */
  readonly hash: Uint8Array
  readonly terms: KeyTerms
}

function verifyKey(
  wallet: CertifiedWallet,
  trust: Trust,
  inForce: readonly InForce[],
): CertifiedKey {
  if (wallet.certificate === undefined) throw new Untrusted('The wallet carries no certificate.')
  const encoded = fromHex(wallet.certificate)
  if (!isCertified(encoded, trust.manifest)) throw new Untrusted('Not certified by every signer.')
  const { kind, statement, signed } = readBirth(encoded)
  const hash = keyStatementHash(signed)
  if (!equalBytes(statement.terms.organization, trust.organization))
    throw new Untrusted('The key is of another organization.')
  const { terms, publicKey } =
    kind === 'pooled'
      ? boundIn(wallet, { statement, hash }, inForce)
      : (childIn(wallet, statement, inForce) ?? statement)
  if (nameOf('key', terms.key) !== wallet.signingKey.id)
    throw new Untrusted('The certificate is of another key.')
  if (toHex(publicKey) !== wallet.signingKey.publicKey)
    throw new Untrusted('The public key is not the certified one.')
  const address = addressOf(networksOf(trust.manifest), wallet.network, publicKey)
  if (address !== wallet.address) throw new Untrusted('The address is not that of the key.')
  const raw = terms.raw === 'yes'
  return {
    verified: { address, publicKey: toHex(publicKey), request: toHex(terms.request), raw },
    hash,
    terms,
  }
}

/** The wallet's key, where a step in force has bound this key of the pool to it. */
function boundIn(
  { signingKey }: CertifiedWallet,
  pooled: { readonly statement: PooledStatement; readonly hash: Uint8Array },
  inForce: readonly InForce[],
): Pick<KeyStatement, 'terms' | 'publicKey'> {
  const born = inForce
    .flatMap(({ operation }) => bornKeys(operation))
    .find(
      ({ terms, certificate, derivation }) =>
        derivation === undefined &&
        nameOf('key', terms.key) === signingKey.id &&
        equalBytes(certificate, pooled.hash),
    )
  if (born === undefined) throw new Untrusted('Another key than the certified one is in force.')
  return { terms: born.terms, publicKey: pooled.statement.publicKey }
}

/** The wallet's key, worked out again, where a step in force derives it from the certified one. */
function childIn(
  { signingKey }: CertifiedWallet,
  master: KeyStatement,
  inForce: readonly InForce[],
): Pick<KeyStatement, 'terms' | 'publicKey'> | undefined {
  const born = inForce
    .flatMap(({ operation }) => bornKeys(operation))
    .find(({ terms }) => nameOf('key', terms.key) === signingKey.id)
  const isChild =
    born?.derivation !== undefined && equalBytes(born.derivation.master, master.terms.key)
  if (!isChild || master.terms.master !== 'yes') return undefined
  const child = childKeyOf(master, born.derivation.path)
  return child && { terms: born.terms, publicKey: child.publicKey }
}

type InForce = { readonly request: Uint8Array; readonly operation: ItemOperation }

function verifyInForce(
  { id, network, signingKey }: CertifiedWallet,
  certificate: Uint8Array,
  inForce: readonly InForce[],
): void {
  const isOnKey = inForce
    .flatMap(walletsIn)
    .some(
      (wallet) =>
        nameOf('wallet', wallet.id) === id &&
        wallet.network === network &&
        nameOf('key', wallet.key) === signingKey.id,
    )
  if (!isOnKey) throw new Untrusted('The wallet is not in force on this network and key.')
  const isBorn = inForce
    .flatMap(({ operation }) => bornKeys(operation))
    .some(
      (born) =>
        nameOf('key', born.terms.key) === signingKey.id &&
        equalBytes(born.certificate, certificate),
    )
  if (!isBorn) throw new Untrusted('Another key than the certified one is in force.')
}

type WalletKey = Extract<ItemOperation, { kind: 'wallet' }>['key']

function keyOf(key: WalletKey): Uint8Array {
  return key.kind === 'created' ? key.terms.key : key.id
}

function walletsIn({ request, operation }: InForce) {
  const id = (index: number) => idOf(request, 'wallet', index)
  if (operation.kind === 'wallet')
    return [{ id: id(0), network: operation.network, key: keyOf(operation.key) }]
  if (operation.kind !== 'registration') return []
  return operation.wallets.map(({ network, key }, index) => ({
    ...{ id: id(index), network, key: key.terms.key },
  }))
}

function bornKeys(operation: ItemOperation) {
  if (operation.kind === 'key') return [operation.key]
  if (operation.kind === 'registration') return operation.wallets.map(({ key }) => key)
  return operation.kind === 'wallet' && operation.key.kind === 'created' ? [operation.key] : []
}

/** What these steps did, each of them certified at its place in the organization's root stream. */
function operationsOf({ steps }: WalletProof, trust: Trust): readonly InForce[] {
  if (steps.length > proofStepsMax) throw new Untrusted('The proof is too long.')
  return steps.flatMap(({ step, certificate }) => {
    const encoded = fromHex(step)
    const seals = decode(certificateCodec, fromHex(certificate))
    const { items, seq } = decodeStep(encoded)
    const { organization } = trust
    const isInForce =
      isAbout(seals, { organization, stream: rootOf(organization) }) &&
      seals.seq === seq &&
      equalBytes(seals.stepHash, stepHash(encoded)) &&
      verifyCertificate(seals, quorumOf(trust.manifest))
    if (!isInForce) throw new Untrusted('A step is not certified in the root of the organization.')
    return items.flatMap(({ cause, operation }) =>
      cause.kind === 'request' || cause.kind === 'completion'
        ? [{ request: nameOfCause(cause), operation }]
        : [],
    )
  })
}
