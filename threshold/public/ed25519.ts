import sodium from 'sodium-native'

/**
 * RFC 8032, 5.1.7, by libsodium, at half of what OpenSSL takes: without the cofactor, with S in its
 * range, and with neither a key nor an R of small order.
 *
 * @param publicKey 32 bytes
 * @param signature R ‖ S, 64 bytes
 */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  return sodium.crypto_sign_verify_detached(signature, message, publicKey)
}
