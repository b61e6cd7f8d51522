import { hashOf } from '@quorate/core/hash'
import { nameOf } from '@quorate/core/id'
import type { ChangeRequest } from '@quorate/api/change-request'
import type { Database } from '../database/database.ts'
import { explained, type ExplainDeps } from './explain.ts'
import { statusOf } from './find.ts'
import type { ApprovalRow } from './tables.ts'

export type ChangeDeps = ExplainDeps & { readonly now: () => number }

const kinds = {
  'Permissions:Modify': 'Permission',
  'Permissions:Assign': 'Assignment',
  'Policies:Modify': 'Policy',
  'Policies:Create': 'Policy',
} as const

/** A held change as the API shows it. */
export async function changeOf(deps: ChangeDeps, row: ApprovalRow): Promise<ChangeRequest> {
  if (row.activity_kind === 'Wallets:Sign') throw new TypeError('not a change')
  const { body = {} } = await explained(deps, row)
  const resolvedAt = row.finished_at ?? resolvedAtOf(row, deps.now())
  return {
    id: nameOf('change', hashOf('quorate/change/1', row.request)),
    requester: {
      userId: row.initiator_id,
      ...(row.token_id === null ? {} : { tokenId: row.token_id }),
    },
    kind: kinds[row.activity_kind],
    operationKind: operationKindOf(row),
    status: changeStatusOf(row, deps.now()),
    entityId: row.entity_id ?? '',
    dateCreated: new Date(row.created_at).toISOString(),
    ...(resolvedAt === null ? {} : { dateResolved: new Date(resolvedAt).toISOString() }),
    approvalId: row.approval_id,
    ...(row.outcome_reason === null ? {} : { reason: row.outcome_reason }),
    body,
  }
}

function operationKindOf({ operation }: ApprovalRow): ChangeRequest['operationKind'] {
  if (operation === 'permissions.deleteAssignment') return 'Delete'
  const isUpdate = /^(permissions|policies)\.(update|archive)/.test(operation)
  return isUpdate ? 'Update' : 'Create'
}

function changeStatusOf(row: ApprovalRow, now: number): ChangeRequest['status'] {
  if (row.outcome !== null) return row.outcome
  const status = statusOf(row, now)
  // Approved and not yet made: it is about to be.
  return status === 'Pending' || status === 'Approved' ? 'Pending' : 'Rejected'
}

export function resolvedAtOf(row: ApprovalRow, now: number): number | null {
  return statusOf(row, now) === 'Expired' ? row.expires_at : row.resolved_at
}

/** The changes that are still open, by what they are of. */
export async function pendingChanges(
  deps: ChangeDeps,
  organization: Uint8Array,
  entityIds: readonly string[],
): Promise<ReadonlyMap<string, ChangeRequest>> {
  if (entityIds.length === 0) return new Map()
  const rows = await openOnes(deps.database, organization, deps.now())
    .where('entity_id', 'in', entityIds)
    .execute()
  const changes = await Promise.all(rows.map((row) => changeOf(deps, row)))
  return new Map(changes.map((change) => [change.entityId, change]))
}

/** Waiting for somebody, or for the moment in which they are made. */
export function openOnes(database: Database, organization: Uint8Array, now: number) {
  return database
    .selectFrom('approvals')
    .selectAll()
    .where('organization', '=', organization)
    .where('outcome', 'is', null)
    .where((eb) =>
      eb.or([
        eb('status', '=', 'Approved'),
        eb.and([eb('status', '=', 'Pending'), eb('expires_at', '>=', now)]),
      ]),
    )
}
