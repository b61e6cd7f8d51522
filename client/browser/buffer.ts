import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

/** What `core/bytes.ts` uses of Node's `Buffer`: two encodings, there and back. */
export const Buffer = { from }

type Encoding = 'hex' | 'base64url'
type Encoded = { toString(encoding: Encoding, start?: number, end?: number): string }

function from(text: string, encoding: Encoding): Uint8Array
function from(bytes: ArrayBufferLike, offset: number, length: number): Encoded
function from(
  value: string | ArrayBufferLike,
  second: Encoding | number,
  length?: number,
): Uint8Array | Encoded {
  if (typeof value === 'string') return second === 'hex' ? hexToBytes(value) : fromBase64url(value)
  const all = new Uint8Array(value, Number(second), length)
  return {
    toString: (encoding, start = 0, end = all.length) => {
      const bytes = all.subarray(start, end)
      return encoding === 'hex' ? bytesToHex(bytes) : toBase64url(bytes)
    },
  }
}

function toBase64url(bytes: Uint8Array): string {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** As lenient as Node's: its caller encodes the bytes again and compares. */
function fromBase64url(text: string): Uint8Array {
  const clean = text
    .replace(/[^A-Za-z0-9_-]/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
  return Uint8Array.from(
    atob(clean.slice(0, clean.length - (clean.length % 4 === 1 ? 1 : 0))),
    (c) => c.charCodeAt(0),
  )
}
