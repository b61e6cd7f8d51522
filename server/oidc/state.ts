import { hkdfSync, randomBytes } from 'node:crypto'
import { CompactEncrypt, compactDecrypt, errors } from 'jose'
import { readEd25519 } from '@quorate/authority/ed25519'
import { toUtf8 } from '@quorate/core/bytes'
import { decode, encode, hash32, struct, tag, text, u64 } from '@quorate/core/codec'
import { Failure, isFailure } from '@quorate/core/failure'
import { hashOf } from '@quorate/core/hash'
import type { Database, DatabaseTransaction } from '../database/database.ts'

/** What must be known again when a browser comes back from an identity provider. */
export type Errand = {
  readonly organization: Uint8Array
  /** Whom it was sent to: the code goes there and nowhere else. */
  readonly issuer: string
  readonly clientId: string
  readonly redirectUri: string
  readonly nonce: string
  readonly codeVerifier: string
  readonly expiresAt: number
}

const form = struct({
  format: tag('quorate:oidc-errand:1'),
  organization: hash32,
  issuer: text(2_048),
  clientId: text(512),
  redirectUri: text(2_048),
  nonce: text(64),
  codeVerifier: text(128),
  expiresAt: u64,
})

/** Enough to find a password and a second factor. */
const errandMs = 10 * 60_000
/** The longest form in base64url, with room for the header. */
const stateLengthMax = 8 * 1024
/** More than one login brings in: the table shrinks, and no login cleans up for all the others. */
const forgottenAtOnce = 100

const algorithm = { alg: 'dir', enc: 'A256GCM' } as const

/** @param tokenKeyPem the key that signs bearer tokens, of which nothing can be told from this one */
export function stateKeyOf(tokenKeyPem: string): Uint8Array {
  const secret = readEd25519(tokenKeyPem).export({ type: 'pkcs8', format: 'der' })
  return new Uint8Array(hkdfSync('sha256', secret, '', 'quorate:oidc:state', 32))
}

/** 256 bits each; 43 characters are the fewest that RFC 7636, 4.1 lets a verifier have. */
export function newErrand(
  to: Pick<Errand, 'organization' | 'issuer' | 'clientId' | 'redirectUri'>,
  now: number,
): Errand {
  const secret = () => randomBytes(32).toString('base64url')
  return { ...to, nonce: secret(), codeVerifier: secret(), expiresAt: now + errandMs }
}

/** Its bearer can neither read nor change it. */
export async function sealErrand(key: Uint8Array, errand: Errand): Promise<string> {
  return new CompactEncrypt(encode(form, errand)).setProtectedHeader(algorithm).encrypt(key)
}

/** @throws Failure `identity_token.invalid` when it is not one of ours, or too old */
export async function openErrand(key: Uint8Array, state: string, now: number): Promise<Errand> {
  const errand = await decrypt(key, state)
  if (errand.expiresAt <= now) throw new Failure('identity_token.invalid', {})
  return errand
}

async function decrypt(key: Uint8Array, state: string): Promise<Errand> {
  try {
    if (state.length > stateLengthMax) throw new errors.JWEInvalid('too long')
    const { plaintext } = await compactDecrypt(state, key, {
      keyManagementAlgorithms: [algorithm.alg],
      contentEncryptionAlgorithms: [algorithm.enc],
    })
    return decode(form, plaintext)
  } catch (cause) {
    // Of another release, if it was sealed by us and cannot be decoded.
    if (cause instanceof errors.JOSEError || isFailure(cause, 'bytes.malformed'))
      throw new Failure('identity_token.invalid', {}, { cause })
    throw cause
  }
}

/**
 * Once: who sees a response go by cannot send it again. The nonce stands for the errand and not its
 * text, as a text may be written in more ways than one.
 *
 * @throws Failure `identity_token.invalid` when it has been used
 */
export async function useErrand(
  database: Database | DatabaseTransaction,
  { organization, nonce, expiresAt }: Errand,
  now: number,
): Promise<void> {
  await forgetOld(database, now)
  const inserted = await database
    .insertInto('oidc_states')
    .values({ organization, hash: hashOf('oidc state', toUtf8(nonce)), expires_at: expiresAt })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  if (inserted.numInsertedOrUpdatedRows !== 1n) throw new Failure('identity_token.invalid', {})
}

/** Rows that somebody else is just deleting are left to him: no login waits for another. */
async function forgetOld(database: Database | DatabaseTransaction, now: number): Promise<void> {
  const old = database
    .selectFrom('oidc_states')
    .select('hash')
    .where('expires_at', '<=', now)
    .limit(forgottenAtOnce)
    .forUpdate()
    .skipLocked()
  await database.deleteFrom('oidc_states').where('hash', 'in', old).execute()
}
