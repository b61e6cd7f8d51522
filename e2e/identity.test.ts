import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { bootstrap, type BootstrapFile, type Identity } from '@quorate/cli/bootstrap'
import { quorateClient } from '@quorate/client/quorate-client'
import { responseChecker, type CheckResponse } from './sdk-types/checker.ts'
import { fromHex, toUtf8 } from '@quorate/core/bytes'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { createPublicKey, verify } from 'node:crypto'
import {
  hashMessage,
  parseTransaction,
  recoverAddress,
  recoverTransactionAddress,
  serializeTransaction,
} from 'viem'
import { setupToken, startTestPlatform, type TestPlatform } from '@quorate/server/testing/platform'

describe('identity, keys and signatures through the official client', () => {
  let platform: TestPlatform
  let file: BootstrapFile
  let check: CheckResponse
  let admin: DfnsApiClient
  let robot: DfnsApiClient

  const clientFor = ({ authToken, credId, privateKey }: Identity) =>
    new DfnsApiClient({
      baseUrl: platform.baseUrl,
      orgId: file.orgId,
      authToken,
      signer: new AsymmetricKeySigner({ credId, privateKey }),
    })
  before(async () => {
    platform = await startTestPlatform()
    const { baseUrl, dataDir } = platform
    file = await bootstrap({ baseUrl, dataDir, setupToken })
    check = await responseChecker()
    admin = clientFor(file.administrator)
    robot = clientFor(file.serviceAccount)
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  it('makes service accounts and lists them', async () => {
    const publicKey = createPublicKey(file.serviceAccount.privateKey)
      .export({ type: 'spki', format: 'pem' })
      .toString()
    const made = await admin.auth.createServiceAccount({
      body: { name: 'payroll', publicKey, daysValid: 3 },
    })
    assert.deepEqual(check('auth.createServiceAccount', made), [])
    assert.match(made.accessTokens[0]?.credId ?? '', /^cr-/)
    assert.ok(made.accessTokens[0]?.accessToken)
    const listed = await admin.auth.listServiceAccounts()
    assert.deepEqual(check('auth.listServiceAccounts', listed), [])
    assert.deepEqual(
      listed.items.map(({ userInfo }) => userInfo.name),
      ['payroll', 'bootstrap'],
    )
    const { userId: serviceAccountId } = made.userInfo
    const got = await admin.auth.getServiceAccount({ serviceAccountId })
    assert.deepEqual(check('auth.getServiceAccount', got), [])
    assert.equal(got.accessTokens[0]?.accessToken, undefined)
  })

  it('lists the managed permissions', async () => {
    const listed = await robot.permissions.listPermissions()
    assert.deepEqual(check('permissions.listPermissions', listed), [])
    assert.deepEqual(listed.items.map(({ name }) => name).toSorted(), [
      'ManagedDefaultEndUserAccess',
      'ManagedFullAdminAccess',
    ])
  })

  it('makes an Ed25519 key that signs whole messages', async () => {
    const key = await robot.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })
    assert.deepEqual(check('keys.createKey', key), [])
    const message = toUtf8('pay nobody')
    const signed = await robot.keys.generateSignature({
      keyId: key.id,
      body: { kind: 'Message', message: `0x${Buffer.from(message).toString('hex')}` },
    })
    assert.deepEqual(check('keys.generateSignature', signed), [])
    assert.equal(signed.status, 'Signed')
    const { r = '', s = '' } = signed.signature ?? {}
    const x = Buffer.from(key.publicKey, 'hex').toString('base64url')
    const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    assert.ok(verify(null, message, publicKey, fromHex(r.slice(2) + s.slice(2))))
    const signatureId = signed.id
    assert.deepEqual(await robot.keys.getSignature({ keyId: key.id, signatureId }), signed)
    const listed = await robot.keys.listSignatures({ keyId: key.id })
    assert.deepEqual(check('keys.listSignatures', listed), [])
    assert.deepEqual(listed.items, [signed])
  })

  it('makes a wallet whose address its owner can check, and signs for its network', async () => {
    const wallet = await robot.wallets.createWallet({
      body: { network: 'EthereumSepolia', name: 'hot' },
    })
    assert.deepEqual(check('wallets.createWallet', wallet), [])
    const { baseUrl } = platform
    const { authToken } = file.serviceAccount
    const client = quorateClient({ baseUrl, authToken, genesis: file.genesis })
    const { address } = await client.verifyAddress(wallet as never)
    assert.equal(address, wallet.address)

    const walletId = wallet.id
    const message = toUtf8('hello')
    const signed = await robot.wallets.generateSignature({
      walletId,
      body: { kind: 'Message', message: `0x${Buffer.from(message).toString('hex')}` },
    })
    assert.deepEqual(check('wallets.generateSignature', signed), [])
    const signature = signed.signature?.encoded as `0x${string}`
    const hash = hashMessage({ raw: message })
    assert.equal((await recoverAddress({ hash, signature })).toLowerCase(), address?.toLowerCase())

    const unsigned = serializeTransaction({
      type: 'eip1559',
      chainId: 11155111,
      nonce: 0,
      gas: 21_000n,
      maxFeePerGas: 2_000_000_000n,
      maxPriorityFeePerGas: 1_000_000_000n,
      to: `0x${'0a'.repeat(20)}`,
      value: 1n,
    })
    const tx = await robot.wallets.generateSignature({
      walletId,
      body: { kind: 'Transaction', transaction: unsigned },
    })
    const serializedTransaction = tx.signedData as `0x02${string}`
    assert.equal(parseTransaction(serializedTransaction).chainId, 11155111)
    const from = await recoverTransactionAddress({ serializedTransaction })
    assert.equal(from.toLowerCase(), address?.toLowerCase())
    const listed = await robot.wallets.listSignatures({ walletId })
    assert.deepEqual(check('wallets.listSignatures', listed), [])
    assert.equal(listed.items.length, 2)
    const got = await robot.wallets.getSignature({ walletId, signatureId: tx.id })
    assert.deepEqual(check('wallets.getSignature', got), [])
  })

  it('puts a wallet on a key that is there, once for each network', async () => {
    const key = await robot.keys.createKey({
      body: { scheme: 'ECDSA', curve: 'secp256k1', name: 'old' },
    })
    const hash = 'ab'.repeat(32)
    const raw = await robot.keys.generateSignature({
      keyId: key.id,
      body: { kind: 'Hash', hash },
    })
    const { r = '', s = '', encoded } = raw.signature ?? {}
    assert.equal(encoded, undefined)
    const rs = fromHex(r.slice(2) + s.slice(2))
    assert.ok(secp256k1.verify(rs, fromHex(hash), fromHex(key.publicKey), { prehash: false }))

    const body = { network: 'EthereumSepolia', signingKey: { id: key.id } } as const
    const wallet = await robot.wallets.createWallet({ body })
    assert.equal(wallet.signingKey.id, key.id)
    await assert.rejects(robot.wallets.createWallet({ body }), { httpStatus: 409 })
    const got = await robot.keys.getKey({ keyId: key.id })
    assert.deepEqual(check('keys.getKey', got), [])
    assert.deepEqual(got.wallets, [{ id: wallet.id, network: 'EthereumSepolia' }])
    assert.deepEqual(await robot.wallets.getWallet({ walletId: wallet.id }), wallet)
  })

  it('lists newest first, page by page', async () => {
    const keys = await robot.keys.listKeys({ query: { limit: 2 } })
    assert.deepEqual(check('keys.listKeys', keys), [])
    assert.equal(keys.items.length, 2)
    const { nextPageToken: paginationToken = '' } = keys
    const rest = await robot.keys.listKeys({ query: { limit: 2, paginationToken } })
    assert.deepEqual(
      [...keys.items, ...rest.items].map(({ name }) => name),
      ['old', undefined, undefined],
    )
    assert.equal(rest.nextPageToken, undefined)
    const wallets = await robot.wallets.listWallets({ query: { limit: 1 } })
    assert.deepEqual(check('wallets.listWallets', wallets), [])
    assert.equal(wallets.items.length, 1)
    assert.ok(wallets.nextPageToken)
  })
})
