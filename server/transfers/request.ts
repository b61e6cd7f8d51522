import { idOf, nameOf } from '@quorate/core/id'
import { encodeEvidence } from '@quorate/authority/step'
import type { TransactionIntent, TransferIntent } from '@quorate/effects/intent'
import { requesterOf, type Caller } from '../auth/caller.ts'
import { useAction, type SignedAction } from '../auth/use-action.ts'
import { askOf, checkIntent, readableIntent } from '../chain/ask.ts'
import type { Chains } from '../chain/chains.ts'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import { claimExternalId, fingerprintOfRequest } from '../external-id.ts'
import type { RawRequest } from '../http/route.ts'
import { checkUsable } from '../keys/reach.ts'
import { recordEvent } from '../outbox.ts'
import { findWallet, type WalletRow } from '../wallets/find.ts'
import { eventOf } from './entity.ts'
import { findOutgoing } from './find.ts'
import type { Outgoing } from './tables.ts'

export type RequestDeps = {
  readonly database: Database
  readonly chains: Chains
  /** Tells a worker of this process; others find the row by themselves. */
  readonly wake: () => void
  readonly now: () => number
}

export type Asked = {
  readonly kind: Outgoing['kind']
  readonly walletId: string
  readonly raw: RawRequest
}

/**
 * Takes a signed request in: the user's signature is spent, the row is there with its evidence, and
 * the world is told, all in one transaction or not at all.
 *
 * @throws Failure for everything that can be known to go wrong; then nothing has changed
 */
export async function requestOutgoing(
  { database, chains, wake, now }: RequestDeps,
  caller: Caller,
  { kind, walletId, raw }: Asked,
): Promise<Outgoing> {
  const wallet = await findWallet(database, caller, walletId)
  checkUsable(caller, wallet)
  chains.find(wallet.network)
  const row = await inTransaction(database, async (transaction) => {
    const at = now()
    const action = await useAction(transaction, caller, raw, at)
    return enter(transaction, { caller, wallet, kind, action, now: at })
  })
  wake()
  return row
}

export type Entry = {
  readonly caller: Caller
  readonly wallet: WalletRow
  readonly kind: Outgoing['kind']
  readonly action: SignedAction
  readonly now: number
}

/** @returns the row of the request, or of the first one under the same external id */
export async function enter(transaction: DatabaseTransaction, entry: Entry): Promise<Outgoing> {
  const { caller, kind, action, now } = entry
  const { organization } = caller
  const intent = readableIntent(kind, action.payload)
  const row = rowOf(entry, intent)
  if (intent.externalId !== undefined) {
    const first = await claimExternalId(transaction, {
      ...{ caller, kind, externalId: intent.externalId, id: row.name },
      fingerprint: fingerprintOfRequest(action.preimage.path, action.payload),
    })
    if (first !== undefined)
      return findOutgoing(transaction, caller, { kind, name: first.duplicateOf })
  }
  await transaction.insertInto('outgoing').values(row).execute()
  const event = eventOf(row)
  if (event !== undefined) await recordEvent(transaction, { organization, ...event, at: now })
  return row
}

function rowOf(
  { caller, wallet, kind, action, now }: Entry,
  intent: TransferIntent | TransactionIntent,
): Outgoing {
  const { network, public_key } = wallet
  const address = wallet.address ?? ''
  checkIntent({ network, publicKey: public_key, address }, intent)
  const id = idOf(action.request, kind)
  const { userId, tokenId } = requesterOf(caller)
  return {
    ...untouched,
    ...{ organization: caller.organization, id, kind, name: nameOf(kind, id) },
    ...{ wallet: wallet.id, wallet_id: wallet.wallet_id, key: wallet.key, public_key },
    ...{ network, address, request: action.request },
    user_id: userId,
    token_id: tokenId ?? null,
    external_id: intent.externalId ?? null,
    evidence: encodeEvidence(action.evidence(new Uint8Array())),
    execute_before: action.preimage.executeBefore,
    names_slot: namesSlot(intent, address),
    due_at: now,
    created_at: now,
  }
}

function namesSlot(intent: TransferIntent | TransactionIntent, address: string): boolean {
  const ask = askOf(intent, address)
  return ask === undefined || ask.nonce !== undefined
}

/** What every row begins with. */
const untouched = {
  state: 'requested',
  reason: null,
  waiting: null,
  slot: null,
  facts: null,
  cost: null,
  signed: null,
  hash: null,
  block_hash: null,
  block_number: null,
  fee: null,
  attempts: 0,
  lease_holder: null,
  lease_until: 0,
  broadcasted_at: null,
  confirmed_at: null,
} as const satisfies Partial<Outgoing>
