import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { checkedClient } from '../checked-client.ts'
import { entry, type Platform } from '../platform.ts'

function newKeys() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

/** Everything here is judged by the real signers: what they allow is no server's word. */
export function personalTokens(platform: Platform): void {
  describe('personal access tokens', () => {
    it('sign what their permission and their owner’s allow, until they are switched off', async () => {
      const owner = await platform.sdk('administrator')
      const { id: permissionId } = await owner.permissions.createPermission({
        body: { name: 'Signers of keys', operations: ['Keys:Create', 'Wallets:GenerateSignature'] },
      })
      const { publicKey, privateKey } = newKeys()
      const made = await owner.auth.createPersonalAccessToken({
        body: {
          ...{ name: 'laptop', permissionId, secondsValid: 3600 },
          publicKey,
        },
      })
      const { accessToken: authToken = '', credId, tokenId } = made
      const token = await checkedClient(platform.bootstrap(), {
        ...{ authToken, credId, privateKey },
      })
      const body = { scheme: 'EdDSA', curve: 'ed25519' } as const
      const { id: keyId } = await token.keys.createKey({ body })
      const sign = (message: string) =>
        token.keys.generateSignature({ keyId, body: { kind: 'Message', message } })
      const signed = await sign('0x01')
      assert.equal(signed.status, 'Signed')
      assert.equal(signed.requester.tokenId, tokenId)

      const operations = ['Keys:Create' as const]
      await owner.permissions.updatePermission({ permissionId, body: { operations } })
      await assert.rejects(sign('0x02'), { httpStatus: 403 })
      await assert.rejects(token.permissions.listPermissions(), { httpStatus: 403 })
      const [assignment] = (await owner.permissions.listAssignments({ permissionId })).items
      assert.equal(assignment?.identityId, tokenId)
      await owner.permissions.deleteAssignment({
        ...{ permissionId, assignmentId: assignment?.id ?? '' },
      })
      await assert.rejects(token.keys.createKey({ body }), { httpStatus: 403 })

      await owner.auth.deactivatePersonalAccessToken({ tokenId })
      await assert.rejects(token.keys.listKeys(), { httpStatus: 401 })
      await owner.auth.archivePersonalAccessToken({ tokenId })
      assert.deepEqual((await owner.auth.listPersonalAccessTokens()).items, [])
    })

    it('are not taken for their owner, and he is not taken for them', async () => {
      const owner = await platform.sdk('administrator')
      const { publicKey } = newKeys()
      const { accessToken: authToken = '' } = await owner.auth.createPersonalAccessToken({
        body: {
          name: 'confused',
          publicKey,
        },
      })
      const { administrator } = platform.bootstrap()
      const mixed = await checkedClient(platform.bootstrap(), { ...administrator, authToken })
      const body = { scheme: 'EdDSA', curve: 'ed25519' } as const
      await assert.rejects(mixed.keys.createKey({ body }))
    })
  })
}

export function accountTokens(platform: Platform): void {
  describe('tokens of service accounts', () => {
    it('sleep, wake and end with them', async () => {
      const administrator = await platform.sdk('administrator')
      const { publicKey, privateKey } = newKeys()
      const made = await administrator.auth.createServiceAccount({
        body: {
          name: 'short-lived robot',
          publicKey,
        },
      })
      const { accessToken: authToken = '', credId } = entry(made.accessTokens, 0)
      const robot = await checkedClient(platform.bootstrap(), {
        ...{ authToken, credId, privateKey },
      })
      const { userId: serviceAccountId } = made.userInfo
      await administrator.auth.deactivateServiceAccount({ serviceAccountId, body: {} })
      await assert.rejects(robot.keys.listKeys(), { httpStatus: 401 })
      await administrator.auth.activateServiceAccount({ serviceAccountId })
      await assert.rejects(robot.keys.listKeys(), { httpStatus: 403 })
      await administrator.auth.archiveServiceAccount({ serviceAccountId })
      await assert.rejects(robot.keys.listKeys(), { httpStatus: 401 })
    })
  })
}
