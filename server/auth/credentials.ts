import { fromBase64url } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { verifyKeyAssertion, type Assertion } from '@quorate/authority/credential'
import type { RecordOf, credentialTable } from '@quorate/authority/records'
import type { Database } from '../database/database.ts'
import { readRoot, type Log } from './log.ts'
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

export type Usable = {
  readonly credId: string
  readonly record: RecordOf<typeof credentialTable>
  readonly fingerprint: Uint8Array
}

/** The credentials that may answer a challenge, by the rows, as far as the records say so too. */
export async function usableCredentials(
  { database, log }: { readonly database: Database; readonly log: Pick<Log, 'read'> },
  signatory: Signatory,
): Promise<readonly Usable[]> {
  const { organization, user, token } = signatory
  const rows = await database
    .selectFrom('credentials')
    .select(['cred_id', 'fingerprint'])
    .where('organization', '=', organization)
    .where('user', '=', user)
    .where('token', token === undefined ? 'is' : '=', token ?? null)
    .orderBy('cred_id')
    .limit(credentialsMax)
    .execute()
  return readRoot(log, organization, (root) =>
    rows.flatMap(({ cred_id: credId, fingerprint }) => {
      const record = liveCredential(root, signatory, fingerprint)
      return record === undefined ? [] : [{ credId, fingerprint, record }]
    }),
  )
}

/** As clients hand an assertion in. */
export type GivenAssertion = {
  readonly credId: string
  readonly clientData: string
  readonly signature: string
}

/**
 * @returns what the signers will be shown
 * @throws Failure `credential.unsuitable` when it is no live credential of this signatory
 * @throws Failure `action.missing` when it did not sign this challenge
 */
export function verifiedAssertion(
  usable: readonly Usable[],
  challenge: string,
  given: GivenAssertion,
): Assertion {
  const credential = usable.find(({ credId }) => credId === given.credId)
  if (credential === undefined) throw new Failure('credential.unsuitable', {})
  const { fingerprint, record } = credential
  const clientData = fromPadded(given.clientData)
  const signature = fromPadded(given.signature)
  const assertion = { fingerprint, clientData, signature, authenticatorData: undefined }
  if (!verifyKeyAssertion(record.spki, challenge, assertion))
    throw new Failure('action.missing', {})
  return assertion
}

/** Some clients pad, against the standard. */
function fromPadded(text: string): Uint8Array {
  return fromBase64url(text.replace(/={1,2}$/, ''))
}
