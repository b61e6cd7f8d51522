import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bytesToBig, concat, fromHex, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import {
  type Hex,
  keccak256,
  parseTransaction,
  recoverTransactionAddress,
  serializeTransaction,
  type TransactionSerializable,
} from 'viem'
import { addressOfKey } from './address.ts'
import { encodeRlp, type Rlp } from './rlp.ts'
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

  it('agrees with viem on unsigned bytes, digest, signed bytes and hash, for random ones', () => {
    for (const { ours, theirs } of randomTransactions(300)) {
      const unsigned = serializeTransaction(theirs)
      assert.equal(`0x${toHex(encodeUnsigned(ours))}`, unsigned)
      assert.equal(`0x${toHex(digest(ours))}`, keccak256(unsigned))
      assert.deepEqual(decodeUnsigned(fromHex(unsigned.slice(2))), ours)

      const signature = sign(digest(ours))
      const signed = serializeTransaction(theirs, toViem(signature))
      const attached = attachSignature(ours, signature)
      assert.equal(`0x${toHex(attached.bytes)}`, signed)
      assert.equal(`0x${toHex(attached.hash)}`, keccak256(signed))
    }
  })

  it('once signed, is recovered by viem as sent by the key', async () => {
    const address = addressOfKey(secp256k1.getPublicKey(secret, true))
    for (const { ours } of randomTransactions(6)) {
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
  const typed = (type: number, fields: readonly Rlp[]): Uint8Array =>
    concat(new Uint8Array([type]), encodeRlp(fields))
  const change = (fields: readonly Rlp[], at: number, to: Rlp): readonly Rlp[] =>
    fields.with(at, to)

  it('accepts what the refusals below are made from', () => {
    assert.equal(decodeUnsigned(encodeRlp(legacy)).type, 0)
    assert.equal(decodeUnsigned(typed(2, dynamic)).type, 2)
  })

  const refusals: Readonly<Record<string, Uint8Array>> = {
    nothing: none,
    'bytes after a legacy transaction': concat(encodeRlp(legacy), one),
    'bytes after a type 2 transaction': concat(typed(2, dynamic), one),
    'a legacy transaction without a chain id': encodeRlp(legacy.slice(0, 6)),
    'a chain id of zero': typed(2, change(dynamic, 0, none)),
    'a legacy transaction that is signed already': encodeRlp(change(legacy, 7, to)),
    'a type 2 transaction that is signed already': typed(2, [...dynamic, one, one, one]),
    'type 1': typed(1, dynamic),
    'type 3': typed(3, dynamic),
    'type 4': typed(4, [...dynamic, []]),
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

function toViem({ r, s, yParity }: EvmSignature): { r: Hex; s: Hex; yParity: number; v: bigint } {
  const hex = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`
  // viem's legacy branch looks at v alone.
  return { r: hex(r), s: hex(s), yParity, v: 27n + BigInt(yParity) }
}

type Pair = { readonly ours: EvmTransaction; readonly theirs: TransactionSerializable }

/** The same every time: number k comes from SHA-256 of the seed and k. Half of them are legacy. */
function randomTransactions(count: number): readonly Pair[] {
  return Array.from({ length: count }, (_, i) => {
    let k = 0
    const bytes = (size: number): Uint8Array => {
      const blocks = Array.from({ length: Math.ceil(size / 32) }, () =>
        sha256(new TextEncoder().encode(`transaction ${i} ${k++}`)),
      )
      return concat(...blocks).slice(0, size)
    }
    // Sizes from nothing to the largest, so that zero and leading zeros occur.
    const natural = (sizeMax: number): bigint =>
      bytesToBig(bytes((bytes(1)[0] ?? 0) % (sizeMax + 1))) >> BigInt((bytes(1)[0] ?? 0) % 9)
    const hasTo = i % 5 !== 0
    const to = bytes(20)
    const data = bytes((bytes(1)[0] ?? 0) * ((i % 3) * 2))
    const shared = {
      chainId: 1n + natural(4),
      nonce: natural(6),
      gasLimit: natural(7),
      value: natural(31),
      data,
    }
    const theirsShared = {
      ...shared,
      chainId: Number(shared.chainId),
      nonce: Number(shared.nonce),
      gas: shared.gasLimit,
      data: `0x${toHex(data)}` as Hex,
      ...(hasTo ? { to: `0x${toHex(to)}` as Hex } : {}),
    }
    if (i % 2 === 0) {
      const gasPrice = natural(30)
      return {
        ours: { type: 0, ...shared, ...(hasTo ? { to } : {}), gasPrice },
        theirs: { type: 'legacy', ...theirsShared, gasPrice },
      }
    }
    const maxPriorityFeePerGas = natural(20)
    const maxFeePerGas = maxPriorityFeePerGas + natural(20)
    const accessList = Array.from({ length: i % 3 }, () => ({
      address: bytes(20),
      keys: Array.from({ length: i % 4 }, () => bytes(32)),
    }))
    return {
      ours: {
        type: 2,
        ...shared,
        ...(hasTo ? { to } : {}),
        maxFeePerGas,
        maxPriorityFeePerGas,
        accessList,
      },
      theirs: {
        type: 'eip1559',
        ...theirsShared,
        maxFeePerGas,
        maxPriorityFeePerGas,
        accessList: accessList.map(({ address, keys }) => ({
          address: `0x${toHex(address)}` as Hex,
          storageKeys: keys.map((key) => `0x${toHex(key)}` as Hex),
        })),
      },
    }
  })
}
