import sodium from 'libsodium-wrappers-sumo'
import { sha512, transcript } from '@quorate/core/hash'
import { elementSize } from './parameters.ts'

// The wrappers compile their WebAssembly asynchronously; nothing here can be called before.
await sodium.ready

/**
 * Is this the one encoding of an element other than the identity? RFC 9496, section 4.3.1; the
 * identity is all zeros.
 */
export function isElement(bytes: Uint8Array): boolean {
  return (
    bytes.length === elementSize &&
    bytes.some((byte) => byte !== 0) &&
    sodium.crypto_core_ristretto255_is_valid_point(bytes)
  )
}

/** A scalar from 64 random bytes. */
export function toScalar(wide: Uint8Array): Uint8Array {
  return sodium.crypto_core_ristretto255_scalar_reduce(wide)
}

/** An element whose logarithm nobody knows, from 64 random bytes: RFC 9496, section 4.3.4. */
export function toElement(wide: Uint8Array): Uint8Array {
  return sodium.crypto_core_ristretto255_from_hash(wide)
}

export function hashToElement(label: string, ...parts: readonly Uint8Array[]): Uint8Array {
  return toElement(sha512(transcript(label, ...parts)))
}

export function multiplyBase(scalar: Uint8Array): Uint8Array {
  return sodium.crypto_scalarmult_ristretto255_base(scalar)
}

export function add(a: Uint8Array, b: Uint8Array): Uint8Array {
  return sodium.crypto_core_ristretto255_add(a, b)
}

export function subtract(a: Uint8Array, b: Uint8Array): Uint8Array {
  return sodium.crypto_core_ristretto255_sub(a, b)
}

/** Nothing when the element, or the product, is the identity: a peer may send such a thing. */
export function multiply(scalar: Uint8Array, element: Uint8Array): Uint8Array | undefined {
  return isElement(element) ? sodium.crypto_scalarmult_ristretto255(scalar, element) : undefined
}
