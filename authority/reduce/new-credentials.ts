import { equalBytes } from '@quorate/core/bytes'
import type { Json, JsonObject } from '@quorate/core/json'
import { fingerprintOf, type CredentialKind } from '../credential.ts'
import { credentialTable } from '../records.ts'
import { challengeOf } from '../request.ts'
import { settingsOf } from '../standing.ts'
import type { NewCredential } from '../step.ts'
import { attestedCredential } from './attested.ts'
import { find, recordsOf, refuse, type Judging } from './judging.ts'
import { objectOf, textOf } from './writes.ts'

/**
 * Which kinds may stand where: a second factor is optional, and so is a way back. Passwords and
 * one-time codes let in and prove nothing: they are the server's and never come into the log.
 */
const places: readonly {
  readonly name: string
  readonly kinds: readonly CredentialKind[]
  readonly unproven: readonly string[]
}[] = [
  {
    name: 'firstFactorCredential',
    kinds: ['Fido2', 'Key', 'PasswordProtectedKey'],
    unproven: ['Password'],
  },
  {
    name: 'secondFactorCredential',
    kinds: ['Fido2', 'Key', 'PasswordProtectedKey'],
    unproven: ['Totp'],
  },
  { name: 'recoveryCredential', kinds: ['RecoveryKey'], unproven: [] },
]
type Unranked = Omit<NewCredential, 'rank'>

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
  const made = places.flatMap(({ name, kinds, unproven }) => {
    if (body[name] === undefined) return []
    const one = objectOf(body[name])
    const isUnproven = unproven.includes(textOf(one, 'credentialKind'))
    return isUnproven ? [] : [newCredentialOf(judging, one, kinds)]
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
  if (!kinds.some((kind) => kind === asked)) refuse('a credential of this kind is not asked for')
  const { kind, publicKey, relyingParty } = attestedCredential(given, {
    challenge: challengeOf(judging.evidence.preimage),
    settings: settingsOf(recordsOf(judging)),
    rank: 'unconfirmed',
  })
  return { kind, publicKey, relyingParty }
}
