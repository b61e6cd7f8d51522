import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'

import { isFailure } from '@quorate/core/failure'

import { createUserActionSignature } from './auth.ts'
import { createKey, delegateKey, deriveKey, updateKey } from './keys.ts'
import { parse } from './parse.ts'
import { createServiceAccount } from './service-accounts.ts'
import { callFunction } from './networks.ts'
import { generateKeySignature } from './signatures.ts'
import { broadcastTransaction } from './transactions.ts'
import { transferAsset } from './transfers.ts'
import {
  createWallet,
  delegateWallet,
  listOrgWalletHistory,
  tagWallet,
  untagWallet,
  updateWallet,
} from './wallets.ts'

type WithBody = { readonly body: z.ZodType }
const to = `0x${'ab'.repeat(20)}`

function accepts({ body }: WithBody, value: unknown): void {
  assert.deepEqual(parse(body, value, 'body'), value)
}
function codeOf({ body }: WithBody, value: unknown): string {
  try {
    parse(body, value, 'body')
    return 'accepted'
  } catch (error) {
    if (!isFailure(error)) throw error
    return error.code
  }
}
const malformed = (at: WithBody, value: unknown): void =>
  assert.equal(codeOf(at, value), 'body.malformed', JSON.stringify(value))
const unserved = (at: WithBody, value: unknown): void =>
  assert.equal(codeOf(at, value), 'request.unsupported', JSON.stringify(value))

test('a key is made of a scheme on its own curve', () => {
  accepts(createKey, { scheme: 'ECDSA', curve: 'secp256k1', name: 'ops' })
  accepts(createKey, { scheme: 'ECDSA', curve: 'secp256k1', name: '' })
  accepts(createKey, { scheme: 'EdDSA', curve: 'ed25519' })
  accepts(createKey, { scheme: 'Schnorr', curve: 'secp256k1' })
  accepts(createKey, { scheme: 'DH', curve: 'secp256k1' })
  malformed(createKey, { scheme: 'DH', curve: 'ed25519' })
  malformed(createKey, { scheme: 'Schnorr', curve: 'ed25519' })
  malformed(createKey, { scheme: 'ECDSA', curve: 'ed25519' })
  malformed(createKey, { scheme: 'ECDSA', curve: 'secp256k1', surprise: true })
  malformed(createKey, {})
  malformed(createKey, { scheme: 'ECDSA', curve: 7 })
  malformed(createKey, [])
  malformed(createKey, null)
})

test('an option of keys that is not served is named, not ignored', () => {
  const key = { scheme: 'ECDSA', curve: 'secp256k1' }
  accepts(createKey, { ...key, storeId: 'signers' })
  accepts(createWallet, { network: 'KeyECDSA', signingKey: { storeId: 'signers' } })
  unserved(createKey, { ...key, storeId: 'hsm' })
  assert.throws(
    () => parse(createKey.body, { ...key, storeId: 'hsm' }, 'body'),
    (error) =>
      isFailure(error, 'request.unsupported') &&
      error.context.reason === 'storeId is not supported yet, other than signers',
  )
  unserved(createKey, { scheme: 'BLS', curve: 'secp256k1' })
  accepts(createKey, { scheme: 'ECDSA', curve: 'stark' })
  malformed(createKey, { scheme: 'EdDSA', curve: 'stark' })
})

test('a Schnorr key alone is untweaked, and no key of a wallet', () => {
  const schnorr = { scheme: 'Schnorr', curve: 'secp256k1' }
  accepts(createKey, { ...schnorr, untweaked: true })
  accepts(createKey, { ...schnorr, untweaked: true, masterKey: true })
  accepts(createKey, { scheme: 'EdDSA', curve: 'ed25519', untweaked: false })
  malformed(createKey, { ...schnorr, untweaked: 1 })
  malformed(createKey, { scheme: 'ECDSA', curve: 'secp256k1', untweaked: true })
  malformed(createWallet, { network: 'KeyECDSA', untweaked: true })
  malformed(createWallet, { network: 'KeyECDSA', signingKey: { untweaked: true } })
})

test('a key is a master, or derived from one by a path without hardened levels', () => {
  const key = { scheme: 'ECDSA', curve: 'secp256k1' }
  accepts(createKey, { ...key, masterKey: true })
  accepts(createKey, { ...key, masterKey: false, deriveFrom: { keyId: 'key-1' } })
  accepts(createKey, { ...key, deriveFrom: { keyId: 'key-1', path: 'm/44/60/7' } })
  malformed(createKey, { ...key, masterKey: true, deriveFrom: { keyId: 'key-1' } })
  malformed(createKey, { ...key, masterKey: 1 })
  malformed(createKey, { ...key, deriveFrom: true })
  malformed(createKey, { ...key, deriveFrom: { keyId: 'key-1', index: 7 } })
  for (const path of ["m/44'/60", 'm', '0/1', 7])
    malformed(createKey, { ...key, deriveFrom: { keyId: 'key-1', path } })
  malformed(createKey, { scheme: 'EdDSA', curve: 'ed25519', masterKey: true })
  malformed(createKey, { scheme: 'DH', curve: 'secp256k1', masterKey: true })
  const child = { deriveFrom: { keyId: 'key-1', path: 'm/7' } }
  accepts(createWallet, { network: 'KeyECDSA', signingKey: child })
  malformed(createWallet, { network: 'KeyECDSA', signingKey: { ...child, id: 'key-1' } })
})

test('a wallet stands on a new key or on one that it names', () => {
  accepts(createWallet, { network: 'EthereumSepolia' })
  accepts(createWallet, { network: 'KeyEdDSA', name: 'hot', signingKey: { id: 'key-1' } })
  accepts(createWallet, {
    network: 'KeyECDSA',
    externalId: 'c-17',
    signingKey: { scheme: 'ECDSA' },
  })
  accepts(createWallet, { network: 'KeyECDSA', name: '', externalId: '' })
  malformed(createWallet, { network: 'KeyECDSA', name: 'a'.repeat(101) })
  malformed(createWallet, {})
  malformed(createWallet, { network: 'EthereumSepolia', signingKey: { key: 'key-1' } })
  unserved(createWallet, { network: 'EthereumSepolia', signingKey: { storeId: 'ks-1' } })
})

test('what the README calls narrower than the published contract is refused', () => {
  const object = (change: object) => ({ kind: 'Transaction', transaction: { to, ...change } })
  accepts(broadcastTransaction, object({ value: '0x0' }))
  malformed(broadcastTransaction, object({ value: '0x' }))
  const delegating = { kind: 'Eip7702', nonce: 0, chainId: 1 }
  accepts(generateKeySignature, { ...delegating, address: to })
  malformed(generateKeySignature, { ...delegating, address: to.slice(2) })
  unserved(createKey, { scheme: 'EdDSA', curve: 'ed25519', storeId: 'hsm' })
})

test('a transfer moves a whole number of the smallest unit', () => {
  const transfer = { kind: 'Native', to, amount: '1000000000000000' }
  accepts(transferAsset, transfer)
  accepts(transferAsset, { ...transfer, priority: 'Fast', externalId: 'pay-1' })
  accepts(transferAsset, { ...transfer, amount: '007' })
  for (const amount of ['', '-1', '1.5', '1e3', '0x1', ' 1', 1, '9'.repeat(79)])
    malformed(transferAsset, { ...transfer, amount })
  malformed(transferAsset, { ...transfer, amount: undefined })
  malformed(transferAsset, { ...transfer, externalId: '' })
})

test('a kind of transfer or an option that would change where money goes is refused by name', () => {
  const transfer = { kind: 'Native', to, amount: '1' }
  unserved(transferAsset, { ...transfer, kind: 'Erc7984', contract: to })
  malformed(transferAsset, { ...transfer, kind: 'Erc20' })
  accepts(transferAsset, { ...transfer, feeSponsorId: 'fs-1' })
  for (const option of ['memo', 'travelRule', 'expiresAt', 'offer'])
    unserved(transferAsset, { ...transfer, [option]: 'x' })
  accepts(transferAsset, { ...transfer, memo: '' })
  malformed(transferAsset, { to, amount: '1' })
  malformed(transferAsset, { ...transfer, kind: 7 })
})

test('a transaction is hex, or an object of type 0, 2 or 4 with its own members', () => {
  const broadcast = (transaction: unknown) => ({ kind: 'Transaction', transaction })
  accepts(broadcastTransaction, broadcast('0x02f0'))
  accepts(broadcastTransaction, broadcast('02f0'))
  accepts(broadcastTransaction, broadcast({ type: 0, to, value: '0x01', gasPrice: '7', nonce: 3 }))
  accepts(broadcastTransaction, broadcast({ type: 2, to, value: '5', maxFeePerGas: '0x10' }))
  malformed(broadcastTransaction, broadcast('0x2f0'))
  accepts(broadcastTransaction, broadcast({ to, value: '5' }))
  const delegation = { chainId: 1, address: to, nonce: 0 }
  const authorizationList = [
    { ...delegation, yParity: 0, r: '0x1', s: '2' },
    { ...delegation, signature: `0x${'ab'.repeat(65)}` },
  ]
  accepts(broadcastTransaction, broadcast({ type: 4, to, authorizationList }))
  malformed(broadcastTransaction, broadcast({ type: 4, authorizationList }))
  malformed(broadcastTransaction, broadcast({ type: 2, to, authorizationList }))
  malformed(broadcastTransaction, broadcast({ type: 4, to, authorizationList: [delegation] }))
  malformed(broadcastTransaction, broadcast({ type: 1, to }))
  malformed(broadcastTransaction, broadcast({ type: 2, to, gasPrice: '5' }))
  malformed(broadcastTransaction, broadcast({ type: 4, to, authorizationList: [] }))
  malformed(broadcastTransaction, broadcast({ type: 2, to: 'vitalik.eth' }))
  const operations = (count: number) => ({
    ...{ kind: 'UserOperations', feeSponsorId: 'fs-1' },
    userOperations: Array.from({ length: count }, () => ({ to, value: '5', data: '0x' })),
  })
  accepts(broadcastTransaction, operations(1))
  accepts(broadcastTransaction, operations(16))
  for (const wrong of [
    operations(0),
    operations(17),
    { ...operations(1), feeSponsorId: undefined },
    { ...operations(1), userOperations: [{ value: '5' }] },
    { ...operations(1), userOperations: [{ to, gas: '5' }] },
  ])
    malformed(broadcastTransaction, wrong)
  malformed(broadcastTransaction, { ...broadcast({ to, value: '5' }), feeSponsorId: 'fs-1' })
  accepts(broadcastTransaction, { kind: 'Evm', to, value: '5', nonce: 1, externalId: 'x' })
  accepts(broadcastTransaction, { kind: 'Eip1559', to, data: '0x', maxFeePerGas: '0x10' })
  malformed(broadcastTransaction, { kind: 'Evm', to, maxFeePerGas: '5' })
  malformed(broadcastTransaction, { kind: 'Eip1559', to, gasPrice: '5' })
})

test('a signature is asked for by one of six kinds', () => {
  const types = { Mail: [{ name: 'to', type: 'string' }] }
  const typed = { kind: 'Eip712', types, domain: { chainId: '1' }, message: { to: 'x' } }
  accepts(generateKeySignature, { kind: 'Hash', hash: 'ab'.repeat(32), externalId: 'h-1' })
  accepts(generateKeySignature, { kind: 'Message', message: '0x', blockchainKind: 'Evm' })
  accepts(generateKeySignature, { kind: 'Transaction', transaction: { type: 2, to } })
  accepts(generateKeySignature, { ...typed, network: 'EthereumSepolia' })
  for (const root of ['', '0x', 'ab'.repeat(32), `0x${'ab'.repeat(32)}`])
    accepts(generateKeySignature, { kind: 'Hash', hash: 'ab'.repeat(32), taprootMerkleRoot: root })
  for (const root of ['ab', 'ab'.repeat(33), 7, null])
    malformed(generateKeySignature, {
      ...{ kind: 'Hash', hash: 'ab'.repeat(32), taprootMerkleRoot: root },
    })
  malformed(generateKeySignature, { kind: 'Message', message: '0x', taprootMerkleRoot: '' })
  malformed(generateKeySignature, { kind: 'Hash', hash: 'ab'.repeat(31) })
  accepts(generateKeySignature, { kind: 'Eip191', message: '0x00', network: 'EthereumSepolia' })
  malformed(generateKeySignature, { kind: 'Eip191', message: 'hello' })
  accepts(generateKeySignature, { kind: 'Eip7702', address: to, nonce: 0, chainId: 11155111 })
  malformed(generateKeySignature, { kind: 'Eip7702', address: to, nonce: 0 })
  malformed(generateKeySignature, { kind: 'Message', message: 'hello' })
  malformed(generateKeySignature, { ...typed, domain: { chain: 1 } })
  const salt = `0x${'5A'.repeat(32)}`
  accepts(generateKeySignature, { ...typed, domain: { salt } })
  for (const other of [salt.slice(2), salt.slice(0, -2), `${salt}00`, '0x', ''])
    malformed(generateKeySignature, { ...typed, domain: { salt: other } })
  for (const kind of ['Psbt', 'SignerPayload', 'Snip12', 'constructor'])
    unserved(generateKeySignature, { kind })
  unserved(generateKeySignature, { kind: 'Message', message: '', blockchainKind: 'Tron' })
})

test('a derivation takes a domain and a seed, in hex', () => {
  accepts(deriveKey, { domain: '0x00', seed: '' })
  malformed(deriveKey, { domain: '0x00' })
  malformed(deriveKey, { domain: 'a domain', seed: '0x' })
  malformed(deriveKey, { domain: '0x00', seed: '0x0' })
})

test('a service account brings its public key as PEM', () => {
  const publicKey = '-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----'
  accepts(createServiceAccount, { name: 'robot', publicKey, daysValid: 730 })
  accepts(createServiceAccount, { name: 'robot', publicKey: `${publicKey}\n` })
  malformed(createServiceAccount, { name: 'robot', publicKey: 'MCow' })
  malformed(createServiceAccount, { name: 'robot', publicKey, daysValid: 731 })
  malformed(createServiceAccount, { name: '', publicKey })
})

test('an assertion has the members of its kind, and no others', () => {
  const credentialAssertion = { credId: 'cr-1', clientData: 'e30', signature: 'AA' }
  const signed = (firstFactor: unknown) => ({ challengeIdentifier: 'a.b.c', firstFactor })
  for (const kind of ['Key', 'PasswordProtectedKey'])
    accepts(createUserActionSignature, signed({ kind, credentialAssertion }))
  accepts(createUserActionSignature, signed({ kind: 'Password', password: 'secret' }))
  const passkey = { ...credentialAssertion, authenticatorData: 'AA', userHandle: '' }
  accepts(createUserActionSignature, signed({ kind: 'Fido2', credentialAssertion: passkey }))
  malformed(createUserActionSignature, signed({ kind: 'Fido2', credentialAssertion }))
  malformed(createUserActionSignature, signed({ kind: 'Key', credentialAssertion: passkey }))
  malformed(createUserActionSignature, signed({ kind: 'Totp', otpCode: '123456' }))
  malformed(createUserActionSignature, signed({ kind: 'RecoveryKey', credentialAssertion }))
  malformed(createUserActionSignature, signed({ kind: 'Key' }))
})

test('a refusal does not repeat more of a hostile body than a name', () => {
  const kind = 'x'.repeat(100_000)
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`m${i}`, i]))
  for (const value of [{ kind }, { kind: 'Native', ...many }])
    assert.throws(
      () => parse(transferAsset.body, value, 'body'),
      (error) => isFailure(error) && JSON.stringify(error.context).length < 20_000,
    )
})

test('a key is made for somebody now, or later, or for nobody', () => {
  const key = { scheme: 'ECDSA', curve: 'secp256k1' }
  const network = 'EthereumSepolia'
  for (const [at, body] of [
    [createKey, key],
    [createWallet, { network }],
  ] as const) {
    accepts(at, { ...body, delegateTo: 'us-1' })
    accepts(at, { ...body, delegateTo: 'us-1', delayDelegation: false })
    accepts(at, { ...body, delayDelegation: true })
    malformed(at, { ...body, delegateTo: 'us-1', delayDelegation: true })
    malformed(at, { ...body, delegateTo: 7 })
    malformed(at, { ...body, delayDelegation: 'yes' })
  }
  accepts(delegateKey, { delegateTo: 'us-1' })
  malformed(delegateKey, { userId: 'us-1' })
  accepts(delegateWallet, { userId: 'us-1' })
  malformed(delegateWallet, { delegateTo: 'us-1' })
})

test('words can be changed and taken away, and a tag is a line of text', () => {
  accepts(updateKey, { name: null })
  accepts(updateKey, { name: '' })
  malformed(updateKey, {})
  accepts(updateWallet, { name: null, externalId: 'x' })
  accepts(updateWallet, { name: '', externalId: '' })
  accepts(updateWallet, {})
  malformed(updateWallet, { tags: [] })
  accepts(tagWallet, { tags: ['treasury', 'é'] })
  for (const tag of ['', 'a\nb', 'é'.repeat(51), 7]) malformed(tagWallet, { tags: [tag] })
  malformed(untagWallet, { tags: Array.from({ length: 51 }, (_, i) => `t${i}`) })
})

test('no text and no name of a member has U+0000, which no database keeps, wherever it is', () => {
  malformed(createKey, { scheme: 'EdDSA', curve: 'ed25519', name: 'a\0b' })
  malformed(tagWallet, { tags: ['one', '\0'] })
  malformed(broadcastTransaction, { kind: 'Eip712', types: { 'A\0': [] } })
  const read = { body: z.string() }
  malformed(read, '\0')
  accepts(read, '\\u0000')
})

test('a time may have any digits that clocks write, and says where it is', () => {
  const within = { body: listOrgWalletHistory.query }
  const endTime = '2026-02-01'
  for (const startTime of ['2026-01-31T12:00:00.123456+00:00', '2026-01-31T12:00Z', '2026-01-31'])
    assert.equal(codeOf(within, { startTime, endTime }), 'accepted')
  for (const startTime of ['2026-01-31T12:00:00', '2026-13-31T12:00:00Z', '1'])
    malformed(within, { startTime, endTime })
})

test('a function is called by what compilers write of it', () => {
  const abi = { type: 'function', name: 'get', stateMutability: 'view', inputs: [], outputs: [] }
  accepts(callFunction, {
    contract: to,
    abi: { ...abi, constant: true, payable: false, gas: 2851 },
  })
  malformed(callFunction, { contract: to, abi: { ...abi, surprise: true } })
})

test('a parameter of a function has a type that there is', () => {
  const abi = { type: 'function', name: 'get', stateMutability: 'view', outputs: [] }
  const taking = (type: string) => ({
    contract: to,
    abi: { ...abi, inputs: [{ name: 'x', type }] },
  })
  for (const type of ['uint', 'int', 'uint8', 'int128', 'uint256', 'bytes', 'bytes1', 'bytes32'])
    for (const brackets of ['', '[]', '[2][]']) accepts(callFunction, taking(type + brackets))
  for (const type of [
    'uint7',
    'uint0',
    'int08',
    'uint264',
    'uint999',
    'bytes0',
    'bytes33',
    'bytes04',
  ])
    for (const brackets of ['', '[]']) malformed(callFunction, taking(type + brackets))
})
