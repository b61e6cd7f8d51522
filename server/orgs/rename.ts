import { matchOperation, type OperationName } from '@quorate/authority/operations'
import { decodePreimage } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import { renameKey } from '../keys/change.ts'
import { renameWallet } from '../wallets/change.ts'
import { renamePat } from '../pats/add.ts'
import { renameServiceAccount } from '../service-accounts/add.ts'
import type { Applied } from './apply.ts'

type Rename = (transaction: DatabaseTransaction, applied: Applied) => Promise<void>

/** What each operation that changes words does to the rows. */
const renames: { readonly [K in OperationName]?: Rename } = {
  'keys.updateKey': renameKey,
  'wallets.updateWallet': renameWallet,
  'auth.updateServiceAccount': renameServiceAccount,
  'auth.updatePersonalAccessToken': renamePat,
}

/** Names and other words that authority does not read. */
export async function applyUpdate(
  transaction: DatabaseTransaction,
  applied: Applied,
): Promise<void> {
  const { method, path } = decodePreimage(applied.evidence.preimage)
  const match = matchOperation(method, path)
  if (match !== undefined) await renames[match.name]?.(transaction, applied)
}
