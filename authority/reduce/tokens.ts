import { equalBytes } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import type { JsonObject } from '@quorate/core/json'
import { fingerprintOf } from '../credential.ts'
import type { OperationName } from '../operations.ts'
import { readPublicKey } from '../public-key.ts'
import {
  assignmentTable,
  credentialTable,
  grantsTable,
  permissionTable,
  tokenTable,
} from '../records.ts'
import { generationOf, type Token } from '../standing.ts'
import { subjectId, type Authored } from './author.ts'
import { find, refuse, type Judging } from './judging.ts'
import { newCredential, newUser } from './new-user.ts'
import { objectOf, put, putName, textOf, type Reduced, type Write } from './writes.ts'

const dayMs = 24 * 60 * 60_000
/** The documented bounds of a token's life, and what it is when nothing is said. */
const tokenDaysMax = 730
const tokenDaysDefault = 365
const tokenSecondsMax = tokenDaysMax * 24 * 60 * 60

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
  return isNatural(days, tokenDaysMax) ? days : refuse('daysValid is not from 1 to 730')
}

function isNatural(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max
}

/**
 * `POST /auth/pats`: another key of its author's, for one token. It was covered by his signature
 * and is confirmed at birth; named permissions bound it for ever.
 */
export function reduceToken(judging: Judging, { user, record, body }: Authored): Reduced {
  const { request, step } = judging
  const words = objectOf(body)
  const publicKey =
    readPublicKey(textOf(words, 'publicKey')) ?? refuse('the public key is not usable')
  // One public key, one credential of a user: else the token's key would take the place of his own.
  if (find(judging, credentialTable, user, fingerprintOf(publicKey)) !== undefined)
    refuse('the credential exists already')
  const expiresAt = step.time + lifeMsOf(words)
  const token = idOf(request, 'token')
  const permission = permissionNamed(judging, words)
  const generation = generationOf(record, step.time)
  const key = { kind: 'Key', publicKey, rank: 'confirmed', relyingParty: undefined } as const
  return {
    operation: { kind: 'token', user, publicKey, permission, expiresAt },
    writes: [
      put(tokenTable, [token], {
        ...{ user, kind: 'Pat', status: 'active', expiresAt, generation },
        scoped: permission === undefined ? 'no' : 'yes',
      }),
      putName(judging, 'token', token),
      ...newCredential(judging, { user, index: 0, credential: key, generation, token }),
      ...firstGrant(judging, token, permission),
    ],
  }
}

/** Seconds go before days. */
function lifeMsOf(body: JsonObject): number {
  const seconds = body['secondsValid']
  if (seconds === undefined) return daysOf(body) * dayMs
  return isNatural(seconds, tokenSecondsMax)
    ? seconds * 1000
    : refuse('secondsValid is not from 1 to 63072000')
}

const statusAfter: { readonly [K in OperationName]?: Token['status'] } = {
  'auth.activatePersonalAccessToken': 'active',
  'auth.deactivatePersonalAccessToken': 'inactive',
  'auth.archivePersonalAccessToken': 'archived',
}

/** Activates, deactivates and archives a personal access token of its author's. */
export function reduceTokenStatus(judging: Judging, { user, match }: Authored): Reduced {
  const token = subjectId(judging, 'tokenId')
  const record = find(judging, tokenTable, token)
  if (record?.kind !== 'Pat' || !equalBytes(record.user, user))
    return refuse('the user has no such token')
  if (record.status === 'archived') refuse('the token is archived')
  const status = statusAfter[match.name] ?? refuse('the request changes no token')
  return {
    operation: { kind: 'tokenStatus', token, status },
    writes: [put(tokenTable, [token], { ...record, status })],
  }
}
