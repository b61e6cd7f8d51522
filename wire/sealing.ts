import {
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { concat, fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { signersMax } from '@quorate/authority/manifest'

/**
 * Seals a part to one receiver: X25519 between two keys that were both made for this ceremony and
 * die with it, HKDF-SHA256, ChaCha20-Poly1305. Both keys are in the derivation, for different bytes
 * can stand for one X25519 key (RFC 7748, section 7). Static keys would let whoever records the traffic
 * and owns a signer a month later read what refreshes and generations carried (threats 4.1).
 */
export type FreshKey = { readonly privateKey: KeyObject; readonly publicKey: Uint8Array }

/** RFC 8410: the DER before the 32 bytes of an X25519 public key. */
const spkiPrefix = fromHex('302a300506032b656e032100')
/** Each key seals one message (its derivation holds sender, receiver and round): no nonce needed. */
const onlyNonce = new Uint8Array(12)
const tagBytes = 16

export function makeFreshKey(): FreshKey {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return { privateKey, publicKey: new Uint8Array(spki.subarray(spkiPrefix.length)) }
}

export type SealedPlace = {
  /** `headerBytes` of the packet that carries it. */
  readonly header: Uint8Array
  readonly to: number
  /** Which of several parts to this receiver in this packet: 0, 1, ... */
  readonly part: number
}

/** @returns nothing when the peer's key is one that gives no secret (a point of small order) */
export function seal(
  own: FreshKey,
  peer: Uint8Array,
  place: SealedPlace,
  plaintext: Uint8Array,
): Uint8Array | undefined {
  const key = keyFor({ own, peer, sender: own.publicKey, receiver: peer }, place)
  if (key === undefined) return undefined
  const cipher = createCipheriv('chacha20-poly1305', key, onlyNonce, { authTagLength: tagBytes })
  return concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
}

/** @returns nothing when the part was not sealed by this peer for this place */
export function unseal(
  own: FreshKey,
  peer: Uint8Array,
  place: SealedPlace,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const key = keyFor({ own, peer, sender: peer, receiver: own.publicKey }, place)
  if (key === undefined || sealed.length < tagBytes) return undefined
  const decipher = createDecipheriv('chacha20-poly1305', key, onlyNonce, {
    authTagLength: tagBytes,
  })
  decipher.setAuthTag(sealed.subarray(-tagBytes))
  const plaintext = decipher.update(sealed.subarray(0, -tagBytes))
  return attempt(() => concat(plaintext, decipher.final()))
}

type Parties = {
  readonly own: FreshKey
  readonly peer: Uint8Array
  readonly sender: Uint8Array
  readonly receiver: Uint8Array
}

function keyFor(
  { own, peer, sender, receiver }: Parties,
  { header, to, part }: SealedPlace,
): KeyObject | undefined {
  const shared = sharedSecret(own, peer)
  const label = toUtf8('quorate/part/1')
  const info = concat(label, new Uint8Array([to, part]), sender, receiver, header)
  if (shared === undefined) return undefined
  const key = hkdfSync('sha256', shared, new Uint8Array(32), info, 32)
  return createSecretKey(new Uint8Array(key))
}

/** Parts go both ways, and in several rounds. It goes with the key that it was made with. */
const agreed = new WeakMap<KeyObject, Map<string, KeyObject>>()

function sharedSecret({ privateKey }: FreshKey, peer: Uint8Array): KeyObject | undefined {
  const known = agreed.get(privateKey) ?? new Map<string, KeyObject>()
  agreed.set(privateKey, known)
  const name = toHex(peer)
  const found = known.get(name)
  if (found !== undefined) return found
  const der = Buffer.from(concat(spkiPrefix, peer))
  const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
  const secret = attempt(() => diffieHellman({ privateKey, publicKey }))
  const shared = secret && createSecretKey(secret)
  // Of one ceremony's other participants there are no more.
  if (shared !== undefined && known.size < signersMax) known.set(name, shared)
  return shared
}

/** OpenSSL says no by throwing: to a secret of all zeros (RFC 7748 section 6.1), and to a bad tag. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof Error) return undefined
    throw error
  }
}
