import { setTimeout as sleep } from 'node:timers/promises'
import {
  abortTransaction,
  broadcastTransaction,
  cancelTransaction,
  cancelTransfer,
  getTransaction,
  listTransactions,
  speedUpTransaction,
  speedUpTransfer,
  listOrgTransactions,
} from '@quorate/api/transactions'
import type { Caller } from '../auth/caller.ts'
import { routing, type RawRequest, type Route } from '../http/route.ts'
import { abortOutgoing } from '../transfers/abort.ts'
import { transactionOf } from '../transfers/entity.ts'
import { findOutgoing, findOwnOutgoing, listOrgOutgoing, listOutgoing } from '../transfers/find.ts'
import { statusOf } from '../transfers/lifecycle.ts'
import { replaceOutgoing, type Named, type Replacement } from '../transfers/replace.ts'
import { requestOutgoing, type RequestDeps } from '../transfers/request.ts'
import type { Outgoing } from '../transfers/tables.ts'

const { route } = routing<Caller>()
const kind = 'transaction'

/** Clients expect the hash in the answer. When it takes longer than usual, they have to ask again. */
export const hashMsMax = 2_000
const pollMs = 40

export function transactionRoutes(deps: RequestDeps): readonly Route<Caller>[] {
  const { database } = deps
  return [
    route(broadcastTransaction, async ({ caller, raw, params: { walletId } }) => {
      const row = await requestOutgoing(deps, caller, { kind, walletId, raw })
      return transactionOf(await soonest(deps, row))
    }),
    route(abortTransaction, async ({ caller, raw, params: { walletId, transactionId: name } }) =>
      transactionOf(await abortOutgoing(deps, caller, { kind, walletId, name, raw })),
    ),
    ...replacementRoutes(deps),
    route(listTransactions, async ({ caller, query, params: { walletId } }) =>
      listOutgoing(database, caller, { kind, walletId, query }, transactionOf),
    ),
    route(getTransaction, async ({ caller, params: { walletId, transactionId: name } }) =>
      transactionOf(await findOwnOutgoing(database, caller, { kind, walletId, name })),
    ),
    route(listOrgTransactions, async ({ caller, query }) =>
      listOrgOutgoing(database, caller, { kind, query }, transactionOf),
    ),
  ]
}

function replacementRoutes(deps: RequestDeps): readonly Route<Caller>[] {
  const replace = async (
    caller: Caller,
    asked: Named & { readonly replacement: Replacement; readonly raw: RawRequest },
  ) => transactionOf(await soonest(deps, await replaceOutgoing(deps, caller, asked)))
  const ofTransfer = { kind: 'transfer' } as const
  const [cancellation, speedUp] = ['cancellation', 'speedUp'] as const
  return [
    route(cancelTransaction, ({ caller, raw, params: { walletId, transactionId: name } }) =>
      replace(caller, { kind, walletId, name, raw, replacement: cancellation }),
    ),
    route(cancelTransfer, ({ caller, raw, params: { walletId, transferId: name } }) =>
      replace(caller, { ...ofTransfer, walletId, name, raw, replacement: cancellation }),
    ),
    route(speedUpTransaction, ({ caller, raw, params: { walletId, transactionId: name } }) =>
      replace(caller, { kind, walletId, name, raw, replacement: speedUp }),
    ),
    route(speedUpTransfer, ({ caller, raw, params: { walletId, transferId: name } }) =>
      replace(caller, { ...ofTransfer, walletId, name, raw, replacement: speedUp }),
    ),
  ]
}

/** The row as soon as it is broadcasted or has failed, or as it is when patience ends. */
async function soonest(
  { database, hashWithinMs = hashMsMax }: RequestDeps,
  row: Outgoing,
): Promise<Outgoing> {
  const { kind, name } = row
  const end = Date.now() + hashWithinMs
  let found = row
  while (isUnderWay(found) && Date.now() < end) {
    await sleep(pollMs)
    found = await findOutgoing(database, row, { kind, name })
  }
  return found
}

function isUnderWay({ state }: Outgoing): boolean {
  if (state === 'held') return false
  const status = statusOf(state)
  return status === 'Pending' || status === 'Executing'
}
