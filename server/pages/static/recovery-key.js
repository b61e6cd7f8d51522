import { concat, fromBase64url, hashOf, sha256, toBase64url, toHex, toUtf8 } from './bytes.js'
import { fromWords, toWords } from './fingerprint.js'

/**
 * A recovery key is an Ed25519 key on paper: its 32 secret bytes and one to notice mistakes by, as
 * 24 words. The checking byte is of a hash of ours, so that wallets do not take it for a seed.
 *
 * @typedef {import('./bytes.js').Bytes} Bytes
 * @typedef {{ words: readonly string[], credId: string, sign: (bytes: Bytes) => Promise<Bytes>, spki: Bytes }} RecoveryKey
 */
const wordCount = 24

/** RFC 8410: what stands before the 32 bytes in PKCS #8 and in SPKI. */
const pkcs8Prefix = new Uint8Array([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32])
const spkiPrefix = new Uint8Array([48, 42, 48, 5, 6, 3, 43, 101, 112, 3, 33, 0])

/** @returns {Promise<RecoveryKey>} */
export function makeRecoveryKey() {
  return openSeed(crypto.getRandomValues(new Uint8Array(32)))
}

/**
 * @param {string} text as somebody types it from paper @returns {Promise<RecoveryKey>}
 * @throws {Error} saying what is wrong with it
 */
export async function readRecoveryKey(text) {
  const list = text.toLowerCase().match(/[a-z]+/g) ?? []
  if (list.length !== wordCount)
    throw new Error(`A recovery key has ${wordCount} words; these are ${list.length}.`)
  const bytes = fromWords(list)
  const seed = bytes.slice(0, 32)
  if (bytes[32] !== (await checkByte(seed)))
    throw new Error('Two words are exchanged, or one of them is another one: please compare again.')
  return openSeed(seed)
}

/** @param {Bytes} seed */
const checkByte = async (seed) => (await hashOf('quorate/recovery-key/1', seed))[0] ?? 0

/** @param {Bytes} seed @returns {Promise<RecoveryKey>} */
async function openSeed(seed) {
  const pkcs8 = concat(pkcs8Prefix, seed)
  const key = await crypto.subtle.importKey('pkcs8', pkcs8, 'Ed25519', true, ['sign'])
  const { x = '' } = await crypto.subtle.exportKey('jwk', key)
  const publicKey = fromBase64url(x)
  return {
    words: toWords(concat(seed, new Uint8Array([await checkByte(seed)]))),
    // Found again from the words alone, so that nobody has to keep an identifier beside them.
    credId: toBase64url(await hashOf('quorate/recovery-credential/1', publicKey)),
    spki: concat(spkiPrefix, publicKey),
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, bytes)),
  }
}

/**
 * A credential as registration and recovery take it.
 * @param {RecoveryKey} key @param {string} challenge
 */
export async function recoveryCredential(key, challenge) {
  const clientData = toUtf8(JSON.stringify({ type: 'key.create', challenge }))
  const publicKey = pem(key.spki)
  const clientDataHash = toHex(await sha256(clientData))
  const signature = await key.sign(toUtf8(JSON.stringify({ clientDataHash, publicKey })))
  return {
    credentialKind: 'RecoveryKey',
    credentialInfo: {
      credId: key.credId,
      clientData: toBase64url(clientData),
      attestationData: toBase64url(
        toUtf8(JSON.stringify({ publicKey, signature: toHex(signature) })),
      ),
    },
    credentialName: 'Recovery key on paper',
  }
}

/**
 * The old key vouches for the new credentials, byte for byte.
 * @param {RecoveryKey} key @param {object} newCredentials
 */
export async function recoveryAssertion(key, newCredentials) {
  const challenge = toBase64url(toUtf8(JSON.stringify(newCredentials)))
  const clientData = toUtf8(JSON.stringify({ type: 'key.get', challenge }))
  return {
    kind: 'RecoveryKey',
    credentialAssertion: {
      credId: key.credId,
      clientData: toBase64url(clientData),
      signature: toBase64url(await key.sign(clientData)),
    },
  }
}

/** @param {Bytes} spki */
function pem(spki) {
  const base64 = btoa(Array.from(spki, (byte) => String.fromCharCode(byte)).join(''))
  return `-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----`
}
