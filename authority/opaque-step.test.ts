import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { decodeBody, encodeBody } from './body.ts'
import { isOpaqueStep, opaqueStep } from './opaque-step.ts'
import { commitTo } from './request.ts'
import { rootOf } from './stream.ts'
import { assertionsHash, encodeStep, noStep, type Evidence, type Step } from './step.ts'

const organization = sha256(toUtf8('organization'))
const subject = { organization, stream: rootOf(organization) }
const evidence: Evidence = {
  preimage: toUtf8('pre-image'),
  payload: '{"a":1}',
  salt: sha256(toUtf8('salt')),
  assertions: [],
  facts: toUtf8('facts'),
}
const { payload, fields } = commitTo(evidence.payload, evidence.salt)
const step: Step = {
  ...subject,
  seq: 3,
  previous: sha256(toUtf8('previous')),
  manifest: noStep,
  reducer: 1,
  time: 1000,
  heads: [],
  items: [
    {
      cause: { kind: 'request', hash: sha256(evidence.preimage) },
      subjects: [],
      payload,
      fields,
      operation: { kind: 'update', id: noStep },
      assertions: assertionsHash([]),
      facts: sha256(evidence.facts),
      versions: [],
    },
  ],
  written: noStep,
}
const opaque = opaqueStep(step, [evidence])

describe('a step as agreement carries it', () => {
  it('is what its bytes say, and they come back', () => {
    assert.ok(isOpaqueStep(subject, opaque))
    assert.deepEqual(decodeBody(opaque.bytes).evidence, [evidence])
  })

  it('is none when it says another place, time, predecessor or hash than its bytes', () => {
    for (const other of [
      { seq: 4 },
      { time: 1001 },
      { previous: noStep },
      { hash: noStep },
      { bytes: new Uint8Array(8) },
    ])
      assert.equal(isOpaqueStep(subject, { ...opaque, ...other }), false)
    assert.equal(isOpaqueStep({ ...subject, organization: noStep }, opaque), false)
  })

  it('is none when any evidence is not what the step commits to, under the very same hash', () => {
    const assertion = {
      ...{ fingerprint: noStep, clientData: noStep, signature: noStep },
      authenticatorData: undefined,
    }
    for (const other of [
      { preimage: toUtf8('another') },
      { payload: '{"a":2}' },
      { payload: 'no JSON' },
      { salt: noStep },
      { assertions: [assertion] },
      { facts: toUtf8('others') },
    ]) {
      const bytes = encodeBody(encodeStep(step), [{ ...evidence, ...other }])
      assert.equal(isOpaqueStep(subject, { ...opaque, bytes }), false)
    }
    const doubled = encodeBody(encodeStep(step), [evidence, evidence])
    assert.equal(isOpaqueStep(subject, { ...opaque, bytes: doubled }), false)
  })
  it('may complete an unsigned way, with the very challenge and body that it names', () => {
    const caused = (preimage: Uint8Array, body: string) => {
      const hashes = { preimage: sha256(preimage), body: sha256(toUtf8(body)) }
      const cause = { kind: 'completion', ...hashes } as const
      const items = step.items.map((item) => ({ ...item, cause }))
      return opaqueStep({ ...step, items }, [evidence])
    }
    assert.ok(isOpaqueStep(subject, caused(evidence.preimage, evidence.payload)))
    assert.ok(!isOpaqueStep(subject, caused(toUtf8('another'), evidence.payload)))
    assert.ok(!isOpaqueStep(subject, caused(evidence.preimage, '{"a":2}')))
    const statement = { kind: 'statement', hash: sha256(evidence.preimage) } as const
    const items = step.items.map((item) => ({ ...item, cause: statement }))
    assert.ok(!isOpaqueStep(subject, opaqueStep({ ...step, items }, [evidence])))
  })
})
