import { toHex } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import { statusOf } from '../keys/entity.ts'
import type { Wallet } from '@quorate/api/wallet'
import type { WalletRow } from './find.ts'

/** A wallet as the API and its events give it. */
export function walletOf(row: WalletRow): Wallet {
  return {
    id: row.wallet_id,
    network: row.network,
    ...(row.address === null ? {} : { address: row.address }),
    signingKey: {
      id: row.key_id,
      scheme: row.scheme,
      curve: row.curve,
      publicKey: toHex(row.public_key),
      ...(row.owner === null ? {} : { delegatedTo: nameOf('user', row.owner) }),
    },
    ...statusOf(row),
    dateCreated: new Date(row.created_at).toISOString(),
    ...(row.name === null ? {} : { name: row.name }),
    custodial: row.owner === null,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    tags: JSON.parse(row.tags),
    certificate: toHex(row.certificate),
  }
}
