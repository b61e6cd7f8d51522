import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type Answer, type Speaker } from '../testing/raw-client.ts'
import { approvalOf } from '../approvals/find.ts'
import { execute, type ExecuteDeps } from './execute.ts'
import { signatureResolver } from './resolver.ts'
import { resumeSignatures } from './resume.ts'

let platform: TestPlatform
let company: Company
before(async () => {
  platform = await startTestPlatform()
  company = await foundCompany(platform)
})
after(async () => {
  await platform.close()
  assert.deepEqual(platform.unexpected, [])
})

async function ask(speaker: Speaker, path: string, body: object): Promise<Answer> {
  const client = rawClient(platform.baseUrl, speaker)
  const signed = await client.sign(await client.init('POST', path, body))
  return client.send('POST', path, body, signed.body.userAction)
}
const byBot = (path: string, body: object) => ask(company.serviceAccount, path, body)
const byAdmin = (path: string, body: object) => ask(company.administrator, path, body)
const read = (path: string) => rawClient(platform.baseUrl, company.serviceAccount).send('GET', path)
function good({ status, body }: Answer) {
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

const asking = { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] }
const message = (more: object = {}) => ({ kind: 'Message', message: '0x68656c6c6f', ...more })
const decide = async (id: string, value: string) => {
  good(await byAdmin(`/v2/policy-approvals/${id}/decisions`, { value }))
  await platform.workApprovals()
}

type Named = { readonly id: string }
const rowOf = ({ id }: Named) =>
  platform.database
    .selectFrom('signature_requests')
    .selectAll()
    .where('signature_id', '=', id)
    .executeTakeFirstOrThrow()
const set = ({ id }: Named, values: Partial<Awaited<ReturnType<typeof rowOf>>>) =>
  platform.database
    .updateTable('signature_requests')
    .set(values)
    .where('signature_id', '=', id)
    .execute()
const toldOf = async ({ id }: Named) => {
  const rows = await platform.database.selectFrom('outbox').selectAll().orderBy('id').execute()
  return rows.flatMap(({ kind, data }) =>
    kind.startsWith('wallet.signature.') && data.includes(id)
      ? [{ kind, ...JSON.parse(data).signatureRequest }]
      : [],
  )
}
/** Another server, whose signers answer when `goOn` is called, whatever they have to say. */
function slowServer() {
  const [reached, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const sign: ExecuteDeps['sign'] = async (asked) => {
    const [said] = await Promise.allSettled([platform.deps.sign(asked)])
    reached.resolve()
    await gate.promise
    if (said.status === 'rejected') throw said.reason
    return said.value
  }
  return { deps: { ...platform.deps, sign }, reached: reached.promise, goOn: gate.resolve }
}

/** With a policy on it alone. */
async function walletUnder(action: object): Promise<string> {
  const { id, signingKey } = good(await byBot('/wallets', { network: 'KeyEdDSA' }))
  good(
    await byAdmin('/v2/policies', {
      ...{ name: 'all', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' }, action },
      filters: { walletId: { in: [id] } },
    }),
  )
  key = `/keys/${signingKey.id}/signatures`
  return `/wallets/${id}/signatures`
}
let wallet = ''
let key = ''

describe('a signature that a policy holds', () => {
  beforeEach(async () => {
    wallet = await walletUnder(asking)
  })

  it('is pending with its approval, and made once it is approved: of a wallet and of its key', async () => {
    for (const path of [wallet, key]) {
      const held = good(await byBot(path, message()))
      assert.deepEqual([held.status, held.signature], ['Pending', undefined])
      const approval = good(await read(`/v2/policy-approvals/${held.approvalId}`))
      assert.equal(approval.activity.signatureRequest.id, held.id)
      await platform.workApprovals()
      assert.equal(good(await read(`${path}/${held.id}`)).status, 'Pending')
      await decide(held.approvalId, 'Approved')
      const signed = good(await read(`${path}/${held.id}`))
      assert.deepEqual([signed.status, signed.approvalId], ['Signed', held.approvalId])
      assert.ok(signed.signature && signed.datePolicyResolved && signed.dateSigned)
    }
  })

  it('is rejected when it is denied, and when nobody has approved it in time', async () => {
    const denied = good(await byBot(wallet, message()))
    await decide(denied.approvalId, 'Denied')
    const { status, reason, datePolicyResolved } = good(await read(`${wallet}/${denied.id}`))
    assert.deepEqual([status, reason], ['Rejected', 'an approver has denied it'])
    assert.ok(datePolicyResolved)
    const late = good(await byBot(wallet, message()))
    platform.clock.ahead = 8 * 24 * 60 * 60_000
    await platform.workApprovals()
    platform.clock.ahead = 0
    const expired = good(await read(`${wallet}/${late.id}`))
    assert.deepEqual(
      [expired.status, expired.reason],
      ['Rejected', 'nobody has approved it in time'],
    )
    const told = await platform.database.selectFrom('outbox').select('kind').execute()
    const rejected = told.filter(({ kind }) => kind === 'wallet.signature.rejected')
    assert.equal(rejected.length, 2)
  })

  it('is signed when it was approved in time, though no server has written that down until then', async () => {
    const { solo, clock } = platform
    const held = good(await byBot(wallet, message()))
    const path = `/v2/policy-approvals/${held.approvalId}/decisions`
    const client = rawClient(platform.baseUrl, company.administrator)
    const body = { value: 'Approved' }
    const { body: signed } = await client.sign(await client.init('POST', path, body))
    const nothing = solo.conclude
    solo.conclude = async () => {
      solo.conclude = nothing
      // Its own time is what counts.
      clock.ahead = 0
      good(await client.send('POST', path, body, signed.userAction))
    }
    clock.ahead = 8 * 24 * 60 * 60_000
    await platform.workApprovals()
    const { status, datePolicyResolved } = good(await read(`${wallet}/${held.id}`))
    assert.equal(status, 'Signed')
    assert.ok(datePolicyResolved && Date.parse(datePolicyResolved) <= Date.now())
  })

  it('is one with one approval under its external id', async () => {
    const body = message({ externalId: 'once' })
    const [one, other] = await Promise.all([byBot(wallet, body), byBot(wallet, body)])
    const again = good(await byBot(wallet, body))
    assert.deepEqual([good(one).id, good(other).id], [again.id, again.id])
    const approvals = await platform.database
      .selectFrom('approvals')
      .select('id')
      .where('approval_id', '=', again.approvalId)
      .execute()
    assert.equal(approvals.length, 1)
  })

  it('is found again by a server that had not written down that it is held', async () => {
    const held = good(await byBot(wallet, message()))
    const forget = () => set(held, { status: 'Executing', approval_id: null })
    await forget()
    await resumeSignatures(platform.deps, assert.fail)
    const found = good(await read(`${wallet}/${held.id}`))
    assert.deepEqual([found.status, found.approvalId], ['Pending', held.approvalId])
    await forget()
    await decide(held.approvalId, 'Approved')
    assert.equal(good(await read(`${wallet}/${held.id}`)).status, 'Signed')
  })

  it('waits for signers that are not there, approved as it is', async () => {
    const held = good(await byBot(wallet, message()))
    good(await byAdmin(`/v2/policy-approvals/${held.approvalId}/decisions`, { value: 'Approved' }))
    platform.solo.missing = ['one', 'two']
    await platform.workApprovals()
    platform.solo.missing = []
    assert.equal(platform.unexpected.splice(0).length, 1)
    assert.equal(good(await read(`${wallet}/${held.id}`)).status, 'Executing')
    platform.clock.ahead = 60_000
    await platform.workApprovals()
    platform.clock.ahead = 0
    assert.equal(good(await read(`${wallet}/${held.id}`)).status, 'Signed')
  })
})

describe('a signature that is approved while servers are slow', () => {
  beforeEach(async () => {
    wallet = await walletUnder(asking)
  })
  /** As the server that was asked for it has it, which has not written down that it is held. */
  async function askedFor() {
    const held = good(await byBot(wallet, message()))
    await set(held, { status: 'Executing', approval_id: null })
    return { id: held.id, approvalId: held.approvalId }
  }
  async function approve(one: Awaited<ReturnType<typeof askedFor>>) {
    const { approvalId } = one
    good(await byAdmin(`/v2/policy-approvals/${approvalId}/decisions`, { value: 'Approved' }))
    const { organization } = await rowOf(one)
    return approvalOf(platform.database, organization, approvalId)
  }

  it('is not held again by the one that asked when it was not approved yet', async () => {
    const one = await askedFor()
    const [asking, approved] = [slowServer(), slowServer()]
    const asked = execute(asking.deps, await rowOf(one))
    await asking.reached
    const approval = await approve(one)
    const resumed = signatureResolver(approved.deps).resolved(approval, 'Approved')
    await approved.reached
    asking.goOn()
    assert.equal((await asked).status, 'Executing')
    approved.goOn()
    assert.deepEqual(await resumed, { outcome: 'Applied' })
    const { status, approvalId, signature } = good(await read(`${wallet}/${one.id}`))
    assert.deepEqual([status, approvalId], ['Signed', one.approvalId])
    assert.ok(signature)
    const kinds = (await toldOf(one)).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['wallet.signature.requested', 'wallet.signature.signed'])
  })

  it('is not told as applied before it is written down as signed', async () => {
    const one = await askedFor()
    const approved = slowServer()
    const approval = await approve(one)
    const resolver = signatureResolver(approved.deps)
    const resumed = resolver.resolved(approval, 'Approved')
    await approved.reached
    // Whoever writes it: what has moved is not ended by what was read before.
    await set(one, { status: 'Pending' })
    approved.goOn()
    await assert.rejects(resumed, /moved on meanwhile/)
    assert.equal((await rowOf(one)).status, 'Pending')
    assert.deepEqual(await resolver.resolved(approval, 'Approved'), { outcome: 'Applied' })
    assert.equal((await rowOf(one)).status, 'Signed')
  })

  it('is ended with its approval, though a server has it signed that had not heard of one', async () => {
    const one = await askedFor()
    const unaware = await rowOf(one)
    const approval = await approve(one)
    const [asking, approved] = [slowServer(), slowServer()]
    const asked = execute(asking.deps, unaware)
    await asking.reached
    const resumed = signatureResolver(approved.deps).resolved(approval, 'Approved')
    await approved.reached
    asking.goOn()
    assert.equal((await asked).status, 'Executing')
    approved.goOn()
    assert.deepEqual(await resumed, { outcome: 'Applied' })
    const [, signed, ...more] = await toldOf(one)
    assert.deepEqual(more, [])
    const { kind, ...shown } = signed
    assert.equal(kind, 'wallet.signature.signed')
    assert.deepEqual(shown, good(await read(`${wallet}/${one.id}`)))
    assert.ok(shown.approvalId && shown.datePolicyResolved)
  })
})

describe('a signature that a policy blocks', () => {
  it('is refused, for its repetitions as well, and kept as rejected', async () => {
    wallet = await walletUnder({ kind: 'Block' })
    const body = message({ externalId: 'never' })
    for (const answer of [await byBot(wallet, body), await byBot(wallet, body)])
      assert.deepEqual([answer.status, answer.body.message], [403, 'Blocked by policy'])
    const { items } = good(await read(wallet))
    assert.deepEqual([items.length, items[0].status], [1, 'Rejected'])
    assert.match(items[0].reason, /^blocked by policy: /)
  })
})
