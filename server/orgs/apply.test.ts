import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { decodePreimage, encodePreimage, requestHash } from '@quorate/authority/request'
import { decodeEvidence, encodeEvidence } from '@quorate/authority/step'
import { rootOf, streamCodec } from '@quorate/authority/stream'
import { toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { Failure, isFailure } from '@quorate/core/failure'
import { execute } from '../signatures/execute.ts'
import { resumeSignatures } from '../signatures/resume.ts'
import { foundCompany, newKey, publicPem, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'
import { applyRoot, applyRoots, expectRoot } from './apply.ts'

/** Tables of which every row follows from the log. */
const remade = [
  ...(['wallets', 'keys', 'users', 'usernames'] as const),
  ...(['tokens', 'names', 'permissions', 'assignments'] as const),
] as const

/** Something of everything that was made, changed and ended again. */
async function fillLists(admin: RawClient, { serviceAccount }: Company): Promise<void> {
  const operations = ['Keys:Read']
  const { id } = (await admin.call('/permissions', { name: 'Readers', operations })).body
  const [phone, laptop] = ['phone', 'laptop'].map((name) => ({
    ...{ name, publicKey: publicPem(newKey()), permissionId: id },
  }))
  await admin.call('/auth/pats', phone)
  const { tokenId } = (await admin.call('/auth/pats', laptop)).body
  const change = async (method: string, path: string, body: object) => {
    const { userAction } = (await admin.sign(await admin.init(method, path, body))).body
    const { status } = await admin.send(method, path, body, userAction)
    assert.equal(status, 200)
  }
  await change('PUT', `/auth/pats/${tokenId}`, { name: 'old laptop' })
  await change('PUT', `/auth/service-accounts/${serviceAccount.userId}`, { name: 'robot 2' })
  await change('DELETE', `/auth/pats/${tokenId}`, {})
  const identityId = serviceAccount.userId
  const assigned = await admin.call(`/permissions/${id}/assignments`, { identityId })
  await change('DELETE', `/permissions/${id}/assignments/${assigned.body.id}`, {})
  await change('PUT', `/permissions/${id}/archive`, { isArchived: true })
}

describe('a server that dies', () => {
  let platform: TestPlatform
  let company: Company
  let robot: RawClient
  const rows = (table: (typeof remade)[number] | 'outbox' | 'signature_requests') =>
    platform.database.selectFrom(table).selectAll().execute()

  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    robot = rawClient(platform.baseUrl, company.serviceAccount)
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })

  it('between agreement and its own database finds at its next start what it had promised', async () => {
    const settled = platform.database
    const network = 'EthereumSepolia'
    const { organization } = await settled
      .selectFrom('users')
      .select('organization')
      .executeTakeFirstOrThrow()
    const { body: wallet } = await robot.call('/wallets', {
      network,
      name: 'lost',
      externalId: 'x',
    })
    const [wallets, keys, outbox] = [
      await rows('wallets'),
      await rows('keys'),
      await rows('outbox'),
    ]
    // As if nothing had been written after the step: the rows, their events, and the place.
    await settled.deleteFrom('wallets').execute()
    await settled.deleteFrom('keys').execute()
    await settled.deleteFrom('outbox').execute()
    await settled
      .updateTable('root_applied')
      .set((eb) => ({ seq: eb('seq', '-', 1) }))
      .execute()
    assert.equal((await robot.send('GET', `/wallets/${wallet.id}`)).status, 404)
    await Promise.all([applyRoots(settled, assert.fail), applyRoot(settled, organization)])
    assert.deepEqual((await robot.send('GET', `/wallets/${wallet.id}`)).body, wallet)
    assert.deepEqual(await rows('wallets'), wallets)
    assert.deepEqual(await rows('keys'), keys)
    const told = (events: typeof outbox) => events.map(({ kind, data }) => [kind, data]).toSorted()
    assert.deepEqual(told(await rows('outbox')), told(outbox))
    assert.deepEqual(outbox.map(({ kind }) => kind).toSorted(), ['key.created', 'wallet.created'])
  })

  it('can make every row of an organization again from the log alone', async () => {
    const { database } = platform
    await fillLists(rawClient(platform.baseUrl, company.administrator), company)
    const before = await Promise.all(remade.map(rows))
    for (const table of [...remade, 'credentials', 'organizations'] as const)
      await database.deleteFrom(table).execute()
    await database.updateTable('root_applied').set({ seq: -1 }).execute()
    await applyRoots(database, assert.fail)
    assert.deepEqual(await Promise.all(remade.map(rows)), before)
    assert.equal((await robot.send('GET', '/wallets')).status, 200)
  })

  it('cannot read one organization’s step, and has every other one’s all the same', async () => {
    const { database } = platform
    const [step] = await database.selectFrom('steps').selectAll().execute()
    assert.ok(step)
    const spoiled = new Uint8Array(32).fill(9)
    const root = encode(streamCodec, rootOf(spoiled))
    const body = new Uint8Array([1, 2, 3])
    const broken = { ...step, organization: spoiled, stream: root, seq: 0, body }
    await database.insertInto('steps').values(broken).execute()
    await expectRoot(database, spoiled)
    const before = await Promise.all(remade.map(rows))
    for (const table of [...remade, 'credentials', 'organizations'] as const)
      await database.deleteFrom(table).execute()
    await database.updateTable('root_applied').set({ seq: -1 }).execute()
    const reports: string[] = []
    await applyRoots(database, (error, organization) => {
      assert.ok(isFailure(error))
      reports.push(toHex(organization))
    })
    assert.deepEqual(reports, [toHex(spoiled)])
    assert.deepEqual(await Promise.all(remade.map(rows)), before)
    for (const table of ['steps', 'root_applied'] as const)
      await database.deleteFrom(table).where('organization', '=', spoiled).execute()
  })

  it('in a key generation leaves nothing that can be seen, and the same request makes the key', async () => {
    const key = { scheme: 'EdDSA', curve: 'ed25519' }
    const action = await robot.act('/keys', key)
    const count = async () => (await rows('keys')).length
    const before = await count()
    const { settle } = platform.solo
    Object.assign(platform.solo, { settle: async () => Promise.reject(new Error('killed')) })
    const answer = await robot.send('POST', '/keys', key, action)
    Object.assign(platform.solo, { settle })
    assert.equal(answer.status, 500)
    platform.unexpected.length = 0
    await applyRoots(platform.database, assert.fail)
    assert.equal(await count(), before)
    assert.equal((await robot.send('POST', '/keys', key, action)).status, 200)
    assert.equal(await count(), before + 1)
    assert.equal((await robot.send('POST', '/keys', key, action)).status, 400)
  })

  it('before a signature was made has it made at its next start, and tells of it once', async () => {
    const { body: key } = await robot.call('/keys', { scheme: 'EdDSA', curve: 'ed25519' })
    const path = `/keys/${key.id}/signatures`
    const hash = { kind: 'Hash', hash: 'ab'.repeat(32), externalId: 'resumed' }
    platform.solo.missing = ['signer-1', 'signer-2', 'signer-3']
    assert.equal((await robot.call(path, hash)).status, 503)
    const { body: open } = await robot.send('GET', path)
    assert.equal(open.items[0].status, 'Executing')
    const reports: unknown[] = []
    const report = (error: unknown) => void reports.push(error)
    await resumeSignatures(platform.deps, report)
    assert.ok(reports[0] instanceof Failure)
    platform.solo.missing = []
    const [row] = await rows('signature_requests')
    assert.ok(row)
    await resumeSignatures(platform.deps, assert.fail)
    const { body } = await robot.send('GET', `${path}/${open.items[0].id}`)
    assert.equal(body.status, 'Signed')
    assert.deepEqual((await robot.call(path, hash)).body, body)
    const events = (await rows('outbox')).filter(({ kind }) => kind.startsWith('wallet.signature'))
    assert.deepEqual(events.map(({ kind }) => kind).toSorted(), [
      'wallet.signature.requested',
      'wallet.signature.signed',
    ])
    // Whoever comes late gets what there is, or changes nothing by a refusal any more.
    assert.equal((await execute(platform.deps, row)).status, 'Signed')
    const evidence = decodeEvidence(row.evidence)
    const preimage = { ...decodePreimage(evidence.preimage), nonce: new Uint8Array(32) }
    const unsigned = { ...evidence, preimage: encodePreimage(preimage) }
    const request = requestHash(unsigned.preimage)
    const another = { ...row, evidence: encodeEvidence(unsigned), request }
    const refused = execute(platform.deps, another)
    await assert.rejects(refused, /request.refused/)
    assert.deepEqual((await robot.send('GET', `${path}/${body.id}`)).body, body)
  })
})
