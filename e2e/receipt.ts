import assert from 'node:assert/strict'
import { verify } from 'node:crypto'
import { quorateClient } from '@quorate/client/quorate-client'
import { fromHex, toHex } from '@quorate/core/bytes'
import type { Platform } from './platform.ts'
import { publicKeyOf } from './signatures.ts'

type Receipt = {
  readonly acknowledgedBy: readonly {
    readonly signer: string
    readonly seal: string
    readonly signature: string
  }[]
  readonly effectiveAt: string
}

/**
 * A receipt is the word of a quorum of signers that there are, each once: OpenSSL verifies it by the
 * keys of a manifest that follows from the genesis alone. It says when it has surely bitten.
 */
export async function checkReceipt(platform: Platform, body: unknown): Promise<void> {
  const { acknowledgedBy, effectiveAt } = Object(body) as Receipt
  const { baseUrl, genesis, administrator } = platform.bootstrap()
  const { authToken } = administrator
  const { manifest } = await quorateClient({ baseUrl, genesis, authToken }).trust()
  assert.ok(acknowledgedBy.length >= manifest.quorum)
  assert.equal(new Set(acknowledgedBy.map(({ signer }) => signer)).size, acknowledgedBy.length)
  for (const { signer, seal, signature } of acknowledgedBy) {
    const { identity } = manifest.signers.find(({ id }) => id === signer) ?? assert.fail(signer)
    const key = publicKeyOf('ed25519', toHex(identity))
    assert.ok(verify(null, fromHex(seal), key, fromHex(signature)), signer)
  }
  assert.ok(Date.parse(effectiveAt) > Date.now())
}
