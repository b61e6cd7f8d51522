import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'

/**
 * What the checking half of this room needs of `node:crypto`, where there is no Node: the bundle for
 * browsers has this in its place. Hashes of what is public, so nothing here keeps a secret.
 */
type Sink<T> = { update(data: Uint8Array): Sink<T>; digest(): T }
const hashes = { sha256, sha512 } as const

export function createHash(name: keyof typeof hashes): Sink<Uint8Array> {
  return sinkOf(hashes[name].create())
}

/** As text, each of whose characters is an octet. */
export function hash(name: keyof typeof hashes, data: Uint8Array, _form: 'binary'): string {
  return String.fromCharCode(...hashes[name](data))
}

export function createHmac(name: keyof typeof hashes, key: Uint8Array): Sink<Uint8Array> {
  return sinkOf(hmac.create(hashes[name], key))
}

function sinkOf(inner: {
  update(data: Uint8Array): unknown
  digest(): Uint8Array
}): Sink<Uint8Array> {
  const sink: Sink<Uint8Array> = {
    update: (data) => {
      inner.update(data)
      return sink
    },
    digest: () => inner.digest(),
  }
  return sink
}

/** Of equal lengths, which its callers see to. */
export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (const [i, byte] of a.entries()) difference |= byte ^ (b[i] ?? 0)
  return difference === 0
}
