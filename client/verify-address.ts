import { equalBytes, fromHex, toHex } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import { isCertified, readKeyCertificate } from '@quorate/authority/key-certificate'
import { addressOf } from '@quorate/effects/address'
import { Untrusted, type Trust } from './trust.ts'

/** A wallet as the API gives it; `certificate` (hex) is the extra field that the signers made. */
export type CertifiedWallet = {
  readonly network: string
  readonly address?: string | undefined
  readonly signingKey: { readonly id: string; readonly publicKey: string }
  readonly certificate?: string | undefined
}

export type VerifiedAddress = {
  readonly address: string | undefined
  /** Hex, compressed. */
  readonly publicKey: string
  /** Hash of the request that made the key, hex. */
  readonly request: string
  /** Was the key born to sign bytes whose effect nobody can tell? */
  readonly raw: boolean
}

/**
 * Checks that a wallet's key was born on every signer of the cluster, for this organization, under
 * this very id, and that the address is derived from it. Do it before the first deposit: nothing
 * else stands between a deposit and a server that names its own address (threats A15).
 *
 * @throws Untrusted
 */
export function verifyAddress(wallet: CertifiedWallet, trust: Trust): VerifiedAddress {
  if (wallet.certificate === undefined) throw new Untrusted('The wallet carries no certificate.')
  const encoded = fromHex(wallet.certificate)
  if (!isCertified(encoded, trust.manifest)) throw new Untrusted('Not certified by every signer.')
  const { terms, publicKey } = readKeyCertificate(encoded).statement
  if (!equalBytes(terms.organization, trust.organization))
    throw new Untrusted('The key is of another organization.')
  if (nameOf('key', terms.key) !== wallet.signingKey.id)
    throw new Untrusted('The certificate is of another key.')
  if (toHex(publicKey) !== wallet.signingKey.publicKey)
    throw new Untrusted('The public key is not the certified one.')
  const address = addressOf(wallet.network, publicKey)
  if (address !== wallet.address) throw new Untrusted('The address is not that of the key.')
  return {
    address,
    publicKey: toHex(publicKey),
    request: toHex(terms.request),
    raw: terms.raw === 'yes',
  }
}
