import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToBig, fromHex } from '@quorate/core/bytes'
import type { PlanAsk } from '@quorate/authority/reduce/judging'
import { makeCluster } from '@quorate/authority/testing/world'
import { encodeFacts, noFacts } from '@quorate/effects/facts'
import { rulesFor } from './rules.ts'

const { plan } = rulesFor(makeCluster().manifest)
/** The generator of secp256k1 (SEC 2). */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const to = `0x${'77'.repeat(20)}`
const gwei = 10n ** 9n

const facts = (maxFeePerGas: bigint, nonce = 7n) =>
  encodeFacts({ family: 'evm', nonce, gasLimit: 21_000n, maxFeePerGas, maxPriorityFeePerGas: 1n })
const transfer: PlanAsk = {
  operation: 'wallets.transferAsset',
  payload: JSON.stringify({ kind: 'Native', to, amount: '5' }),
  network: 'EthereumSepolia',
  scheme: 'ECDSA',
  curve: 'secp256k1',
  untweaked: false,
  publicKey,
  rawAllowed: false,
  maxFee: 21_000n * gwei,
  facts: facts(gwei),
}
const raw: PlanAsk = {
  ...transfer,
  operation: 'keys.generateSignature',
  payload: JSON.stringify({ kind: 'Hash', hash: `0x${'11'.repeat(32)}` }),
  network: '',
  rawAllowed: true,
  maxFee: undefined,
  facts: encodeFacts(noFacts),
}
const reason = (ask: PlanAsk) => {
  const made = plan(ask)
  return made.ok ? undefined : made.reason
}

describe('what a request becomes', () => {
  it('is for a script tree or for the key itself as the key was born', () => {
    const body = { kind: 'Hash', hash: `0x${'11'.repeat(32)}` }
    const asked = (untweaked: boolean, more: object): PlanAsk => ({
      ...{ ...raw, scheme: 'Schnorr', untweaked },
      payload: JSON.stringify({ ...body, ...more }),
    })
    const tree = { taprootMerkleRoot: '' }
    assert.equal(reason(asked(true, {})), undefined)
    assert.equal(reason(asked(false, tree)), undefined)
    assert.match(reason(asked(true, tree)) ?? '', /without a taprootMerkleRoot/)
    assert.match(reason(asked(false, {})) ?? '', /with a taprootMerkleRoot/)
  })

  it('is a digest at a slot, with the most that it can cost', () => {
    const made = plan(transfer)
    assert.ok(made.ok)
    const { slot, slotNamed, fee, network } = made
    assert.deepEqual(
      { slot, slotNamed, fee, network },
      {
        slot: 7n,
        slotNamed: false,
        fee: 21_000n * gwei,
        network: 'EthereumSepolia',
      },
    )
    assert.deepEqual(made.digests, made.messages)
  })

  it('costs no more than was signed, and no more than the network allows', () => {
    assert.equal(
      reason({ ...transfer, maxFee: 21_000n * gwei - 1n }),
      'the fee is above what was signed',
    )
    assert.equal(reason({ ...transfer, maxFee: undefined }), 'the request bounds no fee')
    const dear = reason({ ...transfer, maxFee: 10n ** 30n, facts: facts(3_000n * gwei) })
    assert.match(dear ?? '', /ceiling/)
  })

  it('is raw only where that is a right of the key', () => {
    assert.equal(reason(raw), undefined)
    assert.ok(reason({ ...raw, rawAllowed: false }))
  })

  it('takes a taken slot only when the payload names it', () => {
    const asked = (transaction: object) => {
      const payload = JSON.stringify({ kind: 'Transaction', transaction })
      const made = plan({ ...transfer, operation: 'wallets.broadcastTransaction', payload })
      return made.ok && made.slotNamed
    }
    assert.equal(asked({ type: 2, to, nonce: 7 }), true)
    assert.equal(asked({ type: 2, to }), false)
  })

  it('says what leaves as the bytes do, and that a hash for a contract is raw', () => {
    const outflow = (ask: PlanAsk) => {
      const made = plan(ask)
      return made.ok ? made.outflow : assert.fail(made.reason)
    }
    const token = `0x${'88'.repeat(20)}`
    const data = `0xa9059cbb${'77'.repeat(20).padStart(64, '0')}${'5'.padStart(64, '0')}`
    const transaction = { to: token, data }
    const payload = JSON.stringify({ kind: 'Transaction', transaction })
    const called = outflow({ ...transfer, operation: 'wallets.broadcastTransaction', payload })
    assert.deepEqual(called.movements, [
      { asset: `EthereumSepolia/Erc20/${token}`, to, amount: 5n },
    ])
    assert.equal(called.isKnown, true)
    const message = JSON.stringify({ kind: 'Message', message: `0x${'11'.repeat(32)}` })
    const operation = 'wallets.generateSignature'
    const said = outflow({ ...transfer, operation, payload: message, facts: encodeFacts(noFacts) })
    assert.deepEqual([said.isRaw, said.isKnown], [true, false])
  })

  it('needs a bound of fees where somebody else pays them, and says who has to agree', () => {
    const payload = JSON.stringify({ kind: 'Native', to, amount: '5', feeSponsorId: 'fs-1' })
    const facts = encodeFacts({ family: 'sponsored' })
    const sponsor = fromHex('02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5')
    const sponsored = { request: new Uint8Array(32), executeBefore: 1_000, sponsor }
    const made = plan({ ...transfer, payload, facts, sponsored })
    assert.ok(made.ok)
    assert.deepEqual([made.slot, made.fee, made.digests.length], [undefined, 0n, 1])
    assert.equal(reason({ ...transfer, payload, facts }), 'nobody knows who pays the fees')
    const unbound = { ...transfer, payload, facts, sponsored, maxFee: undefined }
    assert.equal(reason(unbound), 'the request bounds no fee')
  })

  it('is, for the key that pays, bounded by what the user has signed', () => {
    const { planSponsorship } = rulesFor(makeCluster().manifest)
    const key = (byte: number) => new Uint8Array(32).fill(byte)
    const [publicKey, sponsor] = [7, 8].map((one) => secp256k1.getPublicKey(key(one), true))
    if (publicKey === undefined || sponsor === undefined) return assert.fail()
    const payload = JSON.stringify({ kind: 'Native', to, amount: '5', feeSponsorId: 'fs-1' })
    const sponsored = { request: new Uint8Array(32), executeBefore: 1_000, sponsor }
    const asked = { ...transfer, publicKey, payload, sponsored, fills: false }
    const inner = plan({ ...asked, facts: encodeFacts({ family: 'sponsored' }) })
    const [digest] = inner.ok ? inner.digests : []
    if (digest === undefined) return assert.fail()
    const bytes = secp256k1.sign(digest, key(7), { prehash: false, format: 'recovered' })
    const [r, s] = [bytesToBig(bytes.subarray(1, 33)), bytesToBig(bytes.subarray(33))]
    const facts = encodeFacts({
      ...{ family: 'sponsorship', nonce: 3n, gasLimit: 21_000n, maxFeePerGas: gwei },
      ...{ maxPriorityFeePerGas: 1n, inner: { r, s, yParity: bytes[0] === 1 ? 1 : 0 } },
    })
    const made = planSponsorship({ ...asked, facts })
    assert.ok(made.ok, made.ok ? '' : made.reason)
    const { slot, slotNamed, fee, network } = made
    assert.deepEqual([slot, slotNamed, fee], [3n, false, 21_000n * gwei])
    assert.equal(network, 'EthereumSepolia')
    const refusals: readonly [object, RegExp][] = [
      [{ maxFee: 21_000n * gwei - 1n }, /above what was signed/],
      [{ maxFee: undefined }, /bounds no fee/],
      [{ facts: encodeFacts(noFacts) }, /not those needed/],
      [{ facts: new Uint8Array(3) }, /not well-formed/],
      [{ network: 'Nowhere' }, /no such network/],
      [{ network: 'Base' }, /has not signed these operations/],
      [{ operation: 'keys.createKey' }, /uses no key/],
    ]
    for (const [change, expected] of refusals) {
      const other = planSponsorship({ ...asked, facts, ...change })
      assert.match(other.ok ? '' : other.reason, expected)
    }
  })

  it('is nothing without readable facts, a known network and an operation that uses a key', () => {
    assert.equal(reason({ ...transfer, facts: new Uint8Array(3) }), 'the facts are not well-formed')
    assert.equal(reason({ ...transfer, network: 'Nowhere' }), 'the network is unknown')
    assert.equal(reason({ ...transfer, operation: 'keys.createKey' }), 'the request uses no key')
  })
})
