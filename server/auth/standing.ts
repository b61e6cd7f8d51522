import { operations, permissionNames, type OperationName } from '@quorate/authority/operations'
import {
  credentialTable,
  grantsTable,
  permissionTable,
  tokenTable,
  userTable,
  type RecordOf,
} from '@quorate/authority/records'
import {
  has,
  isActive as isUserActive,
  isCredentialLive,
  isTokenLive as isLive,
  rightsOf,
} from '@quorate/authority/standing'
import { Failure } from '@quorate/core/failure'
import { nameOf } from '@quorate/core/id'
import type { Caller } from './caller.ts'
import type { Root } from './log.ts'

/** What the newest records say of a user: the same that every signer will look at. */

export function isActive(root: Root, user: Uint8Array): boolean {
  return isUserActive(root.find(userTable, user))
}

export function isTokenLive(root: Root, token: Uint8Array, now: number): boolean {
  const record = root.find(tokenTable, token)
  return record !== undefined && isLive(root, record, now)
}

/**
 * A live credential, of this token or, without one, of the user himself. Unconfirmed ones may log
 * in and read; what they sign no signer believes.
 */
export function liveCredential(
  root: Root,
  {
    user,
    token,
    time,
  }: {
    readonly user: Uint8Array
    readonly token: Uint8Array | undefined
    readonly time: number
  },
  fingerprint: Uint8Array,
): RecordOf<typeof credentialTable> | undefined {
  const record = root.find(userTable, user)
  const credential = root.find(credentialTable, user, fingerprint)
  if (record === undefined || credential === undefined) return undefined
  if (!isCredentialLive(record, credential, time) || credential.kind === 'RecoveryKey')
    return undefined
  const isOfToken =
    token === undefined
      ? credential.token === undefined
      : credential.token !== undefined && Buffer.compare(credential.token, token) === 0
  return isOfToken ? credential : undefined
}

export type Grant = {
  readonly permissionName: string
  readonly permissionId: string
  readonly assignmentId: string
  readonly operations: string[]
}

export function grantsOf(root: Root, identity: Uint8Array): Grant[] {
  const entries = root.find(grantsTable, identity)?.entries ?? []
  return entries.flatMap(({ permission, assignment }) => {
    const record = root.find(permissionTable, permission)
    if (record?.status !== 'active') return []
    return [
      {
        permissionName: record.name,
        permissionId: nameOf('permission', permission),
        assignmentId: nameOf('assignment', assignment),
        operations: operationsOf(record),
      },
    ]
  })
}

export function operationsOf({ all, operations: named }: RecordOf<typeof permissionTable>) {
  return all === 'yes' ? [...permissionNames] : [...named]
}

/** @throws Failure `caller.not_permitted`, naming the first permission that is missing */
export function checkPermissions(root: Root, caller: Caller, needed: readonly string[]): void {
  const rights = rightsOf(root, caller.user, tokenOf(root, caller))
  const missing = needed.find((name) => !has(rights, name))
  if (missing !== undefined) throw notPermitted(caller, missing)
}

function tokenOf(root: Root, { token }: Caller) {
  const record = token && root.find(tokenTable, token.id)
  return token === undefined || record === undefined ? undefined : { id: token.id, record }
}

/** @throws Failure `caller.not_permitted` for an operation that this kind of caller never has */
export function checkCallerKind(caller: Caller, name: OperationName): void {
  const { callers, permissions, pats } = operations[name]
  const isPat = caller.token?.kind === 'Pat'
  if (!callers.includes(kindOf(caller)) || (isPat && !pats))
    throw notPermitted(caller, permissions[0] ?? name)
}

function kindOf({ kind, isServiceAccount }: Caller): 'employee' | 'endUser' | 'serviceAccount' {
  if (kind === 'EndUser') return 'endUser'
  return isServiceAccount ? 'serviceAccount' : 'employee'
}

function notPermitted({ kind, userId }: Caller, operation: string): Failure {
  return new Failure('caller.not_permitted', { caller: `${kind} ${userId}`, operation })
}
