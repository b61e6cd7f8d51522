import { spawnSync } from 'node:child_process'
import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { concat } from '@quorate/core/bytes'
import { readPrivateFile } from './private-file.ts'

/**
 * What keeps secrets at rest. The associated data names what is inside and whose it is, so that no
 * row of a store can be put in the place of another.
 */
export interface KeyEncryption {
  wrap(plaintext: Uint8Array, associated: Uint8Array): Uint8Array
  /** @returns nothing when the key or the associated data is another, or a bit has changed */
  unwrap(sealed: Uint8Array, associated: Uint8Array): Uint8Array | undefined
}

const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
/** A key management service across an ocean answers within this, or the signer does not start. */
const commandTimeoutMs = 30_000

/** @throws Error when the file is not 32 bytes, or anybody but its owner may touch it */
export function keyEncryptionFromFile(file: string): KeyEncryption {
  return keyEncryption(readPrivateFile(file))
}

/** @throws Error when the command fails or prints anything but 32 bytes */
export function keyEncryptionFromCommand(command: string): KeyEncryption {
  const options = { timeout: commandTimeoutMs, maxBuffer: 4096, stdio: 'pipe' } as const
  const { status, signal, error, stdout } = spawnSync('/bin/sh', ['-c', command], options)
  // The command may name a token, and what it prints may hold one: neither goes into a log.
  if (status !== 0)
    throw new Error(
      `Cannot start: SIGNER_KEK_COMMAND ended with ${status ?? signal ?? error?.name ?? 'nothing'}.`,
    )
  return keyEncryption(stdout)
}

/** AES-256-GCM. A fresh nonce each time: some thousand rows stay far below 2^32 of one key. */
export function keyEncryption(bytes: Uint8Array): KeyEncryption {
  if (bytes.length !== keyBytes)
    throw new Error('Cannot start: the key-encryption key has no 32 bytes.')
  const key = createSecretKey(bytes)
  return {
    wrap(plaintext, associated) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(associated)
      return concat(nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag())
    },
    unwrap(sealed, associated) {
      if (sealed.length < nonceBytes + tagBytes) return undefined
      const nonce = sealed.subarray(0, nonceBytes)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
      decipher.setAAD(associated)
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      const plaintext = decipher.update(sealed.subarray(nonceBytes, -tagBytes))
      try {
        return concat(plaintext, decipher.final())
      } catch (error) {
        // OpenSSL has no other way to say that the tag does not fit.
        if (error instanceof Error) return undefined
        throw error
      }
    },
  }
}
