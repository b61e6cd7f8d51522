import { randomBytes } from 'node:crypto'
import { equalBytes, toBase64url, toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { credentialIdTable, keyTable, walletTable } from '@quorate/authority/records'
import { credentialSetHash, unconfirmedOf } from '@quorate/authority/standing'
import { Failure } from '@quorate/core/failure'
import type { IdKind } from '@quorate/core/id'
import { isObject, type Json } from '@quorate/core/json'
import { endpoints } from '@quorate/api/endpoints'
import type { FirstFactor, SecondFactor } from '@quorate/api/challenge'
import { parse } from '@quorate/api/parse'
import { assertionsCodec, type Assertion } from '@quorate/authority/credential'
import {
  matchOperation,
  namedIds,
  permissionsFor,
  type Match,
  type NamedId,
  type OperationName,
  readRequestBody,
} from '@quorate/authority/operations'
import { credentialsRole, isForUnconfirmed } from '@quorate/authority/reduce/author'
import { challengeOf, decodePreimage, type Subject } from '@quorate/authority/request'
import { localNamed, useTotp } from '../credentials/local.ts'
import { approvalOf } from '../approvals/find.ts'
import type { Database } from '../database/database.ts'
import { externalKinds, findRepeated } from '../external-id.ts'
import { findOwnOutgoing } from '../transfers/find.ts'
import { isEndUser, type Caller } from './caller.ts'
import {
  assertionChallenge,
  makeChallenge,
  signWithinMs,
  signWithinMsOf,
  type Challenge,
} from './challenge.ts'
import { usableCredentials, verifiedAssertion, type Answerers } from './credentials.ts'
import { idNamed, readRoot, type KnownLog, type Log, type Root, type Timed } from './log.ts'
import { recentOf, type OpenChallenge } from './recent.ts'
import { checkCallerKind, checkPermissions } from './standing.ts'
import type { Tokens } from './tokens.ts'
import { isOf, secretHash } from './use-action.ts'

export type ActionDeps = {
  readonly database: Database
  /** Who asks has been authenticated in the same request, on the newest records. */
  readonly log: KnownLog & Timed
  readonly tokens: Pick<Tokens, 'keyFor'>
  /** The bound on fees that is proposed to the user, where the request can cost any. */
  readonly quoteMaxFee: QuoteMaxFee
  readonly now: () => number
}
export type QuoteMaxFee = (caller: Caller, match: Match, body: Json) => Promise<bigint | undefined>

export type Asked = { readonly method: string; readonly path: string; readonly payload: string }

/** Of one user at one time. More only pile up with somebody who signs none of them. */
export const openChallengesMax = 256
/** From the signature to the request itself: one round trip of the client. */
const actionWithinMs = 5 * 60_000

const endpointsByName = new Map(endpoints.map((endpoint) => [endpoint.name, endpoint]))

/**
 * `POST /auth/action/init`: the challenge that is the hash of what is asked. What can be known to
 * fail is refused here, before anybody is asked to sign it.
 */
export async function initAction(deps: ActionDeps, caller: Caller, asked: Asked) {
  const { method, path, payload } = asked
  const match = matchOperation(method, path)
  if (match === undefined) throw new Failure('route.not_found', { method, path })
  if (!match.operation.userAction)
    throw new Failure('request.unsupported', { reason: 'this request needs no signature' })
  checkCallerKind(caller, match.name)
  const body = readRequestBody(match, payload)
  parse(endpointOf(match).body, body, 'body')
  await checkClock(deps.log)
  const { organization, user, token } = caller
  const names = namedIds(match, body)
  const local = await localIds(deps.database, caller, names)
  const subjects = await readRoot(known(deps), organization, (root) => {
    checkPermissions(root, caller, permissionsFor(match.operation, body))
    const subjects = subjectsOf(root, caller, { match, names, local })
    return [...subjects, ...newcomersOf(root, match, subjects, deps.now())]
  })
  const maxFee = (await isRepeated(deps, caller, match, asked))
    ? undefined
    : await deps.quoteMaxFee(caller, match, body)
  const issuedAt = deps.now()
  const named = token && { id: token.id, kind: token.kind }
  const challenge = makeChallenge(
    { purpose: 'action', organization, user, token: named, method, path, subjects, maxFee },
    payload,
    issuedAt,
    signWithinMsOf(match.operation),
  )
  const usable = await signingCredentials(deps, caller, match.name, issuedAt)
  if (usable.answerers.length === 0) throw new Failure('credential.unsuitable', {})
  const identifier = await keepChallenge(deps.database, caller, {
    ...challenge,
    payload: isWithheld(match, body) ? null : payload,
    now: issuedAt,
  })
  return assertionChallenge(challenge, identifier, usable)
}

/**
 * Does it stand already under its external id? Then nothing is paid by it, whatever the chain says today,
 * and its signature bounds no fee: the signers would let it pay none.
 *
 * @throws Failure `external_id.conflict`
 */
async function isRepeated(
  { database }: ActionDeps,
  caller: Caller,
  { name }: Match,
  { path, payload }: Asked,
): Promise<boolean> {
  const kind = externalKinds[name]
  if (kind === undefined) return false
  return (await findRepeated(database, caller, { kind, path, payload })) !== undefined
}

/** Signers would refuse what is dated by it: nobody is to sign that for nothing. */
async function checkClock(log: Timed): Promise<void> {
  const clock = await log.clock()
  if (clock === 'ahead' || clock === 'behind') throw new Failure('clock.wrong', { clock })
}

const known = ({ log }: ActionDeps): Pick<Log, 'read'> => ({ read: log.readKnown })

/** What nobody has confirmed yet may log in and read, and signs next to nothing that signers believe. */
async function signingCredentials(
  deps: ActionDeps,
  { organization, user, token }: Caller,
  name: OperationName,
  time: number,
): Promise<Answerers> {
  const reading = { database: deps.database, log: known(deps) }
  const usable = await usableCredentials(reading, { organization, user, token: token?.id, time })
  if (isForUnconfirmed(name)) return usable
  const answerers = usable.answerers.filter(({ record }) => record.rank === 'confirmed')
  return { ...usable, answerers }
}

export type GivenAction = {
  readonly challengeIdentifier: string
  readonly firstFactor: FirstFactor
  readonly secondFactor: SecondFactor | undefined
}

/** `POST /auth/action`: from the signature to the token that carries it to the request itself. */
export async function completeAction(
  deps: ActionDeps,
  caller: Caller,
  given: GivenAction,
): Promise<string> {
  const { database, now } = deps
  const open = await openChallenge(database, given.challengeIdentifier)
  const isHis = open !== undefined && isOf(caller, open) && now() < open.expires_at
  if (!isHis) throw new Failure('challenge.invalid', {})
  const assertions = await verifiedFactors(deps, caller, open.preimage, given)
  const action = secret()
  const signed = await database
    .updateTable('challenges')
    .set({
      assertion: encode(assertionsCodec, assertions),
      action: secretHash(action),
      action_expires_at: now() + actionWithinMs,
    })
    .where('organization', '=', caller.organization)
    .where('request', '=', open.request)
    .where('action', 'is', null)
    .returningAll()
    .executeTakeFirst()
  if (signed === undefined) throw new Failure('challenge.invalid', {})
  recentOf(database).keepAction(signed)
  return action
}

/** As it was issued; that nobody has signed it, the statement sees that keeps the signature. */
async function openChallenge(
  database: Database,
  identifier: string,
): Promise<OpenChallenge | undefined> {
  const hash = secretHash(identifier)
  const known = recentOf(database).challenges.get(toHex(hash))
  if (known !== undefined) return known
  return database
    .selectFrom('challenges')
    .select(['organization', 'request', 'user', 'token', 'preimage', 'expires_at'])
    .where('identifier', '=', hash)
    .where('action', 'is', null)
    .executeTakeFirst()
}

/**
 * What the signers will be shown. A password signs nothing, and a one-time code is a matter between
 * its owner and this server: neither gets into the log.
 */
async function verifiedFactors(
  deps: ActionDeps,
  caller: Caller,
  encoded: Uint8Array,
  { firstFactor, secondFactor }: GivenAction,
): Promise<readonly Assertion[]> {
  if (firstFactor.kind === 'Password') throw new Failure('credential.unsuitable', {})
  const challenge = challengeOf(encoded)
  const { method, path } = decodePreimage(encoded)
  const match = matchOperation(method, path)
  if (match === undefined) throw new Failure('challenge.invalid', {})
  const usable = await signingCredentials(deps, caller, match.name, deps.now())
  const first = verifiedAssertion(usable, challenge, firstFactor).assertion
  if (secondFactor === undefined) return [first]
  if (secondFactor.kind === 'Totp') {
    const [name, code] = [`${caller.orgId} ${caller.userId}`, secondFactor.otpCode]
    await useTotp(deps, { whose: caller, name, code }, usable.settings)
    return [first]
  }
  const second = verifiedAssertion(usable, challenge, secondFactor).assertion
  if (equalBytes(first.fingerprint, second.fingerprint))
    throw new Failure('credential.unsuitable', {})
  return [first, second]
}

function secret(): string {
  return toBase64url(new Uint8Array(randomBytes(32)))
}

function endpointOf({ name }: Match) {
  const endpoint = endpointsByName.get(name)
  if (endpoint === undefined) throw new TypeError(`${name} has no endpoint`)
  return endpoint
}

/** By role: what is named and stands in no record of the root stream. */
type LocalIds = ReadonlyMap<string, Uint8Array>

/**
 * A password or one-time codes: this server has the only record of them. An approval may stand in any
 * stream: its row knows it in full, and the rules find it by nothing else.
 */
async function localIds(
  database: Database,
  caller: Caller,
  names: readonly NamedId[],
): Promise<LocalIds> {
  const [named, ...rest] = names
  if (named?.kind === 'approval')
    return new Map([[named.role, (await approvalOf(database, caller.organization, named.name)).id]])
  if (named?.kind === 'wallet') return outgoingIds(database, caller, named.name, rest)
  if (named?.kind !== 'credential') return new Map()
  const id = await localNamed(database, caller, named.name)
  return new Map(id === undefined ? [] : [[named.role, id]])
}

/** Of what has left a wallet, or is about to: the rules find it in the stream of the wallet's key. */
async function outgoingIds(
  database: Database,
  caller: Caller,
  walletId: string,
  names: readonly NamedId[],
): Promise<LocalIds> {
  const ids = new Map<string, Uint8Array>()
  for (const { role, kind, name } of names) {
    if (kind !== 'transfer' && kind !== 'transaction') continue
    ids.set(role, (await findOwnOutgoing(database, caller, { kind, name, walletId })).id)
  }
  return ids
}

type Named = {
  readonly match: Match
  readonly names: readonly NamedId[]
  readonly local: LocalIds
}

/** What path and body name by a short name, in full: that is what the user's signature covers. */
function subjectsOf(
  root: Root,
  caller: Caller,
  { match, names, local }: Named,
): readonly Subject[] {
  return names.map(({ role, kind, name }) => {
    const known = local.get(role)
    if (known !== undefined) return { role, id: known }
    const id = idNamed(root, kind, name)
    if (id === undefined || !isSeen(root, caller, kind, id))
      throw unknown({ role, kind, name }, caller, match)
    return { role, id }
  })
}

/** Keys and wallets of others do not exist for an end user. */
function isSeen(root: Root, caller: Caller, kind: IdKind, id: Uint8Array): boolean {
  // Credentials are reached by their owner alone.
  if (kind === 'credential')
    return equalBytes(root.find(credentialIdTable, id)?.user ?? new Uint8Array(), caller.user)
  if (!isEndUser(caller) || (kind !== 'key' && kind !== 'wallet')) return true
  const key = kind === 'key' ? id : root.find(walletTable, id)?.key
  const owner = key && root.find(keyTable, key)?.owner
  return owner !== undefined && equalBytes(owner, caller.user)
}

/**
 * Where the request speaks of a user whose credentials nobody has covered yet, it covers them: the
 * signature is over just these.
 */
function newcomersOf(
  root: Root,
  { operation: { confirms } }: Match,
  subjects: readonly Subject[],
  time: number,
): readonly Subject[] {
  const user = subjects.find(({ role }) => role === confirms)?.id
  const fingerprints = user === undefined ? [] : unconfirmedOf(root, user, time)
  if (user === undefined || fingerprints.length === 0) return []
  return [{ role: credentialsRole, id: credentialSetHash(user, fingerprints) }]
}

function unknown({ role, kind, name }: NamedId, { orgId }: Caller, { params }: Match): Failure {
  if (kind === 'wallet') return new Failure('wallet.not_found', { walletId: name, orgId })
  if (kind === 'key') return new Failure('key.not_found', { keyId: name })
  if (role === 'serviceAccountId')
    return new Failure('service_account.not_found', { serviceAccountId: name })
  if (kind === 'user') return new Failure('identity.not_found', { identityId: name })
  if (kind === 'credential') return new Failure('credential.not_found', { credentialUuid: name })
  if (kind === 'recovery') return new Failure('recovery.not_found', { recoveryId: name })
  if (kind === 'permission') return new Failure('permission.not_found', { permissionId: name })
  if (role === 'identityId') return new Failure('identity.not_found', { identityId: name })
  if (kind === 'token') return new Failure('personal_token.not_found', { tokenId: name })
  if (kind === 'policy') return new Failure('policy.not_found', { policyId: name })
  if (kind === 'assignment') return new Failure('assignment.not_found', { assignmentId: name })
  if (kind === 'feeSponsor')
    return Object.hasOwn(params, role)
      ? new Failure('fee_sponsor.not_found', { feeSponsorId: name })
      : new Failure('fee_sponsor.unsuitable', { reason: `there is no fee sponsor ${name}` })
  throw new TypeError(`nothing is named by ${role}`)
}

/** A body with a password in it comes again with its request, and is not kept until then. */
function isWithheld({ name }: Match, body: Json): boolean {
  const kind = isObject(body) ? body['credentialKind'] : undefined
  return name === 'auth.createCredential' && (kind === 'Password' || kind === 'Totp')
}

/** Kept until it expires, for the user action that may come; the oldest make room for new ones. */
async function keepChallenge(
  database: Database,
  caller: Caller,
  made: Challenge & { readonly payload: string | null; readonly now: number },
): Promise<string> {
  const identifier = secret()
  const { organization, user, token } = caller
  const { preimage, payload, salt, request, now: issued_at } = made
  const row = {
    ...{ organization, request, user, preimage, payload, salt, issued_at },
    token: token?.id ?? null,
    identifier: secretHash(identifier),
    expires_at: issued_at + signWithinMs,
  }
  await database
    .with('forgotten', (database) => forgetTooMany(database, caller))
    .insertInto('challenges')
    .values(row)
    .execute()
  recentOf(database).challenges.put(toHex(row.identifier), row)
  // A hash: one challenge in 256 takes those with it that have expired since the last such one.
  if (request[0] === 0) await forgetExpired(database, made.now)
  return identifier
}

/**
 * By the moment up to which they are too many, which most often is none: by their names, PostgreSQL would
 * rather read the whole table.
 */
function forgetTooMany(
  database: Pick<Database, 'selectFrom' | 'deleteFrom'>,
  { organization, user }: Caller,
) {
  const lastOfTooMany = database
    .selectFrom('challenges')
    .select('issued_at')
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('action', 'is', null)
    .orderBy('issued_at', 'desc')
    .offset(openChallengesMax - 1)
    .limit(1)
  return database
    .deleteFrom('challenges')
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('action', 'is', null)
    .where('issued_at', '<=', lastOfTooMany)
}

/** Far more than come between two looks; what is left waits for the next one. */
const expiredAtOnce = 4_096

/** Anybody's, the oldest first: their time is over, and that of their user action, too. */
export async function forgetExpired(database: Database, now: number): Promise<void> {
  const expired = database
    .selectFrom('challenges')
    .select(['organization', 'request'])
    .where('expires_at', '<', now - actionWithinMs)
    .orderBy('expires_at')
    .limit(expiredAtOnce)
  await database
    .deleteFrom('challenges')
    .where((eb) =>
      eb(eb.refTuple('organization', 'request'), 'in', expired.$asTuple('organization', 'request')),
    )
    .execute()
}
