/** The part of the two bindings that is used here; neither package ships types. */
declare module 'secp256k1/bindings.js' {
  type HashFunction = (x: Uint8Array, y: Uint8Array) => Uint8Array
  const binding: {
    contextRandomize(seed: Uint8Array): void
    publicKeyCreate(secret: Uint8Array, compressed: boolean): Uint8Array
    publicKeyConvert(point: Uint8Array, compressed: boolean): Uint8Array
    publicKeyVerify(point: Uint8Array): boolean
    publicKeyCombine(points: readonly Uint8Array[], compressed: boolean): Uint8Array
    publicKeyTweakMul(point: Uint8Array, scalar: Uint8Array, compressed: boolean): Uint8Array
    publicKeyNegate(point: Uint8Array, compressed: boolean): Uint8Array
    ecdh(
      point: Uint8Array,
      secret: Uint8Array,
      options: { readonly hashfn: HashFunction },
      output: Uint8Array,
    ): Uint8Array
    ecdsaSign(
      digest: Uint8Array,
      secret: Uint8Array,
      options?: { readonly data: Uint8Array },
    ): { readonly signature: Uint8Array; readonly recid: number }
    ecdsaRecover(
      signature: Uint8Array,
      recid: number,
      digest: Uint8Array,
      compressed: boolean,
    ): Uint8Array
    ecdsaVerify(signature: Uint8Array, digest: Uint8Array, point: Uint8Array): boolean
  }
  export default binding
}

declare module 'sodium-native' {
  const sodium: {
    crypto_sign_verify_detached(
      signature: Uint8Array,
      message: Uint8Array,
      publicKey: Uint8Array,
    ): boolean
    sodium_malloc(size: number): Uint8Array
    crypto_sign_seed_keypair(publicKey: Uint8Array, secretKey: Uint8Array, seed: Uint8Array): void
    crypto_sign_detached(signature: Uint8Array, message: Uint8Array, secretKey: Uint8Array): void
    crypto_core_ed25519_is_valid_point(point: Uint8Array): boolean
    crypto_core_ed25519_add(out: Uint8Array, a: Uint8Array, b: Uint8Array): void
    crypto_scalarmult_ed25519_base_noclamp(out: Uint8Array, scalar: Uint8Array): void
    crypto_scalarmult_ed25519_noclamp(out: Uint8Array, scalar: Uint8Array, point: Uint8Array): void
  }
  export default sodium
}
