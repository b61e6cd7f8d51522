import { operations, type OperationName } from '@quorate/authority/operations'
import { isFailure } from '@quorate/core/failure'
import type { SettleDeps } from '../auth/settle.ts'
import { applyRoot } from '../orgs/apply.ts'
import { changeOf, type ChangeDeps } from './change.ts'
import { heldEvidence } from './find.ts'
import type { Outcome, Resolver } from './resolver.ts'
import type { ApprovalRow } from './tables.ts'

const governed: readonly OperationName[] = [
  'permissions.updatePermission',
  'permissions.archivePermission',
  'permissions.createAssignment',
  'permissions.deleteAssignment',
  'policies.createPolicy',
  'policies.updatePolicy',
  'policies.archivePolicy',
]

/** Changes of who may do what: they are made by the evidence that was held, once it is approved. */
export function governedResolver(deps: SettleDeps & ChangeDeps): Resolver {
  return {
    operations: governed,
    resolved: async (row, status) =>
      status === 'Approved' ? applied(deps, row) : { outcome: 'Rejected' },
    shown: async (row) => ({ changeRequest: await changeOf(deps, row) }),
  }
}

async function applied({ database, log }: SettleDeps, row: ApprovalRow): Promise<Outcome> {
  const { item } = operations[row.operation].changes
  if (item === 'use' || item === 'decision' || item === 'none')
    throw new TypeError(`${row.operation} changes nothing in the root stream`)
  const { organization } = row
  try {
    await log.settle({ organization, kind: item, evidence: await heldEvidence(database, row) })
    await applyRoot(database, organization)
    return { outcome: 'Applied' }
  } catch (error) {
    if (isFailure(error, 'request.refused') || isFailure(error, 'policy.blocked'))
      return { outcome: 'Failed', reason: error.context.reason }
    throw error
  }
}
