import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { Failure, isFailure } from '@quorate/core/failure'
import { until } from '../coordinator/testing/platform.ts'
import { foundCompany } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient, type RawClient } from '../testing/raw-client.ts'
import { openRounds, startSignatureWorker, stillMs } from './resume.ts'

describe('a signature that nobody asks for again', () => {
  let platform: TestPlatform
  let client: RawClient
  let path: string
  before(async () => {
    platform = await startTestPlatform()
    const { administrator } = await foundCompany(platform)
    client = rawClient(platform.baseUrl, administrator)
    const { id } = (await client.call('/keys', { scheme: 'EdDSA', curve: 'ed25519' })).body
    path = `/keys/${id}/signatures`
  })
  after(async () => {
    await platform.close()
    assert.deepEqual(platform.unexpected, [])
  })
  beforeEach(() => platform.database.deleteFrom('signature_requests').execute())

  const everyone = ['signer-1', 'signer-2', 'signer-3']
  /** While the signers are away, so that it is answered with 503. */
  async function ask(): Promise<string> {
    platform.solo.missing = everyone
    assert.equal((await client.call(path, { kind: 'Message', message: '0x00' })).status, 503)
    platform.solo.missing = []
    const { body } = await client.send('GET', path)
    return body.items[0].id
  }
  const statusOf = async (id: string) => (await client.send('GET', `${path}/${id}`)).body.status
  const toldOf = async (id: string) => {
    const rows = await platform.database.selectFrom('outbox').selectAll().orderBy('id').execute()
    return rows.filter(({ data }) => data.includes(id)).map(({ kind }) => kind)
  }
  /** As if all that was asked for had been asked for so long ago. */
  const age = (ms: number) =>
    platform.database
      .updateTable('signature_requests')
      .set((eb) => ({ requested_at: eb('requested_at', '-', ms) }))
      .execute()

  it('is made once nobody can be at work on it any more, and told of once', async () => {
    const id = await ask()
    const turn = openRounds(platform.deps, assert.fail)
    await age(stillMs - 10_000)
    assert.ok((await turn()) > 0)
    assert.equal(await statusOf(id), 'Executing')
    await age(10_000)
    assert.equal(await turn(), 0)
    assert.equal(await statusOf(id), 'Signed')
    assert.ok((await turn()) > 0)
    assert.deepEqual(await toldOf(id), ['wallet.signature.requested', 'wallet.signature.signed'])
  })

  it('is left to the worker of its approval, where it has one', async () => {
    const id = await ask()
    await age(stillMs)
    const approval_id = 'ap-1'
    await platform.database.updateTable('signature_requests').set({ approval_id }).execute()
    assert.ok((await openRounds(platform.deps, assert.fail)()) > 0)
    assert.equal(await statusOf(id), 'Executing')
  })

  it('keeps no other one waiting, and has its turn in every round', async () => {
    const stuck = await ask()
    await age(1)
    const others = [await ask(), await ask()]
    await age(stillMs)
    const reports: string[] = []
    const sign: typeof platform.deps.sign = async (asked) => {
      if (reports.length === 0) throw new Failure('signing.failed', { reason: 'once' })
      return platform.deps.sign(asked)
    }
    const turn = openRounds({ ...platform.deps, sign }, (_, id) => void reports.push(id))
    const delays = [await turn(), await turn(), await turn(), await turn()]
    assert.deepEqual(
      delays.map((ms) => ms > 0),
      [false, false, false, true],
    )
    assert.deepEqual(reports, [stuck])
    assert.deepEqual(await Promise.all(others.map(statusOf)), ['Signed', 'Signed'])
    assert.equal(await statusOf(stuck), 'Executing')
    await turn()
    assert.equal(await statusOf(stuck), 'Signed')
  })

  it('waits while signers are away, and nothing else is tried in vain', async () => {
    const ids = [await ask(), await ask()]
    await age(stillMs)
    const reports: unknown[] = []
    const turn = openRounds(platform.deps, (error) => void reports.push(error))
    platform.solo.missing = everyone
    assert.ok((await turn()) > 0)
    platform.solo.missing = []
    assert.ok(reports.length === 1 && isFailure(reports[0], 'signers.unavailable'))
    assert.deepEqual([await turn(), await turn()], [0, 0])
    assert.deepEqual(await Promise.all(ids.map(statusOf)), ['Signed', 'Signed'])
  })

  it('is found by a server that runs', async () => {
    const id = await ask()
    await age(stillMs)
    const worker = startSignatureWorker({
      ...platform.deps,
      report: { warn: assert.fail, error: assert.fail },
    })
    await until(async () => (await statusOf(id)) === 'Signed')
    await worker.stop()
  })
})
