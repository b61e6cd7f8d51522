import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { childKeyOf } from './child-key.ts'

const { Fn } = secp256k1.Point

function parentOf(key: HDKey) {
  const { publicKey, chainCode } = key
  assert.ok(publicKey && chainCode)
  return { publicKey, chainCode }
}

/** Public derivation alone, as another library has it. */
function theirs(key: HDKey, path: readonly number[]): HDKey {
  const { publicKey, chainCode } = parentOf(key)
  return path.reduce((at, index) => at.deriveChild(index), new HDKey({ publicKey, chainCode }))
}

const bytesOf = (name: string) => sha256(toUtf8(name))
const numberOf = (name: string, limit: number) =>
  Number(BigInt(`0x${toHex(bytesOf(name)).slice(0, 12)}`) % BigInt(limit))

describe('derivation of child keys from public ones', () => {
  it('is that of BIP 32, by its vectors', () => {
    // BIP 32, "Test vectors" 1 and 2: extended public keys of a parent and of its child.
    for (const [parent, path, child] of [
      [
        'xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw',
        [1],
        'xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ',
      ],
      [
        'xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB',
        [0],
        'xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH',
      ],
    ] as const) {
      const expected = HDKey.fromExtendedKey(child)
      const made = childKeyOf(parentOf(HDKey.fromExtendedKey(parent)), path)
      assert.ok(made && expected.publicKey && expected.chainCode)
      assert.equal(toHex(made.publicKey), toHex(expected.publicKey))
      assert.equal(toHex(made.chainCode), toHex(expected.chainCode))
    }
  })

  it('is that of another library on many paths, and the tweak is what the private key grows by', () => {
    for (let run = 0; run < 120; run++) {
      const master = HDKey.fromMasterSeed(bytesOf(`seed ${run}`))
      const levels = 1 + (run % 10)
      const path = Array.from({ length: levels }, (_, level) =>
        numberOf(`${run}/${level}`, level % 2 === 0 ? 2 ** 31 : 20),
      )
      const made = childKeyOf(parentOf(master), path)
      const other = parentOf(theirs(master, path))
      assert.ok(made)
      assert.deepEqual([made.publicKey, made.chainCode], [other.publicKey, other.chainCode])
      const child = path.reduce((at, index) => at.deriveChild(index), master)
      assert.ok(master.privateKey && child.privateKey)
      const grown = Fn.add(Fn.fromBytes(master.privateKey), Fn.fromBytes(made.tweak))
      assert.equal(toHex(Fn.toBytes(grown)), toHex(child.privateKey))
    }
  })

  it('leads over an inner path to the same key, and at its ends', () => {
    const parent = parentOf(HDKey.fromMasterSeed(bytesOf('seed')))
    const [whole, inner] = [childKeyOf(parent, [0, 2 ** 31 - 1]), childKeyOf(parent, [0])]
    assert.ok(whole && inner)
    assert.deepEqual(childKeyOf(inner, [2 ** 31 - 1])?.publicKey, whole.publicKey)
    assert.deepEqual(childKeyOf(parent, [])?.publicKey, parent.publicKey)
    assert.throws(() => childKeyOf({ ...parent, publicKey: fromHex(`02${'ff'.repeat(32)}`) }, [0]))
  })
})
