import { toBase64url, toUtf8 } from '@quorate/core/bytes'
import { hashOf, hmacSha256 } from '@quorate/core/hash'
import type { Settings } from '@quorate/authority/settings'
import { usernameOf } from '../users/person.ts'
import type { Answerer } from './challenge.ts'
import type { Tokens } from './tokens.ts'

/**
 * A credential of somebody whom nobody has invited: always the same for the same name, and of the
 * form that clients give to theirs, so that a challenge does not say who is there. What is signed
 * with it fails as any wrong signature does.
 */
export function decoyFor(
  tokens: Pick<Tokens, 'keyFor'>,
  { orgId, username }: { readonly orgId: string; readonly username: string },
  { relyingParties }: Settings,
): Answerer {
  const named = hashOf('quorate/decoy/1', toUtf8(orgId), toUtf8(usernameOf(username)))
  const credId = toBase64url(hmacSha256(tokens.keyFor('quorate:decoy'), named))
  const kind = relyingParties.length > 0 ? 'Fido2' : 'Key'
  return { kind, credId, encryptedPrivateKey: undefined }
}
