import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { readKeyCertificate } from '@quorate/authority/key-certificate'
import { addressOf } from '@quorate/effects/address'
import { tableNetworks } from '@quorate/effects/networks'
import { concat, fromHex, toHex } from '@quorate/core/bytes'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'

const ecdsa = { scheme: 'ECDSA', curve: 'secp256k1' } as const
const hash = '22'.repeat(32)

/** As another library derives it of what the signers have certified about the master. */
function theirs(master: object, path: string): string {
  const { certificate } = master as { readonly certificate?: string }
  const { publicKey, chainCode } = readKeyCertificate(fromHex(certificate ?? '')).statement
  const child = new HDKey({ publicKey, chainCode }).derive(path)
  return toHex(child.publicKey ?? new Uint8Array())
}

describe('keys derived from a master', () => {
  let platform: TestPlatform
  let company: Company
  let sdk: DfnsApiClient
  let robot: RawClient
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    const { authToken, credId, privateKey } = company.serviceAccount
    const signer = new AsymmetricKeySigner({ credId, privateKey })
    const { orgId } = company
    sdk = new DfnsApiClient({ baseUrl: platform.baseUrl, orgId, authToken, signer })
    robot = rawClient(platform.baseUrl, company.serviceAccount)
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  const newMaster = () => sdk.keys.createKey({ body: { ...ecdsa, masterKey: true } })

  it('stand at the path that was asked for, or at the next index, and sign', async () => {
    const master = await newMaster()
    assert.equal(master.masterKey, true)
    assert.equal(master.derivedFrom, undefined)
    const { id: keyId } = master
    const made = []
    for (const deriveFrom of [{ keyId, path: 'm/44/60/7' }, { keyId, path: 'm/0' }, { keyId }])
      made.push(await sdk.keys.createKey({ body: { ...ecdsa, deriveFrom, name: 'child' } }))
    const paths = ['m/44/60/7', 'm/0', 'm/1']
    for (const [i, child] of made.entries()) {
      const path = paths[i] ?? ''
      assert.deepEqual(child.derivedFrom, { keyId, path })
      assert.deepEqual([child.masterKey, child.name, child.custodial], [false, 'child', true])
      assert.equal(child.publicKey, theirs(master, path))
      const { store, wallets, ...read } = await sdk.keys.getKey({ keyId: child.id })
      assert.deepEqual(read, child)
      assert.deepEqual([store.derivationPath, wallets], [path, []])
      const body = { kind: 'Hash', hash } as const
      const { signature } = await sdk.keys.generateSignature({ keyId: child.id, body })
      const rs = [signature?.r, signature?.s].map((part) => fromHex(part?.slice(2) ?? ''))
      const options = { prehash: false } as const
      assert.ok(secp256k1.verify(concat(...rs), fromHex(hash), fromHex(child.publicKey), options))
    }
    const { items } = await sdk.keys.listKeys({ query: { limit: 500 } })
    for (const one of [master, ...made]) assert.ok(items.some(({ id }) => id === one.id))
  })

  it('are made with a wallet', async () => {
    const master = await newMaster()
    const wallet = await sdk.wallets.createWallet({
      body: { network: 'EthereumSepolia', signingKey: { deriveFrom: { keyId: master.id } } },
    })
    assert.equal(wallet.signingKey.publicKey, theirs(master, 'm/0'))
    assert.equal(
      wallet.address,
      addressOf(tableNetworks, 'EthereumSepolia', fromHex(theirs(master, 'm/0'))),
    )
    const child = await sdk.keys.getKey({ keyId: wallet.signingKey.id })
    assert.deepEqual(child.derivedFrom, { keyId: master.id, path: 'm/0' })
    assert.deepEqual(child.wallets, [{ id: wallet.id, network: 'EthereumSepolia' }])
  })

  it('outlive their master, of which nothing else is left, and end by their own names', async () => {
    const { id: keyId } = await newMaster()
    const network = 'EthereumSepolia'
    const own = await sdk.wallets.createWallet({ body: { network, signingKey: { id: keyId } } })
    const signingKey = { deriveFrom: { keyId } }
    const wallet = await sdk.wallets.createWallet({ body: { network, signingKey } })
    const statusOf = async (walletId: string) => (await sdk.wallets.getWallet({ walletId })).status
    const signs = (walletId: string) =>
      sdk.wallets.generateSignature({ walletId, body: { kind: 'Message', message: '0x01' } })
    const stopped = { httpStatus: 403 }
    assert.equal((await sdk.keys.deleteKey({ keyId })).status, 'Archived')
    assert.deepEqual([await statusOf(own.id), await statusOf(wallet.id)], ['Archived', 'Active'])
    await assert.rejects(signs(own.id), stopped)
    await assert.rejects(sdk.keys.createKey({ body: { ...ecdsa, ...signingKey } }), stopped)
    assert.equal((await signs(wallet.id)).status, 'Signed')
    await sdk.keys.deleteKey({ keyId: wallet.signingKey.id })
    assert.equal(await statusOf(wallet.id), 'Archived')
    await assert.rejects(signs(wallet.id), stopped)
  })

  it('are refused with a reason where there can be none, before a request is burned', async () => {
    const [master, plain] = [await newMaster(), await sdk.keys.createKey({ body: ecdsa })]
    const { id: keyId } = master
    await sdk.keys.createKey({ body: { ...ecdsa, deriveFrom: { keyId, path: 'm/5' } } })
    const schnorr = { scheme: 'Schnorr', curve: 'secp256k1' } as const
    const tree = await sdk.keys.createKey({ body: { ...schnorr, masterKey: true } })
    const untweaked = { ...schnorr, untweaked: true, deriveFrom: { keyId: tree.id } }
    for (const [status, body, message] of [
      [400, { ...ecdsa, deriveFrom: { keyId: plain.id } }, /no master key/],
      [400, { ...schnorr, deriveFrom: { keyId } }, /scheme and curve of its master/],
      [400, untweaked, /tweaked or not as its master is/],
      [409, { ...ecdsa, deriveFrom: { keyId, path: 'm/5' } }, /there is a key at this path/],
    ] as const) {
      const action = await robot.act('/keys', body)
      for (const _ of [1, 2]) {
        const answer = await robot.send('POST', '/keys', body, action)
        assert.equal(answer.status, status, JSON.stringify(answer.body))
        assert.match(JSON.stringify(answer.body), message)
      }
    }
    const both = { id: plain.id, deriveFrom: { keyId } }
    for (const [path, body, message] of [
      ['/keys', { ...ecdsa, deriveFrom: { keyId, path: "m/44'/0" } }, /is hardened/],
      ['/keys', { ...ecdsa, deriveFrom: { keyId, path: 'm/00' } }, /numbers from 0/],
      ['/keys', { ...ecdsa, masterKey: true, deriveFrom: { keyId } }, /derived itself/],
      ['/keys', { scheme: 'EdDSA', curve: 'ed25519', masterKey: true }, /no standard derives/],
      ['/keys', { scheme: 'DH', curve: 'secp256k1', masterKey: true }, /no standard derives/],
      ['/wallets', { network: 'KeyECDSA', signingKey: both }, /is there, or derived/],
    ] as const) {
      const answer = await robot.init('POST', path, body)
      assert.equal(answer.status, 400, JSON.stringify(answer.body))
      assert.match(JSON.stringify(answer.body), message)
    }
    const other = `${keyId.slice(0, -1)}${keyId.endsWith('a') ? '7' : 'a'}`
    const unknown = { ...ecdsa, deriveFrom: { keyId: other } }
    assert.equal((await robot.init('POST', '/keys', unknown)).status, 404)
  })
})
