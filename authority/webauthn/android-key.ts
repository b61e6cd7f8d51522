import { equalBytes, toHex } from '@quorate/core/bytes'
import { refuse } from '../attempt.ts'
import { childrenOf, contentsOf, contextTag, tags, type Der } from '../der.ts'
import { expectCertified, extensionOf, readLeaf } from './certificate.ts'
import { expectMembers, signedBytes, type Attested, type Signer } from './statement.ts'

/** Section 8.4.1: Android's KeyDescription, a sequence of eight members. */
const keyDescription = '1.3.6.1.4.1.11129.2.1.17'
const members = { challenge: 4, software: 6, hardware: 7 } as const
/** Of an AuthorizationList, by context tag. */
const authorizations = { purpose: 1, allApplications: 600, origin: 702 } as const
const purposeSign = '02'
const originGenerated = '00'

/** Section 8.4: the new key itself signs, and a certificate of it says how it was made. */
export function verifyAndroidKey(attested: Attested): Signer {
  const { statement, key, clientDataHash } = attested
  expectMembers(statement, ['alg', 'sig', 'x5c'])
  const leaf = readLeaf(statement)
  if (!equalBytes(leaf.spki, key.spki)) refuse('the certificate is of another key')
  expectCertified(leaf, statement, signedBytes(attested))
  const described = childrenOf(
    extensionOf(leaf, keyDescription) ?? refuse('the certificate does not describe its key'),
  )
  if (!equalBytes(contentsOf(described[members.challenge], tags.octets), clientDataHash))
    refuse('the certificate is for another challenge')
  // Section 8.4.1 lets a verifier take both lists together: software may have made the key.
  const lists = [described[members.software], described[members.hardware]]
  expectAuthorizations(lists.flatMap((list) => childrenOf(list)))
  return 'credential'
}

function expectAuthorizations(authorized: readonly Der[]): void {
  const all = (number: number) => authorized.filter(({ tag }) => tag === contextTag(number))
  if (all(authorizations.allApplications).length > 0) refuse('the key is of all applications')
  const origins = all(authorizations.origin).map((entry) => {
    const [origin] = childrenOf(entry, entry.tag)
    return toHex(contentsOf(origin, tags.integer))
  })
  if (origins.length === 0 || origins.some((origin) => origin !== originGenerated))
    refuse('the key was not made on the device')
  const purposes = all(authorizations.purpose).flatMap((entry) => {
    const [set] = childrenOf(entry, entry.tag)
    return childrenOf(set, tags.set).map((purpose) => toHex(contentsOf(purpose, tags.integer)))
  })
  if (purposes.length === 0 || purposes.some((purpose) => purpose !== purposeSign))
    refuse('the key is not for signing alone')
}
