import type { RootItem } from '@quorate/authority/operations'
import type { Evidence } from '@quorate/authority/step'
import type { StreamId } from '@quorate/authority/stream'
import { isFailure } from '@quorate/core/failure'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { inTransaction } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import { applyRoot } from '../orgs/apply.ts'
import type { Caller } from './caller.ts'
import type { InForce, Log, SettledKind } from './log.ts'
import { releaseAction, useAction, type SignedAction } from './use-action.ts'

export type SettleDeps = {
  readonly database: Database
  readonly log: Log
  readonly now: () => number
}

export type Settled = { readonly action: SignedAction; readonly inForce: InForce }

export type SettleItem = {
  readonly kind: SettledKind
  /** The root unless said. */
  readonly stream?: StreamId
  /** In the transaction that burns the action: what else must happen then or not at all. */
  readonly claim?: (transaction: DatabaseTransaction, action: SignedAction) => Promise<void>
  /** What the item rests on besides, made after the action is burned. */
  readonly factsOf?: (action: SignedAction) => Promise<Uint8Array>
  /** After a failure: nothing came of it. */
  readonly giveBack?: (action: SignedAction) => Promise<void>
  /** A policy holds it: what was claimed stays claimed, and `policy.held` is thrown. */
  readonly onHeld?: (action: SignedAction) => void
}

/**
 * From a signed request to what it has changed: burns the user action, puts the item in force and
 * makes its rows. A server that dies on the way has burned a request and left nothing half done:
 * rows are made of what is in force alone, at the next start if need be.
 */
export async function settleSigned(
  { database, log, now }: SettleDeps,
  caller: Caller,
  raw: RawRequest,
  item: SettleItem,
): Promise<Settled> {
  const { organization } = caller
  const { kind, stream, claim, factsOf, giveBack, onHeld } = item
  const action =
    claim === undefined
      ? await useAction(database, caller, raw, now())
      : await inTransaction(database, async (transaction) => {
          const used = await useAction(transaction, caller, raw, now())
          await claim(transaction, used)
          return used
        })
  try {
    const facts = (await factsOf?.(action)) ?? new Uint8Array()
    const at = stream === undefined ? {} : { stream }
    const inForce = await log.settle({
      ...{ organization, kind, ...at },
      evidence: action.evidence(facts),
    })
    await applyRoot(database, organization)
    return { action, inForce }
  } catch (error) {
    const isHeld = onHeld !== undefined && isFailure(error, 'policy.held')
    if (isHeld) onHeld(action)
    else await giveBack?.(action)
    if (isFailure(error, 'signers.unavailable'))
      await releaseAction(database, organization, action.request)
    throw error
  }
}

/** The same for the end of an unsigned way: nothing was burned that could be given back. */
export async function settleCompleted(
  { database, log }: SettleDeps,
  ask: {
    readonly organization: Uint8Array
    readonly kind: RootItem
    readonly evidence: Evidence
  },
): Promise<InForce> {
  const inForce = await log.settle(ask)
  await applyRoot(database, ask.organization)
  return inForce
}
