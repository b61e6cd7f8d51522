import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { checkedClient } from '../checked-client.ts'
import { entry, type Platform } from '../platform.ts'

const kinds = {
  ed25519: () => generateKeyPairSync('ed25519'),
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  secp256k1: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
}
const pem = (key: KeyObject, type: 'spki' | 'pkcs8') =>
  key.export({ type, format: 'pem' }).toString()

export function serviceAccounts(platform: Platform): void {
  describe('service accounts', () => {
    for (const [kind, makeKeys] of Object.entries(kinds))
      it(`is made with a key of kind ${kind} and acts with it`, async () => {
        const administrator = await platform.sdk('administrator')
        const { items } = await administrator.permissions.listPermissions()
        const permission = items.find(({ operations }) => operations.includes('Keys:Create'))
        assert.ok(permission, 'there is a permission for everything')
        const { publicKey, privateKey } = makeKeys()
        const made = await administrator.auth.createServiceAccount({
          body: {
            name: `robot of ${kind}`,
            publicKey: pem(publicKey, 'spki'),
            permissionId: permission.id,
            daysValid: 30,
          },
        })
        const { userInfo, accessTokens } = made
        const { accessToken = '', credId, linkedUserId } = entry(accessTokens, 0)
        assert.ok(userInfo.isServiceAccount && userInfo.isActive)
        assert.equal(linkedUserId, userInfo.userId)
        const credentials = {
          authToken: accessToken,
          credId,
          privateKey: pem(privateKey, 'pkcs8'),
        }
        const robot = await checkedClient(platform.bootstrap(), credentials)
        const key = await robot.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })
        assert.equal(key.status, 'Active')
      })

    it('are listed and read, without the token that was shown once', async () => {
      const administrator = await platform.sdk('administrator')
      const { items } = await administrator.auth.listServiceAccounts()
      assert.equal(items.length, 1 + Object.keys(kinds).length)
      for (const { userInfo, accessTokens } of items) {
        assert.equal(entry(accessTokens, 0).accessToken, undefined)
        const { userId: serviceAccountId } = userInfo
        const one = await administrator.auth.getServiceAccount({ serviceAccountId })
        assert.deepEqual(one.userInfo, userInfo)
      }
    })

    it('may do nothing without a permission', async () => {
      const administrator = await platform.sdk('administrator')
      const { publicKey, privateKey } = generateKeyPairSync('ed25519')
      const { accessTokens } = await administrator.auth.createServiceAccount({
        body: { name: 'idle robot', publicKey: pem(publicKey, 'spki') },
      })
      const { accessToken = '', credId } = entry(accessTokens, 0)
      const credentials = { authToken: accessToken, credId, privateKey: pem(privateKey, 'pkcs8') }
      const idle = await checkedClient(platform.bootstrap(), credentials)
      const body = { scheme: 'EdDSA', curve: 'ed25519' } as const
      await assert.rejects(idle.keys.createKey({ body }), { httpStatus: 403 })
      await assert.rejects(idle.wallets.listWallets(), { httpStatus: 403 })
    })

    it('cannot be made by a service account, nor twice under one name', async () => {
      const { publicKey } = generateKeyPairSync('ed25519')
      const body = { name: 'robot of RSA', publicKey: pem(publicKey, 'spki') }
      const [robot, administrator] = [await platform.sdk(), await platform.sdk('administrator')]
      await assert.rejects(robot.auth.createServiceAccount({ body }), { httpStatus: 403 })
      await assert.rejects(administrator.auth.createServiceAccount({ body }), { httpStatus: 409 })
    })
  })
}
