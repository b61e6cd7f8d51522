import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { attacks } from './all.ts'
import { broken, distinct, undeclared } from './attack.ts'
import { openCast, type Cast } from './cast.ts'

/** Fewer would mean that somebody has taken attacks out. */
const distinctMin = 80

describe('a coalition of the server, its database, the network and one signer of four', () => {
  let cast: Cast
  before(async () => {
    cast = await openCast()
  })
  after(() => cast?.stage.world.close())

  it('gets a signature for what is in order, by the very messages that fail below', async () => {
    const { stage, wallet, raw } = cast
    for (const [evidence, of] of [
      [stage.transfer(stage.admin, wallet), wallet],
      [stage.signature(stage.admin, raw), raw],
    ] as const) {
      const { refusals, votes, seals, lastRounds, isSigned } = await stage.use(evidence, of)
      assert.deepEqual(refusals, [])
      assert.deepEqual([votes, seals, lastRounds, isSigned], [3, 3, 1, true])
    }
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
    assert.ok(distinct(attacks).length >= distinctMin, `${distinct(attacks).length}`)
  })
})
