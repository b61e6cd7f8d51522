import { idOf, nameOf } from '@quorate/core/id'
import { sponsorshipHash } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { untouched } from '../transfers/untouched.ts'
import type { Sponsor } from './sponsor.ts'

type Payer = Pick<
  Outgoing,
  'wallet' | 'wallet_id' | 'key' | 'public_key' | 'address' | 'names_slot' | 'state' | 'slot'
>

/** What a request waits for while nothing is known to stand in the way. */
export const untilSent = 'until the fee sponsor has sent it'

/** What the sponsor is to send. It keeps nothing of what the user said, and bears no name for anybody. */
export function sponsorshipRow(row: Outgoing, { wallet }: Sponsor, now: number): Outgoing {
  const payer: Payer = {
    ...{ wallet: wallet.id, wallet_id: wallet.wallet_id, key: wallet.key },
    ...{ public_key: wallet.public_key, address: wallet.address, names_slot: false },
    ...{ state: 'requested', slot: null },
  }
  return rowFor(row, payer, { bid: 0, now })
}

/** What is to come for the place of what it has sent: it has its slot, and stands in nobody's way. */
export function bidRow(last: Outgoing, row: Outgoing, now: number): Outgoing {
  const { wallet, wallet_id, key, public_key, address, slot } = last
  const payer: Payer = {
    ...{ wallet, wallet_id, key, public_key, address, slot },
    ...{ names_slot: true, state: 'slotted' },
  }
  return rowFor(row, payer, { bid: last.bid + 1, now })
}

/** Somebody else may have put it down meanwhile; a worker that has lost its row finds that out after this. */
export async function putDown(transaction: DatabaseTransaction, made: Outgoing): Promise<void> {
  await transaction
    .insertInto('outgoing')
    .values(made)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

function rowFor(
  row: Outgoing,
  payer: Payer,
  { bid, now }: { readonly bid: number; readonly now: number },
): Outgoing {
  const request = sponsorshipHash(row.request, bid)
  const id = idOf(request, 'transaction')
  return {
    ...untouched,
    ...payer,
    ...{ organization: row.organization, id, kind: 'sponsorship', name: nameOf('transaction', id) },
    ...{ network: row.network, request, user_id: row.user_id, token_id: row.token_id },
    ...{ external_id: null, evidence: new Uint8Array(), asset: null },
    ...{ execute_before: row.execute_before, due_at: now, created_at: now },
    ...{ fee_sponsor: row.fee_sponsor, sponsored: row.id, bid },
  }
}
