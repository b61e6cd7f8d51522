import { refuse } from '../attempt.ts'
import {
  expectMembers,
  expectSignature,
  signedBytes,
  type Attested,
  type Signer,
} from './statement.ts'

/** Section 8.2. */
export function verifyPacked(attested: Attested): Signer {
  const { statement, key } = attested
  expectMembers(statement, ['alg', 'sig'])
  if (statement.get('alg') !== key.algorithm) refuse('the attestation is of another algorithm')
  expectSignature(key.spki, signedBytes(attested), statement.get('sig'))
  return 'credential'
}
