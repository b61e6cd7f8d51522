import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { rootOf } from '@quorate/authority/stream'
import { leapMsMax } from './clock.ts'
import { genesisRequest } from './testing/requests.ts'
import { toldAnswer, World } from './testing/world.ts'

describe('a signer', () => {
  it('says nothing at all when its store cannot write', async () => {
    const world = new World({ real: [1] })
    const { store, defects } = world.member(1)
    store.close()
    await assert.rejects(world.found(), /has been finalized/)
    assert.equal(defects.length, 1)
    world.members.delete(1)
    world.close()
  })

  it('begins every life with another name, and goes on with its store', async () => {
    const world = new World({ real: [1] })
    const first = world.member(1)
    await world.found()
    const { sequence } = first.store
    const second = world.restart(1)
    assert.notDeepEqual(second.signer.hello.bootId, first.signer.hello.bootId)
    assert.equal(second.store.sequence, sequence)
    world.close()
  })

  it('never goes back in time, over a restart neither', async () => {
    const world = new World({ real: [1] })
    await world.found()
    world.now -= 2 * leapMsMax + 1
    world.restart(1)
    const { evidence, administrator } = genesisRequest(world.cluster.manifest.hash, world.now)
    const { organization } = administrator
    const place = { organization, stream: rootOf(organization) }
    const another = new World({ real: [], cluster: world.cluster, now: world.now })
    const { step } = another.draft(place, [{ kind: 'genesis', evidence }])
    const answer = await world.answer(1, place, another.propose(place, step))
    assert.match(toldAnswer(answer), /behind what it has shown/)
    another.close()
    world.close()
  })
})
