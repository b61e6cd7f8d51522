import { toBase64url, toUtf8 } from '@quorate/core/bytes'
import { hashOf, hmacSha256 } from '@quorate/core/hash'
import type { Settings } from '@quorate/authority/settings'
import { usernameOf } from '../users/person.ts'
import type { Answerer } from './challenge.ts'
import type { Tokens } from './tokens.ts'

type Kind = 'Fido2' | 'Key'
type Weighted<T> = readonly { readonly of256: number; readonly value: T }[]

/** Most people have one device, some a second one, few a key file beside it. */
const passkeyHolders: Weighted<readonly Kind[]> = [
  { of256: 150, value: ['Fido2'] },
  { of256: 64, value: ['Fido2', 'Fido2'] },
  { of256: 16, value: ['Fido2', 'Fido2', 'Fido2'] },
  { of256: 16, value: ['Fido2', 'Key'] },
  { of256: 10, value: ['Key'] },
]
/** Where no passkeys are used. */
const keyHolders: Weighted<readonly Kind[]> = [
  { of256: 208, value: ['Key'] },
  { of256: 48, value: ['Key', 'Key'] },
]
/** Bytes of an id: password managers, telephones, computers, security keys. */
const passkeyIdBytes: Weighted<number> = [
  { of256: 72, value: 16 },
  { of256: 92, value: 20 },
  { of256: 68, value: 32 },
  { of256: 24, value: 64 },
]
const keyIdBytes = 32

/**
 * The credentials of somebody whom nobody has invited: always the same for the same name, as many
 * and of such kinds as people have, so that a challenge does not say who is there. What is signed
 * with one fails as any wrong signature does.
 */
export function decoysFor(
  tokens: Pick<Tokens, 'keyFor'>,
  { orgId, username }: { readonly orgId: string; readonly username: string },
  { relyingParties }: Settings,
): readonly Answerer[] {
  const key = tokens.keyFor('quorate:decoy')
  const named = hashOf('quorate/decoy/2', toUtf8(orgId), toUtf8(usernameOf(username)))
  const drawn = (about: string) => hmacSha256(key, hashOf('quorate/drawn/1', named, toUtf8(about)))
  const kinds = chosen(relyingParties.length > 0 ? passkeyHolders : keyHolders, drawn('kinds'))
  return kinds.map((kind, i) => {
    const length = kind === 'Key' ? keyIdBytes : chosen(passkeyIdBytes, drawn(`length ${i}`))
    const bytes = Buffer.concat([drawn(`id ${i}`), drawn(`more of id ${i}`)]).subarray(0, length)
    return { kind, credId: toBase64url(bytes), encryptedPrivateKey: undefined }
  })
}

function chosen<T>(weighted: Weighted<T>, [byte = 0]: Uint8Array): T {
  let left = byte
  for (const { of256, value } of weighted) {
    if (left < of256) return value
    left -= of256
  }
  throw new RangeError('the weights of a choice come to 256')
}
