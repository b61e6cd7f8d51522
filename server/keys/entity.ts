import { toHex } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import type { Key } from '@quorate/api/keys'
import type { KeyRow } from './find.ts'

/** A key as the API and its events give it. */
export function keyOf(row: KeyRow): Key {
  return {
    id: row.key_id,
    scheme: row.scheme,
    curve: row.curve,
    publicKey: toHex(row.public_key),
    masterKey: row.master,
    ...(row.untweaked ? { untweaked: true } : {}),
    ...derivationOf(row),
    ...(row.name === null ? {} : { name: row.name }),
    ...statusOf(row),
    custodial: row.owner === null,
    dateCreated: new Date(row.created_at).toISOString(),
    certificate: toHex(row.certificate),
  }
}

function derivationOf({ derived_from, derivation_path: path }: KeyRow): Pick<Key, 'derivedFrom'> {
  return derived_from === null || path === null
    ? {}
    : { derivedFrom: { keyId: nameOf('key', derived_from), path } }
}

/** Of a key, and of every wallet on it. */
export function statusOf({ deleted_at }: Pick<KeyRow, 'deleted_at'>) {
  return deleted_at === null
    ? { status: 'Active' as const }
    : { status: 'Archived' as const, dateDeleted: new Date(deleted_at).toISOString() }
}
