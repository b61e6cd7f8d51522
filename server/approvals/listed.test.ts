import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { type Database, openDatabase } from '../database/database.ts'
import { rowsRead } from '../database/testing/rows-read.ts'
import { createServerDatabase } from '../testing/database.ts'
import type { ApprovalStatus } from './find.ts'
import { listed } from './routes.ts'

const organization = new Uint8Array(32).fill(1)
const ended = 20_000

describe('the list of approvals', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
    await sql`insert into steps (organization, stream, seq, hash, time, body, certificate)
      select ${organization}, '\\x01', i, '', 0, '', '' from generate_series(1, ${ended}::int) i`.execute(
      database,
    )
    // The oldest are open, one of them no longer: nobody would find them by their age.
    await sql`insert into approvals (organization, id, approval_id, stream, seq, item, request, initiator_id,
        operation, activity_kind, opening, status, expires_at, created_at, updated_at)
      select ${organization}, int4send(i), i, '\\x01', i, 0, int4send(i), 'us-1', 'keys:create', 'Wallets:Sign',
        '', case when i <= 3 then 'Pending' else 'Approved' end, case i when 2 then 5 else 20 end, i, i
      from generate_series(1, ${ended}::int) i`.execute(database)
    for (const table of ['steps', 'approvals'])
      await sql`analyze ${sql.table(table)}`.execute(database)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  it('by a status reads those alone that have it', async () => {
    const list = async (status: ApprovalStatus) => {
      let names: readonly string[] = []
      const read = await rowsRead(database, 'approvals', async (some) => {
        const deps = { database: some, now: () => 10 }
        const { found } = await listed(deps, organization, { limit: 2, status })
        names = found.map(({ approval_id: name }) => name)
      })
      assert.ok(read <= 20, `${status}: ${read} of ${ended} were read`)
      return names
    }
    assert.deepEqual(await list('Pending'), ['3', '1'])
    assert.deepEqual(await list('Expired'), ['2'])
    assert.deepEqual(await list('Denied'), [])
    assert.deepEqual(await list('Approved'), ['20000', '19999', '19998'])
  })
})
