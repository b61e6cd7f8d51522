import { nameOf } from '@quorate/core/id'
import { readKeyCertificate, type KeyTerms } from '@quorate/authority/key-certificate'
import { decodePreimage } from '@quorate/authority/request'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'
import { wordIn } from '../orgs/words.ts'
import { recordEvent } from '../outbox.ts'
import { keyOf } from './entity.ts'
import type { KeyRow } from './find.ts'

/** The row of a key that was made for itself. */
export async function addKey(transaction: DatabaseTransaction, applied: Applied): Promise<void> {
  const { item, evidence } = applied
  if (item.operation.kind !== 'key') throw new TypeError('not a key')
  const { key, delegable } = item.operation
  const name = wordIn(evidence, 'name') ?? undefined
  const delegableBy = delegable === 'yes' ? authorOf(applied) : undefined
  const certificate = evidence.facts
  await addBornKey(transaction, applied, { terms: key.terms, name, delegableBy, certificate })
}

/** Who has signed for it. */
export function authorOf({ evidence }: Applied): Uint8Array {
  const { user } = decodePreimage(evidence.preimage)
  if (user === undefined) throw new TypeError('nobody has signed for it')
  return user
}

export async function addBornKey(
  transaction: DatabaseTransaction,
  { organization, time }: Pick<Applied, 'organization' | 'time'>,
  born: {
    readonly terms: KeyTerms
    readonly name: string | undefined
    readonly delegableBy: Uint8Array | undefined
    readonly certificate: Uint8Array
  },
): Promise<KeyRow> {
  const { terms, name, delegableBy, certificate } = born
  const { scheme, curve, owner } = terms
  const row: KeyRow = {
    organization,
    id: terms.key,
    key_id: nameOf('key', terms.key),
    name: name ?? null,
    scheme,
    curve,
    public_key: readKeyCertificate(certificate).statement.publicKey,
    certificate,
    owner: owner ?? null,
    delegable_by: delegableBy ?? null,
    named_in: terms.request,
    deleted_at: null,
    created_at: time,
  }
  await transaction.insertInto('keys').values(row).execute()
  const data = { key: keyOf(row) }
  await recordEvent(transaction, { organization, kind: 'key.created', data, at: time })
  return row
}
