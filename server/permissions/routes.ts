import * as api from '@quorate/api/permissions'
import { Failure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { equalBytes } from '@quorate/core/bytes'
import { grantsTable, permissionTable } from '@quorate/authority/records'
import type { Preimage } from '@quorate/authority/request'
import type { Caller } from '../auth/caller.ts'
import { readRoot, type Log, type Root } from '../auth/log.ts'
import { operationsOf } from '../auth/standing.ts'
import { settleSigned } from '../auth/settle.ts'
import type { Database } from '../database/database.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import { pageOf, readPosition } from '../page.ts'

const { route } = routing<Caller>()

export type PermissionDeps = {
  readonly database: Database
  readonly log: Log
  readonly now: () => number
}

export function permissionRoutes(deps: PermissionDeps): readonly Route<Caller>[] {
  return [
    route(api.listPermissions, async ({ caller, query }) => list(deps, caller, query)),
    route(api.createAssignment, async ({ caller, raw, params, body }) =>
      assign(deps, caller, raw, { ...params, ...body }),
    ),
  ]
}

async function list(
  { database, log }: PermissionDeps,
  { organization }: Caller,
  query: { readonly limit: number; readonly paginationToken?: string | undefined },
) {
  const after = readPosition(query.paginationToken)
  const rows = await database
    .selectFrom('permissions')
    .select(['id', 'created_at'])
    .where('organization', '=', organization)
    .where((eb) =>
      after === undefined
        ? eb.lit(true)
        : eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(after.at, after.id)),
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
    .execute()
  return readRoot(log, organization, (root) =>
    pageOf(rows, query.limit, {
      positionAt: (row) => ({ at: row.created_at, id: row.id }),
      itemOf: (row) => permissionOf(root, row),
    }),
  )
}

function permissionOf(root: Root, row: { readonly id: Uint8Array; readonly created_at: number }) {
  const record = root.find(permissionTable, row.id)
  if (record === undefined) throw new TypeError('a permission has its record')
  const date = new Date(row.created_at).toISOString()
  return {
    id: nameOf('permission', row.id),
    name: record.name,
    operations: operationsOf(record),
    status: 'Active' as const,
    isImmutable: record.immutable === 'yes',
    isArchived: false,
    dateCreated: date,
    dateUpdated: date,
  }
}

const noId = new Uint8Array(32)

async function assign(
  deps: PermissionDeps,
  caller: Caller,
  raw: RawRequest,
  { permissionId, identityId }: { readonly permissionId: string; readonly identityId: string },
) {
  const { log } = deps
  const { organization } = caller
  const { action, inForce } = await settleSigned(deps, caller, raw, {
    kind: 'assignment',
    claim: async (_transaction, { preimage }) => {
      if (await readRoot(log, organization, (root) => isAssigned(root, preimage)))
        throw new Failure('permission.already_assigned', { permissionId, identityId })
    },
  })
  const { time } = inForce
  const date = new Date(time).toISOString()
  return {
    id: nameOf('assignment', idOf(action.request, 'assignment')),
    permissionId,
    identityId,
    isImmutable: false,
    dateCreated: date,
    dateUpdated: date,
  }
}

function isAssigned(root: Root, { subjects }: Preimage): boolean {
  const subject = (role: string) => subjects.find((one) => one.role === role)?.id ?? noId
  const permission = subject('permissionId')
  const entries = root.find(grantsTable, subject('identityId'))?.entries ?? []
  return entries.some((entry) => equalBytes(entry.permission, permission))
}
