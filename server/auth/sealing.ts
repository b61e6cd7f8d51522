import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { concat, fromUtf8, toUtf8 } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'

/** AES-256-GCM with a random nonce: NIST SP 800-38D allows 2^32 of them under one key. */
const [nonceBytes, tagBytes] = [12, 16]

/** @param about what it belongs to: sealed for one, it opens for no other */
export function seal(key: Uint8Array, text: Uint8Array, about: string): Uint8Array {
  const nonce = new Uint8Array(randomBytes(nonceBytes))
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(toUtf8(about))
  const sealed = concat(new Uint8Array(cipher.update(text)), new Uint8Array(cipher.final()))
  return concat(nonce, concat(sealed, new Uint8Array(cipher.getAuthTag())))
}

/** @throws Failure `challenge.invalid` when it was not sealed here, for this */
export function open(key: Uint8Array, sealed: Uint8Array, about: string): Uint8Array {
  try {
    const nonce = sealed.subarray(0, nonceBytes)
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
    decipher.setAAD(toUtf8(about)).setAuthTag(sealed.subarray(-tagBytes))
    const text = decipher.update(sealed.subarray(nonceBytes, -tagBytes))
    return new Uint8Array(Buffer.concat([text, decipher.final()]))
  } catch (cause) {
    throw new Failure('challenge.invalid', {}, { cause })
  }
}

export function sealText(key: Uint8Array, text: string, about: string): Uint8Array {
  return seal(key, toUtf8(text), about)
}

/** @throws Failure `challenge.invalid`, `bytes.malformed` */
export function openText(key: Uint8Array, sealed: Uint8Array, about: string): string {
  return fromUtf8(open(key, sealed, about))
}
