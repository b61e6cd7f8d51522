import { randomInt } from 'node:crypto'
import { toHex, toUtf8 } from '@quorate/core/bytes'
import { hmacSha256 } from '@quorate/core/hash'
import { openText, sealText } from '../auth/sealing.ts'
import type { Tokens } from '../auth/tokens.ts'
import type { WebhookRow } from './tables.ts'

type Of = Pick<WebhookRow, 'organization' | 'id'>
type Keys = Pick<Tokens, 'keyFor'>

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** 190 bits. */
const lettersOfSecret = 32
const purpose = 'quorate:webhook-secret'

/** In the documented form. Its owner sees it once. */
export function makeSecret(): string {
  const chosen = Array.from({ length: lettersOfSecret }, () => letters[randomInt(letters.length)])
  return `whs-${chosen.join('')}`
}

export function sealSecret(keys: Keys, of: Of, secret: string): Uint8Array {
  return sealText(keys.keyFor(purpose), secret, about(of))
}

/** @throws Failure `challenge.invalid` when it was sealed under another key */
export function openSecret(keys: Keys, row: WebhookRow): string {
  return openText(keys.keyFor(purpose), row.secret, about(row))
}

function about({ organization, id }: Of): string {
  return JSON.stringify([toHex(organization), toHex(id)])
}

/**
 * The documented header: HMAC-SHA256 (RFC 2104) of the body, under the text of the secret with its
 * prefix. Receivers parse and print the body before they hash it, so it has to be as JSON.stringify
 * prints it.
 */
export function signatureOf(secret: string, body: string): string {
  return `sha256=${toHex(hmacSha256(toUtf8(secret), toUtf8(body)))}`
}
