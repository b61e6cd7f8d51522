import { hashOf } from './bytes.js'
import { words } from './words.js'

const wordsShown = 6

/**
 * A credential's fingerprint as `authority/credential` has it, in words as `core/words` has them.
 * @param {ArrayBuffer | Uint8Array<ArrayBuffer>} spki DER @returns {Promise<readonly string[]>}
 */
export async function fingerprintWords(spki) {
  return toWords(await hashOf('quorate/credential/1', new Uint8Array(spki))).slice(0, wordsShown)
}

/**
 * Eleven bits to a word; what is left over is left out.
 * @param {Uint8Array} bytes @returns {string[]}
 */
export function toWords(bytes) {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  const chunks = bits.match(/.{11}/g) ?? []
  return chunks.map((chunk) => words[Number.parseInt(chunk, 2)] ?? '')
}

/**
 * @param {readonly string[]} list @returns {Uint8Array<ArrayBuffer>}
 * @throws {Error} naming the first word that is not in the list
 */
export function fromWords(list) {
  const bits = list.map((word, i) => {
    const index = words.indexOf(word)
    if (index < 0) throw new Error(`Word ${i + 1}, “${word}”, is not in the list of words.`)
    return index.toString(2).padStart(11, '0')
  })
  const bytes = bits.join('').match(/.{8}/g) ?? []
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 2))
}
