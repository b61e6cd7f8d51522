import { nameOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { createKey } from '@quorate/api/keys'
import { parse } from '@quorate/api/parse'
import { readKeyCertificate, type KeyTerms } from '@quorate/authority/key-certificate'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'
import { recordEvent } from '../outbox.ts'
import { keyOf } from './entity.ts'
import type { KeyRow } from './find.ts'

/** The row of a key that was made for itself. */
export async function addKey(transaction: DatabaseTransaction, applied: Applied): Promise<void> {
  const { item, evidence } = applied
  if (item.operation.kind !== 'key') throw new TypeError('not a key')
  const { name } = parse(createKey.body, parseJson(evidence.payload), 'payload')
  await addBornKey(transaction, applied, { terms: item.operation.key.terms, name })
}

export async function addBornKey(
  transaction: DatabaseTransaction,
  { organization, evidence, time }: Applied,
  { terms, name }: { readonly terms: KeyTerms; readonly name: string | undefined },
): Promise<KeyRow> {
  const { scheme, curve } = terms
  if (scheme === 'Schnorr' || curve === 'stark') throw new TypeError(`no ${scheme} keys yet`)
  const row: KeyRow = {
    organization,
    id: terms.key,
    key_id: nameOf('key', terms.key),
    name: name ?? null,
    scheme,
    curve,
    public_key: readKeyCertificate(evidence.facts).statement.publicKey,
    certificate: evidence.facts,
    created_at: time,
  }
  await transaction.insertInto('keys').values(row).execute()
  const data = { key: keyOf(row) }
  await recordEvent(transaction, { organization, kind: 'key.created', data, at: time })
  return row
}
