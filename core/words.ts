import { wordList } from './word-list.ts'

/** Six words show 66 bits: to find another key with the same six takes 2^66 tries. */
const wordsShown = 6
const bitsPerWord = 11

/**
 * The beginning of a fingerprint as words that two people can read to each other. Not a seed
 * phrase: it holds no secret, and no wallet takes six words for one.
 */
export function fingerprintWords(fingerprint: Uint8Array): readonly string[] {
  if (fingerprint.length !== 32) throw new TypeError('a fingerprint has 32 bytes')
  const bits = Array.from(fingerprint, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return Array.from({ length: wordsShown }, (_, i) => {
    const at = bitsPerWord * i
    return wordList[Number.parseInt(bits.slice(at, at + bitsPerWord), 2)] ?? ''
  })
}
