import { equalBytes } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { refuse } from '../attempt.ts'
import { childrenOf, contentsOf, contextTag, tags } from '../der.ts'
import { extensionOf, readLeaf } from './certificate.ts'
import { expectMembers, signedBytes, type Attested, type Signer } from './statement.ts'

const nonceExtension = '1.2.840.113635.100.8.2'

/** Section 8.8: no signature but that of the certificate, which holds the key and a nonce. */
export function verifyApple(attested: Attested): Signer {
  const { statement, key } = attested
  expectMembers(statement, ['x5c'])
  const leaf = readLeaf(statement)
  const [wrapped] = childrenOf(
    extensionOf(leaf, nonceExtension) ?? refuse('the certificate has no nonce'),
  )
  const [nonce] = childrenOf(wrapped, contextTag(1))
  if (!equalBytes(contentsOf(nonce, tags.octets), sha256(signedBytes(attested))))
    refuse('the certificate is for another challenge')
  if (!equalBytes(leaf.spki, key.spki)) refuse('the certificate is of another key')
  return 'attester'
}
