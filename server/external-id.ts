import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { hashOf } from '@quorate/core/hash'
import { toUtf8 } from '@quorate/core/bytes'
import { isObject, parseJson, type Json } from '@quorate/core/json'
import type { Caller } from './auth/caller.ts'
import type { DatabaseTransaction } from './database/database.ts'
import { ownerSeen } from './keys/reach.ts'

export type ExternalKind = 'transfer' | 'transaction' | 'signature'

/**
 * Makes a retry safe: the first request under an external id is the only one. Employees and service
 * accounts share the names of their organization; an end user has names of his own, so that no
 * conflict tells him what others have made, and he takes no name away from them.
 *
 * @param claim `id`: the wire's name of what this request is about to create
 * @returns what was created before by the same words, if anything
 * @throws Failure `external_id.conflict` when it was created by other words
 */
export async function claimExternalId(
  transaction: DatabaseTransaction,
  claim: {
    readonly caller: Pick<Caller, 'organization' | 'user' | 'kind'>
    readonly kind: ExternalKind
    readonly externalId: string
    readonly fingerprint: Uint8Array
    readonly id: string
  },
): Promise<{ readonly duplicateOf: string } | undefined> {
  const { caller, kind, externalId, fingerprint, id } = claim
  const { organization } = caller
  const owner = ownerSeen(caller) ?? organization
  const inserted = await transaction
    .insertInto('external_ids')
    .values({ organization, owner, kind, external_id: externalId, fingerprint, entity_id: id })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows === 1n) return undefined
  const first = await transaction
    .selectFrom('external_ids')
    .select(['fingerprint', 'entity_id'])
    .where('organization', '=', organization)
    .where('owner', '=', owner)
    .where('kind', '=', kind)
    .where('external_id', '=', externalId)
    .executeTakeFirstOrThrow()
  if (!equalBytes(first.fingerprint, fingerprint))
    throw new Failure('external_id.conflict', { kind, id: first.entity_id, externalId })
  return { duplicateOf: first.entity_id }
}

/** Of where a request went and what it said: members in another order say the same. */
export function fingerprintOfRequest(path: string, payload: string): Uint8Array {
  const body = payload === '' ? {} : parseJson(payload)
  return hashOf('quorate/external-id/1', toUtf8(path), toUtf8(JSON.stringify(sorted(body))))
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const names = Object.keys(value).toSorted()
  return Object.fromEntries(names.map((name) => [name, sorted(value[name] ?? null)]))
}
