import { equalBytes } from '@quorate/core/bytes'
import { isObject } from '@quorate/core/json'
import type { OperationName } from '../operations.ts'
import { erasureTable, tokenTable, userTable } from '../records.ts'
import { subjectId, type Authored } from './author.ts'
import { find, refuse, type Judging } from './judging.ts'
import { judgeActive, judgeReach, namedKey } from './ownership.ts'
import { put, type Reduced } from './writes.ts'

type Judge = (judging: Judging, authored: Authored) => Uint8Array

/** What each of them names, if its author may name it; all else of such a request can be erased. */
const updates: { readonly [K in OperationName]?: Judge } = {
  'auth.updateServiceAccount': serviceAccount,
  'auth.updatePersonalAccessToken': ownToken,
  'keys.updateKey': (judging, authored) => keyOrWallet(judging, authored, 'keyId'),
  'wallets.updateWallet': (judging, authored) => keyOrWallet(judging, authored, 'walletId'),
}

/** Names and other words that authority does not read: no record changes but the request's own. */
export function reduceUpdate(judging: Judging, authored: Authored): Reduced {
  const { match, body } = authored
  if (!isObject(body)) return refuse('the body is not an object')
  for (const name of Object.keys(body))
    if (!match.operation.erasable.includes(name)) refuse(`${name} cannot be changed`)
  const judge = updates[match.name] ?? refuse('nothing can be changed by this request')
  return { operation: { kind: 'update', id: judge(judging, authored) }, writes: [] }
}

function serviceAccount(judging: Judging): Uint8Array {
  const id = subjectId(judging, 'serviceAccountId')
  const account = find(judging, userTable, id)
  if (account?.kind !== 'serviceAccount') return refuse('there is no such service account')
  if (account.status === 'archived') refuse('the service account is archived')
  return id
}

function ownToken(judging: Judging, { user }: Authored): Uint8Array {
  const id = subjectId(judging, 'tokenId')
  const token = find(judging, tokenTable, id)
  if (token?.kind !== 'Pat' || !equalBytes(token.user, user))
    return refuse('the user has no such token')
  if (token.status === 'archived') refuse('the token is archived')
  return id
}

function keyOrWallet(judging: Judging, authored: Authored, role: 'keyId' | 'walletId'): Uint8Array {
  const key = namedKey(judging, role)
  judgeReach(authored, key)
  judgeActive(key)
  return subjectId(judging, role)
}

/** `POST /agreements/:agreementId/accept`: that somebody has, and nothing rests on it. */
export function reduceAgreement(_judging: Judging, { match }: Authored): Reduced {
  const { agreementId: id = '' } = match.params
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(id)) refuse('the name of the agreement is not well-formed')
  return { operation: { kind: 'agreement', id }, writes: [] }
}

/**
 * `PUT /auth/users/:userId/erase`: what is personal of this user goes from every store, for good.
 * The founder's name stands in the genesis that all clients pin, and stays as long as that does.
 */
export function reduceErasure(judging: Judging): Reduced {
  const user = subjectId(judging, 'userId')
  const record = find(judging, userTable, user)
  if (record === undefined) return refuse('there is no such user')
  if (record.kind === 'serviceAccount') refuse('the user is a service account')
  if (record.origin === 'founded') refuse('the founder is named by the genesis')
  if (record.status !== 'archived') refuse('the user is not archived')
  if (find(judging, erasureTable, user) !== undefined) refuse('the user is erased already')
  return {
    operation: { kind: 'erasure', user },
    writes: [put(erasureTable, [user], { erasedAt: judging.step.time })],
  }
}
