import type { EventKind } from '@quorate/api/event-kinds'
import { storeId } from '@quorate/authority/key-certificate'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { recordEvent } from '../outbox.ts'
import { keyOf } from './entity.ts'
import type { KeyRow } from './find.ts'

/** A key with the wallets on it, as it is shown by itself, and told of. */
export async function shownKey(database: Database | DatabaseTransaction, key: KeyRow) {
  const wallets = await database
    .selectFrom('wallets')
    .select(['wallet_id as id', 'network'])
    .where('organization', '=', key.organization)
    .where('key', '=', key.id)
    .orderBy('network')
    .execute()
  return { ...keyOf(key), wallets, store: storeOf(key) }
}

/** The one store there is: the signers of this cluster together. */
function storeOf({ key_id: keyId, derivation_path }: KeyRow) {
  const path = derivation_path === null ? {} : { derivationPath: derivation_path }
  return { id: storeId, kind: 'Mpc' as const, keyId, ...path }
}

export async function tellOfKey(
  transaction: DatabaseTransaction,
  kind: Extract<EventKind, `key.${string}`>,
  key: KeyRow,
  at: number,
): Promise<void> {
  const data = { key: await shownKey(transaction, key) }
  await recordEvent(transaction, { organization: key.organization, kind, data, at })
}
