import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { SigningKey } from './checked.ts'

/** @param privateKey PKCS#8 PEM; it stays in this process */
export function keyFromPem(credId: string, privateKey: string): SigningKey {
  const key = createPrivateKey(privateKey)
  const algorithm = createPublicKey(key).asymmetricKeyType === 'ed25519' ? null : 'sha256'
  return {
    credId,
    sign: async (clientData) => new Uint8Array(sign(algorithm, clientData, key)),
  }
}
