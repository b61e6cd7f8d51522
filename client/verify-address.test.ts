import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '@quorate/core/bytes'
import { idOf, nameOf } from '@quorate/core/id'
import type { KeyTerms } from '@quorate/authority/key-certificate'
import {
  certifyKey,
  makeCluster,
  makeGenesis,
  makePerson,
  requestOf,
} from '@quorate/authority/testing/world'
import { addressOf } from '@quorate/effects/address'
import { trustFrom, Untrusted } from './trust.ts'
import { verifyAddress } from './verify-address.ts'

const cluster = makeCluster()
const genesis = makeGenesis(cluster, makePerson())
const pinned = toHex(requestOf(genesis))
const answer = {
  preimage: toHex(genesis.preimage),
  payload: genesis.payload,
  salt: toHex(genesis.salt),
  manifest: toHex(cluster.file),
}
const trust = trustFrom(pinned, answer)
/** The generator of secp256k1 (SEC 2), whose address is the well-known one of the private key 1. */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const terms: KeyTerms = {
  organization: trust.organization,
  key: idOf(requestOf(genesis), 'key'),
  request: requestOf(genesis),
  owner: undefined,
  scheme: 'ECDSA',
  curve: 'secp256k1',
  raw: 'no',
}
const wallet = (certificate: Uint8Array, change = {}) => ({
  network: 'EthereumSepolia',
  address: '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf',
  signingKey: { id: nameOf('key', terms.key), publicKey: toHex(publicKey) },
  certificate: toHex(certificate),
  ...change,
})
const good = certifyKey(cluster, terms, publicKey)

describe('the address of a wallet', () => {
  it('is verified from the genesis alone', () => {
    assert.equal(
      verifyAddress(wallet(good), trust).address,
      addressOf('EthereumSepolia', publicKey),
    )
  })

  it('is refused when the server names another key, address, organization or cluster', () => {
    const refused = (value: Parameters<typeof verifyAddress>[0], reason: string) =>
      assert.throws(() => verifyAddress(value, trust), new Untrusted(reason))
    refused(wallet(good, { certificate: undefined }), 'The wallet carries no certificate.')
    refused(wallet(certifyKey(makeCluster(), terms, publicKey)), 'Not certified by every signer.')
    refused(wallet(good.with(-1, 1 ^ (good.at(-1) ?? 0))), 'Not certified by every signer.')
    const elsewhere = certifyKey(cluster, { ...terms, organization: new Uint8Array(32) }, publicKey)
    refused(wallet(elsewhere), 'The key is of another organization.')
    const other = certifyKey(cluster, { ...terms, key: new Uint8Array(32) }, publicKey)
    refused(wallet(other), 'The certificate is of another key.')
    refused(
      wallet(good, { signingKey: { id: nameOf('key', terms.key), publicKey: '02' } }),
      'The public key is not the certified one.',
    )
    refused(wallet(good, { address: `0x${'0'.repeat(40)}` }), 'The address is not that of the key.')
  })

  it('is refused when the beginning is not the one that was pinned', () => {
    const own = makeGenesis(cluster, makePerson())
    assert.throws(() => trustFrom(toHex(requestOf(own)), answer), new Untrusted('Another genesis.'))
    assert.throws(
      () => trustFrom(pinned, { ...answer, payload: own.payload }),
      new Untrusted('The genesis says something else.'),
    )
    assert.throws(
      () => trustFrom(pinned, { ...answer, manifest: toHex(makeCluster().file) }),
      new Untrusted('The genesis names another cluster.'),
    )
  })
})
