import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex } from '@quorate/core/bytes'
import type { Outflow } from '@quorate/core/outflow'
import { noFacts } from '../facts.ts'
import { readIntent } from '../intent.ts'
import { tableNetworks } from '../networks.ts'
import { plan } from '../plan.ts'

/** The generator of secp256k1 (SEC 2). */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const token = `0x${'c0'.repeat(20)}`
const spender = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const to = spender.toLowerCase()
const permit2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3'
const fields = (text: string) =>
  text.split(', ').map((field) => {
    const [type, name] = field.split(' ')
    return { name, type }
  })

function outflowOf(body: object): Outflow {
  const network = tableNetworks.find('EthereumSepolia')
  const read = readIntent('signature', JSON.stringify({ kind: 'Eip712', ...body }))
  assert.ok(network && read.ok)
  const planned = plan({
    ...{ network, publicKey, scheme: 'ECDSA', curve: 'secp256k1', intent: read.intent },
    facts: noFacts,
  })
  assert.ok(planned.ok, planned.ok ? '' : planned.reason)
  return planned.effect.outflow
}

const erc2612 = 'address owner, address spender, uint256 value, uint256 nonce, uint256 deadline'
const permit = {
  types: { Permit: fields(erc2612) },
  domain: { name: 'Gold', version: '1', chainId: 11155111, verifyingContract: token },
  message: { owner: token, spender, value: '5', nonce: 0, deadline: 1 },
}
const PermitDetails = fields('address token, uint160 amount, uint48 expiration, uint48 nonce')
const TokenPermissions = fields('address token, uint256 amount')
const detail = (amount: string) => ({ token, amount, expiration: 1, nonce: 0 })
const domain = { name: 'Permit2', chainId: 11155111, verifyingContract: permit2 }
const single = {
  types: {
    PermitSingle: fields('PermitDetails details, address spender, uint256 sigDeadline'),
    PermitDetails,
  },
  ...{ domain, message: { details: detail('5'), spender, sigDeadline: 1 } },
}
const batch = {
  types: {
    PermitBatch: fields('PermitDetails[] details, address spender, uint256 sigDeadline'),
    PermitDetails,
  },
  ...{ domain, message: { details: [detail('5'), detail('6')], spender, sigDeadline: 1 } },
}
const once = {
  types: {
    PermitTransferFrom: fields(
      'TokenPermissions permitted, address spender, uint256 nonce, uint256 deadline',
    ),
    TokenPermissions,
  },
  ...{ domain, message: { permitted: { token, amount: '5' }, spender, nonce: 0, deadline: 1 } },
}
const batchOnce = {
  types: {
    PermitBatchTransferFrom: fields(
      'TokenPermissions[] permitted, address spender, uint256 nonce, uint256 deadline',
    ),
    TokenPermissions,
  },
  domain,
  message: { permitted: [{ token, amount: '5' }], spender, nonce: 0, deadline: 1 },
}
const asset = `EthereumSepolia/Erc20/${token}`
const five = { asset, to, amount: 5n }
const nothing = { isKnown: false, isRaw: false, movements: [], fee: undefined }

describe('what leaves by a permit', () => {
  it('is as much as it lets its spender take, of ERC-2612 and of Permit2', () => {
    const known = { isKnown: true, isRaw: false, fee: undefined }
    for (const one of [permit, single, once, batchOnce])
      assert.deepEqual(outflowOf(one), { ...known, movements: [five] })
    const six = { ...five, amount: 6n }
    assert.deepEqual(outflowOf(batch), { ...known, movements: [five, six] })
  })

  it('is unknown where it has no end', () => {
    for (const endless of [2n ** 96n - 1n, 2n ** 160n - 1n]) {
      const all = { ...permit, message: { ...permit.message, value: `${endless}` } }
      assert.equal(outflowOf(all).isKnown, false)
      const message = { ...batch.message, details: [detail('5'), detail(`${endless}`)] }
      assert.equal(outflowOf({ ...batch, message }).isKnown, false)
    }
  })

  it('is unknown by another type of the same name, or for another contract', () => {
    const dai = fields(
      'address owner, address spender, uint256 nonce, uint256 expiry, bool allowed',
    )
    const message = { owner: token, spender, nonce: 0, expiry: 0, allowed: true }
    const renamed = { types: { Permit: fields(erc2612.replace('spender', 'taker')) } }
    const { spender: taker, ...rest } = permit.message
    for (const one of [
      { ...permit, types: { Permit: dai }, message },
      { ...permit, ...renamed, message: { ...rest, taker } },
      { ...single, domain: { ...domain, verifyingContract: token } },
      { ...once, domain: { ...domain, verifyingContract: token } },
      { ...permit, domain: { name: 'Gold', chainId: 11155111 } },
      { ...batch, message: { ...batch.message, details: [] } },
      { ...batch, message: { ...batch.message, details: Array(17).fill(detail('1')) } },
    ])
      assert.deepEqual(outflowOf(one), nothing)
  })
})
