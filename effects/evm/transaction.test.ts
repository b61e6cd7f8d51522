import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToBig, concat, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { parseTransaction, recoverTransactionAddress } from 'viem'
import { addressOfKey } from './address.ts'
import { encodeRlp, type Rlp } from './rlp.ts'
import { drawFrom } from './testing/draw.ts'
import { transactionFrom } from './testing/transactions.ts'
import {
  attachSignature,
  decodeUnsigned,
  digest,
  encodeSignature,
  encodeUnsigned,
  type EvmSignature,
  type EvmTransaction,
} from './transaction.ts'

const secret = new Uint8Array(32).fill(7)
const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** The example of EIP-155: its signing data, its hash, and what the key 0x4646… makes of them. */
const eip155: EvmTransaction = {
  type: 0,
  chainId: 1n,
  nonce: 9n,
  gasPrice: 20n * 10n ** 9n,
  gasLimit: 21000n,
  to: new Uint8Array(20).fill(0x35),
  value: 10n ** 18n,
  data: new Uint8Array(),
}

describe('EVM transaction', () => {
  it('has the bytes, digest and signature of the example in EIP-155', () => {
    assert.equal(
      toHex(encodeUnsigned(eip155)),
      'ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080',
    )
    assert.equal(
      toHex(digest(eip155)),
      'daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53',
    )
    const key = new Uint8Array(32).fill(0x46)
    const signed = attachSignature(eip155, sign(digest(eip155), key))
    assert.equal(
      toHex(signed.bytes),
      'f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025' +
        'a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276' +
        'a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83',
    )
  })

  it('once signed, is recovered by viem as sent by the key', async () => {
    const address = addressOfKey(secp256k1.getPublicKey(secret, true))
    for (let seed = 0; seed < 12; seed++) {
      const { ours } = transactionFrom(drawFrom(seed))
      const { bytes } = attachSignature(ours, sign(digest(ours)))
      const serializedTransaction = `0x${toHex(bytes)}` as `0x02${string}`
      assert.equal(await recoverTransactionAddress({ serializedTransaction }), address)
      assert.equal(parseTransaction(serializedTransaction).chainId, Number(ours.chainId))
    }
  })

  it('takes no signature with a high s, or out of range', () => {
    const good = sign(digest(eip155))
    for (const bad of [{ s: n - good.s }, { s: 0n }, { r: 0n }, { r: n }, { r: -1n }])
      assert.throws(() => attachSignature(eip155, { ...good, ...bad }), malformed)
  })

  it('writes a loose signature as r, s and 27 or 28', () => {
    const bytes = encodeSignature({ r: 1n, s: 2n, yParity: 1 })
    assert.equal(toHex(bytes), `${'1'.padStart(64, '0')}${'2'.padStart(64, '0')}1c`)
  })
})

describe('reading an unsigned transaction', () => {
  const chainId = new Uint8Array([1])
  const none = new Uint8Array()
  const to = new Uint8Array(20).fill(9)
  const one = new Uint8Array([1])
  const legacy: readonly Rlp[] = [one, one, one, to, one, none, chainId, none, none]
  const dynamic: readonly Rlp[] = [chainId, one, one, one, one, to, one, none, []]
  const authorization: readonly Rlp[] = [chainId, to, one, none, one, one]
  const delegating: readonly Rlp[] = [...dynamic, [authorization]]
  const typed = (type: number, fields: readonly Rlp[]): Uint8Array =>
    concat(new Uint8Array([type]), encodeRlp(fields))
  const change = (fields: readonly Rlp[], at: number, to: Rlp): readonly Rlp[] =>
    fields.with(at, to)

  it('accepts what the refusals below are made from', () => {
    assert.equal(decodeUnsigned(encodeRlp(legacy)).type, 0)
    assert.equal(decodeUnsigned(typed(2, dynamic)).type, 2)
    assert.equal(decodeUnsigned(typed(4, delegating)).type, 4)
    assert.equal(decodeUnsigned(typed(1, dynamic.toSpliced(2, 1))).type, 1)
  })

  const refusals: Readonly<Record<string, Uint8Array>> = {
    nothing: none,
    'bytes after a legacy transaction': concat(encodeRlp(legacy), one),
    'bytes after a type 2 transaction': concat(typed(2, dynamic), one),
    'a legacy transaction without a chain id': encodeRlp(legacy.slice(0, 6)),
    'a chain id of zero': typed(2, change(dynamic, 0, none)),
    'a legacy transaction that is signed already': encodeRlp(change(legacy, 7, to)),
    'a type 2 transaction that is signed already': typed(2, [...dynamic, one, one, one]),
    'type 3': typed(3, dynamic),
    'a type 1 transaction with the fees of type 2': typed(1, dynamic),
    'a type 4 transaction without authorizations': typed(4, [...dynamic, []]),
    'a type 4 transaction that creates a contract': typed(4, change(delegating, 5, none)),
    'an authorization of five': typed(4, [...dynamic, [authorization.slice(1)]]),
    'an authorization for a short address': typed(4, [...dynamic, [change(authorization, 1, one)]]),
    'an authorization with a parity of two bytes': typed(4, [
      ...dynamic,
      [change(authorization, 3, new Uint8Array([1, 1]))],
    ]),
    'a nonce with a leading zero': typed(2, change(dynamic, 1, new Uint8Array([0, 1]))),
    'a nonce of nine bytes': typed(2, change(dynamic, 1, new Uint8Array(9).fill(1))),
    'a value of 33 bytes': typed(2, change(dynamic, 6, new Uint8Array(33).fill(1))),
    'a recipient of 19 bytes': typed(2, change(dynamic, 5, to.subarray(1))),
    'a list as data': typed(2, change(dynamic, 7, [])),
    'bytes as access list': typed(2, change(dynamic, 8, none)),
    'an access list with a short key': typed(2, change(dynamic, 8, [[to, [to]]])),
    'an access list with a third member': typed(2, change(dynamic, 8, [[to, [], one]])),
    'more bytes than a pool takes': typed(2, change(dynamic, 7, new Uint8Array(128 * 1024))),
  }
  for (const [name, bytes] of Object.entries(refusals))
    it(`refuses ${name}`, () => {
      assert.throws(() => decodeUnsigned(bytes), malformed)
    })
})

function malformed(error: unknown): boolean {
  return isFailure(error, 'bytes.malformed')
}

/** RFC 6979, so that published signatures come out. */
function sign(hash: Uint8Array, key = secret): EvmSignature {
  const bytes = secp256k1.sign(hash, key, { prehash: false, format: 'recovered' })
  return {
    r: bytesToBig(bytes.subarray(1, 33)),
    s: bytesToBig(bytes.subarray(33)),
    yParity: bytes[0] === 1 ? 1 : 0,
  }
}
