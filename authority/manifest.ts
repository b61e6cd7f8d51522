import {
  bool,
  bytes,
  decode,
  encode,
  fixed,
  hash32,
  list,
  natural,
  option,
  struct,
  tag,
  text,
  u8,
  u32,
  u64,
} from '@quorate/core/codec'
import type { Codec, Decoded } from '@quorate/core/codec'
import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'

/** More signers than seven buy nothing but rounds. */
export const signersMax = 7
/** More of one's own would be a table, which is a release. */
export const networksMax = 16

/**
 * Who the signers are. A hash chain of epochs; each is signed by the offline keys of the signers'
 * operators. A signer's index, 1..n, is its place in the list and comes from nowhere else.
 *
 * Keys are raw: Ed25519 of 32 bytes. `tls` is the SHA-256 of the link certificate's public key.
 */
const members = {
  epoch: u32,
  previous: option(hash32),
  threshold: u8,
  quorum: u8,
  signers: list(
    struct({ id: text(64), identity: fixed(32), operator: fixed(32), tls: hash32 }),
    signersMax,
    2,
  ),
}
const plainBody = struct({ format: tag('quorate/manifest/1'), ...members })
/**
 * With networks of the operators' own: what signers must know of each. Whatever else there is to know of
 * it is the server's. They are part of what decides, and so fixed for the life of the cluster.
 */
const network = {
  id: text(32),
  chainId: u64,
  /** The most that one transaction may spend on fees, in units of 10^-18. */
  feeCeiling: natural,
  /** Takes transactions of type 0 alone: it has no fee market (EIP-1559). */
  legacy: bool,
}
const bodyWithNetworks = struct({
  format: tag('quorate/manifest/2'),
  ...members,
  networks: list(struct(network), networksMax, 1),
})
/**
 * Of which one at least has a contract whose ERC-20 calls move the network's own coin: its address in lower case, and
 * how many of the coin's units one of its own is.
 */
const bodyWithContracts = struct({
  format: tag('quorate/manifest/3'),
  ...members,
  networks: list(
    struct({ ...network, nativeContract: option(struct({ address: text(42), units: natural })) }),
    networksMax,
    1,
  ),
})
const signedManifest = struct({
  body: bytes(4096),
  /** One per signer's operator, in the signers' order. */
  signatures: list(fixed(64), signersMax),
})

type Members = Omit<Decoded<typeof bodyWithNetworks>, 'networks'>
/** `networks` may be empty, and they may have no contracts: then it is written in the form that has none. */
export type ManifestBody = Members & { readonly networks: readonly OwnNetwork[] }
export type Manifest = ManifestBody & { readonly hash: Uint8Array }
export type OwnNetwork = Decoded<typeof bodyWithNetworks>['networks'][number] & {
  readonly nativeContract?: { readonly address: string; readonly units: bigint } | undefined
}
type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean
type Sign = (operator: number, message: Uint8Array) => Uint8Array

/** Safe against t - 1 corrupt signers only when two quorums share an honest one. */
export function areSoundNumbers(numbers: { n: number; t: number; q: number }): boolean {
  const { n, t, q } = numbers
  return 2 <= t && t <= q && q <= n && n <= signersMax && 2 * q - n >= t
}

/** @param sign gives the Ed25519 signature of the operator at an index, 1..n */
export function signManifest(body: ManifestBody, sign: Sign): Uint8Array {
  const encoded = encodeBody(body)
  return encode(signedManifest, {
    body: encoded,
    signatures: body.signers.map((_, i) => sign(i + 1, encoded)),
  })
}

/**
 * @throws Failure `bytes.malformed`
 * @throws Error when the numbers are unsound, a key stands twice, a network is none or like another, or
 *   an operator has not signed: a process must not start with such a manifest. Whether a network is one
 *   of the tables is for `judge/networks`, which knows them.
 */
export function readManifest(file: Uint8Array, verify: Verify): Manifest {
  const { body, signatures } = decode(signedManifest, file)
  const manifest = decodeBody(body)
  const numbers = { n: manifest.signers.length, t: manifest.threshold, q: manifest.quorum }
  if (!areSoundNumbers(numbers)) throw new Error('The cluster manifest has unsound numbers.')
  for (const part of ['identity', 'operator', 'tls'] as const)
    if (new Set(manifest.signers.map((signer) => signer[part].join())).size !== numbers.n)
      throw new Error(`The cluster manifest names one ${part} twice.`)
  checkNetworks(manifest.networks)
  const isSigned = manifest.signers.every(({ operator }, i) => {
    const signature = signatures[i]
    return signature !== undefined && verify(operator, body, signature)
  })
  if (!isSigned || signatures.length !== numbers.n)
    throw new Error('The cluster manifest is not signed by every operator.')
  return { ...manifest, hash: sha256(body) }
}

function encodeBody(body: ManifestBody): Uint8Array {
  const { networks } = body
  if (networks.length === 0) return encode(plainBody, body)
  if (networks.every(({ nativeContract }) => nativeContract === undefined))
    return encode(bodyWithNetworks, body)
  const whole = networks.map((one) => ({ ...one, nativeContract: one.nativeContract }))
  return encode(bodyWithContracts, { ...body, networks: whole })
}

function decodeBody(body: Uint8Array): ManifestBody {
  const plain = decodeAs(plainBody, body)
  if (plain !== undefined) return { ...plain, networks: [] }
  const withNetworks = decodeAs(bodyWithNetworks, body)
  if (withNetworks !== undefined) return withNetworks
  const { networks, ...others } = decode(bodyWithContracts, body)
  return {
    ...others,
    networks: networks.map(({ nativeContract, ...one }) =>
      nativeContract === undefined ? one : { ...one, nativeContract },
    ),
  }
}

function decodeAs<T>(form: Codec<T>, body: Uint8Array): T | undefined {
  try {
    return decode(form, body)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}

/** As the tables write theirs, so that it can be a path and an event's word. */
const networkId = /^[A-Z][A-Za-z0-9]{1,31}$/

/** A coin counts in units of 10^-18, and no unit of its contract is more than a whole one. */
const contractUnitsMax = 10n ** 18n

function isNativeContract({ address, units }: NonNullable<OwnNetwork['nativeContract']>): boolean {
  return /^0x[0-9a-f]{40}$/.test(address) && units >= 1n && units <= contractUnitsMax
}

function checkNetworks(networks: readonly OwnNetwork[]): void {
  for (const { id, chainId, feeCeiling, nativeContract } of networks) {
    if (!networkId.test(id)) throw new Error('The cluster manifest has a network without a name.')
    // An authorization (EIP-7702) for chain 0 holds on every chain.
    if (chainId === 0) throw new Error(`The cluster manifest has ${id} on no chain.`)
    if (feeCeiling === 0n) throw new Error(`The cluster manifest lets ${id} have no fees.`)
    if (nativeContract !== undefined && !isNativeContract(nativeContract))
      throw new Error(`The cluster manifest has no contract of the coin of ${id}.`)
  }
  const [ids, chains] = [networks.map(({ id }) => id.toLowerCase()), networks.map((n) => n.chainId)]
  if (new Set(ids).size !== ids.length)
    throw new Error('The cluster manifest names two networks alike.')
  if (new Set(chains).size !== chains.length)
    throw new Error('The cluster manifest has two networks on one chain.')
}
