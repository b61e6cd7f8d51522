import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { TestDatabase } from '@quorate/scripts/test-database'
import type { OpaqueStep } from '@quorate/authority/agreement/messages'
import { rootOf } from '@quorate/authority/stream'
import { openDatabase, type Database } from '../database/database.ts'
import { createServerDatabase } from '../testing/database.ts'
import { Ledger } from './ledger.ts'

const bytes = () => new Uint8Array(randomBytes(32))
const made = (): OpaqueStep => ({
  ...{ seq: 0, previous: bytes(), hash: bytes(), time: 0, bytes: bytes() },
})

describe('a step that is proposed where another server takes back its own', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  /** Of a server that finds a row in its way, and before it has looked at that it happens. */
  function overtaken(happens: () => Promise<void>): Ledger {
    let isOver = false
    const racing = database.withPlugin({
      transformQuery: ({ node }) => node,
      transformResult: async ({ result }) => {
        const isInTheWay = result.numAffectedRows === 0n && !isOver
        isOver ||= isInTheWay
        if (isInTheWay) await happens()
        return result
      },
    })
    return new Ledger(racing)
  }

  async function hashesAt(organization: Uint8Array): Promise<readonly Uint8Array[]> {
    const rows = database.selectFrom('proposals').select('hash')
    const found = await rows.where('organization', '=', organization).execute()
    return found.map(({ hash }) => hash)
  }

  it('has a row of its own in the end', async () => {
    const organization = bytes()
    const place = { organization, stream: rootOf(organization) }
    const [theirs, ours] = [made(), made()]
    const other = new Ledger(database)
    await other.propose(place, 0, theirs)
    const ledger = overtaken(() => other.withdraw(place, theirs))
    assert.equal(await ledger.propose(place, 0, ours), ours)
    assert.deepEqual(await hashesAt(organization), [ours.hash])
  })
})
