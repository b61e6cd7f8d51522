import type { JsonObject } from '@quorate/core/json'
import { equalBytes } from '@quorate/core/bytes'
import { fingerprintOf } from '../credential.ts'
import type { OperationName } from '../operations.ts'
import {
  credentialCodeTable,
  credentialIdTable,
  credentialsPerUserMax,
  credentialTable,
  requestTable,
  userTable,
} from '../records.ts'
import { challengeOf, decodePreimage, requestHash, type Preimage } from '../request.ts'
import {
  generationOf,
  isActive,
  isCredentialLive,
  isFrozen,
  settingsOf,
  type Credential,
  type User,
} from '../standing.ts'
import type { NewCredential } from '../step.ts'
import { attestedCredential } from './attested.ts'
import { judgeTimes, subjectId, type Authored } from './author.ts'
import type { Completed } from './completion.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { newCredential } from './new-user.ts'
import { objectOf, put, type Reduced, type Write } from './writes.ts'

/** How far ahead a one-time code may live, as documented, and how far its maker's clock may be. */
export const codeLifeMsMax = 60_000
const skewMs = 5_000
/** Whoever has begun in time may take as long as for any other challenge. */
const codeCompletionMsMax = 10 * 60_000
/** The role under which a challenge names the request for the code that it was given for. */
export const codeRole = 'code'

/**
 * `POST /auth/credentials`: a confirmed credential signs for a new one of its user, attestation and
 * all. The attestation is over a challenge of its own, the hash of a pre-image that is the item's
 * facts: of this organization and user, for this purpose, in time, and used once.
 */
export function reduceCredential(judging: Judging, { user, record, body }: Authored): Reduced {
  const { facts } = judging.evidence
  const preimage = decodePreimage(facts)
  judgeAttestationChallenge(judging, preimage, user)
  const challenge = requestHash(facts)
  if (find(judging, requestTable, challenge) !== undefined)
    refuse('the challenge of the attestation has been used')
  const credential = attestedCredential(objectOf(body), {
    ...{ challenge: challengeOf(facts), rank: 'confirmed' },
    settings: settingsOf(recordsOf(judging)),
  })
  const used = {
    ...{ slot: undefined, digests: [], fee: 0n, time: judging.step.time },
    executeBefore: preimage.executeBefore,
  }
  return {
    operation: { kind: 'credential', user, credential },
    writes: [put(requestTable, [challenge], used), ...added(judging, { user, record, credential })],
  }
}

/** The path of the request that it is for; one for a code's credential has that of its own end. */
export const addCredentialPath = '/auth/credentials'

function judgeAttestationChallenge(judging: Judging, preimage: Preimage, user: Uint8Array): void {
  const { organization, purpose, method, path, token, subjects } = preimage
  const isItsOwn =
    purpose === 'add-credential' &&
    organization !== undefined &&
    equalBytes(organization, judging.step.organization) &&
    preimage.user !== undefined &&
    equalBytes(preimage.user, user)
  const isPlain =
    method === 'POST' && path === addCredentialPath && token === undefined && subjects.length === 0
  if (!isItsOwn || !isPlain) refuse('the challenge of the attestation was for something else')
  judgeTimes({ ...judging, preimage, isRenewal: false })
}

/** `POST /auth/credentials/code`: leave for one more credential, which counts for nothing yet. */
export function reduceCredentialCode(judging: Judging, { user, body }: Authored): Reduced {
  const { request, step } = judging
  const expiresAt = expirationOf(objectOf(body)) ?? refuse('the expiration is not a time')
  if (expiresAt <= step.time) refuse('the code has expired')
  if (expiresAt > step.time + codeLifeMsMax + skewMs)
    refuse('the code would be good for more than a minute')
  return {
    operation: { kind: 'credentialCode', user, expiresAt },
    writes: [put(credentialCodeTable, [request], { user, expiresAt, used: 'no' })],
  }
}

/** Seconds of our days have ten digits and milliseconds thirteen. */
const secondsMax = 1e12

/** ISO 8601, or a number since 1970 in seconds or milliseconds: clients send all of them. */
export function expirationOf({ expiration }: JsonObject): number | undefined {
  if (typeof expiration === 'number') {
    const isTime = Number.isSafeInteger(expiration) && expiration > 0
    return isTime ? expiration * (expiration < secondsMax ? 1000 : 1) : undefined
  }
  return typeof expiration === 'string' ? timeOf(expiration) : undefined
}

/** By ECMA-262's arithmetic alone, so that nothing is left to whoever parses it. */
function timeOf(text: string): number | undefined {
  const [, ...parts] = isoForm.exec(text) ?? []
  const [year, month, day, hour, minute, second, fraction = '', zone = ''] = parts
  if (year === undefined || month === undefined) return undefined
  const ms = Number(fraction.slice(0, 3).padEnd(3, '0'))
  const [sign, zoneHours, zoneMinutes] = [zone[0], zone.slice(1, 3), zone.slice(4)]
  const zoneMs = sign === 'Z' ? 0 : (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000
  const days = [Number(year), Number(month) - 1, Number(day)] as const
  const local = Date.UTC(...days, Number(hour), Number(minute), Number(second), ms)
  return sign === '-' ? local + zoneMs : local - zoneMs
}
const isoForm = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/

/** `POST /auth/credentials/code/verify`: whoever holds the code. The server knows it as well. */
export function reduceCodeCredential(judging: Judging, { body }: Completed): Reduced {
  const { preimage, evidence } = judging
  const { user, subjects } = preimage
  const [subject, ...others] = subjects
  if (user === undefined || subject?.role !== codeRole || others.length > 0)
    return refuse('the challenge names no code')
  if (evidence.assertions.length > 0 || evidence.facts.length > 0)
    refuse('a credential by code rests on nothing else')
  const code = codeInForce(judging, user, subject.id)
  const record = find(judging, userTable, user)
  if (!isActive(record)) return refuse('the user is not active')
  if (isFrozen(recordsOf(judging), user)) refuse('the user is frozen')
  const credential = attestedCredential(objectOf(body), {
    ...{ challenge: challengeOf(evidence.preimage), rank: 'unconfirmed' },
    settings: settingsOf(recordsOf(judging)),
  })
  if (credential.kind === 'RecoveryKey') refuse('no code brings a recovery key')
  return {
    operation: { kind: 'credential', user, credential },
    writes: [
      put(credentialCodeTable, [subject.id], { ...code, used: 'yes' }),
      ...added(judging, { user, record, credential }),
    ],
  }
}

function codeInForce(judging: Judging, user: Uint8Array, id: Uint8Array) {
  const code = find(judging, credentialCodeTable, id)
  if (code === undefined || !equalBytes(code.user, user)) return refuse('there is no such code')
  if (code.used === 'yes') refuse('the code has been used')
  const { issuedAt } = judging.preimage
  const isLate =
    issuedAt > code.expiresAt || judging.step.time > code.expiresAt + codeCompletionMsMax
  return isLate ? refuse('the code has expired') : code
}

/** The records of one more credential of somebody who is there already. */
function added(
  judging: Judging,
  {
    user,
    record,
    credential,
  }: {
    readonly user: Uint8Array
    readonly record: User
    readonly credential: NewCredential
  },
): readonly Write[] {
  const generation = generationOf(record, judging.step.time)
  const fingerprint = fingerprintOf(credential.publicKey)
  if (find(judging, credentialTable, user, fingerprint) !== undefined)
    refuse('the credential exists already')
  // Those of before a recovery never come back.
  const kept = record.credentials.filter((one) => {
    const known = find(judging, credentialTable, user, one)
    return known !== undefined && known.generation >= generation
  })
  if (kept.length >= credentialsPerUserMax) refuse('the user has too many credentials')
  return [
    put(userTable, [user], { ...record, credentials: [...kept, fingerprint] }),
    ...newCredential(judging, { user, index: 0, credential, generation, token: undefined }),
  ]
}

/** Activates, deactivates and deletes one of the author's own credentials. */
export function reduceCredentialStatus(judging: Judging, authored: Authored): Reduced {
  const { user, record, match } = authored
  const { fingerprint, credential } = ownCredential(judging, authored)
  const status = statusAfter[match.name] ?? refuse('the request changes no credential')
  const isSame = credential.status === status
  if (!isSame && status !== 'active') judgeNotLast(judging, authored, fingerprint)
  const credentials = record.credentials.filter((one) => !equalBytes(one, fingerprint))
  const listed = status === 'archived' ? [put(userTable, [user], { ...record, credentials })] : []
  return {
    operation: { kind: 'credentialStatus', user, fingerprint, status },
    writes: [...listed, put(credentialTable, [user, fingerprint], { ...credential, status })],
  }
}

const statusAfter: { readonly [N in OperationName]?: Credential['status'] } = {
  'auth.activateCredential': 'active',
  'auth.deactivateCredential': 'inactive',
  'auth.deleteCredential': 'archived',
}

/**
 * One's own, of no token, and not archived. Those of before a recovery are dead for good; those that
 * a waiting one will bring are out of reach: else who is about to be locked out would lock out others.
 */
function ownCredential(judging: Judging, { user, record }: Authored) {
  const id = subjectId(judging, 'credentialUuid')
  const named = find(judging, credentialIdTable, id)
  if (named === undefined || !equalBytes(named.user, user))
    return refuse('there is no such credential')
  const { fingerprint } = named
  const credential = find(judging, credentialTable, user, fingerprint)
  const isOwn = credential !== undefined && equalBytes(credential.id, id)
  if (!isOwn || credential.token !== undefined) return refuse('there is no such credential')
  if (credential.status === 'archived') refuse('the credential is archived')
  if (credential.generation !== generationOf(record, judging.step.time))
    refuse('the credential is from before or after a recovery')
  return { fingerprint, credential }
}

/** Nobody locks himself out: something confirmed that signs actions is left. */
function judgeNotLast(judging: Judging, { user, record }: Authored, leaving: Uint8Array): void {
  const { passwordProtectedKeys } = settingsOf(recordsOf(judging))
  const isLeft = record.credentials.some((fingerprint) => {
    const credential = find(judging, credentialTable, user, fingerprint)
    return (
      credential !== undefined &&
      !equalBytes(fingerprint, leaving) &&
      isCredentialLive(record, credential, judging.step.time) &&
      credential.rank === 'confirmed' &&
      credential.kind !== 'RecoveryKey' &&
      (credential.kind !== 'PasswordProtectedKey' || passwordProtectedKeys === 'on')
    )
  })
  if (!isLeft) refuse('it is the last credential that can sign')
}
