import type { Manifest } from '@quorate/authority/manifest'
import * as api from '@quorate/api/permissions'
import type { Permission } from '@quorate/api/permissions'
import { parse } from '@quorate/api/parse'
import {
  assignmentTable,
  grantsTable,
  permissionNameTable,
  permissionTable,
  tokenTable,
  userTable,
} from '@quorate/authority/records'
import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { pendingChanges } from '../approvals/change.ts'
import { settleGoverned, type GovernDeps } from '../approvals/govern.ts'
import { receiptOf } from '../auth/receipt.ts'
import type { Caller } from '../auth/caller.ts'
import { idNamed, readRoot, type Root } from '../auth/log.ts'
import { settleSigned } from '../auth/settle.ts'
import { operationsOf } from '../auth/standing.ts'
import { subjectNamed, type SignedAction } from '../auth/use-action.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import { newestFirst, pageOf, type Paging } from '../page.ts'

const { route } = routing<Caller>()

export type PermissionDeps = GovernDeps & { readonly manifest: Manifest }
export function permissionRoutes(deps: PermissionDeps): readonly Route<Caller>[] {
  return [
    route(api.listPermissions, async ({ caller, query }) => list(deps, caller, query)),
    route(api.getPermission, async ({ caller, params: { permissionId } }) =>
      withPending(deps, caller, await shown(deps, caller, permissionId)),
    ),
    route(api.createPermission, async ({ caller, raw }) => create(deps, caller, raw)),
    route(api.updatePermission, async ({ caller, raw, params: { permissionId } }) => {
      return settleGoverned(deps, caller, raw, {
        kind: 'permissionUpdate',
        check: (action) => checkUpdate(deps, caller, { action, permissionId }),
        answer: () => shown(deps, caller, permissionId),
      })
    }),
    route(api.archivePermission, async ({ caller, raw, params: { permissionId } }) => {
      return settleGoverned(deps, caller, raw, {
        kind: 'permissionUpdate',
        check: (action) => checkMutable(deps, caller, { action, permissionId }),
        answer: async ({ inForce }) => ({
          ...(await shown(deps, caller, permissionId)),
          ...receiptOf(inForce, deps.manifest),
        }),
      })
    }),
    ...assignmentRoutes(deps),
  ]
}

function assignmentRoutes(deps: PermissionDeps): readonly Route<Caller>[] {
  return [
    route(api.createAssignment, async ({ caller, raw, params, body }) =>
      assign(deps, caller, raw, { ...params, ...body }),
    ),
    route(api.listAssignments, async ({ caller, query, params: { permissionId } }) =>
      listAssignments(deps, caller, { ...query, permissionId }),
    ),
    route(api.deleteAssignment, async ({ caller, raw, params }) => {
      return settleGoverned(deps, caller, raw, {
        kind: 'assignmentEnd',
        check: (action) => checkAssigned(deps, caller, { action, ...params }),
        answer: async ({ inForce }) => receiptOf(inForce, deps.manifest),
      })
    }),
  ]
}

function rows({ database }: PermissionDeps, { organization }: Caller) {
  return database
    .selectFrom('permissions')
    .select(['id', 'created_at', 'updated_at'])
    .where('organization', '=', organization)
}

async function list(deps: PermissionDeps, caller: Caller, query: Paging) {
  const found = await rows(deps, caller).$call(newestFirst(query)).execute()
  const names = found.map(({ id }) => nameOf('permission', id))
  const changes = await pendingChanges(deps, caller.organization, names)
  return readRoot(deps.log, caller.organization, (root) =>
    pageOf(found, query.limit, {
      positionAt: (row) => ({ at: row.created_at, id: row.id }),
      itemOf: (row) => {
        const permission = permissionOf(root, row)
        return { ...permission, pendingChangeRequest: changes.get(permission.id) }
      },
    }),
  )
}

async function withPending<T extends { readonly id: string }>(
  deps: PermissionDeps,
  { organization }: Caller,
  entity: T,
) {
  const changes = await pendingChanges(deps, organization, [entity.id])
  return { ...entity, pendingChangeRequest: changes.get(entity.id) }
}

type Row = {
  readonly id: Uint8Array
  readonly created_at: number
  readonly updated_at: number | null
}

/** Archived ones too: that is told by `isArchived`, and `status` knows one word alone. */
function permissionOf(root: Root, row: Row): Permission {
  const record = root.find(permissionTable, row.id)
  if (record === undefined) throw new TypeError('a permission has its record')
  return {
    id: nameOf('permission', row.id),
    name: record.name,
    operations: operationsOf(record),
    status: 'Active',
    isImmutable: record.immutable === 'yes',
    isArchived: record.status === 'archived',
    dateCreated: new Date(row.created_at).toISOString(),
    dateUpdated: new Date(row.updated_at ?? row.created_at).toISOString(),
  }
}

async function shown(
  deps: PermissionDeps,
  caller: Caller,
  permissionId: string,
): Promise<Permission> {
  const { organization } = caller
  const id = await permissionNamed(deps, caller, permissionId)
  const row = await rows(deps, caller).where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new Failure('permission.not_found', { permissionId })
  return readRoot(deps.log, organization, (root) => permissionOf(root, row))
}

async function permissionNamed(
  { log }: PermissionDeps,
  { organization }: Caller,
  permissionId: string,
): Promise<Uint8Array> {
  const id = await readRoot(log, organization, (root) => idNamed(root, 'permission', permissionId))
  if (id === undefined) throw new Failure('permission.not_found', { permissionId })
  return id
}

async function create(deps: PermissionDeps, caller: Caller, raw: RawRequest) {
  const { action } = await settleSigned(deps, caller, raw, {
    kind: 'permission',
    check: ({ payload }) => {
      const { name } = parse(api.createPermission.body, parseJson(payload), 'payload')
      return checkName(deps, caller, { name, permission: undefined })
    },
  })
  return shown(deps, caller, nameOf('permission', idOf(action.request, 'permission')))
}

type Named = { readonly action: SignedAction; readonly permissionId: string }

async function checkUpdate(deps: PermissionDeps, caller: Caller, named: Named): Promise<void> {
  await checkMutable(deps, caller, named)
  const { payload } = named.action
  const body = parseJson(payload === '' ? '{}' : payload)
  const { name } = parse(api.updatePermission.body, body, 'payload')
  const permission = subjectNamed(named.action, 'permissionId')
  if (name !== undefined) await checkName(deps, caller, { name, permission })
}

async function checkMutable(
  { log }: PermissionDeps,
  { organization }: Caller,
  { action, permissionId }: Named,
): Promise<void> {
  const record = await readRoot(log, organization, ({ find }) =>
    find(permissionTable, subjectNamed(action, 'permissionId')),
  )
  if (record?.immutable === 'yes') throw new Failure('permission.immutable', { permissionId })
}

/** Whoever wins a race for a name, the rules say; here is what a client understands. */
async function checkName(
  { log }: PermissionDeps,
  { organization }: Caller,
  wanted: { readonly name: string; readonly permission: Uint8Array | undefined },
): Promise<void> {
  const { name, permission } = wanted
  const taken = await readRoot(log, organization, ({ find }) => find(permissionNameTable, name))
  if (taken === undefined) return
  if (permission === undefined || !equalBytes(taken.permission, permission))
    throw new Failure('permission.name_taken', { name })
}

async function assign(
  deps: PermissionDeps,
  caller: Caller,
  raw: RawRequest,
  { permissionId, identityId }: { readonly permissionId: string; readonly identityId: string },
) {
  const { log } = deps
  const { organization } = caller
  return settleGoverned(deps, caller, raw, {
    kind: 'assignment',
    check: (used) =>
      readRoot(log, organization, (root) =>
        checkAssignable(root, { action: used, permissionId, identityId }),
      ),
    answer: async ({ action, inForce }) =>
      assignmentOf({
        id: idOf(action.request, 'assignment'),
        ...{ permissionId, identityId, at: inForce.time },
      }),
  })
}

function checkAssignable(
  { find }: Root,
  { action, permissionId, identityId }: Named & { readonly identityId: string },
): void {
  const permission = subjectNamed(action, 'permissionId')
  const identity = subjectNamed(action, 'identityId')
  if (find(permissionTable, permission)?.status !== 'active')
    throw new Failure('permission.not_found', { permissionId })
  const token = find(tokenTable, identity)
  const status = token?.status ?? find(userTable, identity)?.status
  if (status === undefined || status === 'archived' || token?.kind === 'ServiceAccount')
    throw new Failure('identity.not_found', { identityId })
  const entries = find(grantsTable, identity)?.entries ?? []
  if (entries.some((entry) => equalBytes(entry.permission, permission)))
    throw new Failure('permission.already_assigned', { permissionId, identityId })
}

async function checkAssigned(
  { log }: PermissionDeps,
  { organization }: Caller,
  { action, assignmentId }: Named & { readonly assignmentId: string },
): Promise<void> {
  const record = await readRoot(log, organization, ({ find }) =>
    find(assignmentTable, subjectNamed(action, 'assignmentId')),
  )
  const isThere =
    record?.status === 'active' &&
    equalBytes(record.permission, subjectNamed(action, 'permissionId'))
  if (!isThere) throw new Failure('assignment.not_found', { assignmentId })
}

async function listAssignments(
  deps: PermissionDeps,
  caller: Caller,
  { permissionId, limit, paginationToken }: Paging & { readonly permissionId: string },
) {
  const permission = await permissionNamed(deps, caller, permissionId)
  const found = await deps.database
    .selectFrom('assignments')
    .select(['id', 'identity_id', 'created_at'])
    .where('organization', '=', caller.organization)
    .where('permission', '=', permission)
    .$call(newestFirst({ limit, paginationToken }))
    .execute()
  const names = found.map(({ id }) => nameOf('assignment', id))
  const changes = await pendingChanges(deps, caller.organization, names)
  return pageOf(found, limit, {
    positionAt: (row) => ({ at: row.created_at, id: row.id }),
    itemOf: ({ id, identity_id: identityId, created_at: at }) => {
      const assignment = assignmentOf({ id, permissionId, identityId, at })
      return { ...assignment, pendingChangeRequest: changes.get(assignment.id) }
    },
  })
}

/** None changes after it was made. */
function assignmentOf(made: {
  readonly id: Uint8Array
  readonly permissionId: string
  readonly identityId: string
  readonly at: number
}) {
  const { id, permissionId, identityId, at } = made
  const date = new Date(at).toISOString()
  return {
    id: nameOf('assignment', id),
    ...{ permissionId, identityId, isImmutable: false },
    ...{ dateCreated: date, dateUpdated: date },
  }
}
