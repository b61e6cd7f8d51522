import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { until } from '../coordinator/testing/platform.ts'
import { openBrake } from '../testing/brake.ts'
import { findOutgoing } from './find.ts'
import type { State } from './lifecycle.ts'
import { openKilledServers } from './testing/killed-servers.ts'
import { openLane } from './testing/lane.ts'
import type { Outgoing } from './tables.ts'
import {
  balanceOf,
  letTimePass,
  makeWallet,
  payment,
  request,
  reread,
  startTreasury,
  stranger,
  type Treasury,
} from './testing/treasury.ts'

const states: readonly State[] = ['slotted', 'prepared', 'signed', 'broadcasted']
/** Each a write that the server is about to make: see `killed.test.ts`. */
const writes = [
  ...states.map((state) => ({
    ...({ table: 'outgoing', event: 'update' } as const),
    when: `new.state = '${state}' and new.replacement is not null`,
  })),
  ...['proposals', 'steps', 'signatures'].map((table) => ({
    ...({ table, event: 'insert', when: 'true' } as const),
  })),
]
/** In the order in which a row comes to them. */
const points = [0, 1, 4, 5, 6, 2, 3].flatMap((index) => writes[index] ?? [])

describe('a server that is killed while it replaces a transfer', () => {
  let treasury: Treasury
  let lane: ReturnType<typeof openLane>
  let servers: ReturnType<typeof openKilledServers>
  before(async () => {
    treasury = await startTreasury()
    lane = openLane(treasury)
    servers = openKilledServers(treasury, await openBrake(treasury.database))
  })
  after(async () => {
    await servers.kill()
    await lane.close()
    await treasury.stop()
  })

  it('runs on from wherever it was: one of the two is carried out, and the other one ends', async () => {
    const wallet = await makeWallet(treasury)
    const paid = await balanceOf(treasury, stranger)
    // From here on the signers dial the servers that are killed.
    await treasury.platform.links.close()
    const slow = await request(treasury, wallet, { body: payment() })
    servers.start()
    await until(async () => (await reread(treasury, slow)).state === 'broadcasted')
    await servers.kill()
    const { status, body } = await lane.ask(await reread(treasury, slow), 'speed-up')
    assert.equal(status, 200, body.message)
    const fast = await findOutgoing(treasury.database, slow, { kind: 'transaction', name: body.id })
    for (const write of points) {
      await servers.dieAt(write)
      await letTimePass(treasury)
    }
    servers.start()
    await until(async () => (await reread(treasury, fast)).state === 'broadcasted')
    await treasury.rpc('evm_setIntervalMining', [1])
    await until(async () => (await ends(slow, fast)).join() === 'lapsed,confirmed')
    assert.equal(await balanceOf(treasury, stranger), paid + 1000n)
    assert.equal((await reread(treasury, slow)).replacement_id, fast.name)
  })

  async function ends(...rows: readonly Outgoing[]): Promise<readonly State[]> {
    return (await Promise.all(rows.map((row) => reread(treasury, row)))).map(({ state }) => state)
  }
})
