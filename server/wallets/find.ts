import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'

/** A wallet with what one needs to know of its key. */
export type WalletRow = {
  readonly organization: Uint8Array
  readonly id: Uint8Array
  readonly wallet_id: string
  readonly network: string
  readonly address: string | null
  readonly name: string | null
  readonly external_id: string | null
  readonly created_at: number
  readonly key: Uint8Array
  readonly key_id: string
  readonly scheme: 'ECDSA' | 'EdDSA'
  readonly curve: 'secp256k1' | 'ed25519'
  readonly public_key: Uint8Array
  readonly certificate: Uint8Array
}

export function walletRows(
  database: Database | DatabaseTransaction,
  { organization }: Pick<Caller, 'organization'>,
) {
  return database
    .selectFrom('wallets')
    .innerJoin('keys', (join) =>
      join.onRef('keys.id', '=', 'wallets.key').on('keys.organization', '=', organization),
    )
    .selectAll('wallets')
    .select(['keys.key_id', 'keys.scheme', 'keys.curve', 'keys.public_key', 'keys.certificate'])
    .where('wallets.organization', '=', organization)
}

/** @throws Failure `wallet.not_found`, for another organization's wallet too */
export async function findWallet(
  database: Database | DatabaseTransaction,
  caller: Pick<Caller, 'organization' | 'orgId'>,
  walletId: string,
): Promise<WalletRow> {
  const row = await walletRows(database, caller)
    .where('wallet_id', '=', walletId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('wallet.not_found', { walletId, orgId: caller.orgId })
  return row
}
