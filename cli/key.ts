import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'

/** @returns a fresh Ed25519 key as PKCS#8 PEM */
export function newKey(): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

export function publicPem(privateKey: string): string {
  const key = createPublicKey(createPrivateKey(privateKey))
  return key.export({ type: 'spki', format: 'pem' }).toString()
}
