import { equalBytes } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { hashOf } from '@quorate/core/hash'
import { toUtf8 } from '@quorate/core/bytes'
import { isObject, parseJson, type Json } from '@quorate/core/json'
import type { OperationName } from '@quorate/authority/operations'
import type { Caller } from './auth/caller.ts'
import type { Database, DatabaseTransaction } from './database/database.ts'
import { ownerSeen } from './keys/reach.ts'

export type ExternalKind = 'transfer' | 'transaction' | 'signature'

/** What is asked for by requests that an external id makes one; that of other requests is a note. */
export const externalKinds: { readonly [Name in OperationName]?: ExternalKind } = {
  'wallets.transferAsset': 'transfer',
  'wallets.broadcastTransaction': 'transaction',
  'wallets.generateSignature': 'signature',
  'keys.generateSignature': 'signature',
}

type Named = Pick<Caller, 'organization' | 'user' | 'kind'>
type Held = { readonly caller: Named; readonly kind: ExternalKind; readonly externalId: string }

/**
 * What stands already under the external id that a request names. Look before anything is asked that
 * depends on the day: what was paid once may not be payable now. `claimExternalId` has the last word.
 *
 * @param asked `payload`: the text of the body, with or without an external id in it
 * @returns the wire's name of what was created by the same words
 * @throws Failure `external_id.conflict` when it was created by other words
 */
export async function findRepeated(
  database: Database,
  caller: Named,
  asked: { readonly kind: ExternalKind; readonly path: string; readonly payload: string },
): Promise<string | undefined> {
  const { kind, path, payload } = asked
  const body = payload === '' ? {} : parseJson(payload)
  const externalId = isObject(body) ? body['externalId'] : undefined
  if (typeof externalId !== 'string') return undefined
  const held = { caller, kind, externalId }
  const first = await firstUnder(database, held).executeTakeFirst()
  return first && sameWords(held, first, fingerprintOfRequest(path, payload))
}

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
    readonly caller: Named
    readonly kind: ExternalKind
    readonly externalId: string
    readonly fingerprint: Uint8Array
    readonly id: string
  },
): Promise<{ readonly duplicateOf: string } | undefined> {
  const { caller, kind, externalId, fingerprint, id } = claim
  const { organization } = caller
  const owner = ownerOf(caller)
  const inserted = await transaction
    .insertInto('external_ids')
    .values({ organization, owner, kind, external_id: externalId, fingerprint, entity_id: id })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows === 1n) return undefined
  const first = await firstUnder(transaction, claim).executeTakeFirstOrThrow()
  return { duplicateOf: sameWords(claim, first, fingerprint) }
}

function ownerOf(caller: Named): Uint8Array {
  return ownerSeen(caller) ?? caller.organization
}

function firstUnder(database: Database | DatabaseTransaction, { caller, kind, externalId }: Held) {
  return database
    .selectFrom('external_ids')
    .select(['fingerprint', 'entity_id'])
    .where('organization', '=', caller.organization)
    .where('owner', '=', ownerOf(caller))
    .where('kind', '=', kind)
    .where('external_id', '=', externalId)
}

/** @throws Failure `external_id.conflict` */
function sameWords(
  { kind, externalId }: Held,
  first: { readonly fingerprint: Uint8Array; readonly entity_id: string },
  fingerprint: Uint8Array,
): string {
  const { entity_id: id } = first
  if (equalBytes(first.fingerprint, fingerprint)) return id
  throw new Failure('external_id.conflict', { kind, id, externalId })
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
