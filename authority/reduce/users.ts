import { equalBytes } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import type { JsonObject } from '@quorate/core/json'
import { fingerprintOf } from '../credential.ts'
import type { OperationName } from '../operations.ts'
import { readPublicKey } from '../public-key.ts'
import {
  assignmentTable,
  grantsTable,
  organizationTable,
  permissionNameTable,
  permissionTable,
  userTable,
} from '../records.ts'
import { isActive, isFrozen, settingsOf, type User } from '../standing.ts'
import { subjectId, type Authored } from './author.ts'
import type { Completed } from './completion.ts'
import { judgeFullAccessRemains } from './full-access.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { newborn } from './new-user.ts'
import { endUserPermissionName } from './genesis.ts'
import { flagOf, objectOf, put, putName, textOf, type Reduced, type Write } from './writes.ts'

/**
 * `POST /auth/users`, `POST /auth/registration/delegated`: a user without any credential. Of whom
 * the credentials are that he will bring, nobody says here, unless a key is pinned that must sign
 * his enrolment.
 */
export function reduceUser(judging: Judging, { user: inviter, match, body }: Authored): Reduced {
  const given = objectOf(body)
  if (match.name === 'auth.createUser') return reduceInvitation(judging, inviter, given)
  if (textOf(given, 'kind') !== 'EndUser') refuse('only end users are registered by others')
  return reduceEndUser(judging, { origin: 'delegated', inviter })
}

function reduceInvitation(judging: Judging, inviter: Uint8Array, given: JsonObject): Reduced {
  if (textOf(given, 'kind') !== 'CustomerEmployee') refuse('only employees are invited')
  const user = idOf(judging.request, 'user')
  const pinned = pinnedIn(given)
  const ssoRequired = flagOf(given, 'isSSORequired') ? 'yes' : 'no'
  const born = { ...newborn, kind: 'employee', origin: 'invited', inviter, pinned } as const
  return {
    operation: {
      ...{ kind: 'user', user, userKind: 'employee', origin: 'invited' },
      pinned: pinned && fingerprintOf(pinned),
    },
    writes: [put(userTable, [user], { ...born, ssoRequired }), putName(judging, 'user', user)],
  }
}

function pinnedIn(given: JsonObject): Uint8Array | undefined {
  if (given['publicKey'] === undefined) return undefined
  return readPublicKey(textOf(given, 'publicKey')) ?? refuse('the public key is not usable')
}

/**
 * `POST /auth/registration/social`: by the word of an identity provider, which no signer has heard.
 * It is the server's alone, so that only an organization that has such a provider knows such users.
 */
export function reduceSocialUser(judging: Judging, _completed: Completed): Reduced {
  const { preimage, evidence } = judging
  const { issuers } = settingsOf(recordsOf(judging))
  if (!issuers.some(({ use }) => use === 'social')) refuse('there is no provider of social login')
  if (preimage.user !== undefined) refuse('the challenge is for a user who is there already')
  if (evidence.assertions.length > 0 || evidence.facts.length > 0)
    refuse('a social registration rests on nothing else')
  return reduceEndUser(judging, { origin: 'social', inviter: undefined })
}

/** Born with what every end user may do with what is his own. */
function reduceEndUser(judging: Judging, { origin, inviter }: Pick<User, 'inviter'> & Origin) {
  const user = idOf(judging.request, 'user')
  return {
    operation: { kind: 'user', user, userKind: 'endUser', origin, pinned: undefined } as const,
    writes: [
      put(userTable, [user], { ...newborn, kind: 'endUser', origin, inviter }),
      putName(judging, 'user', user),
      ...endUserGrant(judging, user),
    ],
  }
}
type Origin = { readonly origin: 'delegated' | 'social' }

/** The managed permission that every organization is founded with; an archived one gives nothing. */
function endUserGrant(judging: Judging, identity: Uint8Array): readonly Write[] {
  const permission = find(judging, permissionNameTable, endUserPermissionName)?.permission
  if (permission === undefined) return refuse('there is no permission for end users')
  if (find(judging, permissionTable, permission)?.status !== 'active') return []
  const assignment = idOf(judging.request, 'assignment')
  return [
    put(grantsTable, [identity], { entries: [{ permission, assignment }] }),
    put(assignmentTable, [assignment], { permission, identity, status: 'active' }),
    putName(judging, 'assignment', assignment),
  ]
}

/** `PUT /auth/users/:userId` */
export function reduceUserUpdate(judging: Judging, { body }: Authored): Reduced {
  const user = subjectId(judging, 'userId')
  const record = livingUser(judging, user)
  if (record.kind === 'serviceAccount') refuse('the user is a service account')
  const given = objectOf(body)
  if (given['isSSORequired'] === undefined) refuse('nothing is updated')
  const ssoRequired = flagOf(given, 'isSSORequired') ? 'yes' : 'no'
  return {
    operation: { kind: 'userUpdate', user, ssoRequired },
    writes: [put(userTable, [user], { ...record, ssoRequired })],
  }
}

type StatusChange = { readonly role: 'userId' | 'serviceAccountId'; readonly to: User['status'] }
const statusChanges: { readonly [N in OperationName]?: StatusChange } = {
  'auth.activateUser': { role: 'userId', to: 'active' },
  'auth.deactivateUser': { role: 'userId', to: 'inactive' },
  'auth.archiveUser': { role: 'userId', to: 'archived' },
  'auth.activateServiceAccount': { role: 'serviceAccountId', to: 'active' },
  'auth.deactivateServiceAccount': { role: 'serviceAccountId', to: 'inactive' },
  'auth.archiveServiceAccount': { role: 'serviceAccountId', to: 'archived' },
}

/** Activates, deactivates and archives users and service accounts. */
export function reduceUserStatus(judging: Judging, { user: author, match }: Authored): Reduced {
  const change = statusChanges[match.name] ?? refuse('the request changes nobody')
  const user = subjectId(judging, change.role)
  const record = livingUser(judging, user)
  if ((record.kind === 'serviceAccount') !== (change.role === 'serviceAccountId'))
    refuse('the user is of another kind')
  if (change.to !== 'active' && equalBytes(user, author)) refuse('nobody takes himself away')
  if (change.to !== 'active') {
    judgeQuorumWithout(judging, user)
    judgeFullAccessRemains(judging, user)
  }
  return {
    operation: { kind: 'userStatus', user, status: change.to },
    writes: [put(userTable, [user], { ...record, status: change.to })],
  }
}

/** What is archived stays so. */
function livingUser(judging: Judging, user: Uint8Array): User {
  const record = find(judging, userTable, user)
  if (record === undefined) return refuse('there is no such user')
  return record.status === 'archived' ? refuse('the user is archived') : record
}

/**
 * An organization whose root quorum is gone could never change its settings again. Who is frozen does
 * not count: were all who are left, nobody could ever lift that.
 */
function judgeQuorumWithout(judging: Judging, user: Uint8Array): void {
  const { rootQuorum } = find(judging, organizationTable) ?? refuse('there is no organization')
  const { needed, members } = rootQuorum
  const others = members.filter((member) => !equalBytes(member, user))
  if (others.length === members.length) return
  const records = recordsOf(judging)
  const left = others.filter(
    (member) => isActive(find(judging, userTable, member)) && !isFrozen(records, member),
  )
  if (left.length < needed) refuse('the root quorum could not be reached without him')
}
