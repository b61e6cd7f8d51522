import {
  abortTransfer,
  getTransfer,
  listOrgTransfers,
  listTransfers,
  transferAsset,
} from '@quorate/api/transfers'
import { abortOutgoing } from './abort.ts'
import type { Caller } from '../auth/caller.ts'
import { routing, type Route } from '../http/route.ts'
import { transferOf } from './entity.ts'
import { findOwnOutgoing, listOrgOutgoing, listOutgoing } from './find.ts'
import { requestOutgoing, type RequestDeps } from './request.ts'

const { route } = routing<Caller>()
const kind = 'transfer'

export function transferRoutes(deps: RequestDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(transferAsset, async ({ caller, raw, params: { walletId } }) =>
      transferOf(await requestOutgoing(deps, caller, { kind, walletId, raw })),
    ),
    route(abortTransfer, async ({ caller, raw, params: { walletId, transferId: name } }) =>
      transferOf(await abortOutgoing(deps, caller, { kind, walletId, name, raw })),
    ),
    route(listTransfers, async ({ caller, query, params: { walletId } }) =>
      listOutgoing(database, caller, { kind, walletId, query }, transferOf),
    ),
    route(getTransfer, async ({ caller, params: { walletId, transferId: name } }) =>
      transferOf(await findOwnOutgoing(database, caller, { kind, walletId, name })),
    ),
    route(listOrgTransfers, async ({ caller, query }) =>
      listOrgOutgoing(database, caller, { kind, query }, transferOf),
    ),
  ]
}
