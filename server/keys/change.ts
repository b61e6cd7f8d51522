import { requestHash } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'
import { wordIn } from '../orgs/words.ts'
import { recordEvent } from '../outbox.ts'
import { walletOf } from '../wallets/entity.ts'
import { walletRows } from '../wallets/find.ts'
import type { KeyRow } from './find.ts'
import { tellOfKey } from './shown.ts'

/** Archived keys stay where they can be read; their wallets show it by the key. */
export async function applyKeyStatus(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'keyStatus') throw new TypeError('not the status of a key')
  const { key: id } = item.operation
  const key = await change(transaction, { organization, id }, { deleted_at: time })
  await tellOfKey(transaction, 'key.deleted', key, time)
}

/** The key and every wallet on it have one owner. */
export async function applyDelegation(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'delegation') throw new TypeError('not a delegation')
  const { key: id, owner } = item.operation
  const key = await change(transaction, { organization, id }, { owner, delegable_by: null })
  await transaction
    .updateTable('wallets')
    .set({ owner })
    .where('organization', '=', organization)
    .where('key', '=', id)
    .execute()
  await tellOfKey(transaction, 'key.delegated', key, time)
  const wallets = await walletRows(transaction, { organization })
    .where('wallets.key', '=', id)
    .orderBy('wallets.network')
    .execute()
  for (const wallet of wallets) {
    const told = { wallet: walletOf(wallet) }
    await recordEvent(transaction, {
      ...{ organization, kind: 'wallet.delegated', data: told, at: time },
    })
  }
}

export async function renameKey(
  transaction: DatabaseTransaction,
  { organization, item, evidence }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'update') throw new TypeError('not an update')
  const [name, named_in] = [wordIn(evidence, 'name'), requestHash(evidence.preimage)]
  if (name === undefined) return
  await change(transaction, { organization, id: item.operation.id }, { name, named_in })
}

function change(
  transaction: DatabaseTransaction,
  { organization, id }: Pick<KeyRow, 'organization' | 'id'>,
  to: Partial<KeyRow>,
): Promise<KeyRow> {
  return transaction
    .updateTable('keys')
    .set(to)
    .where('organization', '=', organization)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()
}
