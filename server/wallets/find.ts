import { Failure } from '@quorate/core/failure'
import type { Scheme } from '@quorate/effects/networks'
import type { Caller } from '../auth/caller.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import { ownerSeen, type Reach } from '../keys/reach.ts'

/** A wallet with what one needs to know of its key. */
export type WalletRow = {
  readonly organization: Uint8Array
  readonly id: Uint8Array
  readonly wallet_id: string
  readonly network: string
  readonly address: string | null
  readonly name: string | null
  readonly external_id: string | null
  /** JSON. */
  readonly tags: string
  readonly created_at: number
  readonly key: Uint8Array
  readonly key_id: string
  readonly scheme: Scheme
  readonly curve: 'secp256k1' | 'ed25519' | 'stark'
  readonly public_key: Uint8Array
  readonly certificate: Uint8Array
  readonly owner: Uint8Array | null
  readonly delegable_by: Uint8Array | null
  readonly deleted_at: number | null
}

/** Of a whole organization, or of one owner in it. */
export function walletRows(
  database: Database | DatabaseTransaction,
  { organization }: Pick<Caller, 'organization'>,
  owner?: Uint8Array,
) {
  const rows = walletsOfAll(database).where('wallets.organization', '=', organization)
  return owner === undefined ? rows : rows.where('wallets.owner', '=', owner)
}

/** Of every organization: for what follows chains, and for no answer to anybody. */
export function walletsOfAll(database: Database | DatabaseTransaction) {
  return database
    .selectFrom('wallets')
    .innerJoin('keys', (join) =>
      join
        .onRef('keys.id', '=', 'wallets.key')
        .onRef('keys.organization', '=', 'wallets.organization'),
    )
    .selectAll('wallets')
    .select(['keys.key_id', 'keys.scheme', 'keys.curve', 'keys.public_key', 'keys.certificate'])
    .select(['keys.delegable_by', 'keys.deleted_at'])
}

/** @throws Failure `wallet.not_found`, for a wallet of others too */
export async function findWallet(
  database: Database | DatabaseTransaction,
  caller: Reach,
  walletId: string,
): Promise<WalletRow> {
  const row = await walletRows(database, caller, ownerSeen(caller))
    .where('wallet_id', '=', walletId)
    .executeTakeFirst()
  if (row === undefined) throw new Failure('wallet.not_found', { walletId, orgId: caller.orgId })
  return row
}
