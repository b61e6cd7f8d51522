import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificateCodec } from '@quorate/authority/agreement/messages'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { encodeStep, noStep, reducerVersion, stepHash, type Step } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import { certifyStep, makeCluster, t0 } from '@quorate/authority/testing/world'
import { fromHex, toHex } from '@quorate/core/bytes'
import { decode } from '@quorate/core/codec'
import { receiptOf } from './receipt.ts'

const cluster = makeCluster()
const organization = new Uint8Array(32).fill(1)
const step: Step = {
  ...{ organization, stream: rootOf(organization), seq: 3, previous: noStep, time: t0, heads: [] },
  ...{ manifest: cluster.manifest.hash, reducer: reducerVersion, written: noStep },
  items: [
    {
      ...{ cause: { kind: 'request', hash: noStep }, subjects: [], payload: noStep },
      ...{ fields: noStep, assertions: noStep, facts: noStep, versions: [] },
      operation: { kind: 'update', id: noStep },
    },
  ],
}
const certificate = decode(certificateCodec, certifyStep(cluster, step))

test('a receipt names signers whose keys verify what they have sealed', () => {
  const inForce = { time: t0, knownAt: t0, certificate }
  const { acknowledgedBy } = receiptOf(inForce, cluster.manifest)
  assert.deepEqual(
    acknowledgedBy.map(({ signer }) => signer),
    cluster.manifest.signers.map(({ id }) => id),
  )
  const hash = toHex(stepHash(encodeStep(step)))
  for (const [i, { seal, signature }] of acknowledgedBy.entries()) {
    assert.ok(seal.includes(hash))
    const identity = cluster.manifest.signers[i]?.identity ?? noStep
    assert.ok(verifyEd25519(identity, fromHex(seal), fromHex(signature)))
  }
})

test('it takes effect a window and the skew of all clocks after the last seal is known', () => {
  const at = (time: number, knownAt: number) =>
    Date.parse(receiptOf({ time, knownAt, certificate }, cluster.manifest).effectiveAt)
  assert.equal(at(t0, t0), t0 + 70_000)
  assert.equal(at(t0, t0 + 9_000), t0 + 79_000)
  assert.equal(at(t0 + 2_000, t0), t0 + 72_000)
})
