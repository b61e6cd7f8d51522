import { equalBytes, fromHex } from '@quorate/core/bytes'
import { credentialSetHash } from '@quorate/authority/standing'
import { Misled } from './check-request.ts'
import { memberOf, type Session } from './session.ts'

/** A credential that somebody has registered and nobody has covered yet. */
export type Newcomer = { readonly name: string; readonly fingerprint: string }

/** Those of a user, as the server tells: compare fingerprints with him before you cover them. */
export async function newcomersOf(session: Session, userId: string): Promise<readonly Newcomer[]> {
  const path = `/auth/users/${encodeURIComponent(userId)}/credentials`
  const { items } = Object(await session.get(path)) as { readonly items?: unknown }
  if (!Array.isArray(items)) throw new Misled('The user has no list of credentials.')
  return items.flatMap((item: unknown) => {
    const isOpen = memberOf(item, 'rank') === 'unconfirmed'
    return isOpen
      ? [{ name: memberOf(item, 'name'), fingerprint: memberOf(item, 'fingerprint') }]
      : []
  })
}

/**
 * Covers just these credentials of a user: what is signed names them and no others.
 * @param user his full id
 * @throws Misled when the server would have others covered, and nothing is signed
 */
export async function confirmUser(
  session: Session,
  { userId, user }: { readonly userId: string; readonly user: Uint8Array },
  fingerprints: readonly string[],
): Promise<void> {
  const sorted = fingerprints.toSorted().map(fromHex)
  const set = credentialSetHash(user, sorted)
  const path = `/auth/users/${encodeURIComponent(userId)}/confirm`
  await session.call('POST', path, {}, ({ subjects }) => {
    const named = subjects.find(({ role }) => role === 'credentials')?.id
    if (named === undefined || !equalBytes(named, set))
      throw new Misled('The challenge is for other credentials.')
  })
}
