import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { nameOf } from '@quorate/core/id'
import { breakWaitMsMin } from '@quorate/authority/settings'
import type { Drafted } from './testing/ledger.ts'
import { World, toldAnswer } from './testing/world.ts'

const hourMs = 60 * 60_000
/** Enough to certify, without the one who is watched: more than may be corrupt. */
const colluding = [2, 3, 4]
const policy = {
  ...{ name: 'creation', activityKind: 'Policies:Create', rule: { kind: 'AlwaysTrigger' } },
  action: { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] },
}

/** What follows rests on what came before: one organization, to which things happen in turn. */
describe('the end of a policy that a colluding quorum dates back', () => {
  const world = new World({ real: [1] })
  let name = ''
  before(async () => {
    await world.found()
    const members = [nameOf('user', world.administrator.user)]
    const breakGlass = { needed: 1, members, waitMs: breakWaitMsMin }
    const body = { settings: { breakGlass } }
    await world.put(
      'settings',
      world.request({ path: '/orgs/settings', body, change: { method: 'PUT' } }),
    )
    const asked = world.request({ path: '/v2/policies', body: policy })
    ;[name = ''] = world.know(asked, 'policy')
    await world.put('policy', asked)
  })
  after(() => world.close())

  /** Nobody asks the watched signer, who learns of it as of any other step that others agreed to. */
  async function impose(drafted: Drafted): Promise<void> {
    const certificate = world.certificateBy(colluding, world.root, drafted.step)
    const answer = await world.adopt(1, world.root, { certificate, step: drafted.step })
    assert.equal(answer.kind, 'head', toldAnswer(answer))
    const { step, writes } = drafted
    world.ledger.add(world.root.stream, { step, certificate, writes })
  }
  const vote = async () => {
    const evidence = world.request({ path: '/v2/policies', body: policy })
    const drafted = world.draft(world.root, [{ kind: 'policy', evidence }])
    return toldAnswer(await world.answer(1, world.root, world.propose(world.root, drafted.step)))
  }

  it('is in force for the log, and this signer holds what the policy holds', async () => {
    const evidence = world.request({ path: `/v2/policies/${name}/break`, body: {} })
    const drafted = world.draft(world.root, [{ kind: 'break', evidence }])
    world.pass(breakWaitMsMin + hourMs)
    await impose(drafted)
    assert.match(await vote(), /held by policy/)
  })

  it('counts for this signer when it has known of it for as long', async () => {
    world.pass(breakWaitMsMin - hourMs)
    assert.match(await vote(), /held by policy/)
    world.pass(hourMs + 1)
    assert.doesNotMatch(await vote(), /held by policy/)
  })
})
