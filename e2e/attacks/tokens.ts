import { makePerson } from '@quorate/authority/testing/world'
import { nameOf } from '@quorate/core/id'
import { attack, rule, without, type Attack } from './attack.ts'
import { made, type Actor } from './stage.ts'

/** Long-lived tokens, and the rights that people and machines have. */

export const unauthorized = without(
  rule('author', 'not authorized to perform operation', 'for (const name of permissionsFor('),
  ['if (!has(rights, name)) refuse(`not authorized to perform operation (${name})`)', ';'],
)

export const rights: readonly Attack[] = [
  attack(
    'uses the key of a token without the token',
    rule('author', 'the credential is not of this token'),
    async ({ stage, bob, wallet }) => {
      const pat = await stage.createPat(bob)
      const { user, name } = bob
      return stage.use(stage.transfer({ user, name, by: pat.by }, wallet), wallet)
    },
  ),
  attack(
    'has a service account speak without its token',
    rule('author', 'a service account speaks through its token'),
    ({ stage, machine, wallet }) => {
      const { user, name, by } = machine
      return stage.use(stage.transfer({ user, name, by }, wallet), wallet)
    },
  ),
  attack(
    'uses the token of another user',
    rule('author', 'the token is unknown'),
    ({ stage, machine, wallet }) => {
      const token = tokenOf(machine)
      return stage.use(stage.transfer({ ...stage.admin, token }, wallet), wallet)
    },
  ),
  attack(
    'uses a token as one of another kind',
    rule('author', 'the token is of another kind'),
    ({ stage, machine, wallet }) => {
      const token = { id: tokenOf(machine).id, kind: 'Pat' } as const
      return stage.use(stage.transfer({ ...machine, token }, wallet), wallet)
    },
  ),
  attack(
    'uses a token that its owner has switched off',
    rule('author', 'the token is not active'),
    async ({ stage, bob, wallet }) => {
      const pat = await stage.createPat(bob)
      await stage.put('tokenStatus', stage.ask(bob, switching(pat)))
      return stage.use(stage.transfer(pat, wallet), wallet)
    },
  ),
  attack(
    'has a token do what only its user may do',
    rule('author', 'a personal access token may not ask for this'),
    async ({ stage, bob }) => {
      const pat = await stage.createPat(bob)
      const body = { name: 'more', publicKey: makePerson().pem }
      return stage.propose('token', stage.ask(pat, { path: '/auth/pats', body }))
    },
  ),
  attack(
    'has a token do more than its owner may',
    unauthorized,
    async ({ stage, bob }) => {
      const pat = await stage.createPat(bob)
      const wish = { path: '/permissions', body: { name: 'x', operations: ['Keys:Create'] } }
      return stage.propose('permission', stage.ask(pat, wish))
    },
    { isVariant: true },
  ),
  attack(
    'has a token do what its owner has lost the right to',
    unauthorized,
    async ({ stage, wallet }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      const permission = await stage.createPermission(unique('Carl'), [
        'Wallets:Transfers:Create',
        'Auth:Pats:Create',
      ])
      const to = { id: carl.user, name: carl.name }
      const given = stage.assigning(stage.admin, permission, to)
      await stage.put('assignment', given)
      const pat = await stage.createPat(carl)
      const assignment = made(given, 'assignment')
      const path = `/permissions/${permission.name}/assignments/${assignment.name}`
      const ids = { permissionId: permission.id, assignmentId: assignment.id }
      const wish = { method: 'DELETE', path, body: {}, ids }
      await stage.put('assignmentEnd', stage.ask(stage.admin, wish))
      return stage.use(stage.transfer(pat, wallet), wallet)
    },
    { isVariant: true },
  ),
  attack(
    'has a user move money without the right to',
    unauthorized,
    async ({ stage, wallet }) => {
      const carl = await stage.newcomer(await stage.invite(), true)
      return stage.use(stage.transfer(carl, wallet), wallet)
    },
    { isVariant: true },
  ),
  attack(
    'makes a permission of its own under the name of the right to everything',
    rule('permissions', 'the name is taken'),
    ({ stage }) => {
      const body = { name: 'ManagedFullAdminAccess', operations: ['Wallets:Read'] }
      return stage.propose('permission', stage.ask(stage.admin, { path: '/permissions', body }))
    },
  ),
  attack(
    'makes a permission of a right that nobody knows',
    rule('permissions', 'no such operation'),
    ({ stage }) => {
      const body = { name: unique('x'), operations: ['Everything:Do'] }
      return stage.propose('permission', stage.ask(stage.admin, { path: '/permissions', body }))
    },
  ),
  attack(
    'widens the permission that may not be changed',
    rule('permissions', 'the permission is immutable'),
    ({ stage }) => {
      const { id, name } = stage.everything
      const wish = { method: 'PUT', path: `/permissions/${name}`, body: { name: 'Mine' } }
      const ids = { permissionId: id }
      return stage.propose('permissionUpdate', stage.ask(stage.admin, { ...wish, ids }))
    },
  ),
  attack(
    'gives a permission that was archived',
    without(
      rule('permissions', 'there is no such permission', "permission)?.status !== 'active')\n"),
      [
        "permission)?.status !== 'active')\n    refuse('there is no such permission')",
        'permission) === null)\n    throw new Error()',
      ],
    ),
    async ({ stage, bob }) => {
      const permission = await stage.createPermission(unique('old'), ['Keys:Create'])
      const path = `/permissions/${permission.name}/archive`
      const ids = { permissionId: permission.id }
      const wish = { method: 'PUT', path, body: { isArchived: true }, ids }
      await stage.put('permissionUpdate', stage.ask(stage.admin, wish))
      const to = { id: bob.user, name: bob.name }
      return stage.propose('assignment', stage.assigning(stage.admin, permission, to))
    },
  ),
  attack(
    'gives one permission twice, so that one is left when it is taken away',
    rule('permissions', 'the permission is assigned already'),
    ({ stage, bob, bobsPermission }) =>
      stage.propose(
        'assignment',
        stage.assigning(stage.admin, bobsPermission, { id: bob.user, name: bob.name }),
      ),
  ),
  attack(
    'has a service account made by a service account',
    rule('author', 'no caller of this kind may ask for this'),
    ({ stage, machine }) => {
      const body = { name: 'more', publicKey: makePerson().pem }
      const wish = { path: '/auth/service-accounts', body }
      return stage.propose('serviceAccount', stage.ask(machine, wish))
    },
    { isVariant: true },
  ),
  attack(
    'has a token signed for three years',
    rule('tokens', 'daysValid is not from 1 to 730'),
    ({ stage }) => {
      const body = { name: 'api', publicKey: makePerson().pem, daysValid: 1095 }
      const wish = { path: '/auth/service-accounts', body }
      return stage.propose('serviceAccount', stage.ask(stage.admin, wish))
    },
  ),
  attack(
    'switches off a token of another user',
    rule('tokens', 'the user has no such token'),
    async ({ stage, bob }) => {
      const pat = await stage.createPat(bob)
      return stage.propose('tokenStatus', stage.ask(stage.admin, switching(pat)))
    },
  ),
]

/** The last of all: it is days later then. */
export const late: readonly Attack[] = [
  attack(
    'uses a token after its days',
    rule('author', 'the token has expired'),
    async ({ stage, wallet }) => {
      const robot = await stage.createServiceAccount(stage.everything, 1)
      stage.world.pass(2 * 24 * 3600_000)
      return stage.use(stage.transfer(robot, wallet), wallet)
    },
  ),
]

let count = 0
const unique = (name: string) => `${name} ${(count += 1)}`

function tokenOf({ token }: Actor) {
  if (token === undefined) throw new Error('no token')
  return token
}

function switching(pat: Actor) {
  const { id } = tokenOf(pat)
  const path = `/auth/pats/${nameOf('token', id)}/deactivate`
  return { method: 'PUT', path, body: {}, ids: { tokenId: id } }
}
