import { toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { Subject } from '@quorate/authority/request'
import type { Settings } from '@quorate/authority/settings'
import { settingsOf } from '@quorate/authority/standing'
import type { Evidence } from '@quorate/authority/step'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import type { Person } from '../users/person.ts'
import type { Caller } from './caller.ts'
import { makeChallenge, written, type Challenge } from './challenge.ts'
import { readRoot, type Log } from './log.ts'
import type { Tokens } from './tokens.ts'

export type NewcomerDeps = {
  readonly database: Database
  readonly log: Pick<Log, 'read'>
  readonly tokens: Tokens
  readonly now: () => number
}
type NewcomerPurpose = 'register' | 'recover'

/** Time to find a telephone; the challenge and the token that goes with it end together. */
export const newcomerMs = 15 * 60_000
/** Of one user at one time: who begins again and again leaves the oldest behind. */
const openMax = 16

/** ES256, EdDSA, RS256: RFC 9053 section 2, RFC 8812 section 2. */
const algorithms = [-7, -8, -257]

/**
 * Begins the way of somebody whom nobody has signed for yet: a challenge over nothing, and a
 * temporary token that is good for its end alone.
 *
 * @param asked.subjects what the challenge names besides, such as the recovery key
 */
export async function openNewcomer(
  { database, log, tokens, now }: NewcomerDeps,
  asked: {
    readonly person: Person
    readonly purpose: NewcomerPurpose
    readonly subjects?: readonly Subject[]
  },
) {
  const { person, purpose, subjects = [] } = asked
  const { organization, orgId, organizationName, user, userId, username } = person
  const issuedAt = now()
  const challenge = makeChallenge(
    { purpose, organization, user, path: pathOf(person, purpose), subjects },
    '',
    issuedAt,
    newcomerMs,
  )
  await keep(database, { person, purpose, challenge, now: issuedAt })
  const tokenId = toHex(challenge.request)
  const temporaryAuthenticationToken = await tokens.issue(
    { orgId, userId, username, tokenKind: 'Temp', tokenId },
    { from: issuedAt, until: challenge.signBefore },
  )
  const settings = await readRoot(log, organization, settingsOf)
  return {
    ...written(challenge),
    user: { id: userId, displayName: username, name: username },
    temporaryAuthenticationToken,
    ...passkeysOf(settings, organizationName),
    supportedCredentialKinds: kindsOf(settings),
    otpUrl: '',
  }
}

/** An end user's registration may bring wallets; without them it is an ordinary one. */
function pathOf({ kind }: Person, purpose: NewcomerPurpose): string {
  if (purpose === 'recover') return '/auth/recover/user'
  return kind === 'endUser' ? '/auth/registration/enduser' : '/auth/registration'
}

/**
 * What a browser is asked for. No credential is excluded: who registers has none, and those of who
 * recovers are about to end, so that the device of an old one may well hold the new one.
 */
export function passkeysOf(
  { relyingParties, userVerification }: Settings,
  organizationName: string,
) {
  const [party, ...others] = relyingParties
  const isOnly = party !== undefined && others.length === 0
  return {
    ...(isOnly ? { rp: { id: party.id, name: organizationName } } : {}),
    authenticatorSelection: {
      ...{ residentKey: 'preferred' as const, requireResidentKey: false },
      userVerification,
    },
    attestation: 'none' as const,
    pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key' as const, alg })),
    excludeCredentials: [],
  }
}

function kindsOf({ relyingParties, passwordProtectedKeys, passwords }: Settings) {
  const both = [
    ...(relyingParties.length > 0 ? (['Fido2'] as const) : []),
    'Key' as const,
    ...(passwordProtectedKeys === 'on' ? (['PasswordProtectedKey'] as const) : []),
  ]
  const isOn = passwords === 'on'
  return {
    firstFactor: isOn ? [...both, 'Password' as const] : both,
    secondFactor: isOn ? [...both, 'Totp' as const] : both,
  }
}

/** Kept until it has been used or has expired. */
function keep(
  database: Database,
  made: {
    readonly person: Person
    readonly purpose: NewcomerPurpose
    readonly challenge: Challenge
    readonly now: number
  },
): Promise<void> {
  const { organization, user } = made.person
  const { preimage, salt, request, signBefore: expires_at } = made.challenge
  return inTransaction(database, async (transaction) => {
    const tooMany = transaction
      .selectFrom('newcomer_challenges')
      .select('request')
      .where('organization', '=', organization)
      .where('user', '=', user)
      .orderBy('issued_at', 'desc')
      .offset(openMax - 1)
      .limit(openMax)
    await transaction
      .deleteFrom('newcomer_challenges')
      .where('organization', '=', organization)
      .where((eb) => eb.or([eb('expires_at', '<', made.now), eb('request', 'in', tooMany)]))
      .execute()
    await transaction
      .insertInto('newcomer_challenges')
      .values({
        ...{ organization, request, user, purpose: made.purpose, preimage, salt },
        ...{ issued_at: made.now, expires_at, used_at: null, handed_in: null },
      })
      .execute()
  })
}

/** A way at its end: what it brings stands in `payload`, and the signers are shown all of it. */
export type UsedNewcomer = {
  /** SHA-256 of the pre-image. */
  readonly request: Uint8Array
  readonly evidence: (payload: string) => Evidence
}

/**
 * Burns a temporary token. Do it in the transaction of what must happen then or not at all.
 *
 * @param use.handedIn SHA-256 of what may come again by the same token, and nothing else may: for
 *   a way whose end takes so long that a server may die meanwhile
 * @throws Failure `token.invalid` when it is for something else, is used or has expired
 */
export async function useNewcomer(
  transaction: DatabaseTransaction,
  { organization, user, challenge }: Caller,
  use: {
    readonly purpose: NewcomerPurpose
    readonly handedIn?: Uint8Array
    readonly now: number
  },
): Promise<UsedNewcomer> {
  const { purpose, handedIn, now } = use
  if (challenge === undefined) throw new Failure('token.invalid', {})
  const row = await transaction
    .updateTable('newcomer_challenges')
    .set({ used_at: now, handed_in: handedIn ?? null })
    .where('organization', '=', organization)
    .where('request', '=', challenge)
    .where('user', '=', user)
    .where('purpose', '=', purpose)
    .where((eb) =>
      handedIn === undefined
        ? eb('used_at', 'is', null)
        : eb.or([eb('used_at', 'is', null), eb('handed_in', '=', handedIn)]),
    )
    .where('expires_at', '>', now)
    .returning(['request', 'preimage', 'salt'])
    .executeTakeFirst()
  if (row === undefined) throw new Failure('token.invalid', {})
  const { request, preimage, salt } = row
  return {
    request,
    evidence: (payload) => ({ preimage, payload, salt, assertions: [], facts: new Uint8Array() }),
  }
}

/** After signers could not be asked at all: the same credentials may be handed in again. */
export async function releaseNewcomer(
  database: Database,
  { organization }: Caller,
  { request }: UsedNewcomer,
): Promise<void> {
  await database
    .updateTable('newcomer_challenges')
    .set({ used_at: null, handed_in: null })
    .where('organization', '=', organization)
    .where('request', '=', request)
    .execute()
}
