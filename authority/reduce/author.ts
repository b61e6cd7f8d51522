import { equalBytes } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import { isObject, type Json } from '@quorate/core/json'
import { fingerprintOf, isChecked, verifyAssertion, type Assertion } from '../credential.ts'
import { provenOf } from '../erasure.ts'
import {
  matchOperation,
  namedIds,
  permissionsFor,
  readRequestBody,
  type Match,
} from '../operations.ts'
import { credentialTable, tokenTable, userTable } from '../records.ts'
import { challengeOf, encodePreimage } from '../request.ts'
import type { Settings } from '../settings.ts'
import {
  has,
  isActive,
  isCredentialLive,
  isFrozen,
  isTokenLive,
  rightsOf,
  settingsOf,
  type Credential,
  type Token,
  type User,
} from '../standing.ts'
import { isHeld } from './held.ts'
import { recordsOf, refuse, type Judging } from './judging.ts'

/** How far the clock that issued a challenge may be ahead of the step's. */
const skewMs = 5_000
/** However long the server proposes: an unused request dies within an hour, a held one in a month. */
const signWithinMsMax = 60 * 60_000
const executeWithinMsMax = 31 * 24 * 60 * 60_000

export type Authored = {
  readonly user: Uint8Array
  readonly record: User
  /** The long-lived token through which he speaks, if he does. */
  readonly token: { readonly id: Uint8Array; readonly record: Token } | undefined
  /** Of the credentials that have signed, first factor first. */
  readonly fingerprints: readonly Uint8Array[]
  readonly match: Match
  readonly body: Json
}

/**
 * Who asked, for exactly what, and may they: the whole of it, from the signature of a live and
 * confirmed credential over the request itself. Nothing that the server says is believed.
 */
export function judgeAuthor(judging: Judging): Authored {
  judgeCommitments(judging)
  judgeTimes(judging)
  const { preimage, evidence, item } = judging
  const match = matchOperation(preimage.method, preimage.path)
  if (item.cause.kind !== 'request' || !match?.operation.userAction)
    return refuse('the request asks for nothing that changes anything')
  if (preimage.purpose !== match.operation.purpose) refuse('the challenge was for something else')
  const body = readRequestBody(match, evidence.payload)
  const caller = judgeCaller(judging, match)
  const rights = rightsOf(recordsOf(judging), caller.user, caller.token)
  for (const name of permissionsFor(match.operation, body))
    if (!has(rights, name)) refuse(`not authorized to perform operation (${name})`)
  judgeSubjects(judging, match, body)
  return { ...caller, match, body }
}

/** Whoever the request says it is of, unheard: for what is only told of, or does nothing for him. */
export function presumedAuthor(judging: Judging): Authored {
  const { preimage, evidence } = judging
  const { user, method, path } = preimage
  const match = matchOperation(method, path)
  const record = user === undefined ? undefined : recordsOf(judging).find(userTable, user)
  if (match === undefined || user === undefined || record === undefined)
    return refuse('the request asks for nothing that changes anything')
  const body = readRequestBody(match, evidence.payload)
  return { user, record, token: undefined, fingerprints: [], match, body }
}

/** What was signed, and what the item says of it, are one thing. */
export function judgeCommitments(judging: Judging): void {
  const { step, item, evidence, preimage, challenge } = judging
  if (item.cause.kind !== 'request' || !equalBytes(item.cause.hash, challenge))
    refuse('the item names another request')
  const committed = provenOf(evidence, preimage)
  const isSame =
    committed !== undefined &&
    equalBytes(committed.payload, preimage.payload) &&
    equalBytes(committed.fields, preimage.fields) &&
    committed.payloadLength === preimage.payloadLength &&
    equalBytes(item.payload, preimage.payload) &&
    equalBytes(item.fields, preimage.fields)
  if (!isSame) refuse('the payload is not the one that was signed')
  if (!areSame(item.subjects, preimage.subjects)) refuse('the item names other subjects')
  const { organization } = preimage
  if (organization !== undefined && !equalBytes(organization, step.organization))
    refuse('the request is for another organization')
}

export function areSame(a: Judging['item']['subjects'], b: Judging['item']['subjects']): boolean {
  return (
    a.length === b.length &&
    a.every(({ role, id }, i) => role === b[i]?.role && equalBytes(id, b[i].id))
  )
}

/**
 * A first use must be in time for `signBefore`, and so must the opening of its approval; what has
 * waited for one, and a renewal, only for `executeBefore`.
 */
export function judgeTimes(judging: Judging): void {
  const { step, isRenewal, rule, preimage } = judging
  const { issuedAt, signBefore, executeBefore } = preimage
  if (signBefore - issuedAt > signWithinMsMax || executeBefore - issuedAt > executeWithinMsMax)
    refuse('the request allows itself too much time')
  if (step.time < issuedAt - skewMs) refuse('the request comes from the future')
  if (step.time > executeBefore) refuse('the request has expired')
  // What stands around another use comes after that one, which was in time.
  const isLater = isRenewal || rule !== undefined || isHeld(judging)
  if (!isLater && step.time > signBefore) refuse('the request has expired')
}

type Caller = Omit<Authored, 'match' | 'body'>

/** @returns who has signed, after every signature over the challenge has been verified */
function judgeCaller(judging: Judging, match: Match): Caller {
  const { preimage, evidence, step } = judging
  const { user: id, organization } = preimage
  const [first, second, ...further] = evidence.assertions
  if (id === undefined || organization === undefined || first === undefined)
    return refuse('nobody has signed')
  if (further.length > 0) refuse('too many have signed')
  if (step.seq === 0 && step.stream.kind === 'root')
    refuse('an organization begins with its genesis')
  const records = recordsOf(judging)
  const record = records.find(userTable, id)
  if (!isActive(record)) return refuse('the user is not active')
  judgeFreezes(judging, id, match)
  const token = judgeToken(judging, id)
  judgeKind(match, record, token?.record)
  const signed = second === undefined ? [first] : [first, second]
  if (second !== undefined && equalBytes(first.fingerprint, second.fingerprint))
    refuse('one credential has signed twice')
  const credentials = signed.map((one) =>
    judgeCredential(judging, { id, record, token, match }, one),
  )
  judgeChecked(judging, match, signed, credentials)
  return { user: id, record, token, fingerprints: signed.map(({ fingerprint }) => fingerprint) }
}

/**
 * Freezes are made and lifted whatever is frozen, and everybody ends what is his own. Who is frozen
 * ends nothing else; where all is, what others can bring back is ended, and nothing for good.
 */
function judgeFreezes(judging: Judging, user: Uint8Array, { operation, name }: Match): void {
  if (operation.changes.item === 'freeze' || endsOwn(name)) return
  const records = recordsOf(judging)
  const isAllFrozen = isFrozen(records, judging.step.organization)
  if (isAllFrozen && !endsForATime.has(name)) refuse('the organization is frozen')
  if (isFrozen(records, user)) refuse('the user is frozen')
}

/** Ends something that is its author's, and gives nothing: never held up by a freeze. */
export function endsOwn(name: string): boolean {
  return endingOwn.has(name)
}
const endingOwn: ReadonlySet<string> = new Set([
  'auth.deactivateCredential',
  'auth.deleteCredential',
  'auth.deactivatePersonalAccessToken',
  'auth.archivePersonalAccessToken',
  'quorate.cancelRecovery',
])
/** Whose end another request undoes: what is archived, never comes back. */
const endsForATime: ReadonlySet<string> = new Set([
  'auth.deactivateUser',
  'auth.deactivateServiceAccount',
  'permissions.deleteAssignment',
  'feeSponsors.deactivateFeeSponsor',
  'quorate.cancelBreak',
])

/**
 * May somebody ask for this whom nobody has confirmed yet? He stops a recovery of his own rank and
 * nothing else, which the rule of that request sees to.
 */
export function isForUnconfirmed(name: string): boolean {
  return name === 'quorate.cancelRecovery'
}

/** A token's own key speaks for that token alone. */
function judgeToken(judging: Judging, user: Uint8Array): Caller['token'] {
  const { preimage, step } = judging
  if (preimage.token === undefined) return undefined
  const { id, kind } = preimage.token
  const records = recordsOf(judging)
  const record = records.find(tokenTable, id)
  if (record === undefined || !equalBytes(record.user, user)) return refuse('the token is unknown')
  if (record.kind !== kind) refuse('the token is of another kind')
  if (step.time > record.expiresAt) refuse('the token has expired')
  if (!isTokenLive(records, record, step.time)) refuse('the token is not active')
  return { id, record }
}

function judgeKind({ operation }: Match, { kind }: User, token: Token | undefined): void {
  if (!operation.callers.includes(kind)) refuse('no caller of this kind may ask for this')
  if (kind === 'serviceAccount' && token === undefined)
    refuse('a service account speaks through its token')
  if (token?.kind === 'Pat' && !operation.pats)
    refuse('a personal access token may not ask for this')
}

function judgeCredential(
  judging: Judging,
  {
    id,
    record,
    token,
    match,
  }: Pick<Caller, 'record' | 'token'> & { readonly id: Uint8Array; readonly match: Match },
  assertion: Assertion,
): Credential {
  const { preimage, step } = judging
  const records = recordsOf(judging)
  const credential = records.find(credentialTable, id, assertion.fingerprint)
  if (credential === undefined || !isCredentialLive(record, credential, step.time))
    return refuse('the credential is not active')
  if (credential.rank !== 'confirmed' && !isForUnconfirmed(match.name))
    refuse('the credential is not confirmed')
  if (!isOfToken(credential, token?.id)) refuse('the credential is not of this token')
  const settings = settingsOf(records)
  judgeCredentialKind(credential, settings)
  const challenge = challengeOf(encodePreimage(preimage))
  const isSigned =
    equalBytes(fingerprintOf(credential.spki), assertion.fingerprint) &&
    verifyAssertion(credential, challenge, assertion, policyOf(settings))
  if (!isSigned) refuse('the signature is not valid')
  return credential
}

/** A user's own credential for no token, a token's for that one. */
function isOfToken({ token }: Credential, named: Uint8Array | undefined): boolean {
  if (token === undefined || named === undefined) return token === named
  return equalBytes(token, named)
}

function judgeCredentialKind({ kind }: Credential, settings: Settings): void {
  if (kind === 'RecoveryKey') refuse('a recovery key signs recoveries alone')
  if (kind === 'PasswordProtectedKey' && settings.passwordProtectedKeys === 'off')
    refuse('keys under a password are not in use')
}

/** How passkeys are verified here. */
export function policyOf({ relyingParties, userVerification }: Settings) {
  return {
    relyingParties,
    verification: userVerification === 'required' ? 'verified' : 'present',
  } as const
}

/** Where the organization wants it, one of the signatures proves that its client has looked. */
function judgeChecked(
  judging: Judging,
  { name }: Match,
  assertions: readonly Assertion[],
  credentials: readonly Credential[],
): void {
  if (!settingsOf(recordsOf(judging)).requireChecked.includes(name)) return
  const isProven = assertions.some(
    (assertion, i) => credentials[i]?.kind === 'Key' && isChecked(assertion, judging.challenge),
  )
  if (!isProven) refuse('no client has proved that it checked this request')
}

/** What a path or body names by a short name is signed in full, and is what the state knows by it. */
function judgeSubjects({ preimage }: Judging, match: Match, body: Json): void {
  const named = namedIds(match, isObject(body) ? body : {})
  const [rest, isVouched] = [
    preimage.subjects.slice(named.length),
    match.operation.confirms !== undefined,
  ]
  const isWhole =
    preimage.subjects.length >= named.length &&
    (rest.length === 0 || (isVouched && rest.length === 1 && rest[0]?.role === credentialsRole))
  if (!isWhole) refuse('the subjects are not those of the request')
  for (const [i, { role, kind, name }] of named.entries()) {
    const subject = preimage.subjects[i]
    if (subject === undefined || subject.role !== role || nameOf(kind, subject.id) !== name)
      refuse(`the subject ${role} is not the one that is named`)
  }
}

/** The role of the set of credentials that an author vouches for. */
export const credentialsRole = 'credentials'

/** @returns the full id of what the request names in this role */
export function subjectId({ preimage }: Judging, role: string): Uint8Array {
  return (
    preimage.subjects.find((subject) => subject.role === role)?.id ?? refuse(`no ${role} is named`)
  )
}
