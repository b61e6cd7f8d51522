import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { encode } from '@quorate/core/codec'
import { keyStream, streamCodec } from '@quorate/authority/stream'
import { until } from '../coordinator/testing/platform.ts'
import type { WalletRow } from '../wallets/find.ts'
import type { State } from './lifecycle.ts'
import { startMortals, type Mortals } from './testing/killed-servers.ts'
import type { Outgoing } from './tables.ts'
import {
  balanceOf,
  letTimePass,
  network,
  payment,
  request,
  reread,
  stranger,
  type Treasury,
} from './testing/treasury.ts'

/**
 * Where a server can die: each is a write that it is about to make, when all before it is on disk
 * and whatever the write tells of has been done. The database holds the write up until the process
 * is dead, so that nothing in the server has to know of it.
 */
type Point = {
  readonly about: string
  /** Where the next server may find the row. */
  readonly states: readonly State[]
  readonly table: string
  readonly when: string
}
const points: readonly Point[] = [
  {
    ...{ about: 'it has leased the row', states: ['requested'], table: 'outgoing' },
    when: 'new.lease_holder is distinct from old.lease_holder',
  },
  turning('it has found a slot', ['requested'], 'slotted'),
  turning('it has observed the chain', ['slotted'], 'prepared'),
  { about: 'it has drafted the step', states: ['prepared'], table: 'proposals', when: 'true' },
  { about: 'the signers have agreed', states: ['prepared'], table: 'steps', when: 'true' },
  { about: 'the signature is made', states: ['prepared'], table: 'signatures', when: 'true' },
  turning('the bytes are assembled', ['prepared'], 'signed'),
  turning('the node has the transaction', ['signed'], 'broadcasted'),
  // By then a block may have it: that it was broadcast follows.
  turning('a block has it', ['signed', 'broadcasted'], 'included'),
  turning('it is settled', ['included'], 'confirmed'),
]

function turning(about: string, states: readonly State[], to: State): Point {
  return { about, states, table: 'outgoing', when: `new.state = '${to}'` }
}

describe('a server that is killed', () => {
  let treasury: Treasury
  let wallet: WalletRow
  let servers: Mortals['servers']
  let stop: Mortals['stop']
  before(async () => {
    ;({ treasury, wallet, servers, stop } = await startMortals())
  })
  after(() => stop())

  it('at ten points on the way of one payment: it is sent once, and ends confirmed', async () => {
    const paid = await balanceOf(treasury, stranger)
    const row = await request(treasury, wallet, { body: payment() })
    for (const { about, states, table, when } of points) {
      const event = table === 'outgoing' ? 'update' : 'insert'
      await servers.dieAt({ table, event, when })
      const { state } = await reread(treasury, row)
      assert.ok(states.includes(state), `${about}: ${state}`)
      await letTimePass(treasury)
    }
    servers.start()
    await until(async () => (await reread(treasury, row)).state === 'confirmed', 30_000)
    assert.equal(await balanceOf(treasury, stranger), paid + 1000n)
    await assertOnce(await reread(treasury, row))
    const seen = async () => (await historyOf(wallet)) > 0
    await until(seen, 20_000)
    assert.equal(await historyOf(wallet), 1)
  })

  async function assertOnce({ hash, slot, key }: Outgoing): Promise<void> {
    const { rpc, database } = treasury
    assert.equal(slot, 0)
    assert.equal(await rpc('eth_getTransactionCount', [wallet.address, 'latest']), '0x1')
    assert.notEqual(await rpc('eth_getTransactionReceipt', [hash]), null)
    const uses = await database
      .selectFrom('records')
      .select('name')
      .where('stream', '=', encode(streamCodec, keyStream(key)))
      .where('name', 'like', 'slot/%')
      .execute()
    assert.deepEqual(uses, [{ name: `slot/${network}/0` }])
    const told = await database.selectFrom('outbox').select('kind').orderBy('id').execute()
    const kinds = told.map(({ kind }) => kind).filter((kind) => kind.startsWith('wallet.transfer.'))
    assert.deepEqual(kinds, [
      'wallet.transfer.requested',
      'wallet.transfer.broadcasted',
      'wallet.transfer.confirmed',
    ])
  }

  async function historyOf({ id }: WalletRow): Promise<number> {
    const rows = await treasury.database
      .selectFrom('history')
      .select('id')
      .where('wallet', '=', id)
      .where('direction', '=', 'Out')
      .execute()
    return rows.length
  }
})
