import { fromBase64url } from '@quorate/core/bytes'
import type { JsonObject } from '@quorate/core/json'
import { readAttestation } from '../attestation.ts'
import type { CredentialKind } from '../credential.ts'
import type { Settings } from '../settings.ts'
import type { NewCredential } from '../step.ts'
import { policyOf } from './author.ts'
import { refuse } from './judging.ts'
import { objectOf, textOf } from './writes.ts'

/** What stands in a body as a new credential, made for this very challenge. */
export function attestedCredential(
  given: JsonObject,
  expected: {
    /** The 43 characters of the request. */
    readonly challenge: string
    readonly settings: Settings
    readonly rank: NewCredential['rank']
  },
): NewCredential {
  const { challenge, settings, rank } = expected
  const kind = kindOf(textOf(given, 'credentialKind'), settings)
  const info = objectOf(given['credentialInfo'])
  const read = readAttestation(
    {
      ...{ kind, credId: textOf(info, 'credId') },
      clientData: unpadded(textOf(info, 'clientData')),
      attestationData: unpadded(textOf(info, 'attestationData')),
    },
    { challenge, ...policyOf(settings) },
  )
  if (!read.ok) return refuse(read.reason)
  return { kind, publicKey: read.spki, rank, relyingParty: read.relyingParty }
}

function kindOf(name: string, { passwordProtectedKeys }: Settings): CredentialKind {
  const kind = kinds.find((known) => known === name)
  if (kind === 'PasswordProtectedKey' && passwordProtectedKeys === 'off')
    refuse('keys under a password are not in use')
  return kind ?? refuse('such a credential proves nothing to a signer')
}
const kinds: readonly CredentialKind[] = ['Fido2', 'Key', 'PasswordProtectedKey', 'RecoveryKey']

/** Some clients pad, against the standard. */
function unpadded(text: string): Uint8Array {
  return fromBase64url(text.replace(/={1,2}$/, ''))
}
