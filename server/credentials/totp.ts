import { createHmac } from 'node:crypto'
import { equalBytes, toUtf8 } from '@quorate/core/bytes'

/** RFC 6238 as authenticator apps have it: SHA-1, six digits, a step of thirty seconds. */
const stepMs = 30_000
const digits = 6
/** One step back and one ahead: clocks of telephones, and the time it takes to type. */
const drift = 1

/** As many bits as its hash has: RFC 4226 section 4, R6. */
export const totpSecretBytes = 20

/**
 * @param lastStep of the newest code that was taken: none is taken twice, nor one from before it
 * @returns the time step that this code is of, unless it is not right now
 */
export function totpStep(
  secret: Uint8Array,
  code: string,
  { now, lastStep }: { readonly now: number; readonly lastStep: number | undefined },
): number | undefined {
  const current = Math.floor(now / stepMs)
  const steps = Array.from({ length: 2 * drift + 1 }, (_, i) => current - drift + i)
  // All are compared, so that the time does not say which.
  const matching = steps.filter((step) =>
    equalBytes(toUtf8(totpCode(secret, step)), toUtf8(code.trim())),
  )
  return matching.find((step) => lastStep === undefined || step > lastStep)
}

/** RFC 4226, section 5.3, over the number of the time step. */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const offset = mac.readUInt8(mac.length - 1) & 0xf
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

/** The address that an authenticator app reads from a picture. */
export function totpUrl(
  secret: Uint8Array,
  { issuer, username }: { readonly issuer: string; readonly username: string },
): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(username)}`
  const parameters = new URLSearchParams({
    ...{ secret: toBase32(secret), issuer, algorithm: 'SHA1' },
    ...{ digits: String(digits), period: String(stepMs / 1000) },
  })
  return `otpauth://totp/${label}?${parameters}`
}

/** RFC 4648, section 6, without padding. */
function toBase32(bytes: Uint8Array): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? [])
    .map((group) => alphabet[Number.parseInt(group.padEnd(5, '0'), 2)])
    .join('')
}
