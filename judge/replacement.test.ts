import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex } from '@quorate/core/bytes'
import { encodeOriginal } from '@quorate/authority/original'
import type { PlanAsk } from '@quorate/authority/reduce/judging'
import { decodeEvidence, encodeEvidence } from '@quorate/authority/step'
import { makeCluster, makePerson, makeRequest, requestOf } from '@quorate/authority/testing/world'
import { encodeFacts } from '@quorate/effects/facts'
import { rulesFor } from './rules.ts'

const { plan } = rulesFor(makeCluster().manifest)
/** The generator of secp256k1 (SEC 2). */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const to = `0x${'77'.repeat(20)}`
const body = { kind: 'Native', to, amount: '5', externalId: 'x' }
const asked = (path: string, body: object) =>
  makeRequest({
    ...{ organization: new Uint8Array(32), user: new Uint8Array(32), by: makePerson() },
    ...{ path: `/wallets/wa-1/${path}`, body },
  })
const transfer = asked('transfers', body)

const facts = (original?: Uint8Array) =>
  encodeFacts({
    ...{ family: 'evm', nonce: 7n, gasLimit: 21_000n, maxFeePerGas: 2n, maxPriorityFeePerGas: 1n },
    ...(original && { original }),
  })
const speedUp: PlanAsk = {
  operation: 'wallets.speedUpTransfer',
  payload: '{}',
  network: 'EthereumSepolia',
  scheme: 'ECDSA',
  curve: 'secp256k1',
  untweaked: false,
  publicKey,
  rawAllowed: false,
  maxFee: 42_000n,
  facts: facts(encodeOriginal(transfer)),
}
const made = (change: Partial<PlanAsk> = {}) => {
  const outcome = plan({ ...speedUp, ...change })
  return outcome.ok ? outcome : assert.fail(outcome.reason)
}
const reason = (change: Partial<PlanAsk>) => {
  const outcome = plan({ ...speedUp, ...change })
  return outcome.ok ? undefined : outcome.reason
}

describe('a request that takes the place of another', () => {
  it('does what that one was signed to do, and says whose effect it is', () => {
    const { replaces, outflow, slot, slotNamed, fee } = made()
    assert.deepEqual(replaces, { effect: requestOf(transfer) })
    assert.deepEqual(outflow.movements, [{ asset: 'EthereumSepolia/Native', to, amount: 5n }])
    assert.deepEqual([slot, slotNamed, fee], [7n, false, 42_000n])
  })

  it('does nothing, if it cancels that one or what has cancelled it', () => {
    for (const operation of ['wallets.cancelTransfer', 'wallets.speedUpTransaction'] as const) {
      const { replaces, outflow } = made({ operation, facts: facts() })
      assert.deepEqual(replaces, { effect: undefined })
      assert.deepEqual(outflow.movements, [])
    }
    const carrying = 'a cancellation has no effect of another one'
    assert.equal(reason({ operation: 'wallets.cancelTransfer' }), carrying)
  })

  it('costs no more than was signed for it', () => {
    assert.equal(reason({ maxFee: 41_999n }), 'the fee is above what was signed')
    assert.equal(reason({ maxFee: undefined }), 'the request bounds no fee')
  })

  it('rests on what was signed and on nothing that was made of it', () => {
    const known = decodeEvidence(encodeOriginal(transfer))
    const payload = known.payload.replace('77', '78')
    const forged = encodeEvidence({ ...known, payload })
    const unsigned = 'the original is not what was signed'
    assert.equal(reason({ facts: facts(forged) }), unsigned)
    assert.equal(reason({ facts: facts(new Uint8Array(5)) }), unsigned)
  })

  it('rests on a transfer or a transaction alone', () => {
    const hash = { kind: 'Hash', hash: `0x${'11'.repeat(32)}` }
    for (const other of [asked('signatures', hash), asked('transfers/xfr-1/cancel', {})])
      assert.equal(
        reason({ facts: facts(encodeOriginal(other)) }),
        'the original is no transaction',
      )
  })

  it('says nothing of its own, and nothing else rests on another', () => {
    const own = 'a replacement says nothing of its own'
    assert.equal(reason({ payload: '{"to":"0x1"}' }), own)
    assert.equal(reason({ payload: '[]' }), own)
    const operation = 'wallets.transferAsset'
    const payload = JSON.stringify(body)
    assert.equal(reason({ operation, payload }), 'the request rests on no other one')
  })
})
