import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromHex, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { noFacts } from './facts.ts'
import {
  decodeDerivation,
  decodeDerived,
  decodeSchnorr,
  encodeDerivation,
  encodeDerived,
  encodeSchnorr,
} from './instruction.ts'
import { readIntent, type UseOperation } from './intent.ts'
import { tableNetworks, pseudoNetworkOf, type Scheme } from './networks.ts'
import { plan } from './plan.ts'

const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const hash = '11'.repeat(32)
const root = '22'.repeat(32)
const malformed = (error: unknown) => isFailure(error, 'bytes.malformed')

describe('what a Schnorr key is told', () => {
  it('is the hash and the root, or none, and nothing else goes by the same bytes', () => {
    for (const text of ['', root]) {
      const told = instructionFor('Schnorr', { kind: 'Hash', hash, taprootMerkleRoot: text })
      assert.deepEqual(decodeSchnorr(told), { merkleRoot: fromHex(text), message: fromHex(hash) })
      assert.throws(() => decodeDerivation(told), malformed)
    }
    const moved = encodeSchnorr({ merkleRoot: fromHex(root), message: fromHex(hash) })
    assert.notDeepEqual(moved, encodeSchnorr({ merkleRoot: fromHex(hash), message: fromHex(root) }))
  })

  it('is a message of any length, for the output without scripts', () => {
    for (const message of ['', '00', hash + hash])
      assert.deepEqual(decodeSchnorr(instructionFor('Schnorr', { kind: 'Message', message })), {
        merkleRoot: new Uint8Array(),
        message: fromHex(message),
      })
  })

  it('counts as raw, as nobody can tell what it does', () => {
    const effect = effectFor('Schnorr', 'signature', { kind: 'Hash', hash, taprootMerkleRoot: '' })
    assert.ok(effect.ok && effect.effect.raw)
  })

  it('is no root where it was born to sign as itself, and never one that it was not born for', () => {
    const born = { untweaked: true }
    const plain = effectFor('Schnorr', 'signature', { kind: 'Hash', hash }, born)
    assert.deepEqual(instructionIn(plain), { merkleRoot: undefined, message: fromHex(hash) })
    const said = effectFor('Schnorr', 'signature', { kind: 'Message', message: '00' }, born)
    assert.deepEqual(instructionIn(said), { merkleRoot: undefined, message: fromHex('00') })
    for (const taprootMerkleRoot of ['', root])
      assert.deepEqual(
        effectFor('Schnorr', 'signature', { kind: 'Hash', hash, taprootMerkleRoot }, born),
        { ok: false, reason: 'an untweaked key signs without a taprootMerkleRoot' },
      )
    assert.deepEqual(effectFor('Schnorr', 'signature', { kind: 'Hash', hash }), {
      ok: false,
      reason: 'a Schnorr key signs with a taprootMerkleRoot',
    })
    const [itself, empty] = [undefined, new Uint8Array()].map((merkleRoot) =>
      encodeSchnorr({ merkleRoot, message: fromHex(hash) }),
    )
    assert.notDeepEqual(itself, empty)
  })

  it('is nothing without a root, and nothing that would have to be hashed first', () => {
    const refused = (body: object) => assert.ok(!effectFor('Schnorr', 'signature', body).ok)
    refused({ kind: 'Hash', hash })
    refused({ kind: 'Transaction', transaction: '0x02f0' })
    refused({ kind: 'Eip712', types: {}, domain: {}, message: {} })
    refused({ kind: 'Hash', hash, taprootMerkleRoot: '', network: 'EthereumSepolia' })
    refused({ kind: 'Hash', hash, taprootMerkleRoot: '', network: 'KeySchnorr' })
  })

  it('is read strictly', () => {
    const told = encodeSchnorr({ merkleRoot: fromHex(root), message: fromHex(hash) })
    for (const wrong of [told.slice(1), told.slice(0, -1), new Uint8Array([...told, 0])])
      assert.throws(() => decodeSchnorr(wrong), malformed)
    const short = encodeSchnorr({ merkleRoot: fromHex('22'), message: fromHex(hash) })
    assert.throws(() => decodeSchnorr(short), malformed)
  })
})

describe('what a DH key is told', () => {
  const body = { domain: '0x0102', seed: '03' }

  it('is domain and seed, and signs nothing', () => {
    const planned = effectFor('DH', 'derivation', body)
    assert.ok(planned.ok && !planned.effect.raw)
    const [told] = planned.effect.signing
    assert.ok(told && 'message' in told)
    const { message } = told
    assert.deepEqual(decodeDerivation(message), { domain: fromHex('0102'), seed: fromHex('03') })
    assert.throws(() => decodeSchnorr(message), malformed)
    const other = encodeDerivation({ domain: fromHex('01'), seed: fromHex('0203') })
    assert.notDeepEqual(message, other)
  })

  it('is no signature, and no other key is told to derive', () => {
    for (const kind of ['Hash', 'Message'])
      assert.ok(!effectFor('DH', 'signature', { kind, hash, message: '00' }).ok)
    assert.ok(!effectFor('DH', 'signature', { kind: 'Hash', hash }).ok)
    assert.ok(!effectFor('DH', 'signature', { kind: 'Message', message: '00' }).ok)
    for (const scheme of ['ECDSA', 'EdDSA', 'Schnorr'] as const)
      assert.ok(!effectFor(scheme, 'derivation', body).ok)
  })
})

it('no wallet can be made on what stands for keys without one', () => {
  for (const scheme of ['Schnorr', 'DH'] as const)
    assert.equal(tableNetworks.find(pseudoNetworkOf({ scheme, curve: 'secp256k1' }).id), undefined)
})

it('only a Schnorr key has a script tree', () => {
  for (const scheme of ['ECDSA', 'EdDSA'] as const) {
    assert.ok(effectFor(scheme, 'signature', { kind: 'Hash', hash }).ok)
    assert.ok(!effectFor(scheme, 'signature', { kind: 'Hash', hash, taprootMerkleRoot: '' }).ok)
  }
})

it('a derivation is kept with what proves it, and read strictly', () => {
  const partial = { signer: 1, publicShare: publicKey, partial: new Uint8Array(97).fill(1) }
  const value = { sid: new Uint8Array(32).fill(2), point: publicKey, partials: [partial] }
  const kept = encodeDerived(value)
  assert.deepEqual(decodeDerived(kept), value)
  assert.match(toHex(kept), /^[0-9a-f]+$/)
  for (const wrong of [kept.slice(1), kept.slice(0, -1), new Uint8Array([...kept, 0])])
    assert.throws(() => decodeDerived(wrong), malformed)
  assert.throws(() => decodeDerived(encodeDerived({ ...value, partials: [] })), malformed)
})

type Born = { readonly untweaked?: boolean }

function effectFor(scheme: Scheme, operation: UseOperation, body: object, born: Born = {}) {
  const read = readIntent(operation, JSON.stringify(body))
  if (!read.ok) return read
  const { intent } = read
  const curve = scheme === 'EdDSA' ? 'ed25519' : 'secp256k1'
  const named = intent.kind === 'signature' && intent.network
  const network = named ? tableNetworks.find(named) : pseudoNetworkOf({ scheme, curve })
  if (network === undefined) return { ok: false, reason: 'unknown network' } as const
  return plan({ network, publicKey, scheme, curve, ...born, intent, facts: noFacts })
}

function instructionIn(planned: ReturnType<typeof effectFor>) {
  const [told] = planned.ok ? planned.effect.signing : []
  assert.ok(told && 'message' in told)
  return decodeSchnorr(told.message)
}

function instructionFor(scheme: Scheme, body: object): Uint8Array {
  const planned = effectFor(scheme, 'signature', body)
  assert.ok(planned.ok, planned.ok ? '' : planned.reason)
  const [told] = planned.effect.signing
  assert.ok(told && 'message' in told)
  return told.message
}
