import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex } from '@quorate/core/bytes'
import { addressOf } from '@quorate/effects/address'
import { tableNetworks } from '@quorate/effects/networks'
import { checkIntent, readableIntent } from './ask.ts'
import { evmNetwork } from './chains.ts'

/** The generator of secp256k1 (SEC 2, section 2.4.1): the key whose secret is 1. */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const to = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'

const payerOn = (id: string) => ({
  network: evmNetwork(tableNetworks, id),
  publicKey,
  address: addressOf(tableNetworks, id, publicKey) ?? '',
})
const transfer = (body: object) => readableIntent('transfer', JSON.stringify({ to, ...body }))

describe('on a network without a coin', () => {
  it('no transfer of one is taken, and those of tokens are', () => {
    const native = transfer({ kind: 'Native', amount: '1' })
    for (const id of ['Tempo', 'TempoModerato'])
      assert.throws(() => checkIntent(payerOn(id), native), {
        code: 'request.unsupported',
        context: { reason: `${id} has no coin of its own: what is paid there is a token` },
      })
    checkIntent(payerOn('Base'), native)
    checkIntent(payerOn('Tempo'), transfer({ kind: 'Erc20', contract: to, amount: '1' }))
  })
})
