import { idOf, nameOf } from '@quorate/core/id'
import { requestHash } from '@quorate/authority/request'
import { addressOfKey } from '@quorate/effects/evm/address'
import { tableNetworks } from '@quorate/effects/networks'
import type { DatabaseTransaction } from '../database/database.ts'
import { watchWallet } from '../balances/watch.ts'
import { addBornKey, authorOf } from '../keys/add.ts'
import type { KeyRow } from '../keys/find.ts'
import { tellOfKey } from '../keys/shown.ts'
import type { Applied } from '../orgs/apply.ts'
import { wordIn } from '../orgs/words.ts'
import { recordEvent } from '../outbox.ts'
import { walletOf } from './entity.ts'

/** The row of a wallet, and of its key if that was made with it. */
export async function addWallet(transaction: DatabaseTransaction, applied: Applied): Promise<void> {
  const { item, evidence } = applied
  if (item.operation.kind !== 'wallet') throw new TypeError('not a wallet')
  const { network, tags } = item.operation
  const key = await keyOf(transaction, applied, item.operation)
  const request = requestHash(evidence.preimage)
  await addWalletOn(transaction, applied, key, {
    isOnNewKey: item.operation.key.kind === 'created',
    ...{ id: idOf(request, 'wallet'), request, network, tags },
    name: wordIn(evidence, 'name') ?? null,
    externalId: wordIn(evidence, 'externalId') ?? null,
  })
}

async function keyOf(
  transaction: DatabaseTransaction,
  applied: Applied,
  { key, delegable }: Extract<Applied['item']['operation'], { kind: 'wallet' }>,
): Promise<KeyRow> {
  if (key.kind === 'created')
    return addBornKey(transaction, applied, {
      key,
      name: undefined,
      delegableBy: delegable === 'yes' ? authorOf(applied) : undefined,
      certificate: applied.evidence.facts,
    })
  return transaction
    .selectFrom('keys')
    .selectAll()
    .where('organization', '=', applied.organization)
    .where('id', '=', key.id)
    .executeTakeFirstOrThrow()
}

/** The row of a wallet on a key that has one; whosever the key is, the wallet is. */
export async function addWalletOn(
  transaction: DatabaseTransaction,
  { organization, time }: Pick<Applied, 'organization' | 'time'>,
  key: KeyRow,
  made: {
    /** That nothing has been told of yet. */
    readonly isOnNewKey: boolean
    readonly id: Uint8Array
    readonly network: string
    readonly tags: readonly string[]
    readonly request: Uint8Array
    readonly name: string | null
    readonly externalId: string | null
  },
): Promise<void> {
  const { id, request, network, tags, name, externalId } = made
  const wallet = {
    organization,
    id,
    wallet_id: nameOf('wallet', id),
    key: key.id,
    network,
    address: addressOn(network, key.public_key),
    name,
    external_id: externalId,
    named_in: request,
    external_id_in: request,
    tags: JSON.stringify(tags),
    owner: key.owner,
    created_at: time,
  }
  await transaction.insertInto('wallets').values(wallet).execute()
  if (wallet.address !== null) await watchWallet(transaction, wallet)
  if (made.isOnNewKey) await tellOfKey(transaction, 'key.created', key, time)
  const data = { wallet: walletOf({ ...key, ...wallet }) }
  await recordEvent(transaction, { organization, kind: 'wallet.created', data, at: time })
}

/** What is in force was judged: it is a pseudo network, or one of Ethereum's kind, whosever that is. */
function addressOn(network: string, publicKey: Uint8Array): string | null {
  return tableNetworks.find(network)?.family === 'pseudo' ? null : addressOfKey(publicKey)
}
