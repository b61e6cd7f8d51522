import * as api from '@quorate/api/approvals'
import { notApproverReason } from '@quorate/authority/reduce/approval'
import { streamCodec } from '@quorate/authority/stream'
import { decode } from '@quorate/core/codec'
import { Failure, isFailure } from '@quorate/core/failure'
import { isName } from '@quorate/core/id'
import type { Caller } from '../auth/caller.ts'
import { settleSigned, type SettleDeps } from '../auth/settle.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import { newestThatFit, pageOf } from '../page.ts'
import type { ChangeDeps } from './change.ts'
import { approvalOf, statusOf, type ApprovalStatus } from './find.ts'
import type { Resolver } from './resolver.ts'
import { shown } from './shown.ts'
import type { ApprovalRow } from './tables.ts'

const { route } = routing<Caller>()

export type ApprovalDeps = SettleDeps & ChangeDeps & { readonly resolvers: readonly Resolver[] }

export function approvalRoutes(deps: ApprovalDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(api.listApprovals, async ({ caller, query }) => list(deps, caller, query)),
    route(api.getApproval, async ({ caller, params: { approvalId } }) =>
      shown(deps, await approvalOf(database, caller.organization, approvalId)),
    ),
    route(api.createApprovalDecision, async ({ caller, raw, params: { approvalId } }) =>
      decide(deps, caller, raw, approvalId),
    ),
  ]
}

/** What is approved by it goes on by itself: a worker finds it. */
async function decide(deps: ApprovalDeps, caller: Caller, raw: RawRequest, approvalId: string) {
  const { database } = deps
  const { organization } = caller
  const row = await approvalOf(database, organization, approvalId)
  try {
    await settleSigned(deps, caller, raw, {
      kind: 'decision',
      stream: decode(streamCodec, row.stream),
      check: () => checkOpen(deps, caller, row),
    })
  } catch (error) {
    if (isFailure(error, 'request.refused') && error.context.reason === notApproverReason)
      throw new Failure('approval.not_approver', { approvalId }, { cause: error })
    throw error
  }
  return shown(deps, await approvalOf(database, organization, approvalId))
}

/** Whoever wins a race, the rules say; here is what a client understands. */
async function checkOpen(
  { database, now }: ApprovalDeps,
  { organization, user }: Caller,
  { id, approval_id: approvalId }: ApprovalRow,
): Promise<void> {
  const row = await approvalOf(database, organization, approvalId)
  if (statusOf(row, now()) !== 'Pending') throw new Failure('approval.not_pending', { approvalId })
  const decided = await database
    .selectFrom('approval_decisions')
    .select('value')
    .where('organization', '=', organization)
    .where('approval', '=', id)
    .where('user', '=', user)
    .executeTakeFirst()
  if (decided !== undefined) throw new Failure('approval.decided', { approvalId })
}

type Query = {
  readonly limit: number
  readonly paginationToken?: string | undefined
  readonly status?: ApprovalStatus | undefined
  readonly initiatorId?: string | undefined
  readonly approverId?: string | undefined
}

async function list(deps: ApprovalDeps, { organization }: Caller, query: Query) {
  const { found, limit } = await listed(deps, organization, query)
  const items = await Promise.all(found.slice(0, limit).map((row) => shown(deps, row)))
  const byName = new Map(items.map((item) => [item.id, item]))
  return pageOf(found, limit, {
    positionAt: (row) => ({ at: row.created_at, id: row.id }),
    itemOf: ({ approval_id: name }) => {
      const item = byName.get(name)
      if (item === undefined) throw new TypeError('every row of the page is shown')
      return item
    },
  })
}

/** @returns one row more than a page holds, where there are so many, and how many it holds */
export function listed(
  { database, now }: Pick<ApprovalDeps, 'database' | 'now'>,
  organization: Uint8Array,
  { limit, paginationToken, status, initiatorId, approverId }: Query,
) {
  const at = now()
  const rows = database
    .selectFrom('approvals')
    // Each shows what it holds, which lies in a step.
    .innerJoin('steps', (join) =>
      join
        .onRef('steps.organization', '=', 'approvals.organization')
        .onRef('steps.stream', '=', 'approvals.stream')
        .onRef('steps.seq', '=', 'approvals.seq'),
    )
    .selectAll('approvals')
    .where('approvals.organization', '=', organization)
    .where((eb) => {
      if (status === undefined) return eb.lit(true)
      if (status === 'Approved' || status === 'Denied') return eb('status', '=', status)
      const when = status === 'Pending' ? '>=' : '<'
      return eb.and([eb('status', '=', 'Pending'), eb('expires_at', when, at)])
    })
    .where((eb) =>
      initiatorId === undefined ? eb.lit(true) : eb('initiator_id', '=', initiatorId),
    )
    .where((eb) => {
      if (approverId === undefined) return eb.lit(true)
      // A name has no character that means something in a pattern.
      if (!isName('user', approverId)) return eb.lit(false)
      return eb.or([eb('approvers', '=', '*'), eb('approvers', 'like', `% ${approverId} %`)])
    })
  return newestThatFit(
    rows,
    { limit, paginationToken },
    { weighed: ['steps.body'], columns: ['approvals.created_at', 'approvals.id'] },
  )
}
