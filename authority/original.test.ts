import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure } from '@quorate/core/failure'
import { encodeOriginal, readOriginal } from './original.ts'
import { decodeEvidence, encodeEvidence } from './step.ts'
import { makePerson, makeRequest, requestOf } from './testing/world.ts'

const body = { kind: 'Native', to: '0x1', amount: '5' }
const asked = (more: object = {}) =>
  makeRequest({
    ...{ organization: new Uint8Array(32), user: new Uint8Array(32), by: makePerson() },
    ...{ path: '/wallets/wa-1/transfers', body: { ...body, ...more } },
  })

describe('a request on which a later one rests', () => {
  it('is read as it was signed', () => {
    const evidence = asked()
    assert.deepEqual(readOriginal(encodeOriginal(evidence)), {
      request: requestOf(evidence),
      operation: 'wallets.transferAsset',
      payload: JSON.stringify(body),
    })
  })

  it('brings along nothing that somebody may want erased, and no signature', () => {
    const evidence = asked({ externalId: 'mary@example.test' })
    const encoded = encodeOriginal(evidence)
    assert.equal(Buffer.from(encoded).includes('mary'), false)
    assert.deepEqual(decodeEvidence(encoded).assertions, [])
    const read = readOriginal(encoded)
    assert.deepEqual(read?.request, requestOf(evidence))
    assert.deepEqual(JSON.parse(read?.payload ?? ''), body)
  })

  it('is none with another payload, or under the pre-image of another', () => {
    for (const more of [{}, { externalId: 'x' }]) {
      const known = decodeEvidence(encodeOriginal(asked(more)))
      const payload = known.payload.replace('0x1', '0x2')
      assert.equal(readOriginal(encodeEvidence({ ...known, payload })), undefined)
      const { preimage } = asked({ to: '0x2', ...more })
      assert.equal(readOriginal(encodeEvidence({ ...known, preimage })), undefined)
    }
    const isMalformed = (error: unknown) => isFailure(error, 'bytes.malformed')
    assert.throws(() => readOriginal(new Uint8Array(9)), isMalformed)
  })
})
