import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex } from '@quorate/core/bytes'
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

  it('is nothing without readable facts, a known network and an operation that uses a key', () => {
    assert.equal(reason({ ...transfer, facts: new Uint8Array(3) }), 'the facts are not well-formed')
    assert.equal(reason({ ...transfer, network: 'Nowhere' }), 'the network is unknown')
    assert.equal(reason({ ...transfer, operation: 'keys.createKey' }), 'the request uses no key')
  })
})
