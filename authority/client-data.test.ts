import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, toBase64url, toUtf8 } from '@quorate/core/bytes'
import { randomFrom } from './agreement/model/random.ts'
import { clientDataBytesMax, readClientData } from './client-data.ts'
import { readRecoveryChallenge, verifyKeyAssertion } from './credential.ts'
import { newKeyCredential } from './testing/key-credential.ts'
import { mutated, runs } from './testing/mutations.ts'
import { passkeyClientData } from './testing/passkey.ts'
import { originOf } from './webauthn/client-data.ts'

const challenge = 'C'.repeat(43)

describe('clientData', () => {
  const text = passkeyClientData('webauthn.get', challenge, 'https://example.test')

  it('is one JSON object in UTF-8, of bounded length', () => {
    assert.equal(readClientData(text)?.['type'], 'webauthn.get')
    for (const wrong of ['', '[]', 'null', '"x"', '{}{}', '{"a":1,"a":1}', '{"__proto__":1}'])
      assert.equal(readClientData(toUtf8(wrong)), undefined, wrong)
    assert.equal(readClientData(concat(new Uint8Array([0xef, 0xbb, 0xbf]), text)), undefined)
    assert.equal(readClientData(new Uint8Array([0x7b, 0xff, 0x7d])), undefined)
    const spaces = (length: number) => concat(toUtf8('{}'), new Uint8Array(length - 2).fill(32))
    assert.ok(readClientData(spaces(clientDataBytesMax)))
    assert.equal(readClientData(spaces(clientDataBytesMax + 1)), undefined)
  })

  it('is read or not, whatever the bytes, and names the challenge only as a whole', () => {
    const about = { type: 'webauthn.get', challenge } as const
    let accepted = 0
    runs(5_000, (seed) => {
      const bytes = mutated(randomFrom(seed), text)
      if (originOf(bytes, about) === undefined) return
      accepted++
      assert.ok(Buffer.from(bytes).includes(toBase64url(toUtf8(challenge))))
    })
    assert.ok(accepted > 50, 'hardly anything was accepted')
  })

  it('of a key or a recovery is believed or not, whatever the bytes', () => {
    const { spki, assertion } = newKeyCredential()
    const { clientData, signature } = assertion(challenge)
    const recovery = toUtf8(
      JSON.stringify({ type: 'key.get', challenge: toBase64url(toUtf8('{"a":{"b":[1,"2"]}}')) }),
    )
    runs(2_000, (seed) => {
      const random = randomFrom(seed)
      const changed = mutated(random, clientData)
      const isSame = Buffer.compare(changed, clientData) === 0
      assert.equal(verifyKeyAssertion(spki, challenge, { clientData: changed, signature }), isSame)
      const read = readRecoveryChallenge(mutated(random, recovery))
      if (read !== undefined) assert.equal(typeof JSON.parse(read), 'object')
    })
  })
})
