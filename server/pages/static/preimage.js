import { fromBase64url, fromHex, hashOf, sha256, toBase64url, toHex, toUtf8 } from './bytes.js'

/**
 * What somebody is about to sign, read from the pre-image whose hash the challenge is. A page signs
 * nothing that it has not read: a login could otherwise be an order to move money.
 *
 * @typedef {{ challenge: string, preimage?: string, salt?: string }} Init
 * @typedef {{ purpose: string, method: string, path: string, payload: string, payloadLength: number }} Asked
 * @typedef {{ purpose: string, method: string, path: string, payload: string }} Expected
 */

/** As in `authority/request`. */
const format = 'quorate/request/1'
/** @type {Readonly<Record<number, string>>} */
const purposes = {
  1: 'action',
  2: 'login',
  3: 'register',
  4: 'prove',
  5: 'add-credential',
  6: 'recover',
}

/**
 * @param {Init} init @param {Expected} expected
 * @throws {Error} when the challenge is anything but what this page asks for
 */
export async function checkChallenge({ challenge, preimage, salt }, expected) {
  if (preimage === undefined || salt === undefined)
    throw refused('the server does not show what is to be signed')
  const bytes = fromBase64url(preimage)
  if (toBase64url(await sha256(bytes)) !== challenge)
    throw refused('the challenge is not the hash of what the server shows')
  const asked = readPreimage(bytes)
  if (asked.purpose !== expected.purpose)
    throw refused(`it is for another purpose (${asked.purpose})`)
  if (asked.method !== expected.method) throw refused('it is for another method')
  if (asked.path !== expected.path) throw refused('it is for another path')
  const payload = toUtf8(expected.payload)
  const committed = toHex(await hashOf('quorate/payload/1', fromHex(salt), payload))
  if (asked.payload !== committed || asked.payloadLength !== payload.length)
    throw refused('it is for another body')
}

/**
 * What is signed before there is anything to say: a login, or the challenge for a new credential.
 * @param {string} purpose @param {string} path @returns {Expected}
 */
export const unsigned = (purpose, path) => ({ purpose, method: 'POST', path, payload: '' })

/** @param {string} why */
const refused = (why) => new Error(`Nothing was signed: ${why}.`)

/** @param {Uint8Array<ArrayBuffer>} bytes @returns {Asked} */
export function readPreimage(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  /** @param {number} size */
  const take = (size) => {
    if (size > bytes.length - at) throw refused('what the server shows cannot be read')
    at += size
    return bytes.subarray(at - size, at)
  }
  const u8 = () => view.getUint8((take(1), at - 1))
  const u32 = () => view.getUint32((take(4), at - 4))
  const text = () => new TextDecoder('utf-8', { fatal: true }).decode(take(u32()))
  /** @param {number} size */
  const optional = (size) => {
    const isThere = u8()
    if (isThere > 1) throw refused('what the server shows cannot be read')
    if (isThere === 1) take(size)
  }
  if (text() !== format) throw refused('the server speaks of a format that this page does not know')
  const purpose = purposes[u8()] ?? 'unknown'
  optional(32) // organization
  optional(32) // user
  optional(33) // token, and its kind
  const [method, path] = [text(), text()]
  return { purpose, method, path, payload: toHex(take(32)), payloadLength: u32() }
}
