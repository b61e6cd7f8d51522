import type { Manifest } from '@quorate/authority/manifest'
import * as api from '@quorate/api/policies'
import type { Policy } from '@quorate/api/policies'
import { Failure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { parseJsonWithDecimals } from '@quorate/core/json'
import { networksOf } from '@quorate/judge/networks'
import { readPolicyOn } from '@quorate/judge/policies'
import { pendingChanges } from '../approvals/change.ts'
import { settleGoverned, type GovernDeps } from '../approvals/govern.ts'
import type { Caller } from '../auth/caller.ts'
import { idNamed, readRoot } from '../auth/log.ts'
import { receiptOf } from '../auth/receipt.ts'
import type { SignedAction } from '../auth/use-action.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import { newestFirst, pageOf } from '../page.ts'
import { policyOf } from './shown.ts'

const { route } = routing<Caller>()

export type PolicyDeps = GovernDeps & { readonly manifest: Manifest }

export function policyRoutes(deps: PolicyDeps): readonly Route<Caller>[] {
  return [
    route(api.createPolicy, async ({ caller, raw }) => create(deps, caller, raw)),
    route(api.listPolicies, async ({ caller, query }) => list(deps, caller, query)),
    route(api.getPolicy, async ({ caller, params: { policyId } }) => {
      const policy = await shown(deps, caller, policyId)
      const changes = await pendingChanges(deps, caller.organization, [policyId])
      return { ...policy, pendingChangeRequest: changes.get(policyId) }
    }),
    route(api.updatePolicy, async ({ caller, raw, params: { policyId } }) =>
      settleGoverned(deps, caller, raw, {
        kind: 'policyUpdate',
        check: async (action) => {
          checkPolicy(deps, action)
          await checkActive(deps, caller, policyId)
        },
        answer: () => shown(deps, caller, policyId),
      }),
    ),
    route(api.archivePolicy, async ({ caller, raw, params: { policyId } }) =>
      settleGoverned(deps, caller, raw, {
        kind: 'policyUpdate',
        check: () => checkActive(deps, caller, policyId),
        answer: async ({ inForce }) => ({
          ...(await shown(deps, caller, policyId)),
          ...receiptOf(inForce, deps.manifest),
        }),
      }),
    ),
  ]
}

function create(deps: PolicyDeps, caller: Caller, raw: RawRequest) {
  return settleGoverned(deps, caller, raw, {
    kind: 'policy',
    check: async (action) => checkPolicy(deps, action),
    answer: ({ action }) => shown(deps, caller, nameOf('policy', idOf(action.request, 'policy'))),
  })
}

/** The rules would say the same; a client is told in words that it knows. */
function checkPolicy({ manifest }: PolicyDeps, { payload }: SignedAction): void {
  const read = readPolicyOn(networksOf(manifest), parseJsonWithDecimals(payload))
  if (read.ok) return
  const { unsupported, reason } = read
  throw unsupported
    ? new Failure('request.unsupported', { reason })
    : new Failure('policy.malformed', { reason })
}

async function checkActive(deps: PolicyDeps, caller: Caller, policyId: string): Promise<void> {
  const policy = await shown(deps, caller, policyId)
  if (policy.status !== 'Active') throw new Failure('policy.not_found', { policyId })
}

function rows({ database }: PolicyDeps, { organization }: Caller) {
  return database.selectFrom('policies').selectAll().where('organization', '=', organization)
}

async function shown(deps: PolicyDeps, caller: Caller, policyId: string): Promise<Policy> {
  const { organization } = caller
  const id = await readRoot(deps.log, organization, (root) => idNamed(root, 'policy', policyId))
  const row = id && (await rows(deps, caller).where('id', '=', id).executeTakeFirst())
  if (row === undefined) throw new Failure('policy.not_found', { policyId })
  return readRoot(deps.log, organization, (root) => policyOf(root, row))
}

type Query = {
  readonly limit: number
  readonly paginationToken?: string | undefined
  readonly status?: 'Active' | 'Archived' | undefined
}

async function list(deps: PolicyDeps, caller: Caller, { limit, paginationToken, status }: Query) {
  const found = await rows(deps, caller)
    .where((eb) => (status === undefined ? eb.lit(true) : eb('status', '=', status)))
    .$call(newestFirst({ limit, paginationToken }))
    .execute()
  const names = found.slice(0, limit).map(({ id }) => nameOf('policy', id))
  const changes = await pendingChanges(deps, caller.organization, names)
  return readRoot(deps.log, caller.organization, (root) =>
    pageOf(found, limit, {
      positionAt: (row) => ({ at: row.created_at, id: row.id }),
      itemOf: (row) => {
        const policy = policyOf(root, row)
        return { ...policy, pendingChangeRequest: changes.get(policy.id) }
      },
    }),
  )
}
