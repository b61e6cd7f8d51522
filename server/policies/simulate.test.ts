import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Answer } from '../testing/raw-client.ts'

let platform: TestPlatform
let company: Company
let keyId: string
before(async () => {
  platform = await startTestPlatform({ quoteMaxFee: async () => 10n ** 15n })
  company = await foundCompany(platform)
  const robot = client()
  keyId = good(await robot.call('/keys', { scheme: 'EdDSA', curve: 'ed25519' })).id
  for (const message of ['0x01', '0x02', '0x03'])
    good(await robot.call(`/keys/${keyId}/signatures`, { kind: 'Message', message }))
})
after(async () => {
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})

const client = () => rawClient(platform.baseUrl, company.serviceAccount)
function good({ status, body }: Answer) {
  assert.equal(status, 200, JSON.stringify(body))
  return body
}
const simulate = (body: object) => client().send('POST', '/v2/policies/simulate', body)
const policy = (rule: object, action: object = { kind: 'Block' }, more: object = {}) => ({
  ...{ name: 'draft', activityKind: 'Wallets:Sign', rule, action, ...more },
})
const count = (limit: number) => ({
  kind: 'TransactionCountVelocity',
  configuration: { limit, timeframe: 60 },
})
const asking = { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] }
const always = { kind: 'AlwaysTrigger' }
const message = { kind: 'Signature', body: { kind: 'Message', message: '0x04' } }

describe('a drafted policy', () => {
  it('is told of with what it would have blocked or held, and why', async () => {
    const found = good(await simulate({ policy: policy(count(1)) }))
    assert.deepEqual([found.requests, found.blocked, found.held, found.isCut], [3, 2, 0, false])
    assert.equal(found.triggered.length, 2)
    for (const { requestId, operation, verdict, reason } of found.triggered) {
      assert.match(requestId, /^sig-/)
      assert.deepEqual([operation, verdict], ['keys.generateSignature', 'Blocked'])
      assert.match(reason, /above limit/)
    }
    const held = good(await simulate({ policy: policy(always, asking), days: 1 }))
    assert.deepEqual([held.blocked, held.held], [0, 3])
    const noted = good(await simulate({ policy: policy(always, { kind: 'NoAction' }) }))
    assert.deepEqual([noted.blocked, noted.held, noted.triggered.length], [0, 0, 3])
  })

  it('says of one request what the signers would say, and nothing comes of it', async () => {
    const steps = async () =>
      (await platform.database.selectFrom('steps').select('seq').execute()).length
    const before = await steps()
    const ask = async (limit: number) =>
      good(await simulate({ policy: policy(count(limit)), request: { ...message, keyId } })).request
    assert.deepEqual((await ask(3)).verdict, 'Blocked')
    const allowed = await ask(4)
    assert.deepEqual([allowed.verdict, allowed.triggered], ['Allowed', false])
    assert.equal(await steps(), before)
    const { items } = good(await client().send('GET', '/v2/policies'))
    assert.deepEqual(items, [])
    const kept = good(await client().send('GET', `/keys/${keyId}/signatures`)).items
    assert.equal(kept.length, 3)
  })

  it('may have a limit with decimals, and so may one that is made', async () => {
    const rule = { kind: 'TransactionAmountLimit', configuration: { limit: 0.5, currency: 'USD' } }
    const { blocked } = good(await simulate({ policy: policy(rule) }))
    assert.equal(blocked, 3)
    const path = '/v2/policies'
    const made = good(await client().call(path, policy(rule, { kind: 'NoAction' })))
    assert.equal(made.rule.configuration.limit, 0.5)
    const robot = client()
    const signed = await robot.sign(await robot.init('DELETE', `${path}/${made.id}`, {}))
    good(await robot.send('DELETE', `${path}/${made.id}`, {}, signed.body.userAction))
  })

  it('may be on changes of who may do what', async () => {
    const robot = client()
    const body = { name: 'p', operations: ['Wallets:Read'] }
    const { id } = good(await robot.call('/permissions', body))
    const path = `/permissions/${id}/assignments`
    good(await robot.call(path, { identityId: company.administrator.userId }))
    const draft = { ...policy(always, asking), activityKind: 'Permissions:Assign' }
    const found = good(await simulate({ policy: draft }))
    // The service account came with a permission, too.
    assert.deepEqual(
      found.triggered.map(({ operation }: { readonly operation: string }) => operation),
      ['permissions.createAssignment', 'auth.createServiceAccount'],
    )
    const other = { ...draft, filters: { permissionId: { in: ['pm-other'] } } }
    assert.equal(good(await simulate({ policy: other })).held, 0)
  })

  it('says of one request whose fees somebody else is to pay what leaves by it', async () => {
    const robot = client()
    const [payer, wallet] = [
      good(await robot.call('/wallets', { network: 'EthereumSepolia' })),
      good(await robot.call('/wallets', { network: 'EthereumSepolia' })),
    ]
    const sponsor = good(await robot.call('/fee-sponsors', { walletId: payer.id }))
    const amounts = (limit: string) => {
      const configuration = { asset: 'EthereumSepolia/Native', limit }
      return policy({ kind: 'TransactionAssetLimit', configuration })
    }
    const asked = (feeSponsorId: string) => ({
      ...{ kind: 'Transaction', walletId: wallet.id },
      body: {
        ...{ kind: 'UserOperations', feeSponsorId },
        userOperations: [2, 3].map((value) => ({ to: `0x${'77'.repeat(20)}`, value: `${value}` })),
      },
    })
    const verdict = async (limit: string) =>
      good(await simulate({ policy: amounts(limit), request: asked(sponsor.id) })).request.verdict
    // Both together, and no fee.
    assert.deepEqual([await verdict('4'), await verdict('5')], ['Blocked', 'Allowed'])
    const other = `${sponsor.id.slice(0, -1)}${sponsor.id.endsWith('7') ? 'a' : '7'}`
    const nobody = { policy: amounts('5'), request: asked(other) }
    assert.equal((await simulate(nobody)).status, 404)
  })

  it('is refused in words, and so is a request that nobody could make', async () => {
    const bad = { ...policy(always), activityKind: 'Nothing' }
    assert.equal((await simulate({ policy: bad })).status, 400)
    const configuration = { asset: 'Sepolia/Native', limit: '5' }
    const unreachable = policy({ kind: 'TransactionAssetLimit', configuration })
    assert.equal((await simulate({ policy: unreachable })).status, 400)
    assert.equal((await simulate({ policy: policy(always), days: 91 })).status, 400)
    const both = { ...message, keyId, walletId: 'wa-1' }
    assert.equal((await simulate({ policy: policy(always), request: both })).status, 400)
    const none = { ...message, keyId: 'key-none' }
    assert.equal((await simulate({ policy: policy(always), request: none })).status, 404)
  })
})
