import { refuse } from '../attempt.ts'
import { expectAttester, expectCertified, readLeaf, type Certificate } from './certificate.ts'
import {
  expectMembers,
  expectSignature,
  signedBytes,
  type Attested,
  type Signer,
} from './statement.ts'

/** Section 8.2: signed by the new key itself, or by one that the authenticator's maker certified. */
export function verifyPacked(attested: Attested): Signer {
  const { statement, key, credential } = attested
  if (statement.has('x5c')) {
    expectMembers(statement, ['alg', 'sig', 'x5c'])
    const leaf = readLeaf(statement)
    expectPackedSubject(leaf)
    expectAttester(leaf, credential.aaguid)
    expectCertified(leaf, statement, signedBytes(attested))
    return 'attester'
  }
  expectMembers(statement, ['alg', 'sig'])
  if (statement.get('alg') !== key.algorithm) refuse('the attestation is of another algorithm')
  expectSignature(key.spki, signedBytes(attested), statement.get('sig'))
  return 'credential'
}

/** Section 8.2.1: a country, a vendor, a fixed unit and a name. */
function expectPackedSubject({ subject }: Certificate): void {
  const has = (type: string, form: RegExp) =>
    subject.some((attribute) => attribute.type === type && form.test(attribute.value))
  const isForm =
    has('2.5.4.6', /^[A-Z]{2}$/) &&
    has('2.5.4.10', /./) &&
    has('2.5.4.11', /^Authenticator Attestation$/) &&
    has('2.5.4.3', /./)
  if (!isForm) refuse('the certificate is not of an authenticator')
}
