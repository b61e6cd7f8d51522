import { randomBytes, scrypt, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import { concat, equalBytes, toUtf8 } from '@quorate/core/bytes'

const derive = promisify<string | Uint8Array, Uint8Array, number, ScryptOptions, Buffer>(scrypt)

/** RFC 7914. Of the costs that OWASP recommends one of 32 MiB: four at a time, so many threads are there. */
const [cost, blockSize, parallelization] = [2 ** 15, 8, 3]
const memoryMax = 2 * 128 * cost * blockSize
const [saltBytes, hashBytes] = [16, 32]

/** Salt and hash, in one. */
export async function hashPassword(password: string): Promise<Uint8Array> {
  const salt = new Uint8Array(randomBytes(saltBytes))
  return concat(salt, await hashed(password, salt))
}

/** @param kept nothing for somebody who has none: it takes as long, and no password is right */
export async function isPassword(password: string, kept: Uint8Array | undefined): Promise<boolean> {
  const known = kept ?? new Uint8Array(saltBytes + hashBytes)
  const hash = await hashed(password, known.subarray(0, saltBytes))
  return equalBytes(hash, known.subarray(saltBytes)) && kept !== undefined
}

async function hashed(password: string, salt: Uint8Array): Promise<Uint8Array> {
  const options = { N: cost, r: blockSize, p: parallelization, maxmem: memoryMax }
  return new Uint8Array(await derive(toUtf8(password.normalize('NFC')), salt, hashBytes, options))
}
