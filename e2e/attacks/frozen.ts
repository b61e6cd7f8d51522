import { grantsTable } from '@quorate/authority/records'
import type { Statement } from '@quorate/authority/statement'
import { nameOf } from '@quorate/core/id'
import type { Key } from '@quorate/signer/testing/keys'
import { World } from '@quorate/signer/testing/world'
import { at, attack, gone, rule, without, type Attack, type Check, type Outcome } from './attack.ts'
import { honest } from './drive.ts'
import { word } from './mailbox.ts'
import { made, Stage, type Actor } from './stage.ts'

/** What ends for good while somebody has stopped it, or stopped whoever asks. */

const ends = 'const endsForATime: ReadonlySet<string> = new Set(['
const own = "operation.changes.item === 'freeze' || endsOwn(name)"
const isUnfrozen = (next: string) => `  judgeUnfrozen(judging, key)\n  ${next}`

/** Not held up by a freeze any more. */
function letThrough(reason: string, code: string, name: string): Check {
  return without(rule('author', reason, code), [
    own,
    `operation.changes.item === 'freeze' || endsOwn(name) || name === '${name}'`,
  ])
}

/** The key may be used by whoever may use it, and by nobody who gives it away or ends it. */
function keyCheck(next: string): Check {
  return without(rule('delegation', 'the key is frozen', isUnfrozen(next)), [
    isUnfrozen(next),
    `  ${next}`,
  ])
}

const keys: readonly Attack[] = [
  attack(
    'deletes a key of the organization as a thief who is frozen',
    letThrough('the user is frozen', own, 'keys.deleteKey'),
    async ({ stage }) => {
      const [thief, { key }] = [await employee(stage), await stage.createKey(stage.admin)]
      await freeze(stage, { userId: thief.name }, { userId: thief.user })
      return stage.propose('keyStatus', deleting(stage, thief, key))
    },
  ),
  attack(
    'archives the one who has frozen him',
    letThrough('the user is frozen', own, 'auth.archiveUser'),
    async ({ stage }) => {
      const [thief, other] = [await employee(stage), await employee(stage)]
      await freeze(stage, { userId: thief.name }, { userId: thief.user })
      return stage.propose('userStatus', archiving(stage, thief, other))
    },
    { isVariant: true },
  ),
  attack(
    'deletes a key while the whole organization is frozen',
    without(rule('author', 'the organization is frozen', ends), [
      ends,
      `${ends}\n  'keys.deleteKey',`,
    ]),
    async ({ stage, machine }) => {
      const { key } = await stage.createKey(stage.admin)
      const lift = await freeze(stage, {}, {})
      const outcome = await stage.propose('keyStatus', deleting(stage, machine, key))
      await lift()
      return outcome
    },
  ),
  attack(
    'deletes a key that somebody has frozen',
    keyCheck('const { key: id } = key.terms'),
    async ({ stage, machine }) => {
      const { key } = await stage.createKey(stage.admin)
      await freeze(stage, { keyId: key.name }, { keyId: key.id })
      return stage.propose('keyStatus', deleting(stage, machine, key))
    },
  ),
  attack(
    'gives a key away that somebody has frozen',
    keyCheck('judgeDelegable(judging, authored, key)'),
    async ({ stage, machine, ulf }) => {
      const { key } = await stage.createKey(machine, { delayDelegation: true })
      await freeze(stage, { keyId: key.name }, { keyId: key.id })
      const asked = stage.ask(machine, {
        path: `/keys/${key.name}/delegate`,
        body: { delegateTo: ulf.name },
        ids: { keyId: key.id, delegateTo: ulf.user },
      })
      return stage.propose('delegation', asked)
    },
  ),
  attack(
    'keeps a freeze of the second mailbox out of its log, and has the key deleted',
    without(
      at('signer/judgement.ts', 'the key is frozen', "name === 'quorate.freeze' || endsOwn(name)"),
      [
        "name === 'quorate.freeze' || endsOwn(name)",
        "name === 'quorate.freeze' || endsOwn(name) || name === 'keys.deleteKey'",
      ],
    ),
    async ({ stage, machine }) => {
      const { key } = await stage.createKey(stage.admin)
      state(stage, { kind: 'freezeKey', target: key.id })
      return stage.propose('keyStatus', deleting(stage, machine, key))
    },
  ),
]

const locked = 'nobody would be left who may do everything'
const unreachable = 'the root quorum could not be reached without him'
const isCounted = '&& !isFrozen(records, member)'

const rulers: readonly Attack[] = [
  attack(
    'has everybody taken away who could lift the freeze of a thief',
    without(rule('users', unreachable, isCounted), [` ${isCounted}`, '']),
    ({ stage, machine }) =>
      beside(stage, async (thief) => {
        await freeze(stage, { userId: thief.name }, { userId: thief.user })
        return stage.propose('userStatus', archiving(stage, machine, stage.admin))
      }),
  ),
  attack(
    'has them taken away while only the second mailbox has frozen the thief',
    without(rule('users', unreachable, isCounted), [` ${isCounted}`, '']),
    ({ stage, machine }) =>
      beside(stage, (thief) => {
        state(stage, { kind: 'freezeUser', target: thief.user })
        return stage.propose('userStatus', archiving(stage, machine, stage.admin))
      }),
    { isVariant: true },
  ),
  attack(
    'freezes the last who could lift what only the second mailbox has frozen',
    gone(
      at(
        'signer/judgement.ts',
        'nobody would be left to lift it',
        ' ?? frozenForEver(step, recordsIn(organization, reader))',
      ),
    ),
    ({ stage, machine }) =>
      beside(stage, async (other) => {
        state(stage, { kind: 'freezeUser', target: other.user })
        const { user, name } = stage.admin
        const body = { userId: name }
        const wish = { path: '/orgs/freezes', body, ids: { userId: user } }
        return stage.propose('freeze', stage.ask(machine, wish))
      }),
  ),
  attack(
    'leaves the root quorum to a thief alone, who is frozen',
    rule('settings', 'nobody would be left to lift a freeze'),
    ({ stage }) =>
      beside(stage, async (thief) => {
        await freeze(stage, { userId: thief.name }, { userId: thief.user })
        return stage.propose('settings', governing(stage, [thief]))
      }),
  ),
  attack(
    'leaves full access to a thief alone, who is frozen',
    without(rule('full-access', locked, '|| isFrozen(records, id)'), [
      ' || isFrozen(records, id)',
      '',
    ]),
    async () => {
      const world = new World()
      try {
        await world.found()
        const stage = new Stage(world)
        const machine = await stage.createServiceAccount(stage.everything)
        const thief = await employee(stage)
        await stage.assign(stage.everything, thief)
        await freeze(stage, { userId: thief.name }, { userId: thief.user })
        return await stage.propose('assignmentEnd', revoking(stage, machine, stage.admin))
      } finally {
        world.close()
      }
    },
  ),
]

export const frozen: readonly Attack[] = [...keys, ...rulers]

/** With confirmed credentials, who may do what a thief likes. */
async function employee(stage: Stage): Promise<Actor> {
  const one = await stage.newcomer(await stage.invite(), true)
  const rights = ['Keys:Delete', 'Auth:Users:Delete']
  await stage.assign(await stage.createPermission(`Ends of ${one.name}`, rights), one)
  return one
}

/** While one other is of the root quorum with the administrator. */
async function beside(stage: Stage, act: (other: Actor) => Promise<Outcome>): Promise<Outcome> {
  const other = await employee(stage)
  await stage.put('settings', governing(stage, [stage.admin, other]))
  const outcome = await act(other)
  if (outcome.seals === 0) await stage.put('settings', governing(stage, [stage.admin]))
  return outcome
}

/** By the administrator: any one of these is enough from then on. */
function governing(stage: Stage, members: readonly Actor[]) {
  const rootQuorum = { needed: 1, members: members.map(({ name }) => name) }
  return stage.ask(stage.admin, { method: 'PUT', path: '/orgs/settings', body: { rootQuorum } })
}

/** By the second mailbox: the log knows nothing of it. */
function state(stage: Stage, words: Pick<Statement, 'kind' | 'target'>): void {
  const signed = word(stage, stage.admin, words)
  for (const index of honest) stage.world.member(index).signer.accept(signed)
}

/** @returns what lifts it again */
async function freeze(
  stage: Stage,
  body: object,
  ids: Readonly<Record<string, Uint8Array>>,
): Promise<() => Promise<void>> {
  const asked = stage.ask(stage.admin, { path: '/orgs/freezes', body, ids })
  const { id, name } = made(await stage.put('freeze', asked), 'freeze')
  return async () => {
    const wish = { method: 'DELETE', path: `/orgs/freezes/${name}`, body: {} }
    await stage.put('freeze', stage.ask(stage.admin, { ...wish, ids: { freezeId: id } }))
  }
}

function deleting(stage: Stage, by: Actor, { id, name }: Pick<Key, 'id' | 'name'>) {
  return stage.ask(by, { method: 'DELETE', path: `/keys/${name}`, body: {}, ids: { keyId: id } })
}

/** The end of what he was given first. */
function revoking(stage: Stage, by: Actor, { user }: Actor) {
  const [entry] = stage.found(grantsTable, user).entries
  if (entry === undefined) throw new Error('nothing was assigned')
  const { permission: permissionId, assignment: assignmentId } = entry
  const [permission, assignment] = [
    nameOf('permission', permissionId),
    nameOf('assignment', assignmentId),
  ]
  const path = `/permissions/${permission}/assignments/${assignment}`
  const ids = { permissionId, assignmentId }
  return stage.ask(by, { method: 'DELETE', path, body: {}, ids })
}

function archiving(stage: Stage, by: Actor, { user, name }: Actor) {
  const wish = { method: 'DELETE', path: `/auth/users/${name}`, body: {} }
  return stage.ask(by, { ...wish, ids: { userId: user } })
}
