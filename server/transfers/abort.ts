import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import { burnFor, findSpendable } from '../auth/use-action.ts'
import type { Database } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import { checkUsable } from '../keys/reach.ts'
import { findWallet } from '../wallets/find.ts'
import { isAgreed } from './agreed.ts'
import { findOutgoing } from './find.ts'
import { giveBack, leaseMs } from './lease.ts'
import { after } from './lifecycle.ts'
import { makeMove } from './move.ts'
import type { Named } from './replace.ts'
import type { RequestDeps } from './request.ts'
import type { Outgoing } from './tables.ts'

/** A worker has it at the moment: as long as that may take, and a little. */
const patienceMs = leaseMs + 2_000
const pollMs = 40

/**
 * Gives up what is asked for, as long as no signer has agreed on it: with the row's own lease, so that
 * no worker has it signed meanwhile.
 *
 * @throws Failure `transfer.wrong_state` once it is too late; `signers.unavailable`, `signing.failed`,
 *   `clock.wrong` where nobody can tell whether it is
 */
export async function abortOutgoing(
  deps: RequestDeps,
  caller: Caller,
  { raw, ...named }: Named & { readonly raw: RawRequest },
): Promise<Outgoing> {
  const { database, coordinator, wake, now, life } = deps
  checkUsable(caller, await findWallet(database, caller, named.walletId))
  const { action, isSpent } = await findSpendable(database, caller, raw, { now: now(), life })
  if (isSpent) return findOutgoing(database, caller, named)
  const row = await leased(deps, caller, named)
  try {
    // Without facts no signer has ever been asked.
    if (row.facts !== null && (await isAgreed({ coordinator }, row))) throw tooLate(row)
    const moved = await makeMove(
      database,
      row,
      {
        ...{ event: 'abort', freesSlot: true },
        values: { reason: 'aborted by its user', slot: null },
        within: async (transaction) => {
          const burned = { organization: row.organization, request: action.request }
          await burnFor(transaction, burned, { now: now(), life })
          return {}
        },
      },
      now(),
    )
    if (moved.kind !== 'moved') throw tooLate(row)
    return moved.row
  } finally {
    await giveBack(database, row)
    wake()
  }
}

async function leased(
  { database, now, pause = sleep }: Pick<RequestDeps, 'database' | 'now' | 'pause'>,
  caller: Caller,
  named: Named,
): Promise<Outgoing> {
  const end = now() + patienceMs
  for (;;) {
    const found = await findOutgoing(database, caller, named)
    after(found.state, 'abort')
    const row = await lease(database, found, now())
    if (row !== undefined) return row
    if (now() > end) throw tooLate(found)
    await pause(pollMs)
  }
}

async function lease(
  database: Database,
  { organization, id, state }: Outgoing,
  now: number,
): Promise<Outgoing | undefined> {
  return database
    .updateTable('outgoing')
    .set({ lease_holder: randomUUID(), lease_until: now + leaseMs })
    .where('organization', '=', organization)
    .where('id', '=', id)
    .where('state', '=', state)
    .where('lease_until', '<', now)
    .returningAll()
    .executeTakeFirst()
}

function tooLate({ state }: Outgoing): Failure {
  return new Failure('transfer.wrong_state', { from: state, event: 'abort' })
}
