import { Failure } from '@quorate/core/failure'
import type { Caller } from '../auth/caller.ts'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { SignatureRow } from './entity.ts'

/** Of one key or wallet; of all of an organization without either. */
export type SignaturePlace = { readonly column: 'key' | 'wallet'; readonly id: Uint8Array }

/** @throws Failure `signature.not_found` */
export async function findSignature(
  database: Database | DatabaseTransaction,
  { organization }: Pick<Caller, 'organization'>,
  signatureId: string,
  place?: SignaturePlace,
): Promise<SignatureRow> {
  const select = database
    .selectFrom('signature_requests')
    .selectAll()
    .where('organization', '=', organization)
    .where('signature_id', '=', signatureId)
  const row = await (
    place === undefined ? select : select.where(place.column, '=', place.id)
  ).executeTakeFirst()
  if (row === undefined) throw new Failure('signature.not_found', { signatureId })
  return row
}
