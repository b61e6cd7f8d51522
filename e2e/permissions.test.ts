import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { bootstrap, type BootstrapFile, type Identity } from '@quorate/cli/bootstrap'
import { acceptedNames } from '@quorate/authority/permission-names'
import { setupToken, startTestPlatform, type TestPlatform } from '@quorate/server/testing/platform'
import { rawClient } from '@quorate/server/testing/raw-client'
import { responseChecker, type CheckResponse } from './sdk-types/checker.ts'

type Names = Parameters<DfnsApiClient['permissions']['createPermission']>[0]['body']['operations']
type Speaker = Pick<Identity, 'authToken' | 'credId' | 'privateKey'>

function newKeys() {
  const { privateKey } = generateKeyPairSync('ed25519')
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKey: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
  }
}

describe('permissions, service accounts and personal access tokens through the official client', () => {
  let platform: TestPlatform
  let file: BootstrapFile
  let check: CheckResponse
  let admin: DfnsApiClient

  const clientFor = ({ authToken, credId, privateKey }: Speaker) =>
    new DfnsApiClient({
      ...{ baseUrl: platform.baseUrl, orgId: file.orgId, authToken },
      signer: new AsymmetricKeySigner({ credId, privateKey }),
    })
  const refused = (httpStatus: number, message: RegExp | string) => (error: unknown) => {
    const { httpStatus: status, message: said } = error as { httpStatus: number; message: string }
    assert.equal(status, httpStatus, said)
    if (typeof message === 'string') assert.equal(said, message)
    else assert.match(said, message)
    return true
  }
  const makePat = async (by: DfnsApiClient, name: string, more: object = {}) => {
    const { publicKey, privateKey } = newKeys()
    const body = { name, publicKey, ...more }
    const made = await by.auth.createPersonalAccessToken({ body })
    const { accessToken: authToken = '', credId, tokenId } = made
    return { made, tokenId, sdk: clientFor({ authToken, credId, privateKey }), authToken }
  }
  const makeAccount = async (name: string, more: object = {}) => {
    const { publicKey, privateKey } = newKeys()
    const made = await admin.auth.createServiceAccount({ body: { name, publicKey, ...more } })
    const { accessToken: authToken = '', credId } = made.accessTokens[0] ?? assert.fail()
    const serviceAccountId = made.userInfo.userId
    return { made, serviceAccountId, sdk: clientFor({ authToken, credId, privateKey }) }
  }
  const makePermission = (name: string, ...operations: string[]) =>
    admin.permissions.createPermission({ body: { name, operations: operations as Names } })

  before(async () => {
    platform = await startTestPlatform()
    const { baseUrl, dataDir } = platform
    file = await bootstrap({ baseUrl, dataDir, setupToken })
    check = await responseChecker()
    admin = clientFor(file.administrator)
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  it('makes, reads, changes and archives permissions', async () => {
    const operations = ['Wallets:GenerateSignature', 'Policies:Evaluations:Vote', 'Keys:Read']
    const made = await makePermission('Traders', ...operations)
    assert.deepEqual(check('permissions.createPermission', made), [])
    assert.deepEqual(made.operations, operations)
    const { id: permissionId } = made
    assert.deepEqual(await admin.permissions.getPermission({ permissionId }), made)
    const body = { name: 'Dealers', operations: ['Keys:Create'] as Names }
    const changed = await admin.permissions.updatePermission({ permissionId, body })
    assert.deepEqual(check('permissions.updatePermission', changed), [])
    assert.deepEqual([changed.name, changed.operations], ['Dealers', ['Keys:Create']])
    assert.ok(changed.dateUpdated > made.dateUpdated)
    const archived = await admin.permissions.archivePermission({
      ...{ permissionId, body: { isArchived: true } },
    })
    assert.deepEqual(check('permissions.archivePermission', archived), [])
    assert.ok(archived.isArchived)
    for (const name of ['Dealers', 'Traders'])
      await assert.rejects(makePermission(name, 'Keys:Read'), refused(409, /already exists/))
    const back = await admin.permissions.archivePermission({
      ...{ permissionId, body: { isArchived: false } },
    })
    assert.equal(back.isArchived, false)
  })

  it('takes every name of an operation, and no other', async () => {
    const made = await makePermission('Everything there is', ...acceptedNames)
    assert.deepEqual(made.operations, acceptedNames)
    for (const [name, ...operations] of [
      ['none'],
      ['unknown', 'Keys:Read', 'Keys:Destroy'],
      ['no longer known', 'Balances:Read'],
      ['', 'Keys:Read'],
      ['x'.repeat(101), 'Keys:Read'],
    ] as const)
      await assert.rejects(makePermission(name, ...operations), refused(400, /not valid/))
  })

  it('lists permissions and assignments page by page', async () => {
    const { id: permissionId } = await makePermission('Readers', 'Wallets:Read')
    const identities = [file.administrator.userId, file.serviceAccount.userId]
    for (const identityId of identities)
      await admin.permissions.createAssignment({ permissionId, body: { identityId } })
    const first = await admin.permissions.listAssignments({ permissionId, query: { limit: 1 } })
    assert.deepEqual(check('permissions.listAssignments', first), [])
    const { nextPageToken: paginationToken = '' } = first
    const rest = await admin.permissions.listAssignments({
      ...{ permissionId, query: { limit: 1, paginationToken } },
    })
    assert.deepEqual(
      [...first.items, ...rest.items].map(({ identityId }) => identityId),
      identities.toReversed(),
    )
    assert.equal(rest.nextPageToken, undefined)
    const page = await admin.permissions.listPermissions({ query: { limit: 2 } })
    assert.deepEqual(check('permissions.listPermissions', page), [])
    assert.equal(page.items[0]?.name, 'Readers')
    assert.ok(page.nextPageToken)
  })

  it('assigns once, and ends an assignment once', async () => {
    const { id: permissionId } = await makePermission('Once', 'Wallets:Read')
    const body = { identityId: file.serviceAccount.userId }
    const { id: assignmentId } = await admin.permissions.createAssignment({ permissionId, body })
    await assert.rejects(
      admin.permissions.createAssignment({ permissionId, body }),
      refused(409, 'permission already assigned'),
    )
    // The official client keeps no answer to this one.
    const raw = rawClient(platform.baseUrl, file.administrator)
    const path = `/permissions/${permissionId}/assignments/${assignmentId}`
    const { userAction } = (await raw.sign(await raw.init('DELETE', path, {}))).body
    const ended = await raw.send('DELETE', path, {}, userAction)
    assert.equal(ended.status, 200)
    assert.deepEqual(Object.keys(ended.body), ['acknowledgedBy', 'effectiveAt'])
    assert.ok(ended.body.acknowledgedBy.length >= 3)
    assert.deepEqual((await admin.permissions.listAssignments({ permissionId })).items, [])
    await assert.rejects(
      admin.permissions.deleteAssignment({ permissionId, assignmentId }),
      refused(404, 'assignment not found'),
    )
    for (const identityId of ['us-aaaaa-aaaaa-aaaaaaaaaaaaaaaa', 'nobody'])
      await assert.rejects(
        admin.permissions.createAssignment({ permissionId, body: { identityId } }),
        refused(404, 'identity not found'),
      )
  })

  it('leaves alone what an organization is founded with, and somebody who may do everything', async () => {
    const { items } = await admin.permissions.listPermissions({ query: { limit: 500 } })
    const full = items.find(({ isImmutable }) => isImmutable) ?? assert.fail()
    assert.equal(full.name, 'ManagedFullAdminAccess')
    const permissionId = full.id
    const immutable = refused(400, 'the permission is immutable')
    await assert.rejects(
      admin.permissions.updatePermission({ permissionId, body: { name: 'Mine' } }),
      immutable,
    )
    const body = { isArchived: true }
    await assert.rejects(admin.permissions.archivePermission({ permissionId, body }), immutable)
    const assignments = (await admin.permissions.listAssignments({ permissionId })).items
    const own = assignments.find(({ identityId }) => identityId === file.administrator.userId)
    assert.ok(own)
    await assert.rejects(
      admin.permissions.deleteAssignment({ permissionId, assignmentId: own.id }),
      refused(403, /nobody would be left who may do everything/),
    )
  })

  it('changes, switches and archives service accounts, and their tokens with them', async () => {
    const { id: permissionId } = await makePermission('Robots', 'Wallets:Read')
    const { made, sdk, serviceAccountId } = await makeAccount('r1', { permissionId })
    assert.deepEqual(made.userInfo.permissionAssignments[0]?.operations, ['Wallets:Read'])
    assert.deepEqual(
      made.accessTokens[0]?.permissionAssignments,
      made.userInfo.permissionAssignments,
    )
    const body = { name: 'r2', externalId: 'robot-2' }
    const renamed = await admin.auth.updateServiceAccount({ serviceAccountId, body })
    assert.deepEqual(check('auth.updateServiceAccount', renamed), [])
    assert.equal(renamed.userInfo.name, 'r2')
    assert.equal((await makeAccount('r1')).made.userInfo.name, 'r1')
    await assert.rejects(
      admin.auth.updateServiceAccount({ serviceAccountId, body: { name: 'r1' } }),
      refused(409, /already exists/),
    )
    await admin.auth.updateServiceAccount({ serviceAccountId, body: { name: 'r2' } })
    assert.deepEqual((await sdk.wallets.listWallets()).items, [])
    const off = await admin.auth.deactivateServiceAccount({
      ...{ serviceAccountId, body: { force: true } },
    })
    assert.deepEqual(check('auth.deactivateServiceAccount', off), [])
    assert.deepEqual([off.userInfo.isActive, off.accessTokens[0]?.isActive], [false, false])
    await assert.rejects(sdk.wallets.listWallets(), refused(401, 'Not Authorized.'))
    const on = await admin.auth.activateServiceAccount({ serviceAccountId })
    assert.deepEqual(check('auth.activateServiceAccount', on), [])
    assert.deepEqual([on.userInfo.isActive, on.accessTokens[0]?.isActive], [true, true])
    assert.deepEqual((await sdk.wallets.listWallets()).items, [])
    const gone = await admin.auth.archiveServiceAccount({
      ...{ serviceAccountId, query: { force: true } },
    })
    assert.deepEqual(check('auth.archiveServiceAccount', gone), [])
    await assert.rejects(sdk.wallets.listWallets(), refused(401, 'Not Authorized.'))
    const notFound = refused(404, 'service account not found')
    await assert.rejects(admin.auth.activateServiceAccount({ serviceAccountId }), notFound)
    const { items } = await admin.auth.listServiceAccounts()
    assert.ok(items.every(({ userInfo }) => userInfo.userId !== serviceAccountId))
    await makeAccount('r2')
    const { userId } = file.administrator
    await assert.rejects(admin.auth.archiveServiceAccount({ serviceAccountId: userId }), notFound)
  })

  it('knows of force only what was signed', async () => {
    const { serviceAccountId } = await makeAccount('forced')
    const { administrator, serviceAccount } = file
    const path = `/auth/service-accounts/${serviceAccountId}`
    const raw = rawClient(platform.baseUrl, administrator)
    const signedFor = async (signedPath: string) =>
      (await raw.sign(await raw.init('DELETE', signedPath, {}))).body.userAction
    const withForce = await signedFor(`${path}?force=true`)
    const without = await raw.send('DELETE', path, {}, withForce)
    assert.equal(without.status, 403, 'what was signed with a query comes with it')
    assert.equal((await raw.init('DELETE', `${path}?force=1`, {})).status, 404)
    const answer = await raw.send('DELETE', `${path}?force=true`, {}, withForce)
    assert.equal(answer.status, 200)
    assert.ok(serviceAccount.userId !== serviceAccountId)
  })

  it('makes a personal access token whose owner is its reach, and shows it once', async () => {
    const { made, sdk, tokenId } = await makePat(admin, 'laptop', { externalId: 'mine' })
    assert.deepEqual(check('auth.createPersonalAccessToken', made), [])
    assert.match(tokenId, /^to-/)
    assert.match(made.credId, /^cr-/)
    const { accessToken, ...shown } = made
    assert.ok(accessToken)
    assert.deepEqual(await admin.auth.getPersonalAccessToken({ tokenId }), shown)
    const listed = await admin.auth.listPersonalAccessTokens()
    assert.deepEqual(check('auth.listPersonalAccessTokens', listed), [])
    assert.deepEqual(listed.items, [shown])
    const key = await sdk.keys.createKey({ body: { scheme: 'EdDSA', curve: 'ed25519' } })
    const message = { kind: 'Message', message: '0x01' } as const
    const signed = await sdk.keys.generateSignature({ keyId: key.id, body: message })
    assert.deepEqual(signed.requester, { userId: file.administrator.userId, tokenId })
    assert.deepEqual((await sdk.auth.listPersonalAccessTokens()).items, [shown])
  })

  it('bounds a personal access token by its permission and by what its owner has left', async () => {
    const { id: permissionId } = await makePermission('Key makers', 'Keys:Create')
    const { sdk, tokenId, made } = await makePat(admin, 'bounded', { permissionId })
    assert.deepEqual(made.permissionAssignments[0]?.operations, ['Keys:Create'])
    const body = { scheme: 'EdDSA', curve: 'ed25519' } as const
    await sdk.keys.createKey({ body })
    const { userId } = file.administrator
    const forbidden = (operation: string) =>
      refused(
        403,
        `CustomerEmployee ${userId} is not authorized to perform operation (${operation})`,
      )
    await assert.rejects(sdk.keys.listKeys(), forbidden('Keys:Read'))
    const { id: wider } = await makePermission('Key readers', 'Keys:Read')
    const given = await admin.permissions.createAssignment({
      ...{ permissionId: wider, body: { identityId: tokenId } },
    })
    await sdk.keys.listKeys()
    for (const ended of [
      { permissionId: wider, assignmentId: given.id },
      { permissionId, assignmentId: made.permissionAssignments[0]?.assignmentId ?? '' },
    ])
      await admin.permissions.deleteAssignment(ended)
    await assert.rejects(sdk.keys.createKey({ body }), forbidden('Keys:Create'))
    await assert.rejects(sdk.keys.listKeys(), forbidden('Keys:Read'))
  })

  it('lets a personal access token do nothing that is for its owner in person', async () => {
    const { sdk, authToken } = await makePat(admin, 'curious')
    const { publicKey } = newKeys()
    const forbidden = refused(403, /is not authorized to perform operation/)
    const body = { name: 'more', publicKey }
    await assert.rejects(sdk.auth.createPersonalAccessToken({ body }), forbidden)
    await assert.rejects(sdk.auth.createServiceAccount({ body }), forbidden)
    // The token with its owner's own credential, and the reverse.
    const { administrator } = file
    const mixed = clientFor({ ...administrator, authToken })
    const wish = { body: { scheme: 'EdDSA', curve: 'ed25519' } } as const
    await assert.rejects(mixed.keys.createKey(wish), /credId|credential/i)
    const raw = rawClient(platform.baseUrl, { ...administrator, authToken })
    const challenge = await raw.init('POST', '/keys', wish.body)
    assert.equal((await raw.sign(challenge)).status, 401)
  })

  it('changes, switches and archives one’s own personal access tokens', async () => {
    const { sdk, tokenId } = await makePat(admin, 'phone')
    const again = makePat(admin, 'phone')
    await assert.rejects(again, refused(409, /already exists/))
    const body = { name: 'old phone' }
    const renamed = await admin.auth.updatePersonalAccessToken({ tokenId, body })
    assert.deepEqual(check('auth.updatePersonalAccessToken', renamed), [])
    assert.equal(renamed.name, 'old phone')
    await makePat(admin, 'phone')
    const off = await admin.auth.deactivatePersonalAccessToken({ tokenId })
    assert.deepEqual(check('auth.deactivatePersonalAccessToken', off), [])
    assert.equal(off.isActive, false)
    await assert.rejects(sdk.keys.listKeys(), refused(401, 'Not Authorized.'))
    const on = await admin.auth.activatePersonalAccessToken({ tokenId })
    assert.deepEqual(check('auth.activatePersonalAccessToken', on), [])
    await sdk.keys.listKeys()
    const gone = await admin.auth.archivePersonalAccessToken({ tokenId })
    assert.deepEqual(check('auth.archivePersonalAccessToken', gone), [])
    assert.ok(Object(gone).acknowledgedBy.length >= 3)
    await assert.rejects(sdk.keys.listKeys(), refused(401, 'Not Authorized.'))
    const notFound = refused(404, 'personal access token not found')
    await assert.rejects(admin.auth.activatePersonalAccessToken({ tokenId }), notFound)
    await makePat(admin, 'old phone')
    const foreign = clientFor(file.serviceAccount)
    await assert.rejects(foreign.auth.getPersonalAccessToken({ tokenId }), refused(403, /not auth/))
  })

  it('ends a personal access token when its time is over', async () => {
    const { sdk } = await makePat(admin, 'brief', { secondsValid: 60, daysValid: 700 })
    await sdk.keys.listKeys()
    platform.clock.ahead = 61_000
    await assert.rejects(sdk.keys.listKeys(), refused(401, 'Not Authorized.'))
    platform.clock.ahead = 0
    for (const more of [{ secondsValid: 63_072_001 }, { daysValid: 731 }, { daysValid: 0 }])
      await assert.rejects(makePat(admin, 'long', more), refused(400, /not valid/))
  })

  it('refuses a public key that its owner has already', async () => {
    const { publicKey } = newKeys()
    await admin.auth.createPersonalAccessToken({ body: { name: 'one', publicKey } })
    await assert.rejects(
      admin.auth.createPersonalAccessToken({ body: { name: 'two', publicKey } }),
      refused(409, /in use/),
    )
    // The name of what did not come about is free.
    await makePat(admin, 'two')
  })
})
