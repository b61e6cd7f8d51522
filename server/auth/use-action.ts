import { type RawBuilder, sql } from 'kysely'
import { equalBytes, toHex, toUtf8 } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { Failure } from '@quorate/core/failure'
import { assertionsCodec } from '@quorate/authority/credential'
import { withoutTrailingSlash } from '@quorate/authority/operations'
import { commitTo, decodePreimage, type Preimage } from '@quorate/authority/request'
import type { WholeEvidence } from '@quorate/authority/step'
import type { Database, DatabaseTransaction } from '../database/database.ts'
import type { RawRequest } from '../http/route.ts'
import { matchesSignedRequest } from '../http/user-action.ts'
import type { Caller } from './caller.ts'
import { recentOf } from './recent.ts'
import type { IdentityTables } from './tables.ts'

/** Tokens and codes are kept by their hashes alone. */
export function secretHash(text: string): Uint8Array {
  return sha256(toUtf8(text))
}

/** A request with its author's signature: act on `payload`, never on the HTTP body. */
export type SignedAction = {
  /** SHA-256 of the pre-image: what the request creates is named by it. */
  readonly request: Uint8Array
  readonly preimage: Preimage
  readonly payload: string
  readonly evidence: (facts: Uint8Array) => WholeEvidence
}

/** @returns the full id of what the request names in this role, which its signature covers */
export function subjectNamed({ preimage }: SignedAction, role: string): Uint8Array {
  const id = subjectOf(preimage, role)
  if (id === undefined) throw new TypeError(`the request names no ${role}`)
  return id
}

/** The same, where it may name none. */
export function subjectOf(
  { subjects }: Pick<Preimage, 'subjects'>,
  role: string,
): Uint8Array | undefined {
  return subjects.find((one) => one.role === role)?.id
}

/**
 * Burns the user action that came with a request. Do it in the transaction that writes what the
 * request changes: then either both have happened or neither.
 *
 * @throws Failure `action.missing` when there is none for this very caller, method, path and body
 * @throws Failure `action.used`
 */
export async function useAction(
  database: Database | DatabaseTransaction,
  caller: Caller,
  raw: RawRequest,
  now: number,
): Promise<SignedAction> {
  const action = await findAction(database, caller, raw, now)
  await burn(database, { ...caller, ...action }, now)
  return action
}

type Burnable = Pick<Caller, 'organization'> & Pick<SignedAction, 'request'>

/** @throws Failure `action.used` */
export async function burn(
  database: Database | DatabaseTransaction,
  action: Burnable,
  now: number,
): Promise<void> {
  const { rows } = await burning(action, { now, life: null }).execute(database)
  if (rows.length === 0) throw new Failure('action.used', {})
}

/**
 * Burns it for a life of the server that begins what it stands for.
 * @throws Failure `action.used`
 */
export async function burnFor(
  database: Database | DatabaseTransaction,
  { organization, request }: Burnable,
  { now, life }: { readonly now: number; readonly life: Uint8Array },
): Promise<void> {
  const burned = await database
    .updateTable('challenges')
    .set({ used_at: now, begun_by: life })
    .where('organization', '=', organization)
    .where('request', '=', request)
    .where('used_at', 'is', null)
    .executeTakeFirst()
  if (burned.numUpdatedRows !== 1n) throw new Failure('action.used', {})
}

/**
 * Burns a user action by its hash, for nothing: whoever still has it at hand finds it used.
 * @returns false when it was used before, or is not known
 */
export async function retire(
  database: Database,
  action: Uint8Array,
  now: number,
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable('challenges')
    .set({ used_at: now })
    .where('action', '=', action)
    .where('used_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** A row if it was not burned before: for a statement that writes the change as well. */
export function burning(
  { organization, request }: Burnable,
  { now, life }: { readonly now: number; readonly life: Uint8Array | null },
): RawBuilder<unknown> {
  return sql`update challenges set used_at = ${now}, begun_by = ${life}
    where organization = ${organization} and request = ${request} and used_at is null
    returning request`
}

/**
 * The user action that came with a request, which is not burned yet.
 *
 * @throws Failure `action.missing` when there is none for this very caller, method, path and body
 * @throws Failure `action.used`
 */
export async function findAction(
  database: Database | DatabaseTransaction,
  caller: Caller,
  raw: RawRequest,
  now: number,
): Promise<SignedAction> {
  const row = await rowFor(database, caller, raw)
  if (row.used_at !== null) throw new Failure('action.used', {})
  return signedIn(row, raw, now)
}

/** One that may be begun, or taken up where another life of a server has left it. */
export type OpenAction = {
  readonly action: SignedAction
  readonly begunBy: Uint8Array | undefined
}

/**
 * @throws Failure `action.missing` when there is none for this very caller, method, path and body
 * @throws Failure `action.used` when this life has begun it, or it is over
 */
export async function findOpenAction(
  database: Database,
  caller: Caller,
  raw: RawRequest,
  { now, life }: { readonly now: number; readonly life: Uint8Array },
): Promise<OpenAction> {
  const row = await rowFor(database, caller, raw)
  const { used_at, begun_by } = row
  if (used_at === null) return { action: signedIn(row, raw, now), begunBy: undefined }
  if (begun_by === null || equalBytes(begun_by, life)) throw new Failure('action.used', {})
  return { action: signedIn(row, raw, now), begunBy: begun_by }
}

/** What a request was signed with, and whether what it makes is made: that comes with its use. */
export type FoundAction = { readonly action: SignedAction; readonly isSpent: boolean }

/**
 * For what is made in the transaction that burns its action: whoever asks again is shown it, by
 * another life of a server or under an idempotency key. Here it was answered already.
 *
 * @throws Failure `action.missing` when there is none for this very caller, method, path and body
 * @throws Failure `action.used`
 */
export async function findSpendable(
  database: Database,
  caller: Caller,
  raw: RawRequest,
  { now, life }: { readonly now: number; readonly life: Uint8Array },
): Promise<FoundAction> {
  const row = await rowFor(database, caller, raw)
  const { used_at, begun_by } = row
  if (used_at === null) return { action: signedIn(row, raw, now), isSpent: false }
  const isAnswered = raw.action === undefined && equalBytes(begun_by ?? life, life)
  if (begun_by === null || isAnswered) throw new Failure('action.used', {})
  // It was in time when it was used, and nothing is begun by it any more.
  return { action: signedIn(row, raw, used_at), isSpent: true }
}

/**
 * The action as this process kept it a moment ago, once. Whoever finds it burned then, by another server,
 * asks as if there were none.
 *
 * @throws Failure `action.missing` when it is for another method, path or body
 */
export function rememberedAction(
  database: Database,
  caller: Caller,
  raw: RawRequest,
  now: number,
): SignedAction | undefined {
  const hash = actionOf(raw)
  const row = hash && recentOf(database).actions.take(toHex(hash))
  return row !== undefined && isOf(caller, row) ? signedIn(row, raw, now) : undefined
}

/** By which a request is carried out: under an idempotency key the one that came first, whatever comes with a repetition. */
function actionOf({ userAction, action }: RawRequest): Uint8Array | undefined {
  return action ?? (userAction === undefined ? undefined : secretHash(userAction))
}

async function rowFor(database: Database | DatabaseTransaction, caller: Caller, raw: RawRequest) {
  const action = actionOf(raw)
  if (action === undefined) throw new Failure('action.missing', {})
  const row = await database
    .selectFrom('challenges')
    .selectAll()
    .where('action', '=', action)
    .executeTakeFirst()
  if (row === undefined || !isOf(caller, row)) throw new Failure('action.missing', {})
  return row
}

/** @throws Failure `action.missing` for any other method, path or body, and once it is too old */
function signedIn(row: IdentityTables['challenges'], raw: RawRequest, now: number): SignedAction {
  const preimage = decodePreimage(row.preimage)
  const { method, path } = preimage
  const payload = row.payload ?? committed(raw.body, row)
  const isSigned = matchesSignedRequest({
    signed: { method, path, payload },
    actual: withoutSlash(raw),
  })
  const isLive = row.action_expires_at !== null && now < row.action_expires_at
  if (!isSigned || !isLive || row.assertion === null) throw new Failure('action.missing', {})
  const assertions = decode(assertionsCodec, row.assertion)
  const { request, salt } = row
  return {
    request,
    preimage,
    payload,
    evidence: (facts) => ({ preimage: row.preimage, payload, salt, assertions, facts }),
  }
}

/**
 * A body that was not kept is the one that comes now, to the letter, or another request.
 * @throws Failure `action.missing`
 */
function committed(
  body: string,
  { preimage, salt }: { readonly preimage: Uint8Array; readonly salt: Uint8Array },
): string {
  const { payload } = decodePreimage(preimage)
  if (!equalBytes(commitTo(body, salt).payload, payload)) throw new Failure('action.missing', {})
  return body
}

type Row = {
  readonly organization: Uint8Array
  readonly user: Uint8Array
  readonly token: Uint8Array | null
}

export function isOf({ organization, user, token }: Caller, row: Row): boolean {
  return (
    equalBytes(row.organization, organization) &&
    equalBytes(row.user, user) &&
    (token === undefined
      ? row.token === null
      : row.token !== null && equalBytes(row.token, token.id))
  )
}

/** The edge takes a path with a slash at its end for the one without, which is what was signed. */
function withoutSlash({ method, url, body }: RawRequest) {
  const [path = '', ...query] = url.split('?')
  const bare = withoutTrailingSlash(path)
  return { method, url: query.length === 0 ? bare : `${bare}?${query.join('?')}`, body }
}
