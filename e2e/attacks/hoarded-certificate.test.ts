import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createWallet, told } from '@quorate/signer/testing/keys'
import { roundsOf, runSigning, signCall } from '@quorate/signer/testing/signing'
import { transferRequest } from '@quorate/signer/testing/uses'
import { openCoalition } from './testing/coalition.ts'

/** As the signers have it: how long after a step's time they take part in what it allows. */
const windowMs = 60_000

/** With a clock that is set by hand the same stands in `signer/ceremonies/sign.test.ts`. */
const skip =
  process.env['QUORATE_TEST_WINDOW'] === undefined && 'lasts a whole window: npm run test:window'

describe('a certificate that a hostile server has hoarded', () => {
  // Of a suite that is skipped nobody counts the tests.
  it('signs within its window, and is worth nothing after it', { skip }, async (test) => {
    const coalition = await openCoalition()
    test.after(() => coalition.close())
    const { world } = coalition
    const wallet = await createWallet(world, 'EthereumSepolia')
    const place = world.keyPlace(wallet.key.id)
    const evidence = transferRequest(world, wallet)
    const drafted = world.draft(place, [{ kind: 'use', evidence }])
    await world.certify(place, drafted)
    const ask = async () => {
      const run = await runSigning(world, signCall(place, drafted), { roundsMax: 3 })
      const lasts = [...run.packets.values()].filter(
        ({ length }) => length === roundsOf(wallet.key),
      )
      return { lasts: lasts.length, said: [...run.endings.values()].map(told).join('\n') }
    }
    assert.equal((await ask()).lasts, 2)
    await sleep(windowMs + 1_000)
    const late = await ask()
    assert.equal(late.lasts, 0)
    assert.match(late.said, /window has passed/)
    const renewal = world.draft(place, [{ kind: 'renew', evidence }])
    await world.certify(place, renewal)
    const renewed = await runSigning(world, signCall(place, renewal), { roundsMax: 3 })
    assert.equal(renewed.packets.get(1)?.length, 3, 'judged afresh, it signs the same again')
  })
})
