import { refuse } from '../attempt.ts'
import { verifyAndroidKey } from './android-key.ts'
import { verifyApple } from './apple.ts'
import {
  readAuthenticatorData,
  type AttestedCredential,
  type AuthenticatorData,
} from './authenticator-data.ts'
import { isCborMap, readCbor } from './cbor.ts'
import { readCoseKey, type PasskeyKey } from './cose.ts'
import { verifyFidoU2f } from './fido-u2f.ts'
import { verifyPacked } from './packed.ts'
import { verifySafetyNet } from './safetynet.ts'
import { bytesOf, expectMembers, type Attested, type Signer } from './statement.ts'
import { verifyTpm } from './tpm.ts'

export type NewPasskey = {
  readonly data: AuthenticatorData
  readonly credential: AttestedCredential
  readonly key: PasskeyKey
  readonly signer: Signer
}

/** By the names of section 8. What a statement says is checked; whom its certificate is of, is not. */
const formats: Readonly<Record<string, (attested: Attested) => Signer>> = {
  none: verifyNone,
  packed: verifyPacked,
  tpm: verifyTpm,
  'android-key': verifyAndroidKey,
  'android-safetynet': verifySafetyNet,
  'fido-u2f': verifyFidoU2f,
  apple: verifyApple,
}

/**
 * An attestation object (section 6.5): the new credential, and a statement on it that must hold in
 * its format, be the format worth something or not.
 * @throws Failure `bytes.malformed`, `request.refused`
 */
export function readAttestationObject(object: Uint8Array, clientDataHash: Uint8Array): NewPasskey {
  const read = readCbor(object)
  if (!isCborMap(read)) return refuse('the attestation is not an object')
  expectMembers(read, ['fmt', 'attStmt', 'authData'])
  const [format, statement] = [read.get('fmt'), read.get('attStmt')]
  const authenticatorData = bytesOf(read.get('authData'))
  const data = readAuthenticatorData(authenticatorData)
  const credential = data.attested ?? refuse('the attestation holds no credential')
  const key = readCoseKey(credential.publicKey)
  if (!isCborMap(statement)) return refuse('the attestation has no statement')
  const verify = typeof format === 'string' && Object.hasOwn(formats, format) && formats[format]
  if (!verify) return refuse('the format of the attestation is unknown')
  const { relyingPartyHash } = data
  const about = { statement, authenticatorData, clientDataHash, relyingPartyHash, credential, key }
  return { data, credential, key, signer: verify(about) }
}

/** Section 8.7. */
function verifyNone({ statement }: Attested): Signer {
  expectMembers(statement, [])
  return 'nobody'
}
