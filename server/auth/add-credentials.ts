import { createPublicKey } from 'node:crypto'
import { fromBase64url, fromUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { idOf } from '@quorate/core/id'
import { isObject, parseJson, type Json } from '@quorate/core/json'
import { fingerprintOf } from '@quorate/authority/credential'
import type { NewCredential } from '@quorate/authority/step'
import type { DatabaseTransaction } from '../database/database.ts'

/** As documented, for whoever gives it no name. */
export const defaultCredentialName = 'Default Credential'

/** In the order in which the rules take them out of a body. */
const places = ['firstFactorCredential', 'secondFactorCredential', 'recoveryCredential'] as const
const localKinds: ReadonlySet<Json> = new Set(['Password', 'Totp'])

/** The credentials of a body that came into the log, beside which its words lie. */
export function broughtIn(body: Json | undefined): readonly Json[] {
  if (!isObject(body)) return []
  return places.flatMap((place) => {
    const given = body[place]
    return isObject(given) && !localKinds.has(given['credentialKind'] ?? null) ? [given] : []
  })
}

/**
 * Rows of credentials that are in force.
 * @param made.request what names them, as `requestOfEvidence` has it
 * @param made.given each as it was handed in, in the same order
 */
export async function addCredentials(
  transaction: DatabaseTransaction,
  made: {
    readonly organization: Uint8Array
    readonly user: Uint8Array
    readonly request: Uint8Array
    readonly time: number
    readonly credentials: readonly NewCredential[]
    readonly given: readonly Json[]
  },
): Promise<void> {
  const { organization, user, request, time: created_at } = made
  for (const [index, { publicKey }] of made.credentials.entries()) {
    const words = wordsOf(made.given[index])
    await transaction
      .insertInto('credentials')
      .values({
        ...{ organization, id: idOf(request, 'credential', index), user, token: null, created_at },
        ...words,
        fingerprint: fingerprintOf(publicKey),
        public_key: pemOf(publicKey),
      })
      .execute()
  }
}

function pemOf(spki: Uint8Array): string {
  const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

/** What the log has of it is enough to verify; here is what its owner's client asks for again. */
function wordsOf(given: Json | undefined) {
  const { credentialInfo, credentialName, encryptedPrivateKey } = isObject(given) ? given : {}
  const { credId, clientData } = isObject(credentialInfo) ? credentialInfo : {}
  return {
    cred_id: textOr(credId, ''),
    name: textOr(credentialName, defaultCredentialName),
    origin: textOr(originIn(textOr(clientData, '')), null),
    encrypted_private_key: textOr(encryptedPrivateKey, null),
  }
}

/** The rules have read these very bytes: they are an object. */
function originIn(clientData: string): Json | undefined {
  const read = parseJson(fromUtf8(fromBase64url(clientData.replace(/={1,2}$/, ''))))
  return isObject(read) ? read['origin'] : undefined
}

function textOr<T>(value: Json | undefined, otherwise: T): string | T {
  return typeof value === 'string' ? value : otherwise
}

/** Clients name credentials, and a login may say no other name than that. */
export async function checkCredentialNames(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
  brought: readonly Json[],
): Promise<void> {
  const names = brought.flatMap((one) => {
    const info = isObject(one) ? one['credentialInfo'] : undefined
    const credId = isObject(info) ? info['credId'] : undefined
    return typeof credId === 'string' ? [credId] : []
  })
  if (names.length === 0)
    throw new Failure('request.unsupported', { reason: 'a password alone proves nothing' })
  const taken = await transaction
    .selectFrom('credentials')
    .select('cred_id')
    .where('organization', '=', organization)
    .where('cred_id', 'in', names)
    .executeTakeFirst()
  if (taken === undefined && new Set(names).size === names.length) return
  const issues = [
    { path: 'body.credentialInfo.credId', message: 'is the id of another credential' },
  ]
  throw new Failure('body.malformed', { issues })
}

/** How an answer names the first of what was brought. */
export function firstOf(body: Json | undefined): { kind: string; name: string } {
  const [first] = broughtIn(body)
  const { credentialKind, credentialName } = isObject(first) ? first : {}
  return { kind: textOr(credentialKind, ''), name: textOr(credentialName, defaultCredentialName) }
}
