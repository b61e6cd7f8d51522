import type { Approval } from '@quorate/api/approvals'
import type { Evidence } from '@quorate/authority/step'
import { toBase64url, toHex } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import { resolvedAtOf, type ChangeDeps } from './change.ts'
import { explained } from './explain.ts'
import { heldEvidence, statusOf } from './find.ts'
import { resolverOf, type Resolver } from './resolver.ts'
import type { ApprovalRow, DecisionRow } from './tables.ts'

export type ShownDeps = ChangeDeps & { readonly resolvers: readonly Resolver[] }

/** An approval as the API and its events give it. */
export async function shown(deps: ShownDeps, row: ApprovalRow): Promise<Approval> {
  const { database, now } = deps
  const resolvedAt = resolvedAtOf(row, now())
  const { evaluations } = await explained(deps, row)
  return {
    id: row.approval_id,
    initiatorId: row.initiator_id,
    activity: { kind: row.activity_kind, ...(await resolverOf(deps, row)?.shown(row)) },
    status: statusOf(row, now()),
    expirationDate: new Date(row.expires_at).toISOString(),
    dateCreated: new Date(row.created_at).toISOString(),
    dateUpdated: new Date(resolvedAt ?? row.updated_at).toISOString(),
    ...(resolvedAt === null ? {} : { dateResolved: new Date(resolvedAt).toISOString() }),
    policyEvaluations: evaluations,
    decisions: (await decisionsOn(deps, row)).map(decisionOf),
    opening: toHex(row.opening),
    ...commitmentOf(await heldEvidence(database, row)),
  }
}

/** By which a client finds that what it is shown is what its decision is on. */
function commitmentOf({ preimage, payload, salt }: Evidence) {
  return salt === undefined ? {} : { preimage: toBase64url(preimage), payload, salt: toHex(salt) }
}

function decisionsOn({ database }: ShownDeps, { organization, id }: ApprovalRow) {
  return database
    .selectFrom('approval_decisions')
    .selectAll()
    .where('organization', '=', organization)
    .where('approval', '=', id)
    .orderBy('decided_at')
    .orderBy('user')
    .execute()
}

function decisionOf({ user, value, decided_at, reason }: DecisionRow) {
  return {
    userId: nameOf('user', user),
    value,
    date: new Date(decided_at).toISOString(),
    reason,
  }
}
