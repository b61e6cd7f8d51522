import { attack, rule, without, type Attack } from './attack.ts'
import { made, type Stage } from './stage.ts'

/** Settings, freezes, and those who lay them down. */

const lifting =
  "  if (!isRoot(judging, user)) refuse('the author is not of the root quorum')\n  if (isFrozen("
const notLifted = without(rule('freeze', 'the author is not of the root quorum', lifting), [
  lifting,
  '  if (isFrozen(',
])

export const rulers: readonly Attack[] = [
  attack(
    'has an administrator change the settings who is of no root quorum',
    rule('settings', 'the author is not of the root quorum'),
    async ({ stage }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      await stage.assign(stage.everything, carl)
      return stage.propose('settings', settling(stage, carl))
    },
  ),
  attack(
    'has a service account change the settings',
    rule('author', 'no caller of this kind may ask for this'),
    ({ stage, machine }) => stage.propose('settings', settling(stage, machine)),
    { isVariant: true },
  ),
  attack(
    'puts a stranger into the root quorum',
    without(
      rule(
        'settings',
        'is no employee with a confirmed credential',
        '} is no employee with a confirmed credential',
      ),
      [
        'isAble ? user : refuse(`${name} is no employee with a confirmed credential`)',
        'user as Uint8Array',
      ],
    ),
    ({ stage, eve }) => {
      const body = { rootQuorum: { needed: 1, members: [eve.name] } }
      const wish = { method: 'PUT', path: '/orgs/settings', body }
      return stage.propose('settings', stage.ask(stage.admin, wish))
    },
  ),
  attack(
    'has a quorum laid down that nobody can reach',
    rule('settings-body', 'no such quorum can agree'),
    ({ stage }) => {
      const body = { rootQuorum: { needed: 2, members: [stage.admin.name] } }
      const wish = { method: 'PUT', path: '/orgs/settings', body }
      return stage.propose('settings', stage.ask(stage.admin, wish))
    },
  ),
  attack(
    'writes other settings into the log than were signed',
    rule('item', 'the item does something else than was asked for'),
    ({ stage }) =>
      stage.propose('settings', settling(stage, stage.admin), {
        item: (item) =>
          item.operation.kind === 'settings'
            ? {
                ...item,
                operation: {
                  ...item.operation,
                  settings: {
                    ...item.operation.settings,
                    enrolment: { employees: 'open', endUsers: 'open' },
                  },
                },
              }
            : item,
      }),
  ),
  attack(
    'signs with a key that is frozen',
    rule('ownership', 'the key is frozen'),
    async ({ stage }) => {
      const key = await stage.createKey(stage.admin)
      const { id, name } = key.key
      await stage.put('freeze', freezing(stage, { keyId: name }, { keyId: id }))
      return stage.use(stage.signature(stage.admin, key), key)
    },
  ),
  attack(
    'signs as a user who is frozen',
    rule('author', 'the user is frozen'),
    async ({ stage, wallet }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      await stage.assign(stage.everything, carl)
      await stage.put('freeze', freezing(stage, { userId: carl.name }, { userId: carl.user }))
      return stage.use(stage.transfer(carl, wallet), wallet)
    },
  ),
  attack(
    'moves money while the whole organization is frozen',
    rule('author', 'the organization is frozen'),
    async ({ stage, machine, wallet }) => {
      const freeze = made(await stage.put('freeze', freezing(stage, {}, {})), 'freeze')
      const outcome = await stage.use(stage.transfer(machine, wallet), wallet)
      const wish = { method: 'DELETE', path: `/orgs/freezes/${freeze.name}`, body: {} }
      await stage.put('freeze', stage.ask(stage.admin, { ...wish, ids: { freezeId: freeze.id } }))
      return outcome
    },
  ),
  attack(
    'lifts a freeze as an administrator who is of no root quorum',
    notLifted,
    async ({ stage }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      await stage.assign(stage.everything, carl)
      const key = await stage.createKey(stage.admin)
      const { id, name } = key.key
      const frozen = await stage.put('freeze', freezing(stage, { keyId: name }, { keyId: id }))
      const freeze = made(frozen, 'freeze')
      const wish = { method: 'DELETE', path: `/orgs/freezes/${freeze.name}`, body: {} }
      return stage.propose('freeze', stage.ask(carl, { ...wish, ids: { freezeId: freeze.id } }))
    },
  ),
  attack(
    'freezes the only one who could lift it',
    rule('freeze', 'nobody would be left to lift it'),
    ({ stage }) => {
      const { user, name } = stage.admin
      return stage.propose('freeze', freezing(stage, { userId: name }, { userId: user }))
    },
  ),
  attack(
    'has a customer stop the wallet of another',
    without(
      rule('freeze', 'not authorized to perform operation', "record.kind === 'endUser') refuse("),
      ["if (!isHeld || record.kind === 'endUser') refuse", 'if (!isHeld) refuse'],
    ),
    async ({ stage, machine, hers }) => {
      const uma = await stage.newcomer(await stage.registerEndUser(machine), true)
      await stage.assign(await stage.createPermission('Stop', ['Keys:Update']), uma)
      const { id, name } = hers.key
      const wish = { path: '/orgs/freezes', body: { keyId: name }, ids: { keyId: id } }
      return stage.propose('freeze', stage.ask(uma, wish))
    },
  ),
]

function settling(stage: Stage, by: Stage['admin']) {
  const body = { settings: { enrolment: { employees: 'open', endUsers: 'confirmed' } } }
  return stage.ask(by, { method: 'PUT', path: '/orgs/settings', body })
}

function freezing(stage: Stage, body: object, ids: Readonly<Record<string, Uint8Array>>) {
  return stage.ask(stage.admin, { path: '/orgs/freezes', body, ids })
}
