import { requestHash } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'
import { wordIn } from '../orgs/words.ts'
import { recordEvent } from '../outbox.ts'
import { walletOf } from './entity.ts'
import { walletRows, type WalletRow } from './find.ts'

export async function applyTags(
  transaction: DatabaseTransaction,
  { organization, item, time }: Applied,
): Promise<void> {
  if (item.operation.kind !== 'tags') throw new TypeError('not tags')
  const { wallet: id, tags } = item.operation
  const before: readonly string[] = walletOf(await rowOf(transaction, { organization, id })).tags
  await change(transaction, { organization, id }, { tags: JSON.stringify(tags) })
  const data = {
    wallet: walletOf(await rowOf(transaction, { organization, id })),
    tagsAdded: tags.filter((tag) => !before.includes(tag)),
    tagsRemoved: before.filter((tag) => !tags.includes(tag)),
  }
  await recordEvent(transaction, { organization, kind: 'wallet.tags.modified', data, at: time })
}

type Named = { readonly organization: Uint8Array; readonly id: Uint8Array }

function rowOf(transaction: DatabaseTransaction, { organization, id }: Named): Promise<WalletRow> {
  return walletRows(transaction, { organization })
    .where('wallets.id', '=', id)
    .executeTakeFirstOrThrow()
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
  { organization, id }: Named,
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
