import type { SigningKey } from '../checked.ts'

/** What a browser's `crypto.subtle` is needed for. */
type Subtle = {
  sign(
    algorithm: { readonly name: 'ECDSA'; readonly hash: 'SHA-256' },
    key: never,
    data: Uint8Array<ArrayBuffer>,
  ): Promise<ArrayBuffer>
}

/**
 * A P-256 key that the browser keeps and no script can read (`extractable: false`): the checker key
 * of a user of passkeys.
 *
 * @param subtle `crypto.subtle`; @param key of `{ name: 'ECDSA', namedCurve: 'P-256' }`
 */
export function keyFromBrowser(credId: string, subtle: Subtle, key: unknown): SigningKey {
  return {
    credId,
    sign: async (clientData) => {
      const algorithm = { name: 'ECDSA', hash: 'SHA-256' } as const
      const raw = await subtle.sign(algorithm, key as never, new Uint8Array(clientData))
      return derOf(new Uint8Array(raw))
    },
  }
}

/** Web Cryptography gives r and s of 32 bytes each, and our signers take X.690's form alone. */
export function derOf(raw: Uint8Array): Uint8Array {
  if (raw.length !== 64) throw new RangeError('a signature of P-256 has 64 bytes')
  const integers = [...integerOf(raw.subarray(0, 32)), ...integerOf(raw.subarray(32))]
  return Uint8Array.from([0x30, integers.length, ...integers])
}

function integerOf(bytes: Uint8Array): readonly number[] {
  const start = bytes.findIndex((byte) => byte !== 0)
  const digits = start < 0 ? [0] : [...bytes.subarray(start)]
  const positive = (digits[0] ?? 0) >= 0x80 ? [0, ...digits] : digits
  return [0x02, positive.length, ...positive]
}
