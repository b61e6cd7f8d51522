import { Failure } from '@quorate/core/failure'
import { encodeOriginal } from '@quorate/authority/original'
import { decodeEvidence } from '@quorate/authority/step'
import { originalBytesMax } from '@quorate/effects/facts'
import type { Caller } from '../auth/caller.ts'
import { findSpendable } from '../auth/use-action.ts'
import { agreedSlot } from '../chain/slots.ts'
import type { Database } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import { checkUsable } from '../keys/reach.ts'
import { findWallet } from '../wallets/find.ts'
import { findOutgoing } from './find.ts'
import type { State } from './lifecycle.ts'
import { beginOutgoing, insertRow, newRow, showMade, type RequestDeps } from './request.ts'
import type { AskedKind, Outgoing } from './tables.ts'

export type Replacement = NonNullable<Outgoing['replacement']>
/** What is to be replaced, as the path names it. */
export type Named = {
  readonly kind: AskedKind
  readonly walletId: string
  readonly name: string
}

/** Those that wait for a block: a node has them, or has refused them and may yet take them. */
const waiting: ReadonlySet<State> = new Set(['signed', 'broadcasted'] as const)
/** Those that nobody has signed, although the signers may have agreed on their slot. */
const unsent: ReadonlySet<State> = new Set(['refused', 'expired', 'aborted', 'rejected'] as const)

/** The columns by which a row names what it replaces. */
export type Place = Pick<
  Outgoing,
  'replacement' | 'replaces' | 'replaces_slot' | 'replaces_hash' | 'original'
>

/**
 * Has another transaction come for the place of one that is under way, by a request of its own that
 * its user has signed. Whichever the chain takes, the other one ends.
 *
 * @throws Failure `transfer.wrong_state` where there is nothing to replace
 */
export async function replaceOutgoing(
  deps: RequestDeps,
  caller: Caller,
  asked: Named & { readonly replacement: Replacement; readonly raw: RawRequest },
): Promise<Outgoing> {
  const { database, now, life } = deps
  const wallet = await findWallet(database, caller, asked.walletId)
  checkUsable(caller, wallet)
  deps.chains.find(wallet.network)
  const kind = 'transaction'
  const found = await findSpendable(database, caller, asked.raw, { now: now(), life })
  if (found.isSpent) return showMade(deps, caller, kind, found.action)
  const replaced = await findOutgoing(database, caller, asked)
  const place = await placeOf(database, replaced, asked.replacement)
  return beginOutgoing(deps, caller, found.action, async (transaction, begun) => {
    const entry = { caller, wallet, kind, chains: deps.chains, ...begun } as const
    const row = { ...newRow(entry, { externalId: undefined, namesSlot: true }), ...place }
    await insertRow(transaction, { row, quota: deps.quota, now: begun.now })
    await transaction
      .updateTable('outgoing')
      .set({ replacement_id: row.name })
      .where('organization', '=', replaced.organization)
      .where('id', '=', replaced.id)
      .execute()
    return row
  })
}

/**
 * Where a replacement of this row stands, and what it rests on.
 * @throws Failure `transfer.wrong_state`, `request.unsupported`
 */
export async function placeOf(
  database: Database,
  row: Outgoing,
  replacement: Replacement,
): Promise<Place> {
  if (row.fee_sponsor !== null) {
    const reason = 'what a fee sponsor pays for is neither sped up nor cancelled'
    throw new Failure('request.unsupported', { reason })
  }
  const slot = await replaceableSlot(database, row, replacement)
  if (slot === undefined)
    throw new Failure('transfer.wrong_state', { from: row.state, event: replacement })
  const original = replacement === 'cancellation' ? null : effectOriginal(row)
  return {
    ...{ replacement, replaces: row.id, replaces_slot: slot, replaces_hash: row.hash },
    original,
  }
}

/** A payment that nobody could sign any more is a gap; its user may have it filled. */
async function replaceableSlot(
  database: Database,
  row: Outgoing,
  replacement: Replacement,
): Promise<number | undefined> {
  if (waiting.has(row.state)) return row.slot ?? undefined
  if (replacement === 'speedUp' || !unsent.has(row.state)) return undefined
  return agreedSlot(database, row, row.request)
}

/** What the row was asked for, or what that was which it has sped up. */
function effectOriginal(row: Outgoing): Uint8Array | null {
  if (row.replacement !== null) return row.original
  const original = encodeOriginal(decodeEvidence(row.evidence))
  if (original.length <= originalBytesMax) return original
  const reason = 'what is this long can be cancelled, and not be sped up'
  throw new Failure('request.unsupported', { reason })
}
