import assert from 'node:assert/strict'
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { describe, it } from 'node:test'
import { concat, fromHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { randomFrom } from '../agreement/model/random.ts'
import { attempt } from '../attempt.ts'
import { parseSpki } from '../public-key.ts'
import { writeCbor } from '../testing/cbor.ts'
import { mutated, runs } from '../testing/mutations.ts'
import { coseKeyOf, newPasskey } from '../testing/passkey.ts'
import { isCborMap, readCbor, type Cbor } from './cbor.ts'
import { readCoseKey } from './cose.ts'

const keys = (['ES256', 'EdDSA', 'RS256'] as const).map((algorithm) => {
  const { spki, key } = newPasskey({ algorithm })
  return { algorithm, spki, cose: coseKeyOf(createPublicKey(key)) }
})
const [ec, ed, rsa] = keys.map(({ cose }) => cose)
const bytesAt = (cose: ReadonlyMap<number, Cbor> | undefined, label: number) =>
  cose?.get(label) as Uint8Array

function refuses(
  cose: ReadonlyMap<number, Cbor> | undefined,
  changes: readonly (readonly [number | string, Cbor])[],
  reason: RegExp,
) {
  assert.throws(
    () => readCoseKey(new Map<number | string, Cbor>([...(cose ?? []), ...changes])),
    (error) => isFailure(error, 'request.refused') && reason.test(error.context.reason),
    String(reason),
  )
}

describe('a COSE key', () => {
  it('is of one of three algorithms, and becomes the canonical SPKI', () => {
    for (const { spki, cose } of keys) assert.deepEqual(readCoseKey(cose).spki, spki)
    for (const alg of [-35, -47, -65535, -37, -19, 'ES256', null])
      refuses(ec, [[3, alg]], /algorithms/)
  })

  it('has the members of its type alone', () => {
    for (const { cose } of keys) {
      refuses(cose, [[2, new Uint8Array(1)]], /members/)
      refuses(cose, [['x', 1]], /members/)
      for (const label of [...cose.keys()].filter((name) => name !== 3)) {
        const less = new Map([...cose].filter(([name]) => name !== label))
        refuses(less, [], /members/)
      }
    }
    refuses(ec, [[1, 1]], /members/)
    refuses(ec, [[-1, 2]], /members/)
    refuses(ec, [[-1, 8]], /members/) // secp256k1
    refuses(ed, [[1, 2]], /members/)
    refuses(ed, [[-1, 7]], /members/) // Ed448
    refuses(ed, [[3, -7]], /members/)
    refuses(rsa, [[1, 2]], /members/)
  })

  it('has a point in full, on its curve and of full order', () => {
    refuses(ec, [[-3, true]], /32 bytes/) // compressed
    refuses(ec, [[-2, bytesAt(ec, -2).subarray(1)]], /32 bytes/)
    refuses(ec, [[-2, concat(new Uint8Array(1), bytesAt(ec, -2))]], /32 bytes/)
    refuses(ec, [[-3, bytesAt(ec, -2)]], /curve/)
    refuses(
      ec,
      [
        [-2, new Uint8Array(32)],
        [-3, new Uint8Array(32)],
      ],
      /curve/,
    )
    refuses(ec, [[-2, new Uint8Array(32).fill(255)]], /curve/)
    refuses(ed, [[-2, fromHex('01'.padEnd(64, '0'))]], /order/)
    refuses(ed, [[-2, new Uint8Array(32)]], /order/)
    refuses(ed, [[-2, bytesAt(ed, -2).subarray(1)]], /32 bytes/)
  })

  it('has an RSA modulus of 2048 to 4096 bits, and the exponent 65537, in shortest form', () => {
    const n = bytesAt(rsa, -1)
    refuses(rsa, [[-1, concat(new Uint8Array(1), n)]], /shortest/)
    refuses(rsa, [[-1, new Uint8Array()]], /shortest/)
    refuses(rsa, [[-1, new Uint8Array(513).fill(255)]], /shortest/)
    refuses(rsa, [[-1, n.subarray(0, 255)]], /2048/)
    refuses(rsa, [[-2, fromHex('00010001')]], /shortest/)
    refuses(rsa, [[-2, fromHex('03')]], /65537/)
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    refuses(coseKeyOf(publicKey), [], /2048/)
  })

  it('is one that a signature can be checked with, or is refused, whatever the bytes', () => {
    runs(3_000, (seed) => {
      const random = randomFrom(seed)
      const bytes = mutated(random, writeCbor(random.pickAny(keys)?.cose ?? new Map()))
      const cose = attempt(() => readCbor(bytes))
      const read = isCborMap(cose) ? attempt(() => readCoseKey(cose)) : undefined
      if (read !== undefined) assert.ok(parseSpki(read.spki))
    })
  })
})
