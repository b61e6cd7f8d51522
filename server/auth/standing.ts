import { operations, permissionNames, type OperationName } from '@quorate/authority/operations'
import {
  credentialTable,
  grantsTable,
  permissionTable,
  tokenTable,
  userTable,
  type RecordOf,
} from '@quorate/authority/records'
import { Failure } from '@quorate/core/failure'
import { nameOf } from '@quorate/core/id'
import type { Caller } from './caller.ts'
import type { Root } from './log.ts'

/** What the newest records say of a user: the same that every signer will look at. */

export function isActive(root: Root, user: Uint8Array): boolean {
  return root.find(userTable, user)?.status === 'active'
}

export function isTokenLive(root: Root, token: Uint8Array, now: number): boolean {
  const record = root.find(tokenTable, token)
  return record !== undefined && now <= record.expiresAt && isActive(root, record.user)
}

/** A live and confirmed credential, of this token or, without one, of the user himself. */
export function liveCredential(
  root: Root,
  { user, token }: { readonly user: Uint8Array; readonly token: Uint8Array | undefined },
  fingerprint: Uint8Array,
): RecordOf<typeof credentialTable> | undefined {
  const credential = root.find(credentialTable, user, fingerprint)
  if (credential?.status !== 'active' || credential.rank !== 'confirmed') return undefined
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
    if (record === undefined) return []
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
  const held = new Set(grantsOf(root, caller.user).flatMap(({ operations: names }) => names))
  const missing = needed.find((name) => !held.has(name))
  if (missing !== undefined) throw notPermitted(caller, missing)
}

/** @throws Failure `caller.not_permitted` for an operation that this kind of caller never has */
export function checkCallerKind(caller: Caller, name: OperationName): void {
  const { callers, permissions } = operations[name]
  const kind = caller.isServiceAccount ? 'serviceAccount' : 'employee'
  if (!callers.includes(kind)) throw notPermitted(caller, permissions[0] ?? name)
}

function notPermitted({ kind, userId }: Caller, operation: string): Failure {
  return new Failure('caller.not_permitted', { caller: `${kind} ${userId}`, operation })
}
