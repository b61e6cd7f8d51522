import type { ItemKind, WholeEvidence } from '@quorate/authority/step'
import { makePerson } from '@quorate/authority/testing/world'
import { at, attack, rule, without, type Attack } from '../attack.ts'
import type { Cast } from '../cast.ts'
import { made, type Made, type Stage } from '../stage.ts'
import { unauthorized } from '../tokens.ts'
import {
  approvalBy,
  archive,
  bodyOf,
  changing,
  decide,
  deciding,
  held,
  hold,
  lay,
  under,
  type Policy,
} from './scene.ts'

/** Rights and policies that are given, changed or taken without the approval that this wants. */

const gate = 'authority/reduce/gate.ts'
const asVariant = { isVariant: true }

/** A request of a kind that policies know, without which it is none to them. */
const governed = (name: string, line: string, run: Attack['run']): Attack =>
  attack(name, held(gate, line, ''), run)

let count = 0
const permission = (stage: Stage) =>
  stage.createPermission(`Governed ${(count += 1)}`, ['Wallets:Read'])

/** A permission of which every change, or every gift, wants an approval. */
async function watched(stage: Stage, activityKind: string): Promise<Made> {
  const watchedOne = await permission(stage)
  const filters = { permissionId: { in: [watchedOne.name] } }
  await lay(stage, { activityKind, action: approvalBy(), filters })
  return watchedOne
}

async function watchedPolicy(stage: Stage): Promise<Made> {
  const policy = await lay(stage, {
    activityKind: 'Permissions:Modify',
    filters: {
      permissionId: { in: [(await permission(stage)).name] },
    },
  })
  const filters = { policyId: { in: [policy.name] } }
  await lay(stage, { activityKind: 'Policies:Modify', action: approvalBy(), filters })
  return policy
}

const renaming = (stage: Stage, { id, name }: Made) =>
  stage.ask(stage.admin, {
    ...{ method: 'PUT', path: `/permissions/${name}`, body: { name: `Renamed ${(count += 1)}` } },
    ids: { permissionId: id },
  })

const giving = (stage: Stage, kind: ItemKind, asked: WholeEvidence) => stage.propose(kind, asked)

const rights: readonly Attack[] = [
  governed(
    'changes a permission without the approval for that',
    "  'permissions.updatePermission': 'Permissions:Modify',\n",
    async ({ stage }) =>
      stage.propose(
        'permissionUpdate',
        renaming(stage, await watched(stage, 'Permissions:Modify')),
      ),
  ),
  governed(
    'archives a permission without the approval for that',
    "  'permissions.archivePermission': 'Permissions:Modify',\n",
    async ({ stage }) => {
      const { id, name } = await watched(stage, 'Permissions:Modify')
      const wish = { method: 'PUT', path: `/permissions/${name}/archive` }
      const ids = { permissionId: id }
      return stage.propose(
        'permissionUpdate',
        stage.ask(stage.admin, { ...wish, body: { isArchived: true }, ids }),
      )
    },
  ),
  governed(
    'gives a permission without the approval for that',
    "  'permissions.createAssignment': 'Permissions:Assign',\n",
    async ({ stage, bob }) => {
      const given = await watched(stage, 'Permissions:Assign')
      const to = { id: bob.user, name: bob.name }
      return stage.propose('assignment', stage.assigning(stage.admin, given, to))
    },
  ),
  governed(
    'takes a permission away without the approval for that',
    "  'permissions.deleteAssignment': 'Permissions:Assign',\n",
    async ({ stage, bob }) => {
      const taken = await permission(stage)
      const to = { id: bob.user, name: bob.name }
      const asked = await stage.put('assignment', stage.assigning(stage.admin, taken, to))
      const filters = { permissionId: { in: [taken.name] } }
      const policy = { activityKind: 'Permissions:Assign', action: approvalBy(), filters }
      await lay(stage, policy)
      const { id, name } = made(asked, 'assignment')
      const path = `/permissions/${taken.name}/assignments/${name}`
      const ids = { permissionId: taken.id, assignmentId: id }
      const wish = { method: 'DELETE', path, body: {}, ids }
      return stage.propose('assignmentEnd', stage.ask(stage.admin, wish))
    },
  ),
  governed(
    'gives a permission by making a service account, where giving it wants an approval',
    "  'auth.createServiceAccount': 'Permissions:Assign',\n",
    async ({ stage }) => {
      const { id, name } = await watched(stage, 'Permissions:Assign')
      const body = { name: 'api', publicKey: makePerson().pem, daysValid: 30, permissionId: name }
      const wish = { path: '/auth/service-accounts', body, ids: { permissionId: id } }
      return giving(stage, 'serviceAccount', stage.ask(stage.admin, wish))
    },
  ),
  governed(
    'gives a permission by making a token, where giving it wants an approval',
    "  'auth.createPersonalAccessToken': 'Permissions:Assign',\n",
    async ({ stage }) => {
      const { id, name } = await watched(stage, 'Permissions:Assign')
      const body = { name: 'pat', publicKey: makePerson().pem, permissionId: name }
      const wish = { path: '/auth/pats', body, ids: { permissionId: id } }
      return giving(stage, 'token', stage.ask(stage.admin, wish))
    },
  ),
  attack(
    'changes a permission by the approval of a change to another body',
    at(
      'authority/reduce/approved.ts',
      'held by policy',
      'heldBy.length > 0 ? refuse(heldReason + reason) : undefined',
    ),
    async ({ stage }) => {
      const watchedOne = await watched(stage, 'Permissions:Modify')
      const waiting = await hold(stage, renaming(stage, watchedOne), stage.world.root)
      const anne = await stage.newcomer(await stage.invite(), true)
      await stage.assign(stage.everything, anne)
      await decide(stage, anne, waiting)
      return stage.propose('permissionUpdate', renaming(stage, watchedOne))
    },
    asVariant,
  ),
  attack(
    'has the administrator approve his own change of a permission',
    at(
      'authority/reduce/approved.ts',
      'the user is no approver of this',
      '(!isInitiator || group.initiatorCanApprove)',
    ),
    async ({ stage }) => {
      const asked = renaming(stage, await watched(stage, 'Permissions:Modify'))
      const waiting = await hold(stage, asked, stage.world.root)
      return stage.propose('decision', deciding(stage, stage.admin, waiting))
    },
    asVariant,
  ),
]

const creating: Policy = { activityKind: 'Policies:Create', action: approvalBy() }
const making = (stage: Stage, by: Stage['admin'], policy: Policy) =>
  stage.ask(by, { path: '/v2/policies', body: bodyOf(policy) })
/** One that is about nothing that anybody else here does. */
const idle = async (stage: Stage): Promise<Policy> => ({
  activityKind: 'Permissions:Modify',
  filters: { permissionId: { in: [(await permission(stage)).name] } },
})

const laws: readonly Attack[] = [
  governed(
    'changes a policy without the approval for that',
    "  'policies.updatePolicy': 'Policies:Modify',\n",
    async ({ stage }) => {
      const policy = await watchedPolicy(stage)
      const other = await idle(stage)
      return stage.propose('policyUpdate', changing(stage, stage.admin, policy, other))
    },
  ),
  governed(
    'archives a policy without the approval for that',
    "  'policies.archivePolicy': 'Policies:Modify',\n",
    async ({ stage }) => {
      const policy = await watchedPolicy(stage)
      return stage.propose('policyUpdate', changing(stage, stage.admin, policy))
    },
  ),
  governed(
    'makes a policy without the approval for that',
    "  'policies.createPolicy': 'Policies:Create',\n",
    async ({ stage }) => {
      const other = await idle(stage)
      return under(stage, creating, () =>
        stage.propose('policy', making(stage, stage.admin, other)),
      )
    },
  ),
  attack(
    'makes a policy without the right to',
    unauthorized,
    async ({ stage, bob }) => stage.propose('policy', making(stage, bob, await idle(stage))),
    asVariant,
  ),
  attack(
    'changes a policy without the right to',
    unauthorized,
    async ({ stage, bob }) => {
      const policy = await lay(stage, await idle(stage))
      return stage.propose('policyUpdate', changing(stage, bob, policy, await idle(stage)))
    },
    asVariant,
  ),
  attack(
    'archives a policy without the right to',
    unauthorized,
    async ({ stage, bob }) => {
      const policy = await lay(stage, await idle(stage))
      return stage.propose('policyUpdate', changing(stage, bob, policy))
    },
    asVariant,
  ),
  attack(
    'archives a policy as an end user',
    rule('author', 'no caller of this kind may ask for this'),
    async ({ stage, ulla }) => {
      const policy = await lay(stage, await idle(stage))
      return stage.propose('policyUpdate', changing(stage, ulla, policy))
    },
    asVariant,
  ),
  attack(
    'turns a policy on wallets into one on something else',
    rule('policy', 'a policy stays with its kind of activity'),
    async ({ stage }) => {
      const policy = await lay(stage, { filters: { walletTags: { hasAny: ['nothing'] } } })
      return stage.propose('policyUpdate', changing(stage, stage.admin, policy, await idle(stage)))
    },
  ),
  attack(
    'changes a policy that was archived',
    without(
      rule(
        'policy',
        'there is no such policy',
        "  if (record?.status !== 'active' || isBroken(judging, policy))",
      ),
      ["record?.status !== 'active' || isBroken(judging, policy)", 'record === undefined'],
    ),
    async ({ stage }) => {
      const kept = await idle(stage)
      const policy = await lay(stage, kept)
      await archive(stage, policy)
      return stage.propose('policyUpdate', changing(stage, stage.admin, policy, kept))
    },
  ),
  attack(
    'lays down a policy that nobody can approve',
    without(rule('policy', 'there is no user', 'return refuse(`there is no user ${name}`)'), [
      "      if (user === undefined || user.status === 'archived')\n        return refuse(`there is no user ${name}`)",
      "if (user === undefined) return refuse('')",
    ]),
    async ({ stage }) => {
      const anne = await stage.newcomer(await stage.invite(), true)
      const wish = { method: 'DELETE', path: `/auth/users/${anne.name}`, body: {} }
      await stage.put('userStatus', stage.ask(stage.admin, { ...wish, ids: { userId: anne.user } }))
      const policy = { ...(await idle(stage)), action: approvalBy({ of: [anne] }) }
      return stage.propose('policy', making(stage, stage.admin, policy))
    },
  ),
  attack(
    'makes an end user the approver of a policy',
    without(rule('policy', 'cannot approve in this group', '} cannot approve in this group'), [
      'if (!isAble) refuse(`${name} cannot approve in this group`)',
      'if (false) refuse(`${name} ${isAble}`)',
    ]),
    async ({ stage, ulla }) => {
      const policy = { ...(await idle(stage)), action: approvalBy({ of: [ulla] }) }
      return stage.propose('policy', making(stage, stage.admin, policy))
    },
  ),
  attack(
    'lays down a policy about a wallet that there is not',
    without(rule('policy', 'there is no', 'refuse(`there is no ${name}`)'), [
      'for (const name of ids) if (!isThing(judging, kind, name)) refuse(`there is no ${name}`)',
      '',
    ]),
    ({ stage }: Cast) =>
      stage.propose(
        'policy',
        making(stage, stage.admin, { filters: { walletId: { in: ['wa-0000-0000-nothing'] } } }),
      ),
  ),
  attack(
    'lays down a policy on permissions that is about a wallet',
    without(rule('policy', 'there is no', "if (kind.startsWith('Permissions:'))"), [
      "if (kind.startsWith('Permissions:')) return find(judging, permissionTable, id) !== undefined",
      "if (kind.startsWith('Permissions:')) return true",
    ]),
    ({ stage, wallet }) =>
      stage.propose(
        'policy',
        making(stage, stage.admin, {
          activityKind: 'Permissions:Modify',
          filters: { permissionId: { in: [wallet.name] } },
        }),
      ),
  ),
]

export const ungoverned: readonly Attack[] = [...rights, ...laws]
