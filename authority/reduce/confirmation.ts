import { equalBytes } from '@quorate/core/bytes'
import { credentialTable, userTable } from '../records.ts'
import { credentialSetHash, isActive, unconfirmedOf } from '../standing.ts'
import { credentialsRole, subjectId, type Authored } from './author.ts'
import { recordsOf, refuse, type Judging } from './judging.ts'
import { put, type Reduced, type Write } from './writes.ts'

/**
 * Newcomers: a credential that somebody registered counts for nothing until an author whom the
 * signers trust names it, together with all others that this user has and nobody has named yet.
 *
 * @returns the set that the author has signed for, and what follows; nothing when he named none
 */
export function vouched(
  judging: Judging,
  { match }: Authored,
): { readonly confirmed: Uint8Array | undefined; readonly writes: readonly Write[] } {
  const { preimage, step } = judging
  const named = preimage.subjects.find(({ role }) => role === credentialsRole)?.id
  const role = match.operation.confirms
  if (named === undefined || role === undefined) return { confirmed: undefined, writes: [] }
  const user = subjectId(judging, role)
  const records = recordsOf(judging)
  if (!isActive(records.find(userTable, user))) refuse('the user is not active')
  const fingerprints = unconfirmedOf(records, user, step.time)
  if (fingerprints.length === 0) refuse('there is nothing to confirm')
  if (!equalBytes(named, credentialSetHash(user, fingerprints)))
    refuse('the credentials are others than those that were named')
  const writes = fingerprints.flatMap((fingerprint) => {
    const credential = records.find(credentialTable, user, fingerprint)
    if (credential === undefined) return []
    return [put(credentialTable, [user, fingerprint], { ...credential, rank: 'confirmed' })]
  })
  return { confirmed: named, writes }
}

/** `POST /auth/users/:userId/confirm` */
export function reduceConfirmation(judging: Judging, authored: Authored): Reduced {
  const { confirmed, writes } = vouched(judging, authored)
  if (confirmed === undefined) refuse('no credentials are named')
  const user = subjectId(judging, 'userId')
  return { operation: { kind: 'confirmation', user, confirmed }, writes }
}
