import * as api from '@quorate/api/recovery'
import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import { readRoot } from '../auth/log.ts'
import { receiptOf } from '../auth/receipt.ts'
import { settleSigned } from '../auth/settle.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import {
  beginDelegatedRecovery,
  beginRecovery,
  mailRecoveryCode,
  type RecoveryDeps,
} from './begin.ts'
import { recoveryOf, rowNamed, shownRecovery } from './find.ts'
import { recover } from './recover.ts'

const { route, openRoute } = routing<Caller>()

export function recoveryRoutes(deps: RecoveryDeps): readonly Route<Caller>[] {
  return [
    openRoute(api.sendRecoveryCode, async ({ body }) => mailRecoveryCode(deps, body)),
    openRoute(api.putRecoveryCode, async ({ body }) => mailRecoveryCode(deps, body)),
    openRoute(api.createRecoveryChallenge, async ({ body }) => beginRecovery(deps, body)),
    route(api.createDelegatedRecoveryChallenge, async ({ caller, raw, body }) =>
      beginDelegatedRecovery(deps, caller, { raw, ...body }),
    ),
    route(api.recover, async ({ caller, raw }) => recover(deps, caller, raw)),
    openRoute(api.getRecovery, async ({ params }) => shownRecovery(deps, params.recoveryId)),
    route(api.cancelRecovery, async ({ caller, raw, params }) =>
      cancel(deps, { caller, raw, ...params }),
    ),
  ]
}

/** Another's is as good as none. */
async function cancel(
  deps: RecoveryDeps,
  asked: { readonly caller: Caller; readonly raw: RawRequest; readonly recoveryId: string },
) {
  const { caller, raw, recoveryId } = asked
  const row = await rowNamed(deps.database, recoveryId)
  const isOwn =
    row !== undefined &&
    equalBytes(row.organization, caller.organization) &&
    equalBytes(row.user, caller.user)
  if (!isOwn) throw new Failure('recovery.not_found', { recoveryId })
  const { inForce } = await settleSigned(deps, caller, raw, { kind: 'recoveryEnd' })
  const recovery = await readRoot(deps.log, caller.organization, (root) =>
    recoveryOf(root, row, deps.now()),
  )
  // Of the two moments it is the recovery's own that the answer is about.
  const { acknowledgedBy } = receiptOf(inForce, deps.manifest)
  return { ...recovery, acknowledgedBy }
}
