import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { until } from '../coordinator/testing/platform.ts'
import { openBrake } from '../testing/brake.ts'
import type { WalletRow } from '../wallets/find.ts'
import { openKilledServers } from './testing/killed-servers.ts'
import {
  makeWallet,
  network,
  payment,
  request,
  startTreasury,
  stranger,
  type Treasury,
} from './testing/treasury.ts'

/** `QUORATE_TEST_TRANSFERS=200` is the full size; each takes about a second of four signers. */
const transfers = Number(process.env['QUORATE_TEST_TRANSFERS'] ?? 16)
const kills = Math.max(3, Math.floor(transfers / 10))
const seed = process.env['QUORATE_TEST_SEED'] ?? 'lanes'
const waitMsMax = 60_000 + transfers * 4_000

describe('many transfers of one wallet at once', () => {
  let treasury: Treasury
  let wallet: WalletRow
  let servers: ReturnType<typeof openKilledServers>
  before(async () => {
    treasury = await startTreasury()
    wallet = await makeWallet(treasury)
    await treasury.rpc('evm_setIntervalMining', [1])
    servers = openKilledServers(treasury, await openBrake(treasury.database))
    // From here on the signers dial the servers that are killed.
    await treasury.platform.links.close()
  })
  after(async () => {
    await servers.kill()
    await treasury.stop()
  })

  it(`pay once each, at nonces without a gap, although servers are killed (seed ${seed})`, async () => {
    const paid = await balance(stranger)
    await Promise.all(
      Array.from({ length: transfers }, () => request(treasury, wallet, { body: payment() })),
    )
    for (let i = 0; i < kills; i++) {
      servers.start()
      const before = await changes()
      const few = 1 + (random(i) % Math.ceil((7 * transfers) / kills))
      await until(async () => (await changes()) >= before + few || (await isDone()), waitMsMax)
      await servers.kill()
      await letTimePass()
    }
    servers.start()
    await until(isDone, waitMsMax)
    const rows = await all()
    assert.deepEqual(
      rows.map(({ slot }) => slot ?? -1).toSorted((a, b) => a - b),
      rows.map((_, i) => i),
    )
    assert.equal(await balance(stranger), paid + 1000n * BigInt(transfers))
    const count = await treasury.rpc('eth_getTransactionCount', [wallet.address, 'latest'])
    assert.equal(Number(count), transfers)
  })

  function all() {
    const { database } = treasury
    return database
      .selectFrom('outgoing')
      .select(['state', 'slot'])
      .where('wallet', '=', wallet.id)
      .execute()
  }

  async function isDone(): Promise<boolean> {
    return (await all()).every(({ state }) => state === 'confirmed')
  }

  /** How far all of them have come together, in states. */
  async function changes(): Promise<number> {
    const order = ['requested', 'slotted', 'prepared', 'signed', 'broadcasted', 'included']
    return (await all()).reduce((sum, { state }) => {
      const at = order.indexOf(state)
      return sum + (at === -1 ? order.length : at)
    }, 0)
  }

  /** As if the leases of the dead had ended. */
  async function letTimePass(): Promise<void> {
    const { database } = treasury
    await database.updateTable('outgoing').set({ lease_until: 0 }).execute()
    await database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
  }

  function balance(address: string): Promise<bigint> {
    const { adapter, rpc } = treasury.chains.find(network)
    return adapter.balance(rpc, address)
  }
})

function random(at: number): number {
  return createHash('sha256').update(`${seed} ${at}`).digest().readUInt32BE()
}
