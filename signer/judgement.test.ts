import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { decodeBody, encodeBody } from '@quorate/authority/body'
import { erased } from '@quorate/authority/erasure'
import { encodeStep, type Evidence } from '@quorate/authority/step'
import { createKey } from './testing/keys.ts'
import { signatureRequest } from './testing/uses.ts'
import { toldAnswer, World } from './testing/world.ts'

describe('a verdict that is remembered by the hash of a step', () => {
  const world = new World({ real: [1] })
  before(() => world.found())
  after(() => world.close())

  it('is never given to a body with other evidence under the same hash', async () => {
    const key = await createKey(world, { scheme: 'EdDSA', curve: 'ed25519' })
    const place = world.keyPlace(key.id)
    const { step } = world.draft(place, [{ kind: 'use', evidence: signatureRequest(world, key) }])
    const propose = async (bytes: Uint8Array) =>
      toldAnswer(await world.answer(1, place, world.propose(place, { ...step, bytes })))
    const body = decodeBody(step.bytes)
    const [honest] = body.evidence
    assert.ok(honest?.salt)
    const beside = (...evidence: readonly Evidence[]) =>
      propose(encodeBody(encodeStep(body.step), evidence))
    const forged: readonly (readonly Evidence[])[] = [
      [{ ...honest, salt: honest.salt.with(0, 1 ^ (honest.salt[0] ?? 0)) }],
      [{ ...honest, payload: '{}' }],
      [{ ...honest, preimage: new Uint8Array([1]) }],
      [{ ...honest, facts: new Uint8Array([1]) }],
      [{ ...honest, assertions: [] }],
      [honest, honest],
    ]
    assert.equal(await beside(honest), 'vote')
    for (const evidence of forged) assert.match(await beside(...evidence), /not the step/)
    assert.equal(await beside(honest), 'vote')
  })

  it('votes on nothing that it cannot see, and takes it once others have certified it', async () => {
    const key = await createKey(world, { scheme: 'EdDSA', curve: 'ed25519' })
    const place = world.keyPlace(key.id)
    const evidence = signatureRequest(world, key, {
      ...{ kind: 'Hash', hash: `0x${'22'.repeat(32)}`, externalId: 'bob@example.test' },
    })
    const { step } = world.draft(place, [{ kind: 'use', evidence }])
    const body = decodeBody(step.bytes)
    const left = erased(evidence)
    assert.ok(left)
    const hidden = { ...step, bytes: encodeBody(encodeStep(body.step), [left]) }
    const propose = async (one: typeof step) =>
      toldAnswer(await world.answer(1, place, world.propose(place, one)))
    assert.match(await propose(hidden), /erased/)
    assert.equal(await propose(step), 'vote')
    const certificate = world.certificateBy([2, 3, 4], place, hidden)
    assert.equal(toldAnswer(await world.adopt(1, place, { certificate, step: hidden })), 'head')
  })
})
