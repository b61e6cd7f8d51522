import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { until } from '../coordinator/testing/platform.ts'
import type { WalletRow } from '../wallets/find.ts'
import { isAtRest, type State } from './lifecycle.ts'
import { startMortals, type Mortals } from './testing/killed-servers.ts'
import {
  balanceOf,
  endLeases,
  payment,
  request,
  stranger,
  type Treasury,
} from './testing/treasury.ts'

/** In full: `npm run test:transfers`. */
const transfers = Number(process.env['QUORATE_TEST_TRANSFERS'] ?? 16)
const kills = Math.max(3, Math.floor(transfers / 25))
/** All there is (`authority/reduce/author.ts`): the last in line are agreed on when all others are. */
const signWithinMs = 60 * 60_000
/** So many signers are killed besides, in turns: with two of four away, nothing can be signed. */
const signersAtOnce = [1, 2] as const
const signers = 4
const seed = process.env['QUORATE_TEST_SEED'] ?? 'lanes'
const waitMsMax = 60_000 + transfers * 4_000
/** In full size, longer than tests are given otherwise. */
const within = { timeout: waitMsMax + 60_000 }

describe('many transfers of one wallet at once', () => {
  let treasury: Treasury
  let wallet: WalletRow
  let servers: Mortals['servers']
  let stop: Mortals['stop']
  before(async () => {
    ;({ treasury, wallet, servers, stop } = await startMortals())
  })
  after(() => stop())

  it(
    `pay once each, at nonces without a gap, although servers and signers are killed (seed ${seed})`,
    within,
    async () => {
      const paid = await balanceOf(treasury, stranger)
      const wish = { body: payment(), signBefore: Date.now() + signWithinMs }
      await Promise.all(Array.from({ length: transfers }, () => request(treasury, wallet, wish)))
      for (let i = 0; i < kills; i++) {
        servers.start()
        const few = 1 + (random(i) % Math.ceil((7 * transfers) / kills))
        const early = random(i + kills) % few
        await come(early)
        for (const signer of victims(i)) await treasury.platform.signer(signer).end()
        for (const signer of victims(i)) treasury.platform.signer(signer).start()
        await come(few - early)
        await servers.kill()
        await endLeases(treasury)
      }
      servers.start()
      await until(isDone, waitMsMax)
      assert.deepEqual(await counts(), new Map([['confirmed', transfers]]))
      const rows = await all()
      assert.deepEqual(
        rows.map(({ slot }) => slot ?? -1).toSorted((a, b) => a - b),
        rows.map((_, i) => i),
      )
      assert.equal(await balanceOf(treasury, stranger), paid + 1000n * BigInt(transfers))
      const count = await treasury.rpc('eth_getTransactionCount', [wallet.address, 'latest'])
      assert.equal(Number(count), transfers)
      for (const { hash } of rows) {
        const receipt = await treasury.rpc('eth_getTransactionReceipt', [hash])
        assert.ok(receipt, `${hash} is in no block`)
      }
    },
  )

  function all() {
    const { database } = treasury
    return database
      .selectFrom('outgoing')
      .select(['state', 'slot', 'hash'])
      .where('wallet', '=', wallet.id)
      .execute()
  }

  async function counts(): Promise<ReadonlyMap<State, number>> {
    const rows = await treasury.database
      .selectFrom('outgoing')
      .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
      .where('wallet', '=', wallet.id)
      .groupBy('state')
      .execute()
    return new Map(rows.map(({ state, count }) => [state, Number(count)]))
  }

  /** However it has ended. */
  async function isDone(): Promise<boolean> {
    return [...(await counts()).keys()].every(isAtRest)
  }

  /** How far all of them have come together, in states. */
  async function changes(): Promise<number> {
    const order = ['requested', 'slotted', 'prepared', 'signed', 'broadcasted', 'included']
    return [...(await counts())].reduce((sum, [state, count]) => {
      const at = order.indexOf(state)
      return sum + count * (at === -1 ? order.length : at)
    }, 0)
  }

  async function come(further: number): Promise<void> {
    const to = (await changes()) + further
    await until(async () => (await changes()) >= to || (await isDone()), waitMsMax)
  }

  function victims(round: number): readonly number[] {
    const first = random(round + 2 * kills)
    const count = signersAtOnce[first % signersAtOnce.length] ?? 1
    return Array.from({ length: count }, (_, i) => 1 + ((first + i) % signers))
  }
})

function random(at: number): number {
  return createHash('sha256').update(`${seed} ${at}`).digest().readUInt32BE()
}
