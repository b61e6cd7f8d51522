import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { sql } from 'kysely'
import { type Database, openDatabase } from '../database/database.ts'
import { createServerDatabase } from '../testing/database.ts'
import { states, type State } from '../transfers/lifecycle.ts'
import { isBeingDelegated } from './delegating.ts'

const network = 'EthereumSepolia'
const delegationNonce = 7

describe('an account that has signed its next nonce away', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
    // One for each state, of an account that bears its name.
    for (const [i, state] of states.entries())
      await sql`insert into outgoing (organization, id, kind, name, wallet, wallet_id, key, public_key,
          network, address, request, user_id, evidence, execute_before, names_slot, state, attempts,
          lease_until, created_at, bid, delegation_nonce)
        values ('', int4send(${i}::int), 'transfer', ${state}, '', '', '', '', ${network}, ${state}, '', '',
          '', 0, false, ${state}, 0, 0, 0, 0, ${delegationNonce})`.execute(database)
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  const heldFor = async (mined: bigint): Promise<readonly State[]> => {
    const held: State[] = []
    for (const address of states)
      if (await isBeingDelegated(database, { network, address }, mined)) held.push(address)
    return held
  }

  it('takes no slot until a node counts it as used, though a newer block than it knows has it', async () => {
    const underWay = ['prepared', 'signed', 'broadcasted', 'included']
    assert.deepEqual(await heldFor(BigInt(delegationNonce)), underWay)
    assert.deepEqual(await heldFor(BigInt(delegationNonce - 1)), underWay)
    assert.deepEqual(await heldFor(BigInt(delegationNonce + 1)), [])
  })
})
