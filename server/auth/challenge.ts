import { randomBytes } from 'node:crypto'
import { toBase64url, toHex } from '@quorate/core/bytes'
import type { AssertionChallenge } from '@quorate/api/challenge'
import type { CredentialKind } from '@quorate/authority/credential'
import {
  challengeOf,
  commitTo,
  encodePreimage,
  requestHash,
  type Preimage,
} from '@quorate/authority/request'
import { standsInLine, type Operation } from '@quorate/authority/operations/operation'
import type { Settings } from '@quorate/authority/settings'

/** How long a challenge may wait for its signature, and for the signers to agree on it. */
export const signWithinMs = 10 * 60_000
/**
 * For the latter, where a request stands in line: sixteen of a wallet go into a block, so that this is
 * for 4,800 on Ethereum (`docs/decisions/0021`). As long as the rules allow.
 */
const inLineMs = 60 * 60_000
/** A signed request for its execution. */
const executeWithinMs = 7 * 24 * 60 * 60_000

/** A pre-image with everything that goes by itself: nonce, commitments and times. */
export function makeChallenge(
  asked: Pick<Preimage, 'purpose' | 'path'> &
    Partial<Pick<Preimage, 'organization' | 'user' | 'token' | 'subjects' | 'maxFee' | 'method'>>,
  payload: string,
  now: number,
  withinMs = signWithinMs,
): Challenge {
  const salt = new Uint8Array(randomBytes(32))
  const preimage = encodePreimage({
    purpose: asked.purpose,
    organization: asked.organization,
    user: asked.user,
    token: asked.token,
    method: asked.method ?? 'POST',
    path: asked.path,
    ...commitTo(payload, salt),
    verification: 'none',
    subjects: asked.subjects ?? [],
    maxFee: asked.maxFee,
    nonce: new Uint8Array(randomBytes(32)),
    issuedAt: now,
    signBefore: now + withinMs,
    executeBefore: now + executeWithinMs,
  })
  return { preimage, salt, request: requestHash(preimage), signBefore: now + withinMs }
}

export type Challenge = {
  readonly preimage: Uint8Array
  readonly salt: Uint8Array
  readonly request: Uint8Array
  readonly signBefore: number
}

/** Until when, from now, the signers may agree on what such an operation asks for. */
export function signWithinMsOf(operation: Operation): number {
  return standsInLine(operation) ? inLineMs : signWithinMs
}

/** As clients get it: the pre-image beside its hash, so that they can see what they sign. */
export function written({ preimage, salt }: Pick<Challenge, 'preimage' | 'salt'>) {
  return {
    challenge: challengeOf(preimage),
    preimage: toBase64url(preimage),
    salt: toHex(salt),
  }
}

/** What may answer a challenge, by the names that clients know it by. */
export type Answerer = {
  readonly kind: CredentialKind
  readonly credId: string
  readonly encryptedPrivateKey: string | undefined
}

/**
 * @param answerers of this very user or token: official signers refuse to sign with any other
 * @param settings say how passkeys are used here, and which kinds there are at all
 */
export function assertionChallenge(
  challenge: Pick<Challenge, 'preimage' | 'salt'>,
  challengeIdentifier: string,
  { answerers, settings }: { answerers: readonly Answerer[]; settings: Settings },
): AssertionChallenge {
  const handles = (wanted: CredentialKind) =>
    answerers.flatMap(({ kind, credId: id, encryptedPrivateKey = '' }) =>
      kind === wanted ? [{ type: 'public-key' as const, id, encryptedPrivateKey }] : [],
    )
  const bare = (wanted: CredentialKind) => handles(wanted).map(({ type, id }) => ({ type, id }))
  const sealed = handles('PasswordProtectedKey')
  return {
    ...written(challenge),
    challengeIdentifier,
    ...relyingPartyOf(settings),
    supportedCredentialKinds: supportedKinds(settings),
    userVerification: settings.userVerification,
    attestation: 'none',
    allowCredentials: {
      key: bare('Key'),
      webauthn: bare('Fido2'),
      ...(sealed.length === 0 ? {} : { passwordProtectedKey: sealed }),
    },
    externalAuthenticationUrl: '',
  }
}

/** Where there are several, a page knows best which one it is of. */
function relyingPartyOf({ relyingParties }: Settings) {
  const [party, ...others] = relyingParties
  return party === undefined || others.length > 0 ? {} : { rp: { id: party.id, name: party.id } }
}

function supportedKinds({ relyingParties, passwordProtectedKeys, passwords }: Settings) {
  const either = { factor: 'either', requiresSecondFactor: false } as const
  const isOn = passwords === 'on'
  return [
    ...(relyingParties.length > 0 ? [{ kind: 'Fido2' as const, ...either }] : []),
    { kind: 'Key' as const, ...either },
    ...(passwordProtectedKeys === 'on'
      ? [{ kind: 'PasswordProtectedKey' as const, ...either }]
      : []),
    ...(isOn
      ? [{ kind: 'Password' as const, factor: 'first' as const, requiresSecondFactor: true }]
      : []),
    ...(isOn
      ? [{ kind: 'Totp' as const, factor: 'second' as const, requiresSecondFactor: false }]
      : []),
  ]
}
