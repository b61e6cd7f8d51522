import { equalBytes, toHex } from '@quorate/core/bytes'
import { idOf, nameOf, type IdKind } from '@quorate/core/id'
import { isObject, parseJson, type Json, type JsonObject } from '@quorate/core/json'
import { fingerprintOf, verifyKeyAssertion } from '../credential.ts'
import { permissionNames } from '../operations.ts'
import { readPublicKey } from '../public-key.ts'
import {
  credentialTable,
  encodeRecord,
  grantsTable,
  nameTable,
  organizationTable,
  permissionTable,
  recordKey,
  tokenTable,
  userTable,
  type Table,
  type Write,
} from '../records.ts'
import { challengeOf, commitTo, encodePreimage } from '../request.ts'
import type { ItemOperation } from '../step.ts'
import { subjectId, type Authored } from './author.ts'
import { find, refuse, type Judging } from './judging.ts'

const dayMs = 24 * 60 * 60_000
/** The documented bounds of a token's life, and what it is when nothing is said. */
const tokenDaysMax = 730
const tokenDaysDefault = 365
const grantsMax = 64
/** Restricted to what an end user may do with what is his own. */
const endUserOperations = permissionNames.filter((name) =>
  /^(Wallets:(Read|Transfers:(Create|Read)|Transactions:(Create|Read))|Keys:(Read|Signatures:(Create|Read)))$/.test(
    name,
  ),
)

export type Reduced = { readonly operation: ItemOperation; readonly writes: readonly Write[] }

export function put<T>(
  table: Table<T>,
  name: readonly (Uint8Array | string | bigint)[],
  value: T,
): Write {
  return { key: recordKey(table, ...name), value: encodeRecord(table, value) }
}

/** Gives a new object its name on the wire. A second object of that name is invalid. */
export function putName(judging: Judging, kind: IdKind, id: Uint8Array): Write {
  const name = nameOf(kind, id)
  if (find(judging, nameTable, name) !== undefined) refuse(`${name} exists already`)
  return put(nameTable, [name], { id })
}

/**
 * The first entry of an organization's root stream: its administrator's key, its root quorum and
 * the cluster it trusts. The organization's id is the hash of the request, so that nobody needs to
 * be told a genesis; the administrator's own signature over it is the only authority.
 */
export function reduceGenesis(judging: Judging): Reduced {
  const { step, preimage, evidence, request, rules } = judging
  judgeBirth(judging)
  const body = parseJson(evidence.payload)
  if (!isObject(body) || body['rootQuorum'] !== 1) return refuse('the genesis is not well-formed')
  if (body['manifest'] !== toHex(rules.manifest.hash)) refuse('the genesis trusts another cluster')
  const spki = readPublicKey(textOf(body, 'publicKey')) ?? refuse('the public key is not usable')
  const [assertion] = evidence.assertions
  const challenge = challengeOf(encodePreimage(preimage))
  if (assertion === undefined || !verifyKeyAssertion(spki, challenge, assertion))
    return refuse('the signature is not valid')
  const user = idOf(request, 'user')
  const writes = [
    put(organizationTable, [], {
      genesis: request,
      manifest: step.manifest,
      rootQuorum: 1,
      rootMembers: [fingerprintOf(spki)],
    }),
    putName(judging, 'organization', step.organization),
    ...newUser(judging, { user, kind: 'employee', spki, token: undefined }),
    ...managedPermissions(judging),
    put(grantsTable, [user], {
      entries: [
        { permission: idOf(request, 'permission'), assignment: idOf(request, 'assignment') },
      ],
    }),
  ]
  const manifest = step.manifest
  return { operation: { kind: 'genesis', administrator: spki, rootQuorum: 1, manifest }, writes }
}

function judgeBirth({ step, item, preimage, evidence, request }: Judging): void {
  const committed = commitTo(evidence.payload, evidence.salt)
  const isSound =
    step.stream.kind === 'root' &&
    step.seq === 0 &&
    step.items.length <= 1 &&
    preimage.purpose === 'genesis' &&
    preimage.organization === undefined &&
    preimage.user === undefined &&
    equalBytes(step.organization, idOf(request, 'organization')) &&
    equalBytes(committed.payload, preimage.payload) &&
    equalBytes(committed.fields, preimage.fields) &&
    committed.payloadLength === preimage.payloadLength &&
    item.cause.kind === 'request' &&
    equalBytes(item.cause.hash, request) &&
    equalBytes(item.payload, preimage.payload) &&
    equalBytes(item.fields, preimage.fields)
  if (!isSound) refuse('the genesis is not well-formed')
  if (step.time > preimage.signBefore) refuse('the request has expired')
}

function managedPermissions(judging: Judging): readonly Write[] {
  const [admin, endUser] = [0, 1].map((index) => idOf(judging.request, 'permission', index))
  if (admin === undefined || endUser === undefined) return refuse('no permission')
  return [
    put(permissionTable, [admin], { name: 'ManagedFullAdminAccess', all: 'yes', operations: [] }),
    putName(judging, 'permission', admin),
    put(permissionTable, [endUser], {
      name: 'ManagedDefaultEndUserAccess',
      all: 'no',
      operations: endUserOperations,
    }),
    putName(judging, 'permission', endUser),
  ]
}

type NewUser = {
  readonly user: Uint8Array
  readonly kind: 'employee' | 'serviceAccount'
  readonly spki: Uint8Array
  readonly token: Uint8Array | undefined
}

/** Both kinds are covered by a signature of someone trusted, hence confirmed at birth. */
function newUser(judging: Judging, { user, kind, spki, token }: NewUser): readonly Write[] {
  const credential = idOf(judging.request, 'credential')
  return [
    put(userTable, [user], { kind, status: 'active' }),
    putName(judging, 'user', user),
    put(credentialTable, [user, fingerprintOf(spki)], {
      id: credential,
      spki,
      rank: 'confirmed',
      status: 'active',
      token,
    }),
    putName(judging, 'credential', credential),
  ]
}

/** `POST /auth/service-accounts`: its public key stands in what the administrator signed. */
export function reduceServiceAccount(judging: Judging, { user, body }: Authored): Reduced {
  const { request, step } = judging
  if (find(judging, userTable, user)?.kind !== 'employee')
    refuse('a service account makes no service account')
  if (!isObject(body)) return refuse('the body is not an object')
  const spki = readPublicKey(textOf(body, 'publicKey')) ?? refuse('the public key is not usable')
  const expiresAt = step.time + daysOf(body) * dayMs
  const account = idOf(request, 'user')
  const token = idOf(request, 'token')
  const permission =
    body['permissionId'] === undefined ? undefined : subjectId(judging, 'permissionId')
  if (permission !== undefined && find(judging, permissionTable, permission) === undefined)
    refuse('there is no such permission')
  const assignment = idOf(request, 'assignment')
  const entries = permission === undefined ? [] : [{ permission, assignment }]
  return {
    operation: { kind: 'serviceAccount', publicKey: spki, permission, expiresAt },
    writes: [
      ...newUser(judging, { user: account, kind: 'serviceAccount', spki, token }),
      put(tokenTable, [token], { user: account, expiresAt }),
      putName(judging, 'token', token),
      put(grantsTable, [account], { entries }),
    ],
  }
}

/** `POST /permissions/:permissionId/assignments` */
export function reduceAssignment(judging: Judging): Reduced {
  const permission = subjectId(judging, 'permissionId')
  const identity = subjectId(judging, 'identityId')
  if (find(judging, permissionTable, permission) === undefined)
    refuse('there is no such permission')
  if (find(judging, userTable, identity) === undefined) refuse('there is no such identity')
  const entries = find(judging, grantsTable, identity)?.entries ?? []
  if (entries.some((entry) => equalBytes(entry.permission, permission)))
    refuse('the permission is assigned already')
  if (entries.length >= grantsMax) refuse('too many permissions for one identity')
  const assignment = idOf(judging.request, 'assignment')
  return {
    operation: { kind: 'assignment', permission, identity },
    writes: [
      put(grantsTable, [identity], { entries: [...entries, { permission, assignment }] }),
      putName(judging, 'assignment', assignment),
    ],
  }
}

export function textOf(body: JsonObject, name: string): string {
  const value: Json | undefined = body[name]
  return typeof value === 'string' ? value : refuse(`${name} is not a text`)
}

function daysOf(body: JsonObject): number {
  const days = body['daysValid'] ?? tokenDaysDefault
  const isDays = typeof days === 'number' && days >= 1 && days <= tokenDaysMax
  return isDays ? days : refuse('daysValid is not from 1 to 730')
}
