import { certificateOf } from '@quorate/authority/agreement/messages'
import { breakWaitMsMin } from '@quorate/authority/settings'
import type { WholeEvidence } from '@quorate/authority/step'
import { some } from '@quorate/signer/testing/world'
import { at, attack, backed, rule, without, type Attack, type Outcome } from '../attack.ts'
import { forge, honest } from '../drive.ts'
import { word } from '../mailbox.ts'
import { sealed } from '../rounds.ts'
import type { Actor, Made, Stage } from '../stage.ts'
import { approvalBy, dayMs, held, lay, minuteMs } from './scene.ts'

/** The end of a policy that nobody can change any more, by those who may not bring it about. */

const breaking = 'authority/reduce/break-glass.ts'
const hourMs = 60 * minuteMs
const waitMs = breakWaitMsMin

let count = 0

type Scene = {
  /** Changes of it want an approval. */
  readonly permission: Made
  readonly policy: Made
  readonly members: readonly Actor[]
}

/** A quorum of employees is declared for all policies, and one policy is there. */
async function declared(stage: Stage, needed: number, of = needed): Promise<Scene> {
  const members: Actor[] = []
  for (let i = 0; i < of; i++) members.push(await stage.newcomer(await stage.invite(), true))
  await declare(stage, needed, members)
  const permission = await stage.createPermission(`Glass ${(count += 1)}`, ['Wallets:Read'])
  const filters = { permissionId: { in: [permission.name] } }
  const policy = await lay(stage, {
    ...{ activityKind: 'Permissions:Modify', action: approvalBy(), filters },
  })
  return { permission, policy, members }
}

async function declare(stage: Stage, needed: number, members: readonly Actor[]): Promise<void> {
  const names = members.map(({ name }) => name)
  await stage.settle({ breakGlass: { needed, members: names, waitMs: needed === 0 ? 0 : waitMs } })
}

function asked(stage: Stage, by: Actor, { policy }: Scene, method = 'POST'): WholeEvidence {
  const path = `/v2/policies/${policy.name}/break`
  return stage.ask(by, { method, path, body: {}, ids: { policyId: policy.id } })
}

/** What the policy held, when everybody has signed who did. */
function changing(stage: Stage, { permission: { id, name } }: Scene): Promise<Outcome> {
  const body = { name: `Broken ${(count += 1)}` }
  const wish = { method: 'PUT', path: `/permissions/${name}`, body, ids: { permissionId: id } }
  return stage.propose('permissionUpdate', stage.ask(stage.admin, wish))
}

/** Nobody's break-glass quorum any more, for whoever comes next. */
async function after(stage: Stage, outcome: Outcome): Promise<Outcome> {
  await declare(stage, 0, [])
  return outcome
}

const [first, second] = [0, 1]
function member({ members }: Scene, index: number): Actor {
  const found = members[index]
  if (found === undefined) throw new Error('there is no such member')
  return found
}

const requests: readonly Attack[] = [
  attack(
    'ends a policy where no break-glass quorum was declared',
    rule('break-glass', 'no break-glass quorum is declared'),
    async ({ stage }) => {
      const scene = await declared(stage, 1)
      await declare(stage, 0, [])
      return stage.propose('break', asked(stage, member(scene, first), scene))
    },
  ),
  attack(
    'ends a policy as somebody who is not of the break-glass quorum',
    rule('break-glass', 'the author is not of the break-glass quorum'),
    async ({ stage }) => {
      const scene = await declared(stage, 1)
      const outcome = await stage.propose('break', asked(stage, stage.admin, scene))
      return after(stage, outcome)
    },
  ),
  attack(
    'ends a policy that is ending already, to have its wait begin anew',
    rule('break-glass', 'the policy is ending already'),
    async ({ stage }) => {
      const scene = await declared(stage, 1)
      await stage.put('break', asked(stage, member(scene, first), scene))
      return after(stage, await stage.propose('break', asked(stage, member(scene, first), scene)))
    },
  ),
  attack(
    'stops the end of a policy that nobody has asked for',
    rule('break-glass', 'nobody ends the policy'),
    async ({ stage }) => {
      const scene = await declared(stage, 1)
      const ending = asked(stage, member(scene, first), scene, 'DELETE')
      return after(stage, await stage.propose('breakEnd', ending))
    },
  ),
  attack(
    'has a service account end a policy',
    rule('author', 'no caller of this kind may ask for this'),
    async ({ stage, machine }) => {
      const scene = await declared(stage, 1)
      return after(stage, await stage.propose('break', asked(stage, machine, scene)))
    },
    { isVariant: true },
  ),
  attack(
    'changes the break-glass quorum as an administrator who is of no root quorum',
    rule('settings', 'the author is not of the root quorum'),
    async ({ stage }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      await stage.assign(stage.everything, carl)
      const breakGlass = { needed: 1, members: [carl.name], waitMs }
      const wish = { method: 'PUT', path: '/orgs/settings', body: { settings: { breakGlass } } }
      return stage.propose('settings', stage.ask(carl, wish))
    },
    { isVariant: true },
  ),
  attack(
    'declares a break-glass quorum that waits for nobody',
    without(rule('settings-body', 'waitMs is not from', 'waitMs >= breakWaitMsMin &&'), [
      'waitMs >= breakWaitMsMin &&',
      'waitMs >= Math.min(0, breakWaitMsMin) &&',
    ]),
    async ({ stage }) => {
      const breakGlass = { needed: 1, members: [stage.admin.name], waitMs: hourMs }
      const wish = { method: 'PUT', path: '/orgs/settings', body: { settings: { breakGlass } } }
      return stage.propose('settings', stage.ask(stage.admin, wish))
    },
  ),
]

const ends: readonly Attack[] = [
  attack(
    'ends a policy with one signature where two are wanted',
    held(
      breaking,
      'const isEnough = signedBy.length >= breakGlass.needed',
      'const isEnough = signedBy.length > 0',
    ),
    async ({ stage }) => {
      const scene = await declared(stage, 2)
      await stage.put('break', asked(stage, member(scene, first), scene))
      stage.world.pass(waitMs + minuteMs)
      return after(stage, await changing(stage, scene))
    },
  ),
  attack(
    'ends a policy with one member who signs twice',
    held(breaking, '!equalBytes(user, signer.user))', 'user.length > 0 && signer.user.length > 0)'),
    async ({ stage }) => {
      const scene = await declared(stage, 2)
      for (let i = 0; i < 2; i++)
        await stage.put('break', asked(stage, member(scene, first), scene))
      stage.world.pass(waitMs + minuteMs)
      return after(stage, await changing(stage, scene))
    },
  ),
  attack(
    'ends a policy by the signature of somebody who is of the quorum no more',
    held(
      breaking,
      'isMember(members, one.user) && stillSpeaks(judging, one)',
      'members.length > 0 && stillSpeaks(judging, one)',
    ),
    async ({ stage }) => {
      const scene = await declared(stage, 2)
      await stage.put('break', asked(stage, member(scene, first), scene))
      const carl = await stage.newcomer(await stage.invite(), true)
      await declare(stage, 2, [member(scene, second), carl])
      await stage.put('break', asked(stage, member(scene, second), scene))
      stage.world.pass(waitMs + minuteMs)
      return after(stage, await changing(stage, scene))
    },
  ),
  attack(
    'ends a policy by signatures that are a month apart',
    held(
      breaking,
      'known.effectiveAt === undefined && time > known.expiresAt',
      'known.effectiveAt === undefined && time > known.expiresAt * 2',
    ),
    async ({ stage }) => {
      const scene = await declared(stage, 2)
      await stage.put('break', asked(stage, member(scene, first), scene))
      stage.world.pass(8 * dayMs)
      await stage.put('break', asked(stage, member(scene, second), scene))
      stage.world.pass(waitMs + minuteMs)
      return after(stage, await changing(stage, scene))
    },
  ),
  attack(
    'does what a policy forbids before its end has come',
    backed(
      held(
        'authority/reduce/definitions.ts',
        'judging.step.time >= effectiveAt',
        'judging.step.time >= 0',
      ),
      'every signer waits by its own clock as well, from when it heard of the end',
    ),
    async ({ stage }) => {
      const scene = await declared(stage, 1)
      await stage.put('break', asked(stage, member(scene, first), scene))
      stage.world.pass(hourMs)
      return after(stage, await changing(stage, scene))
    },
  ),
  attack(
    'ends a policy at once, without the wait that was declared',
    held(breaking, 'time + breakGlass.waitMs', 'time + breakGlass.waitMs * 0'),
    async ({ stage }) => {
      const scene = await declared(stage, 1)
      await stage.put('break', asked(stage, member(scene, first), scene))
      stage.world.pass(hourMs)
      return after(stage, await changing(stage, scene))
    },
  ),
  attack(
    'ends a policy though somebody has stopped that in time',
    held(
      breaking,
      '[put(breakTable, [policy], { signedBy: [], expiresAt: 0, effectiveAt: undefined })]',
      '[]',
    ),
    async ({ stage, bob }) => {
      const scene = await declared(stage, 1)
      await stage.put('break', asked(stage, member(scene, first), scene))
      await stage.put('breakEnd', asked(stage, bob, scene, 'DELETE'))
      stage.world.pass(waitMs + minuteMs)
      return after(stage, await changing(stage, scene))
    },
  ),
  attack(
    'ends a policy and lets nobody into the log who stops that',
    held(
      'authority/statement.ts',
      'return isMeant ? [write(breakTable, [target], kept)] : []',
      'return isMeant && kept.expiresAt > 0 ? [write(breakTable, [target], kept)] : []',
    ),
    async ({ stage, bob }) => {
      const scene = await declared(stage, 1)
      await stage.put('break', asked(stage, member(scene, first), scene))
      const signed = word(stage, bob, { kind: 'keepPolicy', target: scene.policy.id })
      for (const index of honest) {
        const answer = stage.world.member(index).signer.accept(signed)
        if (!answer.ok) throw new Error(answer.reason)
      }
      stage.world.pass(waitMs + minuteMs)
      return after(stage, await changing(stage, scene))
    },
  ),
  attack(
    'shows the end of a policy to nobody until its wait is over',
    held(
      'signer/unseen-breaks.ts',
      'return now < (one.seen ?? now) + one.waitMs',
      'return now < 0',
    ),
    async ({ stage }) => {
      const { world } = stage
      const scene = await declared(stage, 1)
      const evidence = asked(stage, member(scene, first), scene)
      const { root } = world
      const drafted = forge(world, { place: root, asked: [{ kind: 'break', evidence }] })
      const certificate = certificateOf(some(await sealed(stage, root, drafted)))
      world.pass(waitMs + minuteMs)
      const { step, writes } = drafted
      for (const index of world.indexes) await world.adopt(index, root, { certificate, step })
      world.ledger.add(root.stream, { step, certificate, writes })
      return after(stage, await changing(stage, scene))
    },
  ),
  attack(
    'dates the end of a policy back, so that its wait is over',
    at('signer/judgement.ts', 'the time of the step is not now'),
    async ({ stage }) => {
      const scene = await declared(stage, 1)
      const time = stage.world.now
      const evidence = asked(stage, member(scene, first), scene)
      stage.world.pass(waitMs + minuteMs)
      return after(stage, await stage.propose('break', evidence, { time }))
    },
    { isVariant: true },
  ),
]

export const breakings: readonly Attack[] = [...requests, ...ends]
