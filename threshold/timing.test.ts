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
  'group/polynomial.ts': [4, 'indices, and points that are published'],
  'group/secp256k1.ts': [2, 'what `multiplyPublic` is on secp256k1'],
  'group/group.ts': [2, 'where they are declared'],
  'public/derive.ts': [2, 'parts of a public multiple, and the indices of the quorum'],
  'public/schnorr.ts': [1, 'a signature'],
  'public/verify.ts': [3, 'a signature'],
}

/** What makes a whole number out of bytes, or is one: its arithmetic takes a time that depends on it. */
const wholeNumbers =
  /\b\d+n\b|\bBigInt\b|\bbigint\b|\b(?:bytesToBig|scalarFromBytes|hashToScalar|scalarIn)\b|getBig|\bgroup\.reduce\(/g

/** Every one there is in a protocol, with what it is; nothing that is secret, in any of them. */
const numbers: Readonly<Record<string, readonly [count: number, what: string]>> = {
  'dh/derive.ts': [1, 'a weight: the nonce goes in as it is, the share times the challenge'],
  'dh/proof.ts': [7, 'challenge and response, which are sent'],
  'dkg/context.ts': [3, 'the challenge, a hash of what was sent'],
  'dkg/proof.ts': [4, 'the challenge, and a response that was sent'],
  'dkg/round3.ts': [
    1,
    'a weight: the nonce goes in as it is, the constant term times the challenge',
  ],
  'ecdsa/combine.ts': [14, 'the parts of the signature, which are broadcast'],
  'ecdsa/curve.ts': [10, 'bounds, the digest, and the x of the sum of all nonce points'],
  'ecdsa/multiplication.ts': [7, 'the order, and θ, which is a hash of what was sent'],
  'ecdsa/pair.ts': [2, 'the gadget, which is public'],
  'ecdsa/round3.ts': [4, 'the digest, and whether what a peer sent is a scalar'],
  'frost/aggregate.ts': [5, 'the shares of the signature, which are sent, and their sum'],
  'frost/commitments.ts': [4, 'binding factors, which anybody can work out, and indices'],
  'frost/sign.ts': [3, 'weights: a sign, a binding factor, a challenge times λ'],
  'frost/suite.ts': [4, 'binding factor and challenge'],
  'taproot/key.ts': [3, 'the tweak, a hash of what the address is made from'],
  'taproot/suite.ts': [5, 'binding factor and challenge'],
}

/** The functions of native libraries, and what may be given to each. */
const natives: Readonly<Record<string, 'secrets' | 'public'>> = {
  'libsecp256k1.publicKeyCreate': 'secrets',
  'libsecp256k1.ecdh': 'secrets',
  'libsecp256k1.contextRandomize': 'secrets',
  'libsecp256k1.ecdsaVerify': 'public',
  'libsecp256k1.publicKeyCombine': 'public',
  'libsecp256k1.publicKeyConvert': 'public',
  'libsecp256k1.publicKeyNegate': 'public',
  'libsecp256k1.publicKeyTweakMul': 'public',
  'libsecp256k1.publicKeyVerify': 'public',
  'sodium.crypto_core_ed25519_add': 'public',
  'sodium.crypto_core_ed25519_is_valid_point': 'public',
  'sodium.crypto_sign_verify_detached': 'public',
  'sodium.crypto_scalarmult_ed25519_base_noclamp': 'secrets',
  'sodium.crypto_scalarmult_ed25519_noclamp': 'secrets',
  // A signer's identity, by which it speaks for itself; its shares are in none of these.
  'sodium.crypto_sign_seed_keypair': 'secrets',
  'sodium.crypto_sign_detached': 'secrets',
  'sodium.sodium_malloc': 'secrets',
  // Both slots of a transfer are sent; which of them was chosen is secret, and so all of these are.
  'sodium.crypto_core_ristretto255_add': 'secrets',
  'sodium.crypto_core_ristretto255_sub': 'secrets',
  'sodium.crypto_core_ristretto255_from_hash': 'secrets',
  'sodium.crypto_core_ristretto255_is_valid_point': 'public',
  'sodium.crypto_core_ristretto255_scalar_reduce': 'secrets',
  'sodium.crypto_scalarmult_ristretto255': 'secrets',
  'sodium.crypto_scalarmult_ristretto255_base': 'secrets',
}

/** Multiplications by secrets, as the groups of signers make them. */
const entryPoints: Readonly<Record<string, readonly string[]>> = {
  'group/secp256k1.ts': ['libsecp256k1.publicKeyCreate', 'libsecp256k1.ecdh'],
  'group/ed25519.ts': [
    'sodium.crypto_scalarmult_ed25519_base_noclamp',
    'sodium.crypto_scalarmult_ed25519_noclamp',
  ],
  // Which is constant time in all that it does.
  'group/stark.ts': ['kernel.multiplyBase', 'kernel.multiply', 'kernel.add'],
}

const room = import.meta.dirname
const sources = globSync('**/*.ts', { cwd: room }).filter(
  (file) =>
    !/\.test\.ts$|\.d\.ts$|bench\.ts$|\/testing\/|^harness\/|ceremony|attacker|bad-points|node_modules/.test(
      file,
    ),
)
/** All that computes with secrets, above groups and kernel, which take and give bytes. */
const protocols = sources
  .filter((file) => /^(?:child-share|(?:dh|dkg|ecdsa|frost|sharing|taproot)\/)/.test(file))
  .toSorted()
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

  it('is no arithmetic of whole numbers on a secret of any protocol', () => {
    const found = protocols.flatMap((file) => {
      const count = [...textOf(file).matchAll(wholeNumbers)].length
      return count > 0 ? [[file, count] as const] : []
    })
    const listed = Object.entries(numbers).map(([file, [count]]) => [file, count] as const)
    assert.deepEqual(Object.fromEntries(found), Object.fromEntries(listed))
  })

  it('is no text of a number, and no number of a text, where secrets are', () => {
    for (const file of protocols)
      assert.doesNotMatch(textOf(file), /toString\(|'hex'|toHex|fromHex|BigInt\(`/)
  })

  it('is no function of a library that is not known to take secrets, or to be given none', () => {
    const found = sources.flatMap((file) => [
      ...textOf(file).matchAll(/\b(?:libsecp256k1|sodium)\.(?!ready)\w+/g),
    ])
    const names = new Set(found.map(([name]) => name))
    assert.deepEqual([...names].toSorted(), Object.keys(natives).toSorted())
  })

  it('is not what multiplies a point by a secret: those are the constant-time entry points', () => {
    for (const [file, calls] of Object.entries(entryPoints)) {
      const text = textOf(file)
      const made = ['multiplyBaseBySecret', 'multiplyBySecret'].flatMap((name) => {
        const [body = ''] = text.slice(text.search(`(?:function|const) ${name}\\b`)).split('\n\n')
        return body.match(/\b(?:libsecp256k1|sodium|kernel)\.\w+/g)
      })
      assert.deepEqual([...new Set(made)], calls)
      for (const call of calls) assert.equal(natives[call] ?? 'secrets', 'secrets')
    }
  })

  it('is noble where nothing else exists: in a client alone, which shares or joins a key', () => {
    const users = protocols.filter((file) => /group\/noble\.ts'|@noble\/curves/.test(textOf(file)))
    // To the curve of DH, noble hashes what is public.
    assert.deepEqual(users, ['dh/input.ts', 'sharing/sharing.ts'])
  })
})
