import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { inTransaction } from '../database/database.ts'
import { foundCompany, type Company } from '../testing/company.ts'
import { startTestPlatform, type TestPlatform } from '../testing/platform.ts'
import { rawClient } from '../testing/raw-client.ts'
import type { Caller } from './caller.ts'
import { useAction } from './use-action.ts'

describe('a user action', () => {
  let platform: TestPlatform
  let company: Company
  let caller: Caller
  const body = JSON.stringify({ scheme: 'EdDSA', curve: 'ed25519' })
  const newRaw = async () => {
    const client = rawClient(platform.baseUrl, company.administrator)
    return { method: 'POST', url: '/keys', body, userAction: await client.act('/keys', body) }
  }
  before(async () => {
    platform = await startTestPlatform()
    company = await foundCompany(platform)
    const genesis = fromHex(company.genesis)
    const { orgId, administrator } = company
    caller = {
      organization: idOf(genesis, 'organization'),
      user: idOf(genesis, 'user'),
      ...{ orgId, userId: administrator.userId, username: administrator.username },
      ...{ kind: 'CustomerEmployee', isServiceAccount: false },
    }
  })
  after(() => platform.close())

  it('is burned by the first of two transactions that both found it good', async () => {
    const { database } = platform
    const raw = await newRaw()
    const [found, mayCommit] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const first = inTransaction(database, async (transaction) => {
      await useAction(transaction, caller, raw, Date.now())
      found.resolve()
      await mayCommit.promise
    })
    await found.promise
    const second = inTransaction(database, (transaction) =>
      useAction(transaction, caller, raw, Date.now()),
    )
    const refused = assert.rejects(second, { code: 'action.used' })
    await waitingForLock(platform)
    mayCommit.resolve()
    await Promise.all([first, refused])
  })

  it('stays good when what it should have changed was not written', async () => {
    const { database } = platform
    const raw = await newRaw()
    const failing = inTransaction(database, async (transaction) => {
      await useAction(transaction, caller, raw, Date.now())
      throw new Error('no space left')
    })
    await assert.rejects(failing, /no space left/)
    const { payload } = await useAction(database, caller, raw, Date.now())
    assert.equal(payload, body)
  })
})

/** Until the second transaction stands before the row that the first one holds. */
async function waitingForLock({ database }: TestPlatform): Promise<void> {
  for (;;) {
    const { rows } = await sql`select 1 from pg_locks where not granted`.execute(database)
    if (rows.length > 0) return
  }
}
