import { nameOf } from '@quorate/core/id'
import { writeChildPath } from '@quorate/authority/child-path'
import { readBirth, type Birth } from '@quorate/authority/key-certificate'
import { decodePreimage } from '@quorate/authority/request'
import type { NewKey } from '@quorate/authority/step'
import { childKeyOf } from '@quorate/effects/child-key'
import type { DatabaseTransaction } from '../database/database.ts'
import type { Applied } from '../orgs/apply.ts'
import { wordIn } from '../orgs/words.ts'
import type { KeyRow } from './find.ts'
import { tellOfKey } from './shown.ts'

/** The row of a key that was made for itself. */
export async function addKey(transaction: DatabaseTransaction, applied: Applied): Promise<void> {
  const { item, evidence } = applied
  if (item.operation.kind !== 'key') throw new TypeError('not a key')
  const { key, delegable } = item.operation
  const name = wordIn(evidence, 'name') ?? undefined
  const delegableBy = delegable === 'yes' ? authorOf(applied) : undefined
  const { facts: certificate } = evidence
  const row = await addBornKey(transaction, applied, { key, name, delegableBy, certificate })
  await tellOfKey(transaction, 'key.created', row, applied.time)
}

/** Who has signed for it. */
export function authorOf({ evidence }: Applied): Uint8Array {
  const { user } = decodePreimage(evidence.preimage)
  if (user === undefined) throw new TypeError('nobody has signed for it')
  return user
}

/** Whoever makes a wallet with it tells of both when both are there. */
export async function addBornKey(
  transaction: DatabaseTransaction,
  { organization, time }: Pick<Applied, 'organization' | 'time'>,
  born: {
    readonly key: NewKey
    readonly name: string | undefined
    readonly delegableBy: Uint8Array | undefined
    /** Of no meaning for a derived key, which has its master's. */
    readonly certificate: Uint8Array
  },
): Promise<KeyRow> {
  const { key, name, delegableBy } = born
  const { scheme, curve, owner, master, untweaked } = key.terms
  const { terms, derivation } = key
  const { certificate, publicKey } =
    derivation === undefined
      ? { ...born, ...statementIn(born.certificate) }
      : await derivedFrom(transaction, organization, derivation)
  const row: KeyRow = {
    organization,
    id: terms.key,
    key_id: nameOf('key', terms.key),
    name: name ?? null,
    scheme,
    curve,
    public_key: publicKey,
    certificate,
    master: master === 'yes',
    untweaked: untweaked === 'yes',
    derived_from: derivation?.master ?? null,
    derivation_path: derivation === undefined ? null : writeChildPath(derivation.path),
    owner: owner ?? null,
    delegable_by: delegableBy ?? null,
    named_in: terms.request,
    deleted_at: null,
    created_at: time,
  }
  await transaction.insertInto('keys').values(row).execute()
  return row
}

function statementIn(certificate: Uint8Array): Birth['statement'] {
  return readBirth(certificate).statement
}

async function derivedFrom(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
  { master, path }: NonNullable<NewKey['derivation']>,
) {
  const { certificate } = await transaction
    .selectFrom('keys')
    .select('certificate')
    .where('organization', '=', organization)
    .where('id', '=', master)
    .executeTakeFirstOrThrow()
  const child = childKeyOf(statementIn(certificate), path)
  if (child === undefined) throw new TypeError('a key in force is at a path that has one')
  return { certificate, publicKey: child.publicKey }
}
