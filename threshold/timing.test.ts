import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

/** What takes a time that depends on its numbers: it is for public ones only. */
const variableTime =
  /\b(?:multiplyPublic|invertPublic|multiplyUnsafe|publicKeyTweakMul|ecdsaVerify|lagrange)\(/g

/** Every use there is, with why what it is given is public: a new one has to say so here. */
const uses: Readonly<Record<string, readonly [count: number, why: string]>> = {
  'dh/proof.ts': [
    2,
    'a proof that somebody checks: base, multiple, challenge and response are sent',
  ],
  'dkg/proof.ts': [1, 'a proof that somebody checks: constant and challenge are sent'],
  'ecdsa/combine.ts': [4, 'the parts of a signature, which are broadcast, and the signature'],
  'ecdsa/context.ts': [1, 'the indices of the quorum'],
  'frost/aggregate.ts': [2, 'a share of a signature that is checked: all of it is sent'],
  'frost/commitments.ts': [1, 'a binding factor, which anybody can work out'],
  'frost/sign.ts': [1, 'the indices of the quorum'],
  'group/noble.ts': [1, 'what `multiplyPublic` is on the groups of noble'],
  'group/polynomial.ts': [3, 'indices, and points that are published'],
  'group/secp256k1.ts': [2, 'what `multiplyPublic` is on secp256k1'],
  'group/group.ts': [2, 'where they are declared'],
  'public/derive.ts': [2, 'parts of a public multiple, and the indices of the quorum'],
  'public/schnorr.ts': [1, 'a signature'],
  'public/verify.ts': [3, 'a signature'],
  'sharing/sharing.ts': [1, 'the indices of the shares'],
}

/** Files of ECDSA that hold a `bigint`, and what it is; nothing that is secret, anywhere. */
const numbers: Readonly<Record<string, string>> = {
  'ecdsa/combine.ts': 'the parts of the signature, which are broadcast',
  'ecdsa/curve.ts': 'bounds, the digest, and the x of the sum of all nonce points',
  'ecdsa/multiplication.ts': 'the order, and θ, which is a hash of what was sent',
  'ecdsa/pair.ts': 'the gadget, which is public',
  'ecdsa/round3.ts': 'the digest',
}

const room = import.meta.dirname
const sources = globSync('**/*.ts', { cwd: room }).filter(
  (file) =>
    !/\.test\.ts$|\.d\.ts$|bench\.ts$|\/testing\/|^harness\/|ceremony|attacker|node_modules/.test(
      file,
    ),
)
const textOf = (file: string): string =>
  readFileSync(join(room, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')

describe('what may take a time that depends on numbers', () => {
  it('is used where this table says that they are public, and nowhere else', () => {
    const found = sources.flatMap((file) => {
      const count = [...textOf(file).matchAll(variableTime)].length
      return count > 0 ? [[file, count] as const] : []
    })
    const listed = Object.entries(uses).map(([file, [count]]) => [file, count] as const)
    assert.deepEqual(Object.fromEntries(found), Object.fromEntries(listed))
  })

  it('is no arithmetic of whole numbers on the secrets of ECDSA', () => {
    const found = sources.filter(
      (file) => file.startsWith('ecdsa/') && /\d+n\b|BigInt|bigint|bytesToBig/.test(textOf(file)),
    )
    assert.deepEqual(found.toSorted(), Object.keys(numbers))
  })

  it('is no text of a number, and no number of a text, where secrets are', () => {
    for (const file of sources.filter((each) => each.startsWith('ecdsa/')))
      assert.doesNotMatch(textOf(file), /toString\(|'hex'|toHex|fromHex|BigInt\(`/)
  })
})
