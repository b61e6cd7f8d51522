import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { requestOfEvidence } from '@quorate/authority/reduce/cause'
import { newKeyCredential, type KeyCredential } from '@quorate/authority/testing/key-credential'
import { idOf, nameOf } from '@quorate/core/id'
import { createWallet } from './testing/keys.ts'
import { addCredential, administratorBy, recovering, waitSetting } from './testing/recovery.ts'
import { transferRequest } from './testing/uses.ts'
import { toldAnswer, World } from './testing/world.ts'

const [hourMs, dayMs] = [60 * 60_000, 24 * 60 * 60_000]
const waitMs = 7 * dayMs
/** Enough to certify, without the one who is watched: more than may be corrupt. */
const colluding = [2, 3, 4]
const tooEarly = /not known of the recovery for long enough/

describe('what a signer knows of a recovery by itself', () => {
  const old = newKeyCredential({ kind: 'RecoveryKey' })
  const brought = newKeyCredential()

  /** An organization whose administrator can recover, and whose recoveries wait. */
  async function stage() {
    const world = new World({ real: [1] })
    await world.found()
    await world.put('settings', waitSetting(world, waitMs))
    const oldId = await addCredential(world, old)
    const wallet = await createWallet(world, 'EthereumSepolia')
    const place = world.keyPlace(wallet.key.id)
    const use = (by: KeyCredential) => {
      const evidence = transferRequest(world, wallet, { person: administratorBy(world, by) })
      return world.draft(place, [{ kind: 'use', evidence }])
    }
    return { world, oldId, place, use }
  }

  it('begins when it can tell the time again, if it heard of it when it could not', async () => {
    const { world, oldId, place, use } = await stage()
    const vote = async () =>
      toldAnswer(await world.answer(1, place, world.propose(place, use(brought).step)))
    const evidence = recovering(world, { old, oldId, first: brought })
    const { step, writes } = world.draft(world.root, [{ kind: 'recovery', evidence }])
    world.pass(waitMs + hourMs)
    world.drift.set(1, dayMs)
    const certificate = world.certificateBy(colluding, world.root, step)
    await world.adopt(1, world.root, { certificate, step })
    world.ledger.add(world.root.stream, { step, certificate, writes })
    assert.match(await vote(), /clock of this machine has leapt/)
    world.drift.delete(1)
    assert.match(await vote(), tooEarly)
    world.pass(waitMs - 1)
    assert.match(await vote(), tooEarly)
    world.pass(1)
    assert.equal(await vote(), 'vote')
    world.close()
  })

  it('is forgotten with a recovery that was cancelled, which holds up no later one', async () => {
    const { world, oldId, place, use } = await stage()
    const evidence = recovering(world, { old, oldId, first: newKeyCredential() })
    await world.put('recovery', evidence)
    const recoveryId = idOf(requestOfEvidence(evidence), 'recovery')
    const subjects = [{ role: 'recoveryId', id: recoveryId }]
    const path = `/auth/recoveries/${nameOf('recovery', recoveryId)}`
    const change = { method: 'DELETE', subjects }
    await world.put('recoveryEnd', world.request({ path, body: {}, change }))

    await world.put('settings', waitSetting(world, 0))
    await world.put('recovery', recovering(world, { old, oldId, first: brought }))
    await world.certify(place, use(brought))
    world.close()
  })
})
