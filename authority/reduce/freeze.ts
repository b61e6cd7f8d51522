import { equalBytes, fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import {
  freezeTable,
  frozenTable,
  keyTable,
  organizationTable,
  userTable,
  type RecordOf,
} from '../records.ts'
import { freezeOf, readStatement } from '../statement.ts'
import { has, isFrozen, isLiftableWithout, rightsOf } from '../standing.ts'
import { subjectId, type Authored } from './author.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { isRootMember } from './settings.ts'
import { known } from './settings-body.ts'
import { put, putName, textOf, type Reduced, type Write } from './writes.ts'

function isNamed({ body }: Authored): boolean {
  return known(body, ['userId', 'keyId', 'statement'])['statement'] === undefined
}

type Frozen = Pick<RecordOf<typeof freezeTable>, 'what' | 'target'>

/**
 * `POST /orgs/freezes`: many may stop a user, a key or everything, in haste and with one signature;
 * `DELETE /orgs/freezes/:freezeId`: members of the root quorum alone let it go on.
 */
export function reduceFreeze(judging: Judging, authored: Authored): Reduced {
  return authored.match.name === 'quorate.unfreeze'
    ? lift(judging, authored)
    : freeze(judging, authored)
}

function freeze(judging: Judging, authored: Authored): Reduced {
  const { id, ...frozen } = frozenBy(judging, authored)
  const { target } = frozen
  const freezes = find(judging, frozenTable, target)?.freezes ?? []
  if (freezes.length > 0 && isNamed(authored)) refuse('it is frozen already')
  return {
    operation: { kind: 'freeze', freeze: id, ...frozen, status: 'active' },
    writes: [
      put(freezeTable, [id], { ...frozen, status: 'active' }),
      put(frozenTable, [target], { freezes: [...freezes, id] }),
      putName(judging, 'freeze', id),
    ],
  }
}

function frozenBy(judging: Judging, authored: Authored): Frozen & { readonly id: Uint8Array } {
  const { statement } = known(authored.body, ['userId', 'keyId', 'statement'])
  if (statement !== undefined) return stated(judging, authored)
  return { ...named(judging, authored), id: idOf(judging.request, 'freeze') }
}

/**
 * What signers keep from the second mailbox they refuse for ever, until the log has it and says that
 * it was lifted. Whoever lifts freezes may enter it, whether or not its author is still believed.
 */
function stated(judging: Judging, { user, body }: Authored): Frozen & { readonly id: Uint8Array } {
  const read = readStatement(fromHex(textOf(known(body, ['statement']), 'statement')))
  if (!isRoot(judging, user)) refuse('the author is not of the root quorum')
  if (read === undefined || !equalBytes(read.statement.organization, judging.step.organization))
    return refuse('it is no statement of this organization')
  const { kind, target } = read.statement
  const what = frozenKinds.get(kind) ?? refuse('the statement freezes nothing')
  const id = freezeOf(read.hash)
  if (find(judging, freezeTable, id) !== undefined) refuse('the statement was entered already')
  return { what, target, id }
}
const frozenKinds: ReadonlyMap<string, Frozen['what']> = new Map([
  ['freezeOrganization', 'organization'],
  ['freezeUser', 'user'],
  ['freezeKey', 'key'],
])

function named(judging: Judging, authored: Authored): Frozen {
  const body = known(authored.body, ['userId', 'keyId'])
  if (body['userId'] !== undefined && body['keyId'] !== undefined)
    refuse('a freeze is of a user or of a key')
  if (body['userId'] !== undefined) return aUser(judging, authored)
  if (body['keyId'] !== undefined) return aKey(judging, authored)
  if (!isRoot(judging, authored.user)) refuse('the author is not of the root quorum')
  return { what: 'organization', target: judging.step.organization }
}

function aUser(judging: Judging, authored: Authored): Frozen {
  const target = subjectId(judging, 'userId')
  if (!equalBytes(target, authored.user)) judgeRight(judging, authored, 'Auth:Users:Deactivate')
  if (find(judging, userTable, target) === undefined) refuse('there is no such user')
  if (!isLiftableWithout(recordsOf(judging), target)) refuse('nobody would be left to lift it')
  return { what: 'user', target }
}

function aKey(judging: Judging, authored: Authored): Frozen {
  const target = subjectId(judging, 'keyId')
  const key = find(judging, keyTable, target)
  if (key === undefined) return refuse('there is no such key')
  const isOwner = key.owner !== undefined && equalBytes(key.owner, authored.user)
  if (!isOwner) judgeRight(judging, authored, 'Keys:Update')
  return { what: 'key', target }
}

/** An end user's rights reach what is his own, and nothing of anybody else. */
function judgeRight(judging: Judging, { user, record, token }: Authored, name: string): void {
  const isHeld = has(rightsOf(recordsOf(judging), user, token), name)
  if (!isHeld || record.kind === 'endUser') refuse(`not authorized to perform operation (${name})`)
}

function lift(judging: Judging, { user, body }: Authored): Reduced {
  known(body, [])
  if (!isRoot(judging, user)) refuse('the author is not of the root quorum')
  if (isFrozen(recordsOf(judging), user)) refuse('the user is frozen')
  const id = subjectId(judging, 'freezeId')
  const record = find(judging, freezeTable, id)
  if (record?.status !== 'active') return refuse('there is no such freeze')
  const { what, target } = record
  const left = (find(judging, frozenTable, target)?.freezes ?? []).filter(
    (one) => !equalBytes(one, id),
  )
  const writes: readonly Write[] = [
    put(freezeTable, [id], { ...record, status: 'ended' }),
    put(frozenTable, [target], { freezes: left }),
  ]
  return { operation: { kind: 'freeze', freeze: id, what, target, status: 'ended' }, writes }
}

function isRoot(judging: Judging, user: Uint8Array): boolean {
  return isRootMember({ needed: 1, members: rootMembers(judging) }, user)
}

function rootMembers(judging: Judging): readonly Uint8Array[] {
  return find(judging, organizationTable)?.rootQuorum.members ?? []
}
