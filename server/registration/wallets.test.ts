import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { DfnsApiClient, DfnsDelegatedApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { fromHex, toHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { readBirth } from '@quorate/authority/key-certificate'
import { operations } from '@quorate/authority/operations'
import { newWalletsMax } from '@quorate/authority/step'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { authenticateWith } from '../auth/authenticate.ts'
import { applyRoots } from '../orgs/apply.ts'
import { foundCompany, newKey, type Company } from '../testing/company.ts'
import { setupToken, startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient } from '../testing/raw-client.ts'
import { registerEndUser } from './register.ts'

let platform: TestPlatform
let company: Company
let backend: DfnsApiClient
before(async () => {
  platform = await startTestPlatform()
  company = await foundCompany(platform)
  backend = sdkOf(company.serviceAccount)
})
after(async () => {
  const { differences } = await platform.rebuild()
  await platform.close()
  assert.deepEqual(differences, [])
  assert.deepEqual(platform.unexpected, [])
})

type Holder = { readonly authToken: string; readonly credId: string; readonly privateKey: string }
function sdkOf({ authToken, credId, privateKey }: Holder): DfnsApiClient {
  const signer = new AsymmetricKeySigner({ credId, privateKey })
  return new DfnsApiClient({ baseUrl: platform.baseUrl, orgId: company.orgId, authToken, signer })
}

const path = '/auth/registration/enduser'
const two = [
  { network: 'EthereumSepolia', name: 'savings' },
  { network: 'KeyEdDSA', name: '' },
] as const
let count = 0

/** An end user at his way's beginning, and what he hands in by the official client or by hand. */
async function invite() {
  const body = { email: `end-user-${++count}@example.test`, kind: 'EndUser' } as const
  const begun = await backend.auth.createDelegatedRegistrationChallenge({ body })
  const { challenge, temporaryAuthenticationToken: token, user } = begun
  const factor = newKeyCredential()
  const { credentialInfo } = factor.create(challenge)
  const { baseUrl } = platform
  const raw = rawClient(baseUrl, { authToken: token, credId: '', privateKey: newKey() })
  const handedIn = (wallets: unknown, name = 'telephone') => ({
    firstFactorCredential: { credentialKind: 'Key', credentialInfo, credentialName: name },
    wallets,
  })
  return {
    ...{ user, token, factor, handedIn },
    newcomer: new DfnsDelegatedApiClient({ baseUrl, orgId: company.orgId, authToken: token }),
    send: (wallets: unknown, name?: string) => raw.send('POST', path, handedIn(wallets, name)),
    first: { credentialKind: 'Key', credentialInfo } as const,
  }
}
type Invited = Awaited<ReturnType<typeof invite>>

/** What the routes work with, for one body. */
async function called({ token, handedIn }: Invited) {
  const name = 'auth.registerEndUser'
  const caller = await authenticateWith({ ...platform.deps, setupToken })({
    ...{ name, operation: operations[name] },
    authorization: `Bearer ${token}`,
  })
  const body = JSON.stringify(handedIn(two))
  return { caller, raw: { method: 'POST', url: path, body, userAction: undefined } }
}

describe('an end user who brings wallets', () => {
  it('is given them with the answer, each his own and on a key of its own', async () => {
    const { newcomer, user, first, factor } = await invite()
    const registered = await newcomer.auth.registerEndUser({
      body: { firstFactorCredential: first, wallets: [...two] },
    })
    const [ether, key] = registered.wallets
    assert.ok(ether && key && registered.wallets.length === 2)
    assert.match(ether.address ?? '', /^0x[0-9a-fA-F]{40}$/)
    assert.deepEqual([ether.network, ether.name], ['EthereumSepolia', 'savings'])
    assert.deepEqual([key.network, key.name, key.address], ['KeyEdDSA', undefined, undefined])
    assert.deepEqual([ether.signingKey.curve, key.signingKey.curve], ['secp256k1', 'ed25519'])
    assert.notEqual(ether.signingKey.id, key.signingKey.id)
    for (const { custodial, status, tags, signingKey } of registered.wallets)
      assert.deepEqual(
        { custodial, status, tags, owner: signingKey.delegatedTo },
        { custodial: false, status: 'Active', tags: [], owner: user.id },
      )
    const privateKey = factor.key.export({ type: 'pkcs8', format: 'pem' }).toString()
    const { token: authToken } = registered.authentication
    const his = sdkOf({ authToken, credId: factor.credId, privateKey })
    const listed = (await his.wallets.listWallets({})).items
    const ids = (wallets: readonly { readonly id: string }[]) => wallets.map(({ id }) => id)
    assert.deepEqual(ids(listed).toSorted(), ids(registered.wallets).toSorted())
    for (const wallet of registered.wallets)
      assert.deepEqual(await backend.wallets.getWallet({ walletId: wallet.id }), wallet)
  })

  it('can use them as soon as somebody trusted has covered him, and not before', async () => {
    const { newcomer, user, first, factor } = await invite()
    const { authentication, wallets } = await newcomer.auth.registerEndUser({
      body: { firstFactorCredential: first, wallets: [...two] },
    })
    const [, wallet] = wallets
    assert.ok(wallet)
    const privateKey = factor.key.export({ type: 'pkcs8', format: 'pem' }).toString()
    const his = sdkOf({ authToken: authentication.token, credId: factor.credId, privateKey })
    const signing = {
      walletId: wallet.id,
      body: { kind: 'Message', message: toHex(new Uint8Array(8)) },
    } as const
    await assert.rejects(
      his.wallets.generateSignature(signing),
      /have a credential that can be used/,
    )
    const admin = rawClient(platform.baseUrl, company.administrator)
    assert.equal((await admin.call(`/auth/users/${user.id}/confirm`, {})).status, 200)
    assert.equal((await his.wallets.generateSignature(signing)).status, 'Signed')
    await assert.rejects(backend.wallets.generateSignature(signing), { httpStatus: 403 })
  })

  it('hears what is wrong with them before anything is burned', async () => {
    const { send } = await invite()
    const wallet = { network: 'KeyEdDSA' }
    for (const wallets of [
      [{ network: 'Nowhere' }],
      [wallet, { network: 'Polkadot' }],
      [{ network: '' }],
      [{ name: 'savings' }],
      [{ ...wallet, tags: ['vip'] }],
      [{ ...wallet, delegateTo: company.administrator.userId }],
      [{ ...wallet, name: 'x'.repeat(1000) }],
      ['KeyEdDSA'],
      Array.from({ length: newWalletsMax + 1 }, () => wallet),
      wallet,
      null,
      undefined,
    ]) {
      const { status, body } = await send(wallets)
      assert.equal(status, 400, `${JSON.stringify(wallets)} ${JSON.stringify(body)}`)
    }
    const made = await send([wallet])
    assert.equal(made.status, 200, JSON.stringify(made.body))
  })

  it('leaves rows and events without the names of his wallets when he is erased', async () => {
    const { send, user } = await invite()
    const word = 'of grandmother'
    const made = await send([{ network: 'KeyEdDSA' }, { network: 'EthereumSepolia', name: word }])
    const [, { id: walletId }] = made.body.wallets
    const admin = rawClient(platform.baseUrl, company.administrator)
    for (const [method, path] of [
      ['DELETE', `/auth/users/${user.id}`],
      ['PUT', `/auth/users/${user.id}/erase`],
    ] as const) {
      const { userAction } = (await admin.sign(await admin.init(method, path, {}))).body
      const { status, body } = await admin.send(method, path, {}, userAction)
      assert.equal(status, 200, JSON.stringify(body))
    }
    assert.equal((await backend.wallets.getWallet({ walletId })).name, undefined)
    const events = await platform.database.selectFrom('outbox').select('data').execute()
    const his = events.filter(({ data }) => data.includes(walletId))
    assert.ok(his.length > 0 && his.every(({ data }) => !data.includes(word)))
  })

  it('takes them from the pool, also while a signer is missing, and they are his', async () => {
    const organization = idOf(fromHex(company.genesis), 'organization')
    platform.solo.bear(organization, 'secp256k1')
    platform.solo.bear(organization, 'ed25519')
    const { newcomer, user, first, factor } = await invite()
    platform.solo.missing = ['signer-1']
    const { authentication, wallets } = await newcomer.auth
      .registerEndUser({ body: { firstFactorCredential: first, wallets: [...two] } })
      .finally(() => (platform.solo.missing = []))
    const kinds = wallets.map(
      (wallet) => readBirth(fromHex(String(Object(wallet)['certificate']))).kind,
    )
    assert.deepEqual(kinds, ['pooled', 'pooled'])
    for (const { signingKey } of wallets) assert.equal(signingKey.delegatedTo, user.id)
    const [, wallet] = wallets
    assert.ok(wallet)
    const admin = rawClient(platform.baseUrl, company.administrator)
    assert.equal((await admin.call(`/auth/users/${user.id}/confirm`, {})).status, 200)
    const privateKey = factor.key.export({ type: 'pkcs8', format: 'pem' }).toString()
    const his = sdkOf({ authToken: authentication.token, credId: factor.credId, privateKey })
    const signing = {
      walletId: wallet.id,
      body: { kind: 'Message', message: toHex(new Uint8Array(8)) },
    } as const
    assert.equal((await his.wallets.generateSignature(signing)).status, 'Signed')
    await assert.rejects(backend.wallets.generateSignature(signing), { httpStatus: 403 })
  })

  it('waits for signers with the same token, and has nothing before he has all', async () => {
    const { send, user } = await invite()
    platform.solo.missing = ['signer-1']
    assert.equal((await send(two)).status, 503)
    platform.solo.missing = []
    const shown = await backend.wallets.listWallets({ query: { ownerId: user.id } })
    assert.deepEqual(shown.items, [])
    assert.equal((await send(two)).status, 200)
  })
})

describe('a server that dies', () => {
  const killed = new Error('killed')
  const settled = (log: { readonly settle: TestPlatform['solo']['settle'] }) => ({
    ...platform.deps,
    log: { read: platform.solo.read, settle: log.settle },
  })

  it('between the keys and their step gives the same to whoever asks again, and makes it once', async () => {
    const invited = await invite()
    const { caller, raw } = await called(invited)
    const born: string[] = []
    const deps = {
      ...settled({ settle: () => Promise.reject(killed) }),
      createKey: async (ask: Parameters<typeof platform.solo.createKey>[0]) => {
        const made = await platform.solo.createKey(ask)
        born.push(toHex(made.certificate))
        return made
      },
    }
    await assert.rejects(registerEndUser(deps, caller, raw, two), killed)
    assert.equal(born.length, 2)
    assert.equal((await invited.send(two, 'another telephone')).status, 401)
    assert.equal((await invited.send([...two, ...two])).status, 401)
    const again = await invited.send(two)
    assert.equal(again.status, 200, JSON.stringify(again.body))
    const certificates = again.body.wallets.map(
      ({ certificate }: { readonly certificate: string }) => certificate,
    )
    assert.deepEqual(certificates, born)
    const { items } = await backend.wallets.listWallets({ query: { ownerId: invited.user.id } })
    assert.equal(items.length, 2)
    assert.equal((await invited.send(two)).status, 401)
  })

  it('between their step and its rows has given them all at its next start', async () => {
    const invited = await invite()
    const { caller, raw } = await called(invited)
    const deps = settled({
      settle: async (ask) => {
        await platform.solo.settle(ask)
        throw killed
      },
    })
    await assert.rejects(registerEndUser(deps, caller, raw, two), killed)
    const query = { ownerId: invited.user.id }
    const shown = async () => (await backend.wallets.listWallets({ query })).items.length
    assert.equal(await shown(), 0)
    await applyRoots(platform.database, assert.fail)
    assert.equal(await shown(), 2)
    assert.equal((await invited.send(two)).status, 401)
  })

  it('is no server that was asked twice at once, of which either answers', async () => {
    const invited = await invite()
    const { caller, raw } = await called(invited)
    const deps = settled({
      settle: async (ask) => {
        await platform.solo.settle(ask)
        return platform.solo.settle(ask)
      },
    })
    const { wallets } = await registerEndUser(deps, caller, raw, two)
    assert.equal(wallets.length, 2)
  })
})
