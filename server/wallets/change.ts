import { requestHash } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'
import { wordIn } from '../orgs/words.ts'
import { recordEvent } from '../outbox.ts'
import { walletOf } from './entity.ts'
import { walletRows } from './find.ts'

export async function applyTags(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'tags') throw new TypeError('not tags')
  const { wallet: id, tags } = item.operation
  await change(transaction, { organization, id }, { tags: JSON.stringify(tags) })
  const wallet = await walletRows(transaction, { organization })
    .where('wallets.id', '=', id)
    .executeTakeFirstOrThrow()
  await recordEvent(transaction, {
    ...{ organization, kind: 'wallet.tags.modified', data: { wallet: walletOf(wallet) } },
    at: time,
  })
}

/** What the body leaves out stays as it is. */
export async function renameWallet(
  transaction: DatabaseTransaction,
  { organization, item, evidence }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'update') throw new TypeError('not an update')
  const [name, externalId] = [wordIn(evidence, 'name'), wordIn(evidence, 'externalId')]
  const request = requestHash(evidence.preimage)
  const to = {
    ...(name === undefined ? {} : { name, named_in: request }),
    ...(externalId === undefined ? {} : { external_id: externalId, external_id_in: request }),
  }
  if (Object.keys(to).length === 0) return
  await change(transaction, { organization, id: item.operation.id }, to)
}

async function change(
  transaction: DatabaseTransaction,
  { organization, id }: { readonly organization: Uint8Array; readonly id: Uint8Array },
  to: {
    readonly name?: string | null
    readonly external_id?: string | null
    readonly named_in?: Uint8Array
    readonly external_id_in?: Uint8Array
    readonly tags?: string
  },
): Promise<void> {
  await transaction
    .updateTable('wallets')
    .set(to)
    .where('organization', '=', organization)
    .where('id', '=', id)
    .execute()
}
