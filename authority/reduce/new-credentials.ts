import { equalBytes, fromBase64url } from '@quorate/core/bytes'
import { isObject, type Json, type JsonObject } from '@quorate/core/json'
import { readAttestation } from '../attestation.ts'
import { fingerprintOf, type CredentialKind } from '../credential.ts'
import { credentialTable } from '../records.ts'
import { challengeOf } from '../request.ts'
import { settingsOf } from '../standing.ts'
import type { NewCredential } from '../step.ts'
import { policyOf } from './author.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { objectOf, textOf } from './writes.ts'

/** Which kinds may stand where: a second factor is optional, and so is a way back. */
const places = {
  firstFactorCredential: ['Fido2', 'Key', 'PasswordProtectedKey'],
  secondFactorCredential: ['Fido2', 'Key', 'PasswordProtectedKey'],
  recoveryCredential: ['RecoveryKey'],
} as const satisfies Readonly<Record<string, readonly CredentialKind[]>>
type Unranked = Omit<NewCredential, 'rank'>

/** Passwords and one-time codes let in and prove nothing: they never come into the log. */
const serverKinds: ReadonlySet<Json> = new Set(['Password', 'Totp'])

/**
 * The credentials that a registration or a recovery brings, each made for its challenge. All of
 * them are new to this user: one that he had would get another generation and rank behind his back.
 */
export function newCredentialsOf(
  judging: Judging,
  user: Uint8Array,
  given: Json | undefined,
): readonly Unranked[] {
  const body = objectOf(given)
  const made = Object.entries(places).flatMap(([place, kinds]) => {
    const one = body[place]
    if (one === undefined || (isObject(one) && serverKinds.has(one['credentialKind'] ?? null)))
      return []
    return [newCredentialOf(judging, objectOf(one), kinds)]
  })
  const fingerprints = made.map(({ publicKey }) => fingerprintOf(publicKey))
  if (made.length === 0) refuse('no credential is brought')
  for (const [i, fingerprint] of fingerprints.entries()) {
    if (fingerprints.slice(0, i).some((other) => equalBytes(other, fingerprint)))
      refuse('one key is brought twice')
    if (find(judging, credentialTable, user, fingerprint) !== undefined)
      refuse('the user has had this key before')
  }
  return made
}

/** One credential as clients write it, made for the challenge that is under judgement. */
export function newCredentialOf(
  judging: Judging,
  given: JsonObject,
  kinds: readonly CredentialKind[],
): Unranked {
  const asked = textOf(given, 'credentialKind')
  const kind =
    kinds.find((one) => one === asked) ?? refuse('a credential of this kind is not asked for')
  const settings = settingsOf(recordsOf(judging))
  if (kind === 'PasswordProtectedKey' && settings.passwordProtectedKeys === 'off')
    refuse('keys under a password are not in use')
  const info = objectOf(given['credentialInfo'])
  const read = readAttestation(
    {
      kind,
      credId: textOf(info, 'credId'),
      clientData: bytesOf(info, 'clientData'),
      attestationData: bytesOf(info, 'attestationData'),
    },
    { challenge: challengeOf(judging.evidence.preimage), ...policyOf(settings) },
  )
  if (!read.ok) return refuse(read.reason)
  return { kind, publicKey: read.spki, relyingParty: read.relyingParty }
}

/** Some clients pad, against the standard. */
function bytesOf(info: JsonObject, name: string): Uint8Array {
  return fromBase64url(textOf(info, name).replace(/={1,2}$/, ''))
}
