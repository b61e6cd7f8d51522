import { concatAll } from '@quorate/core/bytes'
import { refuse } from '../attempt.ts'
import { parseSpki } from '../public-key.ts'
import { readLeaf } from './certificate.ts'
import { coseAlgorithms } from './cose.ts'
import { expectMembers, expectSignature, type Attested, type Signer } from './statement.ts'

/** Section 8.6: what a security key of the generation before signs, which knew P-256 alone. */
export function verifyFidoU2f(attested: Attested): Signer {
  const { statement, relyingPartyHash, clientDataHash, credential, key } = attested
  expectMembers(statement, ['sig', 'x5c'])
  const chain = statement.get('x5c')
  if (!Array.isArray(chain) || chain.length !== 1)
    refuse('the attestation is not of one certificate')
  const { spki } = readLeaf(statement)
  const isP256 = parseSpki(spki)?.algorithm === 'P-256' && key.algorithm === coseAlgorithms.ES256
  if (!isP256) refuse('the attestation is not on P-256')
  // Section 6.5, table of AAGUIDs: such a key names no model.
  if (credential.aaguid.some((byte) => byte !== 0)) refuse('the attestation is for another model')
  const point = key.spki.subarray(-65) // 4, x, y: the tail of a canonical SPKI
  const parts = [new Uint8Array(1), relyingPartyHash, clientDataHash, credential.id, point]
  expectSignature(spki, concatAll(parts), statement.get('sig'))
  return 'attester'
}
