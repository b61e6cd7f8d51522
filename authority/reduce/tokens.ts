import { idOf } from '@quorate/core/id'
import type { JsonObject } from '@quorate/core/json'
import { readPublicKey } from '../public-key.ts'
import { assignmentTable, grantsTable, permissionTable, tokenTable } from '../records.ts'
import { subjectId, type Authored } from './author.ts'
import { find, refuse, type Judging } from './judging.ts'
import { newUser } from './new-user.ts'
import { objectOf, put, putName, textOf, type Reduced, type Write } from './writes.ts'

const dayMs = 24 * 60 * 60_000
/** The documented bounds of a token's life, and what it is when nothing is said. */
const tokenDaysMax = 730
const tokenDaysDefault = 365

/** `POST /auth/service-accounts`: its public key stands in what the administrator signed. */
export function reduceServiceAccount(judging: Judging, authored: Authored): Reduced {
  const { request, step } = judging
  const body = objectOf(authored.body)
  const spki = readPublicKey(textOf(body, 'publicKey')) ?? refuse('the public key is not usable')
  const expiresAt = step.time + daysOf(body) * dayMs
  const user = idOf(request, 'user')
  const token = idOf(request, 'token')
  const permission = permissionNamed(judging, body)
  return {
    operation: { kind: 'serviceAccount', publicKey: spki, permission, expiresAt },
    writes: [
      ...newUser(judging, { user, kind: 'serviceAccount', origin: 'made', spki, token }),
      put(tokenTable, [token], {
        ...{ user, kind: 'ServiceAccount', status: 'active', expiresAt },
        ...{ generation: 0, scoped: 'no' },
      }),
      putName(judging, 'token', token),
      ...firstGrant(judging, user, permission),
    ],
  }
}

/** The permission with which an identity begins, if the request names one. */
function permissionNamed(judging: Judging, body: JsonObject): Uint8Array | undefined {
  if (body['permissionId'] === undefined) return undefined
  const permission = subjectId(judging, 'permissionId')
  if (find(judging, permissionTable, permission)?.status !== 'active')
    refuse('there is no such permission')
  return permission
}

function firstGrant(
  judging: Judging,
  identity: Uint8Array,
  permission: Uint8Array | undefined,
): readonly Write[] {
  if (permission === undefined) return [put(grantsTable, [identity], { entries: [] })]
  const assignment = idOf(judging.request, 'assignment')
  return [
    put(grantsTable, [identity], { entries: [{ permission, assignment }] }),
    put(assignmentTable, [assignment], { permission, identity, status: 'active' }),
    putName(judging, 'assignment', assignment),
  ]
}

function daysOf(body: JsonObject): number {
  const days = body['daysValid'] ?? tokenDaysDefault
  const isDays = typeof days === 'number' && days >= 1 && days <= tokenDaysMax
  return isDays ? days : refuse('daysValid is not from 1 to 730')
}

/** `POST /auth/pats` */
export function reduceToken(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}

/** Activates, deactivates and archives a personal access token. */
export function reduceTokenStatus(_judging: Judging, _authored: Authored): Reduced {
  return refuse('this is not supported')
}
