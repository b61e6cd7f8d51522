import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { encode } from '@quorate/core/codec'
import { keyStream, streamCodec } from '@quorate/authority/stream'
import { until } from '../coordinator/testing/platform.ts'
import { openBrake, type Write } from '../testing/brake.ts'
import { openKilledServers } from '../transfers/testing/killed-servers.ts'
import {
  fund,
  makeWallet,
  network,
  payment,
  request,
  reread,
  startTreasury,
  stranger,
  type Treasury,
} from '../transfers/testing/treasury.ts'
import type { Outgoing } from '../transfers/tables.ts'
import type { WalletRow } from '../wallets/find.ts'
import { sponsorshipsOf } from './find.ts'
import {
  deployAccount,
  makeSponsor,
  paidFor,
  setBaseFee,
  type TestSponsor,
} from './testing/sponsor.ts'

/** Each a write that the server is about to make: see `../transfers/killed.test.ts`. */
const changed = (when: string): Write => ({ table: 'outgoing', event: 'update', when })
const asked = (state: string) => changed(`new.state = '${state}' and new.sponsored is null`)
const sent = (state: string) => changed(`new.state = '${state}' and new.sponsored is not null`)
const made = (table: string, when = 'true'): Write => ({ table, event: 'insert', when })
const signing = ['proposals', 'steps', 'signatures'].map((table) => made(table))

/** In the order in which they come; no block is made before the last of these. */
const unmined = [
  changed('new.lease_holder is distinct from old.lease_holder'),
  asked('prepared'),
  ...signing,
  made('outgoing', 'new.sponsored is not null'),
  ...[sent('slotted'), sent('prepared')],
  ...signing,
  ...[sent('signed'), sent('broadcasted'), asked('broadcasted')],
]
const mined = [sent('included'), asked('included'), asked('confirmed')]
/** From a transaction that is stuck to another one that a node has. */
const bid = (state: string) => changed(`new.state = '${state}' and new.bid > 0`)
const outbidding = [
  made('outgoing', 'new.bid > 0'),
  bid('prepared'),
  ...signing.slice(1),
  bid('broadcasted'),
]

describe('a server that is killed while a sponsor pays', () => {
  let treasury: Treasury
  let wallet: WalletRow
  let sponsor: TestSponsor
  let servers: ReturnType<typeof openKilledServers>
  before(async () => {
    treasury = await startTreasury()
    await deployAccount(treasury)
    wallet = await makeWallet(treasury, 1000n)
    sponsor = await makeSponsor(treasury)
    servers = openKilledServers(treasury, await openBrake(treasury.database))
  })
  after(async () => {
    await servers.kill()
    await treasury.stop()
  })

  it(`at ${unmined.length + mined.length} points of its first time: it is paid once, and once alone`, async () => {
    const { rpc, platform } = treasury
    const there = await balance(stranger)
    const row = await request(treasury, wallet, { body: payment({ feeSponsorId: sponsor.name }) })
    // From here on the signers dial the servers that are killed.
    await platform.links.close()
    for (const write of unmined) await die(write)
    await rpc('evm_setIntervalMining', [1])
    for (const write of mined) await die(write)
    servers.start()
    await until(async () => (await reread(treasury, row)).state === 'confirmed', 30_000)
    await until(async () => (await paidFor(treasury, row))?.state === 'confirmed', 30_000)
    assert.equal(await balance(stranger), there + 1000n)
    assert.equal(await balance(wallet.address ?? ''), 0n)
    // One transaction of the sponsor's, one authorization of the wallet's.
    assert.deepEqual([await nonceOf(sponsor.wallet), await nonceOf(wallet)], ['0x1', '0x1'])
    assert.deepEqual(await slotsOf(sponsor.wallet), [`slot/${network}/0`])
    assert.deepEqual(await slotsOf(wallet), [])
    const told = await treasury.database.selectFrom('outbox').select('kind').orderBy('id').execute()
    assert.deepEqual(
      told.map(({ kind }) => kind).filter((kind) => kind.startsWith('wallet.trans')),
      ['requested', 'broadcasted', 'confirmed'].map((word) => `wallet.transfer.${word}`),
    )
  })

  it(`at ${outbidding.length} points of its being outbid: one of the two is carried out, and the lane goes on`, async () => {
    const { rpc, database } = treasury
    await rpc('evm_setIntervalMining', [0])
    await setBaseFee(treasury, 1n)
    const there = await balance(stranger)
    await fund(rpc, wallet, 1000n)
    await servers.kill()
    const row = await request(treasury, wallet, { body: payment({ feeSponsorId: sponsor.name }) })
    servers.start()
    await until(async () => (await paidFor(treasury, row))?.state === 'broadcasted', 30_000)
    await servers.kill()
    await setBaseFee(treasury, 20n)
    // As if it had been sent long ago.
    await database
      .updateTable('outgoing')
      .set({ broadcasted_at: 0 })
      .where('sponsored', '=', row.id)
      .execute()
    for (const write of outbidding) await die(write)
    servers.start()
    await until(async () => (await statesFor(row)).join() === 'broadcasted,broadcasted', 30_000)
    await rpc('evm_setIntervalMining', [1])
    await until(async () => (await reread(treasury, row)).state === 'confirmed', 30_000)
    await until(async () => (await statesFor(row)).join() === 'lapsed,confirmed', 30_000)
    assert.equal(await balance(stranger), there + 1000n)
    assert.equal(await nonceOf(sponsor.wallet), '0x2')
    // Agreed on once for the first request, and for the second one twice.
    const slots = [0, 1, 1].map((slot) => `slot/${network}/${slot}`)
    assert.deepEqual(await slotsOf(sponsor.wallet), slots)
  })

  async function statesFor(row: Outgoing): Promise<readonly string[]> {
    return (await sponsorshipsOf(treasury.database, row)).map(({ state }) => state)
  }

  async function die(write: Write): Promise<void> {
    await servers.dieAt(write)
    // As if the leases of the dead had ended.
    const { database } = treasury
    await database
      .updateTable('outgoing')
      .set({ lease_until: 0, due_at: 0 })
      .where('state', 'not in', ['confirmed'])
      .execute()
    await database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
  }

  const nonceOf = ({ address }: WalletRow) =>
    treasury.rpc('eth_getTransactionCount', [address, 'latest'])

  async function slotsOf({ key }: WalletRow): Promise<readonly string[]> {
    const rows = await treasury.database
      .selectFrom('records')
      .select('name')
      .where('stream', '=', encode(streamCodec, keyStream(key)))
      .where('name', 'like', 'slot/%')
      .orderBy('name')
      .execute()
    return rows.map(({ name }) => name)
  }

  function balance(address: string): Promise<bigint> {
    const { adapter, rpc } = treasury.chains.find(network)
    return adapter.balance(rpc, address)
  }
})
