import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { decode } from '@quorate/core/codec'
import { nameOf } from '@quorate/core/id'
import { openingCodec } from '@quorate/authority/records'
import { approvalId } from '@quorate/authority/reduce/approval'
import type { Evidence } from '@quorate/authority/step'
import { keyStream } from '@quorate/authority/stream'
import { decodeDerived } from '@quorate/effects/instruction'
import type { Person } from '@quorate/signer/testing/requests'
import type { Coordinator } from '../coordinator/coordinator.ts'
import {
  ask,
  derivationAsk,
  found,
  hire,
  keyAsk,
  makeKey,
  messageAsk,
  type Company,
  type Key,
} from '../coordinator/testing/company.ts'
import { startPlatform, type Platform } from '../coordinator/testing/platform.ts'
import { approvalOf, heldEvidence, statusOf } from './find.ts'
import { openApproval } from './open.ts'
import type { ApprovalRow } from './tables.ts'

let platform: Platform
let coordinator: Coordinator
let company: Company
let bot: Person
let key: Key
before(async () => {
  platform = await startPlatform()
  coordinator = platform.coordinator
  company = await found(coordinator, platform.manifest.hash)
  bot = await hire(coordinator, company)
  key = await makeKey(coordinator, company, keyAsk(company, bot, 'EdDSA'))
  const policy = {
    ...{ name: 'all', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' } },
    action: { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] },
  }
  const evidence = ask(company, company.administrator, { path: '/v2/policies', body: policy })
  await coordinator.settle({ organization: company.organization, kind: 'policy', evidence })
})
after(() => platform.stop())

const message = () => messageAsk(company, bot, key.id, new Uint8Array(50))
const sign = (evidence: Evidence) =>
  coordinator.sign({ organization: company.organization, key: key.id, evidence })
const open = (evidence: Evidence, of = key) =>
  openApproval(
    { database: platform.database, log: coordinator },
    { organization: company.organization, stream: keyStream(of.id), evidence },
  )
const read = ({ approval_id: id }: ApprovalRow) =>
  approvalOf(platform.database, company.organization, id)

function decide({ id, approval_id: name }: ApprovalRow, value: string, of = key) {
  company.ids.set(name, id)
  const path = `/v2/policy-approvals/${name}/decisions`
  const evidence = ask(company, company.administrator, {
    path,
    body: { value, reason: 'so be it' },
  })
  const { organization } = company
  return coordinator.settle({ organization, kind: 'decision', stream: keyStream(of.id), evidence })
}

describe('a use of a key that a policy holds', () => {
  it('is opened once, however often and by however many it is asked for', async () => {
    const evidence = message()
    await assert.rejects(sign(evidence), { code: 'policy.held' })
    const [one, other] = await Promise.all([open(evidence), open(evidence)])
    assert.deepEqual(other.id, one.id)
    assert.deepEqual((await open(evidence)).id, one.id)
    assert.deepEqual(approvalId(decode(openingCodec, one.opening)), one.id)
    assert.equal(one.approval_id, nameOf('approval', one.id))
    assert.deepEqual(
      [one.operation, one.activity_kind, one.initiator_id, one.status],
      ['keys.generateSignature', 'Wallets:Sign', nameOf('user', bot.user), 'Pending'],
    )
    assert.deepEqual(await heldEvidence(platform.database, one), evidence)
  })

  it('is signed once it is approved, by the same evidence', async () => {
    const evidence = message()
    const row = await open(evidence)
    await assert.rejects(sign(evidence), { code: 'request.refused' })
    await decide(row, 'Approved')
    assert.equal((await read(row)).status, 'Approved')
    assert.equal((await sign(evidence)).signatures.length, 1)
  })

  it('is derived once it is approved, always the same, and nothing of it is kept', async () => {
    const secret = await makeKey(coordinator, company, keyAsk(company, bot, 'DH'))
    const evidence = derivationAsk(company, bot, secret.id)
    const derive = async () => {
      const { organization } = company
      const { signatures } = await coordinator.sign({ organization, key: secret.id, evidence })
      assert.ok(signatures[0]?.scheme === 'DH')
      return decodeDerived(signatures[0].derived).point
    }
    await assert.rejects(derive(), { code: 'policy.held' })
    const row = await open(evidence, secret)
    await assert.rejects(derive(), { code: 'request.refused' })
    await decide(row, 'Approved', secret)
    assert.deepEqual(await derive(), await derive())
    const kept = await platform.database
      .selectFrom('signatures')
      .select('signature')
      .where('request', '=', row.request)
      .execute()
    assert.deepEqual(kept, [])
  })

  it('is never signed once it is denied', async () => {
    const evidence = message()
    const row = await open(evidence)
    await decide(row, 'Denied')
    assert.equal((await read(row)).status, 'Denied')
    await assert.rejects(sign(evidence), { code: 'request.refused' })
    const [decision] = await platform.database
      .selectFrom('approval_decisions')
      .select(['value', 'reason'])
      .where('approval', '=', row.id)
      .execute()
    assert.deepEqual(decision, { value: 'Denied', reason: 'so be it' })
  })

  it('has expired when its time is over, without anybody’s doing', async () => {
    const row = await open(message())
    assert.equal(statusOf(row, row.expires_at), 'Pending')
    assert.equal(statusOf(row, row.expires_at + 1), 'Expired')
    assert.equal(statusOf({ ...row, status: 'Approved' }, row.expires_at + 1), 'Approved')
  })
})
