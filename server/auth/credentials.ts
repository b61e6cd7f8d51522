import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { concat, fromBase64url, toHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import type { FirstFactor, SecondFactor } from '@quorate/api/challenge'
import {
  verifyAssertion,
  type Assertion,
  type SigningCredential,
} from '@quorate/authority/credential'
import { policyOf } from '@quorate/authority/reduce/author'
import type { Settings } from '@quorate/authority/settings'
import { settingsOf, type Credential } from '@quorate/authority/standing'
import type { Database } from '../database/database.ts'
import type { Answerer } from './challenge.ts'
import { readRoot, type Log, type Root } from './log.ts'
import { recentOf } from './recent.ts'
import { liveCredential } from './standing.ts'

/** Whose signature is wanted: a user's own, or that of the one token he speaks through. */
export type Signatory = {
  readonly organization: Uint8Array
  readonly user: Uint8Array
  readonly token: Uint8Array | undefined
  /** When: in milliseconds since 1970. */
  readonly time: number
}

/** More than this no user has; what a challenge lists must end somewhere. */
const credentialsMax = 100

export type Usable = Answerer & {
  readonly user: Uint8Array
  readonly record: Credential
  readonly fingerprint: Uint8Array
}
/** What may answer a challenge here, and how it is verified. */
export type Answerers = { readonly answerers: readonly Usable[]; readonly settings: Settings }

type Reading = { readonly database: Database; readonly log: Pick<Log, 'read'> }

/** The credentials that may answer a challenge, by the rows, as far as the records say so too. */
export async function usableCredentials(
  { database, log }: Reading,
  signatory: Signatory,
): Promise<Answerers> {
  const rows = await rowsOf(database, signatory)
  return readRoot(log, signatory.organization, (root) => answerersOf(root, rows, signatory))
}

/** A token has its credentials from its beginning, a user comes by new ones at any time. */
async function rowsOf(
  database: Database,
  { organization, user, token }: Signatory,
): Promise<readonly CredentialRow[]> {
  const own = rowsIn(database, organization).where('user', '=', user)
  if (token === undefined) return own.where('token', 'is', null).execute()
  const { tokens } = recentOf(database)
  const name = toHex(concat(organization, user, token))
  const known = tokens.get(name)
  if (known !== undefined) return known
  const rows = await own.where('token', '=', token).execute()
  if (rows.length > 0) tokens.put(name, rows)
  return rows
}

/** Those that a client knows by this name, whosever they are: without a user it says who logs in. */
export async function credentialsNamed(
  { database, log }: Reading,
  { organization, credId }: { readonly organization: Uint8Array; readonly credId: string },
  time: number,
): Promise<Answerers> {
  const rows = await rowsIn(database, organization)
    .where('cred_id', '=', credId)
    .where('token', 'is', null)
    .execute()
  return readRoot(log, organization, (root) => answerersOf(root, rows, { token: undefined, time }))
}

function rowsIn(database: Database, organization: Uint8Array) {
  return database
    .selectFrom('credentials')
    .select(['cred_id', 'user', 'fingerprint', 'encrypted_private_key'])
    .where('organization', '=', organization)
    .orderBy('cred_id')
    .limit(credentialsMax)
}

export type CredentialRow = {
  readonly cred_id: string
  readonly user: Uint8Array
  readonly fingerprint: Uint8Array
  readonly encrypted_private_key: string | null
}

function answerersOf(
  root: Root,
  rows: readonly CredentialRow[],
  { token, time }: Pick<Signatory, 'token' | 'time'>,
): Answerers {
  const settings = settingsOf(root)
  const isUnused = ({ kind }: Credential) =>
    kind === 'PasswordProtectedKey' && settings.passwordProtectedKeys === 'off'
  const answerers = rows.flatMap(({ cred_id: credId, user, fingerprint, ...row }) => {
    const record = liveCredential(root, { user, token, time }, fingerprint)
    if (record === undefined || isUnused(record)) return []
    const encryptedPrivateKey = row.encrypted_private_key ?? undefined
    return [{ credId, user, fingerprint, record, kind: record.kind, encryptedPrivateKey }]
  })
  return { answerers, settings }
}

/** As clients hand an assertion in. */
export type GivenAssertion = Extract<
  FirstFactor | SecondFactor,
  { readonly credentialAssertion: unknown }
>

/** Which one has signed this challenge, and what the signers will be shown of it. */
export type Verified = { readonly credential: Usable; readonly assertion: Assertion }

/**
 * @throws Failure `credential.unsuitable` when it is none of these
 * @throws Failure `action.missing` when it did not sign this challenge
 */
export function verifiedAssertion(
  { answerers, settings }: Answerers,
  challenge: string,
  given: GivenAssertion,
): Verified {
  const { credId } = given.credentialAssertion
  const signed = signedPartsOf(given)
  const isBy = (record: SigningCredential) =>
    verifyAssertion(record, challenge, signed, policyOf(settings))
  const named = answerers.filter(({ credId: id, kind }) => id === credId && kind === given.kind)
  if (named.length === 0) {
    // As much work as for somebody: the time says nothing of who is there.
    isBy(nobody(given.kind, settings))
    throw new Failure('credential.unsuitable', {})
  }
  const credential = named.find(({ record }) => isBy(record))
  if (credential === undefined) throw new Failure('action.missing', {})
  return { credential, assertion: { fingerprint: credential.fingerprint, ...signed } }
}

function signedPartsOf(given: GivenAssertion): Omit<Assertion, 'fingerprint'> {
  const { clientData, signature } = given.credentialAssertion
  const authenticatorData =
    given.kind === 'Fido2' ? fromPadded(given.credentialAssertion.authenticatorData) : undefined
  return {
    ...{ clientData: fromPadded(clientData), signature: fromPadded(signature) },
    authenticatorData,
  }
}

/** A credential whose key nobody holds. */
function nobody(kind: GivenAssertion['kind'], { relyingParties }: Settings) {
  const relyingParty = kind === 'Fido2' ? relyingParties[0]?.id : undefined
  return { kind, spki: kind === 'Fido2' ? nobodys.passkey : nobodys.key, relyingParty }
}
const spkiOf = ({ publicKey }: { readonly publicKey: KeyObject }) =>
  new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
const nobodys = {
  key: spkiOf(generateKeyPairSync('ed25519')),
  passkey: spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
}

/** Some clients pad, against the standard. */
function fromPadded(text: string): Uint8Array {
  return fromBase64url(text.replace(/={1,2}$/, ''))
}
