import { equalBytes } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { idOf } from '@quorate/core/id'
import {
  activePoliciesTable,
  definitionTable,
  nameTable,
  permissionTable,
  policiesMax,
  policyTable,
  userTable,
  walletTable,
} from '../records.ts'
import { subjectId, type Authored } from './author.ts'
import { definitionOf, isBroken } from './definitions.ts'
import { find, refuse, type Judging, type PolicyView } from './judging.ts'
import { put, putName, type Reduced, type Write } from './writes.ts'

/** `POST /v2/policies` */
export function reducePolicy(judging: Judging, authored: Authored): Reduced {
  const definition = definitionIn(judging, authored)
  const { kind } = judging.rules.policies.view(definition)
  const policy = idOf(judging.request, 'policy')
  return {
    operation: { kind: 'policy', definition },
    writes: [
      ...defined(policy, { definition, kind, status: 'active' }),
      listed(judging, kind, (known) => [...known, policy]),
      putName(judging, 'policy', policy),
    ],
  }
}

/** `PUT /v2/policies/:policyId`, `DELETE /v2/policies/:policyId` */
export function reducePolicyUpdate(judging: Judging, authored: Authored): Reduced {
  const policy = subjectId(judging, 'policyId')
  const record = find(judging, policyTable, policy)
  if (record?.status !== 'active' || isBroken(judging, policy))
    return refuse('there is no such policy')
  const isArchiving = authored.match.name === 'policies.archivePolicy'
  const status = isArchiving ? 'archived' : 'active'
  const definition = isArchiving
    ? definitionOf(judging, record.definition)
    : definitionIn(judging, authored)
  const { kind } = judging.rules.policies.view(definition)
  if (kind !== record.kind) refuse('a policy stays with its kind of activity')
  return {
    operation: { kind: 'policyUpdate', policy, definition, status },
    writes: [
      ...defined(policy, { definition, kind, status }),
      ...(isArchiving ? [listed(judging, kind, without(policy))] : []),
    ],
  }
}

function without(policy: Uint8Array) {
  return (known: readonly Uint8Array[]) => known.filter((one) => !equalBytes(one, policy))
}

function definitionIn(judging: Judging, { body }: Authored): Uint8Array {
  const { policies } = judging.rules
  const read = policies.read(body)
  if (!read.ok) return refuse(read.reason)
  judgeNames(judging, policies.view(read.definition))
  return read.definition
}

/**
 * A policy names what exists: approvers who can approve, and things of the kind that it is about.
 * Otherwise it would hold for ever, or never, without anybody seeing why.
 */
function judgeNames(judging: Judging, { kind, groups, ids }: PolicyView): void {
  for (const name of ids) if (!isThing(judging, kind, name)) refuse(`there is no ${name}`)
  for (const { approvers, serviceAccountsCanApprove } of groups)
    for (const name of approvers ?? []) {
      const id = find(judging, nameTable, name)?.id
      const user = id && find(judging, userTable, id)
      if (user === undefined || user.status === 'archived')
        return refuse(`there is no user ${name}`)
      const isAble =
        user.kind === 'employee' || (user.kind === 'serviceAccount' && serviceAccountsCanApprove)
      if (!isAble) refuse(`${name} cannot approve in this group`)
    }
}

/** Is this the name of something that such a policy can be about? */
function isThing(judging: Judging, kind: string, name: string): boolean {
  const id = find(judging, nameTable, name)?.id
  if (id === undefined) return false
  if (kind.startsWith('Wallets:')) return find(judging, walletTable, id) !== undefined
  if (kind.startsWith('Permissions:')) return find(judging, permissionTable, id) !== undefined
  return kind.startsWith('Policies:') && find(judging, policyTable, id) !== undefined
}

type Defined = {
  readonly definition: Uint8Array
  readonly kind: string
  readonly status: 'active' | 'archived'
}

function defined(policy: Uint8Array, { definition, kind, status }: Defined): readonly Write[] {
  const hash = sha256(definition)
  return [
    put(definitionTable, [hash], { policy: definition }),
    put(policyTable, [policy], { kind, definition: hash, status }),
  ]
}

function listed(
  judging: Judging,
  kind: string,
  change: (known: readonly Uint8Array[]) => readonly Uint8Array[],
): Write {
  const policies = change(find(judging, activePoliciesTable, kind)?.policies ?? [])
  if (policies.length > policiesMax) refuse('too many policies of one kind')
  return put(activePoliciesTable, [kind], { policies })
}
