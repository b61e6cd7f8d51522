import { idOf, nameOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { parse } from '@quorate/api/parse'
import { createWallet } from '@quorate/api/wallets'
import { requestHash } from '@quorate/authority/request'
import { addressOf } from '@quorate/effects/address'
import type { DatabaseTransaction } from '../database/database.ts'
import { addBornKey } from '../keys/add.ts'
import type { Applied } from '../orgs/apply.ts'
import { recordEvent } from '../outbox.ts'
import { walletOf } from './entity.ts'

/** The row of a wallet, and of its key if that was made with it. */
export async function addWallet(transaction: DatabaseTransaction, applied: Applied): Promise<void> {
  const { organization, item, evidence, time } = applied
  if (item.operation.kind !== 'wallet') throw new TypeError('not a wallet')
  const { network, key: named } = item.operation
  const { name, externalId } = parse(createWallet.body, parseJson(evidence.payload), 'payload')
  const key =
    named.kind === 'created'
      ? await addBornKey(transaction, applied, { terms: named.terms, name: undefined })
      : await transaction
          .selectFrom('keys')
          .selectAll()
          .where('organization', '=', organization)
          .where('id', '=', named.id)
          .executeTakeFirstOrThrow()
  const id = idOf(requestHash(evidence.preimage), 'wallet')
  const wallet = {
    organization,
    id,
    wallet_id: nameOf('wallet', id),
    key: key.id,
    network,
    address: addressOf(network, key.public_key) ?? null,
    name: name ?? null,
    external_id: externalId ?? null,
    created_at: time,
  }
  await transaction.insertInto('wallets').values(wallet).execute()
  const { key_id, scheme, curve, public_key, certificate } = key
  const data = { wallet: walletOf({ ...wallet, key_id, scheme, curve, public_key, certificate }) }
  await recordEvent(transaction, { organization, kind: 'wallet.created', data, at: time })
}
