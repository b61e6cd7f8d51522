import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { bootstrap, type Identity } from '@quorate/cli/bootstrap'
import { setupToken, startTestPlatform, type TestPlatform } from '@quorate/server/testing/platform'
import {
  delegatedSigning,
  enrol,
  invite,
  register,
  type Customer,
  type Stage,
} from './sdk/delegation.ts'
import { responseChecker, type CheckResponse } from './sdk-types/checker.ts'

let platform: TestPlatform
let at: Stage
let check: CheckResponse
before(async () => {
  platform = await startTestPlatform()
  const { baseUrl, dataDir } = platform
  const file = await bootstrap({ baseUrl, dataDir, setupToken })
  const { orgId } = file
  check = await responseChecker()
  const clientFor = ({ authToken, credId, privateKey }: Identity) =>
    new DfnsApiClient({
      ...{ baseUrl, orgId, authToken },
      signer: new AsymmetricKeySigner({ credId, privateKey }),
    })
  const [admin, backend] = [clientFor(file.administrator), clientFor(file.serviceAccount)]
  at = { baseUrl, orgId, admin, backend }
})
after(async () => {
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})

const missing = { httpStatus: 404 }
const forbidden = { httpStatus: 403 }
const wrong = { httpStatus: 400 }
const key = { scheme: 'ECDSA', curve: 'secp256k1' } as const
const hash = { kind: 'Hash', hash: 'ab'.repeat(32) } as const

delegatedSigning(async () => at)

async function walletOf({ userId }: Customer, network: 'KeyECDSA' | 'EthereumSepolia') {
  return at.backend.wallets.createWallet({ body: { network, delegateTo: userId } })
}

describe('what is another’s', () => {
  it('does not exist for a customer, whatever he asks of it', async () => {
    const [owner, stranger] = [await enrol(at), await enrol(at)]
    const theirs = await walletOf(owner, 'EthereumSepolia')
    const ours = await at.backend.wallets.createWallet({ body: { network: 'EthereumSepolia' } })
    await walletOf(stranger, 'KeyECDSA')
    const { wallets, keys } = stranger.sdk
    for (const { id: walletId, signingKey } of [theirs, ours]) {
      const { id: keyId } = signingKey
      const signatureId = 'sig-none'
      for (const asked of [
        () => wallets.getWallet({ walletId }),
        () => wallets.listSignatures({ walletId }),
        () => wallets.getSignature({ walletId, signatureId }),
        () => wallets.generateSignature({ walletId, body: hash }),
        () => wallets.transferAsset({ walletId, body: { kind: 'Native', to: '0x', amount: '1' } }),
        () => keys.getKey({ keyId }),
        () => keys.listSignatures({ keyId }),
        () => keys.getSignature({ keyId, signatureId }),
        () => keys.generateSignature({ keyId, body: hash }),
      ])
        await assert.rejects(asked, missing, String(asked))
    }
    const listed = await wallets.listWallets()
    assert.deepEqual(
      listed.items.map(({ signingKey }) => signingKey.delegatedTo),
      [stranger.userId],
    )
    assert.equal((await keys.listKeys()).items.length, 1)
  })

  it('is not even listed to a customer who names its owner', async () => {
    const [owner, stranger] = [await enrol(at), await enrol(at)]
    const { id } = await walletOf(owner, 'KeyECDSA')
    for (const named of [owner.userId, owner.username, 'us-none']) {
      const query = { owner: named }
      assert.deepEqual(await stranger.sdk.wallets.listWallets({ query }), { items: [] })
      assert.deepEqual(await stranger.sdk.keys.listKeys({ query }), { items: [] })
    }
    for (const query of [
      { owner: owner.userId },
      { owner: owner.username },
      { ownerId: owner.userId },
      { ownerUsername: owner.username },
    ])
      for (const sdk of [owner.sdk, at.admin]) {
        const { items } = await sdk.wallets.listWallets({ query })
        assert.deepEqual(
          items.map((wallet) => wallet.id),
          [id],
        )
      }
    const { items } = await at.admin.keys.listKeys({ query: { owner: owner.username } })
    assert.deepEqual(check('keys.listKeys', { items }), [])
    assert.deepEqual(
      items.map(({ custodial }) => custodial),
      [false],
    )
  })

  it('is read by the organization, and used by its owner alone', async () => {
    const owner = await enrol(at)
    const { id: walletId, signingKey } = await walletOf(owner, 'KeyECDSA')
    const { id: keyId } = signingKey
    for (const sdk of [at.admin, at.backend]) {
      assert.equal((await sdk.wallets.getWallet({ walletId })).custodial, false)
      await assert.rejects(sdk.keys.generateSignature({ keyId, body: hash }), forbidden)
    }
    const signed = await owner.sdk.keys.generateSignature({ keyId, body: hash })
    assert.equal(signed.status, 'Signed')
  })
})

describe('an owner whom nobody has covered', () => {
  it('has his key and signs nothing until somebody vouches for him', async () => {
    const invited = await invite(at)
    const body = { network: 'KeyECDSA', delegateTo: invited.user.id } as const
    const { id: walletId } = await at.backend.wallets.createWallet({ body })
    const owner = await register(at, invited)
    const { signingKey } = await owner.sdk.wallets.getWallet({ walletId })
    assert.equal(signingKey.delegatedTo, owner.userId)
    const sign = () => owner.sdk.wallets.generateSignature({ walletId, body: hash })
    await assert.rejects(sign, { httpStatus: 401 })
    await at.backend.wallets.createWallet({ body })
    assert.equal((await sign()).status, 'Signed')
  })
})

describe('keys and wallets', () => {
  it('are given to customers who are there, and by those who may', async () => {
    const { userId } = await enrol(at)
    const { keys } = at.backend
    const nobody = { ...key, delegateTo: 'us-none' }
    await assert.rejects(keys.createKey({ body: nobody }), missing)
    const self = (await at.admin.auth.listUsers({ query: {} })).items.find(
      ({ kind }) => kind === 'CustomerEmployee',
    )
    const employee = { ...key, delegateTo: self?.userId ?? '' }
    await assert.rejects(keys.createKey({ body: employee }), wrong)
    const later = { ...key, delayDelegation: true }
    await assert.rejects(at.admin.keys.createKey({ body: later }), wrong)
    await assert.rejects(keys.createKey({ body: { ...later, delegateTo: userId } }), wrong)
    const { id: keyId } = await keys.createKey({ body: key })
    const asked = keys.delegateKey({ keyId, body: { delegateTo: userId } })
    await assert.rejects(asked, wrong)
  })

  it('are delegated through a wallet too, with every wallet on the key', async () => {
    const { userId, sdk } = await enrol(at)
    const { keys, wallets } = at.backend
    const { id: keyId } = await keys.createKey({ body: { ...key, delayDelegation: true } })
    const body = { network: 'EthereumSepolia', signingKey: { id: keyId } } as const
    await assert.rejects(at.admin.wallets.createWallet({ body }), forbidden)
    const { id: walletId } = await wallets.createWallet({ body })
    const given = await wallets.delegateWallet({ walletId, body: { userId } })
    assert.deepEqual(check('wallets.delegateWallet', given), [])
    assert.equal((await sdk.keys.getKey({ keyId })).custodial, false)
    assert.equal((await sdk.wallets.listWallets()).items.length, 1)
  })

  it('are renamed, and the name can be taken away', async () => {
    const { keys, wallets } = at.backend
    const { id: keyId } = await keys.createKey({ body: { ...key, name: 'old' } })
    const renamed = await keys.updateKey({ keyId, body: { name: 'new' } })
    assert.deepEqual(check('keys.updateKey', renamed), [])
    assert.equal(renamed.name, 'new')
    assert.equal((await keys.updateKey({ keyId, body: { name: null } })).name, undefined)
    const { id: walletId } = await wallets.createWallet({
      body: { network: 'KeyECDSA', name: 'a', externalId: 'x' },
    })
    const changed = await wallets.updateWallet({ walletId, body: { name: 'b' } })
    assert.deepEqual(check('wallets.updateWallet', changed), [])
    assert.deepEqual([changed.name, changed.externalId], ['b', 'x'])
    const bare = await wallets.updateWallet({ walletId, body: { externalId: null } })
    assert.deepEqual([bare.name, bare.externalId], ['b', undefined])
  })

  it('bear tags, which are added and taken away', async () => {
    const { wallets } = at.backend
    const { id: walletId, tags } = await wallets.createWallet({
      body: { network: 'KeyECDSA', tags: ['a'] },
    })
    assert.deepEqual(tags, ['a'])
    assert.deepEqual(await wallets.tagWallet({ walletId, body: { tags: ['b', 'a'] } }), {})
    assert.deepEqual((await wallets.getWallet({ walletId })).tags, ['a', 'b'])
    assert.deepEqual(await wallets.untagWallet({ walletId, body: { tags: ['a'] } }), {})
    const wallet = await wallets.getWallet({ walletId })
    assert.deepEqual(wallet.tags, ['b'])
    assert.deepEqual(check('wallets.getWallet', wallet), [])
  })

  it('end with their key, and can still be read', async () => {
    const { keys, wallets } = at.backend
    const { id: walletId, signingKey } = await wallets.createWallet({
      body: { network: 'KeyECDSA' },
    })
    const { id: keyId } = signingKey
    const deleted = await keys.deleteKey({ keyId })
    assert.deepEqual(check('keys.deleteKey', deleted), [])
    const { acknowledgedBy } = Object(deleted)
    assert.ok(acknowledgedBy.length >= 3, 'a quorum of signers knows of it')
    assert.equal(deleted.status, 'Archived')
    const wallet = await wallets.getWallet({ walletId })
    assert.equal(wallet.status, 'Archived')
    assert.equal(wallet.dateDeleted, deleted.dateDeleted)
    for (const asked of [
      () => wallets.generateSignature({ walletId, body: hash }),
      () => keys.generateSignature({ keyId, body: hash }),
      () => wallets.tagWallet({ walletId, body: { tags: ['a'] } }),
      () => wallets.updateWallet({ walletId, body: { name: 'a' } }),
      () => keys.updateKey({ keyId, body: { name: 'a' } }),
      () => keys.deleteKey({ keyId }),
      () =>
        wallets.createWallet({ body: { network: 'EthereumSepolia', signingKey: { id: keyId } } }),
    ])
      await assert.rejects(asked, forbidden, String(asked))
  })

  it('tell the world what becomes of them', async () => {
    const told = await platform.database.selectFrom('outbox').select('kind').execute()
    const kinds = new Set(told.map(({ kind }) => kind))
    for (const kind of [
      ...['key.delegated', 'wallet.delegated', 'key.deleted', 'wallet.tags.modified'],
    ])
      assert.ok(kinds.has(kind), kind)
  })
})
