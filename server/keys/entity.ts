import { toHex } from '@quorate/core/bytes'
import type { Key } from '@quorate/api/keys'
import type { KeyRow } from './find.ts'

/** A key as the API and its events give it. */
export function keyOf(row: KeyRow): Key {
  return {
    id: row.key_id,
    scheme: row.scheme,
    curve: row.curve,
    publicKey: toHex(row.public_key),
    masterKey: false,
    ...(row.name === null ? {} : { name: row.name }),
    ...statusOf(row),
    custodial: row.owner === null,
    dateCreated: new Date(row.created_at).toISOString(),
    certificate: toHex(row.certificate),
  }
}

/** Of a key, and of every wallet on it. */
export function statusOf({ deleted_at }: Pick<KeyRow, 'deleted_at'>) {
  return deleted_at === null
    ? { status: 'Active' as const }
    : { status: 'Archived' as const, dateDeleted: new Date(deleted_at).toISOString() }
}
