import { equalBytes } from '@quorate/core/bytes'
import { nameOf } from '@quorate/core/id'
import { isObject, parseJson, type Json } from '@quorate/core/json'
import { fingerprintOf, verifyKeyAssertion } from '../credential.ts'
import { matchOperation, namedIds, permissionsFor, type Match } from '../operations.ts'
import { credentialTable, grantsTable, permissionTable, tokenTable, userTable } from '../records.ts'
import { challengeOf, commitTo, encodePreimage } from '../request.ts'
import { find, refuse, type Judging } from './judging.ts'

/** How far the clock that issued a challenge may be ahead of the step's. */
const skewMs = 5_000
/** However long the server proposes: an unused request dies within an hour, a held one in a month. */
const signWithinMsMax = 60 * 60_000
const executeWithinMsMax = 31 * 24 * 60 * 60_000

export type Authored = { readonly user: Uint8Array; readonly match: Match; readonly body: Json }

/**
 * Who asked, for exactly what, and may they: the whole of it, from the signature of a live and
 * confirmed credential over the request itself. Nothing that the server says is believed.
 */
export function judgeAuthor(judging: Judging): Authored {
  judgeCommitments(judging)
  judgeTimes(judging)
  const { preimage, evidence } = judging
  const match = matchOperation(preimage.method, preimage.path)
  if (preimage.purpose !== 'action' || match === undefined || !match.operation.userAction)
    return refuse('the request asks for nothing that changes anything')
  const body = evidence.payload === '' ? {} : parseJson(evidence.payload)
  const user = judgeCaller(judging)
  judgePermissions(judging, user, permissionsFor(match.operation, body))
  judgeSubjects(judging, match, body)
  return { user, match, body }
}

function judgeCommitments({ step, item, evidence, preimage, request }: Judging): void {
  if (item.cause.kind !== 'request' || !equalBytes(item.cause.hash, request))
    refuse('the item names another request')
  const committed = commitTo(evidence.payload, evidence.salt)
  const isSame =
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

function areSame(a: Judging['item']['subjects'], b: Judging['item']['subjects']): boolean {
  return (
    a.length === b.length &&
    a.every(({ role, id }, i) => role === b[i]?.role && equalBytes(id, b[i].id))
  )
}

/** A first use must be in time for `signBefore`; a renewal only for `executeBefore`. */
function judgeTimes({ step, isRenewal, preimage }: Judging): void {
  const { issuedAt, signBefore, executeBefore } = preimage
  if (signBefore - issuedAt > signWithinMsMax || executeBefore - issuedAt > executeWithinMsMax)
    refuse('the request allows itself too much time')
  if (step.time < issuedAt - skewMs) refuse('the request comes from the future')
  if (step.time > executeBefore) refuse('the request has expired')
  if (!isRenewal && step.time > signBefore) refuse('the request has expired')
}

/** @returns the user, after the credential's signature over the challenge has been verified */
function judgeCaller(judging: Judging): Uint8Array {
  const { preimage, evidence, step } = judging
  const { user: id, token } = preimage
  const [assertion, ...further] = evidence.assertions
  if (id === undefined || preimage.organization === undefined || assertion === undefined)
    return refuse('nobody has signed')
  if (further.length > 0) refuse('a second factor is not asked for')
  const user = find(judging, userTable, id)
  if (user?.status !== 'active') return refuse('the user is not active')
  const credential = find(judging, credentialTable, id, assertion.fingerprint)
  if (credential?.status !== 'active') return refuse('the credential is not active')
  if (credential.rank !== 'confirmed') refuse('the credential is not confirmed')
  judgeToken(judging, id, token, credential.token)
  const challenge = challengeOf(encodePreimage(preimage))
  const isSigned =
    equalBytes(fingerprintOf(credential.spki), assertion.fingerprint) &&
    verifyKeyAssertion(credential.spki, challenge, assertion)
  if (!isSigned) refuse('the signature is not valid')
  if (step.seq === 0 && step.stream.kind === 'root')
    refuse('an organization begins with its genesis')
  return id
}

/** A token's own key speaks for that token alone, and a user's own credential for no token. */
function judgeToken(
  judging: Judging,
  user: Uint8Array,
  named: Judging['preimage']['token'],
  bound: Uint8Array | undefined,
): void {
  if (named === undefined && bound === undefined) return
  if (named === undefined || bound === undefined || !equalBytes(named.id, bound))
    return refuse('the credential is not of this token')
  const token = find(judging, tokenTable, named.id)
  if (token === undefined || !equalBytes(token.user, user)) return refuse('the token is unknown')
  if (judging.step.time > token.expiresAt) refuse('the token has expired')
}

function judgePermissions(judging: Judging, user: Uint8Array, needed: readonly string[]): void {
  const granted = find(judging, grantsTable, user)?.entries ?? []
  const permissions = granted.map(({ permission }) => find(judging, permissionTable, permission))
  for (const name of needed)
    if (!permissions.some((held) => held?.all === 'yes' || held?.operations.includes(name)))
      refuse(`not authorized to perform operation (${name})`)
}

/** What a path or body names by a short name is signed in full, and is what the state knows by it. */
function judgeSubjects({ preimage }: Judging, match: Match, body: Json): void {
  const named = namedIds(match, isObject(body) ? body : {})
  if (named.length !== preimage.subjects.length) refuse('the subjects are not those of the request')
  for (const [i, { role, kind, name }] of named.entries()) {
    const subject = preimage.subjects[i]
    if (subject === undefined || subject.role !== role || nameOf(kind, subject.id) !== name)
      refuse(`the subject ${role} is not the one that is named`)
  }
}

/** @returns the full id of what the request names in this role */
export function subjectId({ preimage }: Judging, role: string): Uint8Array {
  return (
    preimage.subjects.find((subject) => subject.role === role)?.id ?? refuse(`no ${role} is named`)
  )
}
