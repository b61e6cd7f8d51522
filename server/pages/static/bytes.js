/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

/** @param {string} text @returns {Bytes} */
export const toUtf8 = (text) => new TextEncoder().encode(text)

/** @param {ArrayBuffer | Bytes} value @returns {string} */
export function toBase64url(value) {
  const bytes = new Uint8Array(value)
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('')
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** @param {string} text @returns {Bytes} */
export function fromBase64url(text) {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

/** @param {Bytes} bytes @returns {string} */
export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** @param {string} text @returns {Bytes} */
export function fromHex(text) {
  const digits = text.match(/[0-9a-f]{2}/g) ?? []
  if (digits.join('') !== text) throw new TypeError('not hex')
  return Uint8Array.from(digits, (pair) => Number.parseInt(pair, 16))
}

/** @param {...Bytes} parts @returns {Bytes} */
export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** @param {Bytes} bytes @returns {Promise<Bytes>} */
export async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

/**
 * The platform's one way to hash several values, as `core/hash` does it: each after its length.
 * @param {string} label @param {...Bytes} parts @returns {Promise<Bytes>}
 */
export function hashOf(label, ...parts) {
  return sha256(concat(prefixed(toUtf8(label)), u32(parts.length), ...parts.map(prefixed)))
}

/** @param {Bytes} part */
const prefixed = (part) => concat(u32(part.length), part)

/** @param {number} value @returns {Bytes} */
function u32(value) {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}
