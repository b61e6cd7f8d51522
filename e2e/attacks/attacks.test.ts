import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { encodeOriginal } from '@quorate/authority/original'
import { attacks } from './all.ts'
import { outbidInOrder } from './bids.ts'
import { broken, distinct, undeclared } from './attack.ts'
import { openCast, type Cast } from './cast.ts'
import { replacing, sending } from './lanes.ts'
import { mutationOf } from './mutation.ts'
import { named } from './named.ts'
import { touched } from './passkeys.ts'
import { paidInOrder } from './sponsors.ts'

/** Others would mean that somebody has taken attacks out, or has added some and not counted them. */
const counted = { distinct: 468, variants: 133 }

const checkout = join(import.meta.dirname, '..', '..')

describe('a coalition of the server, its database, the network and one signer of four', () => {
  let cast: Cast
  before(async () => {
    cast = await openCast()
  })
  after(() => cast?.stage.world.close())

  it('gets a signature for what is in order, by the very messages that fail below', async () => {
    const { stage, wallet, raw, pia, piasPasskey, master, child, taproot, plain, dh } = cast
    const hash = { kind: 'Hash', hash: `0x${'ab'.repeat(32)}` }
    for (const [evidence, of] of [
      [touched(stage.transfer(pia, wallet), piasPasskey), wallet],
      [stage.transfer(stage.admin, wallet), wallet],
      [stage.signature(stage.admin, raw), raw],
      [stage.signature(stage.admin, master, { body: hash }), master],
      [stage.signature(stage.admin, child, { body: hash }), child],
      [
        stage.signature(stage.admin, taproot, { body: { ...hash, taprootMerkleRoot: '' } }),
        taproot,
      ],
      [stage.signature(stage.admin, plain, { body: hash }), plain],
      [stage.derivation(stage.admin, dh), dh],
    ] as const) {
      const { refusals, votes, seals, lastRounds, isSigned } = await stage.use(evidence, of)
      assert.deepEqual(refusals, [])
      assert.deepEqual([votes, seals, lastRounds, isSigned], [3, 3, 1, true])
    }
  })

  it('gets one for what takes the place of a transfer, and of what has taken it', async () => {
    const { stage } = cast
    const { wallet, first } = await sending(stage)
    const gwei = 10n ** 9n
    const original = encodeOriginal(first)
    const speedUp = replacing(stage, wallet, first, { how: 'speed-up', nonce: 0n })
    const ofSpeedUp = { kind: 'transaction', nonce: 0n } as const
    for (const evidence of [
      speedUp,
      replacing(stage, wallet, speedUp, {
        ...{ ...ofSpeedUp, how: 'speed-up', original, facts: { maxFeePerGas: 30n * gwei } },
      }),
      replacing(stage, wallet, speedUp, {
        ...{ ...ofSpeedUp, how: 'cancel', facts: { maxFeePerGas: 40n * gwei } },
      }),
    ]) {
      const { refusals, lastRounds, isSigned } = await stage.use(evidence, wallet)
      assert.deepEqual([refusals, lastRounds, isSigned], [[], 1, true])
    }
  })

  it('gets one for what a sponsor pays for, of two wallets under one external id', async () => {
    for (const { refusals, lastRounds, isSigned } of await paidInOrder(cast.stage))
      assert.deepEqual([refusals, lastRounds, isSigned], [[], 1, true])
  })

  it('gets one for what outbids a sponsor’s transaction, and for what fills its nonce in the end', async () => {
    for (const { refusals, lastRounds, isSigned } of await outbidInOrder(cast.stage))
      assert.deepEqual([refusals, lastRounds, isSigned], [[], 1, true])
  })

  for (const one of attacks)
    it(`gets nothing when it ${one.name}`, async () => {
      assert.equal(broken(one, await one.run(cast)), '')
    })

  it('still gets a signature for what is in order', async () => {
    const { stage, wallet } = cast
    const { isSigned } = await stage.use(stage.transfer(stage.admin, wallet), wallet)
    assert.ok(isSigned)
  })
})

describe('the list of attacks', () => {
  it('names each once', () => {
    assert.equal(new Set(attacks.map(({ name }) => name)).size, attacks.length)
  })

  it('counts those alone that meet a check of their own', () => {
    assert.deepEqual(
      undeclared(attacks).map(({ name }) => name),
      [],
    )
    const own = distinct(attacks).length
    assert.deepEqual({ distinct: own, variants: attacks.length - own }, counted)
  })

  it('has something for every name under which attacks are known', () => {
    const known = new Set(attacks.map(({ name }) => name))
    for (const { name, attacks: here, tests = [] } of named) {
      assert.ok(here.length > 0, name)
      for (const one of here) assert.ok(known.has(one), `${name}: ${one}`)
      for (const { file, name: title } of tests)
        assert.ok(readFileSync(join(checkout, file), 'utf8').includes(`it('${title}'`), title)
    }
  })

  it('says of each how its check is taken away, or why nobody would notice', () => {
    for (const { check, name } of distinct(attacks))
      assert.doesNotThrow(() => mutationOf(check, checkout), name)
  })
})
