import { randomBytes } from 'node:crypto'
import { fromBase64url, fromHex, toBase64url, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { NewCredentialChallenge } from '@quorate/api/challenge'
import type { CredentialKind } from '@quorate/authority/credential'
import type { Manifest } from '@quorate/authority/manifest'
import { addCredentialPath, codeRole } from '@quorate/authority/reduce/credentials'
import { decodePreimage, type Preimage } from '@quorate/authority/request'
import type { Settings } from '@quorate/authority/settings'
import { settingsOf } from '@quorate/authority/standing'
import type { Caller } from '../auth/caller.ts'
import { makeChallenge, signWithinMs, written } from '../auth/challenge.ts'
import { proveCredentialCode } from '../auth/codes.ts'
import { usableCredentials } from '../auth/credentials.ts'
import { readRoot } from '../auth/log.ts'
import { passkeysOf } from '../auth/newcomer.ts'
import { open, seal } from '../auth/sealing.ts'
import type { SettleDeps } from '../auth/settle.ts'
import type { Tokens } from '../auth/tokens.ts'
import { personOf, type Person } from '../users/person.ts'
import { totpSecretBytes, totpUrl } from './totp.ts'

export type CredentialDeps = SettleDeps & {
  readonly tokens: Tokens
  readonly manifest: Pick<Manifest, 'signers'>
}
export type AnyKind = NewCredentialChallenge['kind']

const codePath = '/auth/credentials/code/verify'

/** `POST /auth/credentials/init` */
export async function beginCredential(
  deps: CredentialDeps,
  { organization, user }: Pick<Caller, 'organization' | 'user'>,
  kind: AnyKind,
): Promise<NewCredentialChallenge> {
  const person = await personHere(deps, { organization, user })
  const settings = await readRoot(deps.log, organization, settingsOf)
  checkKind(kind, settings)
  if (kind === 'Password' || kind === 'Totp') return localChallenge(deps, person, kind)
  return challengeFor(deps, { person, settings, kind, path: addCredentialPath, subjects: [] })
}

/** `POST /auth/credentials/code/init`: what it brings is believed by nobody but this server. */
export async function beginWithCode(
  deps: CredentialDeps,
  { code, kind }: { readonly code: string; readonly kind: AnyKind },
): Promise<NewCredentialChallenge> {
  const { request, ...whose } = await proveCredentialCode(deps, code)
  const person = await personHere(deps, whose)
  const settings = await readRoot(deps.log, whose.organization, settingsOf)
  checkKind(kind, settings)
  if (kind === 'Password' || kind === 'Totp' || kind === 'RecoveryKey')
    throw new Failure('request.unsupported', { reason: `no code brings a ${kind}` })
  const subjects = [{ role: codeRole, id: request }]
  return challengeFor(deps, { person, settings, kind, path: codePath, subjects })
}

async function personHere(
  { database }: CredentialDeps,
  whose: Pick<Person, 'organization' | 'user'>,
): Promise<Person> {
  const person = await personOf(database, whose)
  if (person === undefined) throw new Failure('user.not_found', {})
  return person
}

function checkKind(kind: AnyKind, { passwords, passwordProtectedKeys }: Settings): void {
  const isLocal = kind === 'Password' || kind === 'Totp'
  const isOff =
    (isLocal && passwords === 'off') ||
    (kind === 'PasswordProtectedKey' && passwordProtectedKeys === 'off')
  if (isOff) throw new Failure('request.unsupported', { reason: `${kind} is not in use here` })
}

async function challengeFor(
  deps: CredentialDeps,
  made: {
    readonly person: Person
    readonly settings: Settings
    readonly kind: CredentialKind
    readonly path: string
    readonly subjects: Preimage['subjects']
  },
): Promise<NewCredentialChallenge> {
  const { person, settings, kind, path, subjects } = made
  const { organization, user, organizationName } = person
  const issuedAt = deps.now()
  const purpose = 'add-credential'
  const challenge = makeChallenge({ purpose, organization, user, path, subjects }, '', issuedAt)
  const challengeIdentifier = await deps.tokens.sealChallenge(
    { preimage: toBase64url(challenge.preimage), salt: toHex(challenge.salt) },
    { from: issuedAt, until: challenge.signBefore },
  )
  const { authenticatorSelection, ...passkeys } = passkeysOf(settings, organizationName)
  return {
    ...{ kind, user: namesOf(person), challengeIdentifier },
    temporaryAuthenticationToken: challengeIdentifier,
    ...written(challenge),
    ...passkeys,
    ...(kind === 'Fido2' ? { authenticatorSelection } : {}),
    excludeCredentials: kind === 'Fido2' ? await passkeysThere(deps, person) : [],
  }
}

/** An authenticator that holds one of his already makes no second. */
async function passkeysThere(deps: CredentialDeps, { organization, user }: Person) {
  const signatory = { organization, user, token: undefined, time: deps.now() }
  const { answerers } = await usableCredentials(deps, signatory)
  return answerers.flatMap(({ kind, credId: id }) =>
    kind === 'Fido2' ? [{ type: 'public-key' as const, id }] : [],
  )
}

function namesOf({ userId: id, username }: Person) {
  return { id, displayName: username, name: username }
}

/** The secret of one-time codes goes to its owner, and comes back sealed with his first code. */
function localChallenge(
  { tokens, now }: CredentialDeps,
  person: Person,
  kind: 'Password' | 'Totp',
): NewCredentialChallenge {
  const secret = new Uint8Array(randomBytes(totpSecretBytes))
  const expiresAt = now() + signWithinMs
  const about = aboutLocal(person, { kind, expiresAt })
  const sealed = seal(tokens.keyFor(localKey), secret, about)
  const challengeIdentifier = `${kind}.${expiresAt}.${toBase64url(sealed)}`
  const { organizationName: issuer, username } = person
  return {
    ...{ kind, user: namesOf(person), challengeIdentifier },
    temporaryAuthenticationToken: challengeIdentifier,
    ...(kind === 'Totp' ? { otpUrl: totpUrl(secret, { issuer, username }) } : {}),
  }
}
const localKey = 'quorate:local-credential'

function aboutLocal(
  { organization, user }: Pick<Person, 'organization' | 'user'>,
  { kind, expiresAt }: { readonly kind: string; readonly expiresAt: number },
): string {
  return [kind, expiresAt, toHex(organization), toHex(user)].join(' ')
}

/** @throws Failure `challenge.invalid` */
export function openLocal(
  { tokens, now }: CredentialDeps,
  whose: Pick<Person, 'organization' | 'user'>,
  given: { readonly kind: 'Password' | 'Totp'; readonly challengeIdentifier: string },
): Uint8Array {
  const { kind, challengeIdentifier } = given
  const [, named, time, sealed = ''] = localForm.exec(challengeIdentifier) ?? []
  const expiresAt = Number(time)
  if (named !== kind || !(now() < expiresAt)) throw new Failure('challenge.invalid', {})
  const about = aboutLocal(whose, { kind, expiresAt })
  return open(tokens.keyFor(localKey), fromBase64url(sealed), about)
}
const localForm = /^(Password|Totp)\.([0-9]{1,16})\.([A-Za-z0-9_-]{16,512})$/

export type OpenedChallenge = {
  readonly encoded: Uint8Array
  readonly preimage: Preimage
  readonly salt: Uint8Array
}

/** @throws Failure `challenge.invalid` when it was given out for another end than this */
export async function openCredentialChallenge(
  { tokens, now }: CredentialDeps,
  challengeIdentifier: string,
  path: string,
): Promise<OpenedChallenge> {
  const sealed = await tokens.openChallenge(challengeIdentifier, now())
  const encoded = fromBase64url(sealed.preimage)
  const preimage = decodePreimage(encoded)
  if (preimage.purpose !== 'add-credential' || preimage.path !== path)
    throw new Failure('challenge.invalid', {})
  return { encoded, preimage, salt: fromHex(sealed.salt) }
}

export { addCredentialPath, codePath }
