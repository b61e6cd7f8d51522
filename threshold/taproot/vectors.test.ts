import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { schnorr } from '@noble/curves/secp256k1.js'
import { bytesToBig, concat, fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { aggregateWith } from '../frost/aggregate.ts'
import { signWith } from '../frost/sign.ts'
import type { Suite } from '../frost/suite.ts'
import { checkVector, fromFile, type Tested, type Vector } from '../frost/testing/vectors.ts'
import { hashToScalar } from '../group/hash-to-scalar.ts'
import { verifySchnorr } from '../public/schnorr.ts'
import { outputKeyOf, taprootAggregate } from '../public/taproot.ts'
import { signingKeyOf } from './key.ts'
import { taprootSign } from './sign.ts'
import { taprootSuite } from './suite.ts'
import { dealt, publicOf, startSession } from './testing/parties.ts'

const { group } = taprootSuite
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))
const noScripts = new Uint8Array()
const rfcContext = 'FROST-secp256k1-SHA256-v1'
const folder = process.env['QUORATE_VECTORS']

/** RFC 9591, appendix E.5, "FROST(secp256k1, SHA-256)": two of three sign "test". */
const rfc9591: Vector = {
  message: '74657374',
  publicKey: '02f37c34b66ced1fb51c34a90bdae006901f10625cc06c4f64663b0eae87d87b4f',
  t: 2,
  n: 3,
  signers: [
    {
      party: 1,
      secret: '08f89ffe80ac94dcb920c26f3f46140bfc7f95b493f8310f5fc1ea2b01f4254c',
      hidingRandomness: '7ea5ed09af19f6ff21040c07ec2d2adbd35b759da5a401d4c99dd26b82391cb2',
      bindingRandomness: '47acab018f116020c10cb9b9abdc7ac10aae1b48ca6e36dc15acb6ec9be5cdc5',
      hidingNonce: '841d3a6450d7580b4da83c8e618414d0f024391f2aeb511d7579224420aa81f0',
      bindingNonce: '8d2624f532af631377f33cf44b5ac5f849067cae2eacb88680a31e77c79b5a80',
      hidingCommitment: '03c699af97d26bb4d3f05232ec5e1938c12f1e6ae97643c8f8f11c9820303f1904',
      bindingCommitment: '02fa2aaccd51b948c9dc1a325d77226e98a5a3fe65fe9ba213761a60123040a45e',
      bindingFactor: '3e08fe561e075c653cbfd46908a10e7637c70c74f0a77d5fd45d1a750c739ec6',
      share: 'c4fce1775a1e141fb579944166eab0d65eefe7b98d480a569bbbfcb14f91c197',
    },
    {
      party: 3,
      secret: '00e95d59dd0d46b0e303e500b62b7ccb0e555d49f5b849f5e748c071da8c0dbc',
      hidingRandomness: 'e6cc56ccbd0502b3f6f831d91e2ebd01c4de0479e0191b66895a4ffd9b68d544',
      bindingRandomness: '7203d55eb82a5ca0d7d83674541ab55f6e76f1b85391d2c13706a89a064fd5b9',
      hidingNonce: '2b19b13f193f4ce83a399362a90cdc1e0ddcd83e57089a7af0bdca71d47869b2',
      bindingNonce: '7a443bde83dc63ef52dda354005225ba0e553243402a4705ce28ffaafe0f5b98',
      hidingCommitment: '03077507ba327fc074d2793955ef3410ee3f03b82b4cdc2370f71d865beb926ef6',
      bindingCommitment: '02ad53031ddfbbacfc5fbda3d3b0c2445c8e3e99cbc4ca2db2aa283fa68525b135',
      bindingFactor: '93f79041bb3fd266105be251adaeb5fd7f8b104fb554a4ba9a0becea48ddbfd7',
      share: '0160fd0d388932f4826d2ebcd6b9eaba734f7c71cf25b4279a4ca2581e47b18d',
    },
  ],
  signature:
    '0205b6d04d3774c8929413e3c76024d54149c372d57aae62574ed74319b5ea14d0c65dde8492a7471437e6c2fe3da49b90d23f642b5c6dbe7e36089f096dd97324',
}

/** RFC 9591, section 6.5: what the suite of BIP 340 differs from. */
const plainSuite: Suite = {
  group,
  h1: (message) => rfcScalar('rho', message),
  h3: (message) => group.scalarToBytes(rfcScalar('nonce', message)),
  h4: (message) => sha256(toUtf8(`${rfcContext}msg`), message),
  h5: (message) => sha256(toUtf8(`${rfcContext}com`), message),
  challengeOf: (R, publicKey, message) =>
    rfcScalar('chal', concat(group.encode(R), publicKey, message)),
  isNegated: () => false,
}
const plainTested: Tested = {
  suite: plainSuite,
  sign: (signing) => signWith(plainSuite, signing),
  aggregate: (input) =>
    aggregateWith(
      plainSuite,
      {
        shareOf: (share) => share,
        write: (R, sum) => concat(R, group.scalarToBytes(sum)),
        verify: isPlain,
      },
      input,
    ),
}
const taprootTested: Tested = {
  suite: taprootSuite,
  sign: (signing) => taprootSign({ ...signing, birth: 'plain', merkleRoot: undefined }),
  aggregate: (input) => taprootAggregate({ ...input, birth: 'plain', merkleRoot: undefined }),
}

describe('BIP 340, test-vectors.csv', () => {
  const [, ...rows] = readFileSync(new URL('../../vectors/bip340.csv', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  assert.equal(rows.length, 19)
  for (const row of rows) {
    const [index, , key = '', , message = '', signature = '', verdict, comment] = row.split(',')
    it(`${index}: ${verdict} ${comment}`, () =>
      assert.equal(
        verifySchnorr(fromHex(key), fromHex(message), fromHex(signature)),
        verdict === 'TRUE',
      ))
  }
})

describe('verifying BIP 340', () => {
  it('takes no key and no signature of another length', () => {
    const [secret, message] = [random(32), random(32)]
    const [key, signature] = [schnorr.getPublicKey(secret), schnorr.sign(message, secret)]
    assert.ok(verifySchnorr(key, message, signature))
    for (const wrong of [
      signature.slice(1),
      signature.slice(0, 63),
      concat(signature, Uint8Array.of(0)),
    ])
      assert.ok(!verifySchnorr(key, message, wrong))
    for (const wrong of [key.slice(1), concat(Uint8Array.of(2), key), noScripts])
      assert.ok(!verifySchnorr(wrong, message, signature))
  })
})

describe('BIP 341, wallet-test-vectors.json', () => {
  const file = new URL('../../vectors/bip341.json', import.meta.url)
  const { outputs, spends: inputs }: Bip341 = JSON.parse(readFileSync(file, 'utf8'))
  const rootOf = (hex: string | null): Uint8Array => (hex === null ? noScripts : fromHex(hex))

  it('computes every output key', () => {
    assert.equal(outputs.length, 7)
    for (const { internalPubkey, merkleRoot, tweak, tweakedPubkey } of outputs) {
      // An x-only key stands for the point with an even y; of the other one the output is the same.
      for (const parity of [2, 3]) {
        const publicKey = concat(Uint8Array.of(parity), fromHex(internalPubkey))
        const spend = { publicKey, birth: 'taproot', merkleRoot: rootOf(merkleRoot) } as const
        const output = outputKeyOf(spend)
        assert.equal(toHex(output ?? noScripts), tweakedPubkey)
        const key = signingKeyOf(spend)
        assert.ok(key.ok)
        const published = bytesToBig(fromHex(tweak))
        assert.ok([published, group.order - published].includes(key.addend))
      }
    }
  })

  it('signs every input under the key that the output shows', () => {
    assert.equal(inputs.length, 7)
    for (const { internalPrivkey, merkleRoot, tweakedPrivkey, sigHash, ...input } of inputs) {
      const shares = dealt({ secret: fromHex(internalPrivkey), n: 3, t: 2 }, random)
      const spend = { birth: 'taproot', merkleRoot: rootOf(merkleRoot) } as const
      const message = fromHex(sigHash)
      const session = startSession({ shares, quorum: [1, 3], message, ...spend }, random)
      const made = session.aggregate(session.sign())
      assert.ok(made.ok)
      const output = schnorr.getPublicKey(fromHex(tweakedPrivkey))
      assert.deepEqual(outputKeyOf({ ...publicOf(shares), ...spend }), output)
      assert.ok(schnorr.verify(made.signature, message, output))
      // And the published signature, made by whoever had the key in one piece, verifies here.
      assert.ok(verifySchnorr(output, message, fromHex(input.signature)))
    }
  })
})

describe('FROST(secp256k1, SHA-256), RFC 9591, appendix E.5', () => {
  it('computes every figure of the RFC', () => checkVector(plainTested, rfc9591))

  const vectors = [
    { file: 'frost-secp256k1-vectors.json', tested: plainTested },
    { file: 'frost-secp256k1-tr-vectors.json', tested: taprootTested },
  ]
  for (const { file, tested } of vectors) {
    const path = join(folder ?? '', 'frost', file)
    const present = folder !== undefined && existsSync(path)
    const skip = present ? false : 'LEFT OUT: QUORATE_VECTORS names no folder with this file'
    it(`computes every figure of ${file}`, { skip }, () =>
      checkVector(tested, fromFile(JSON.parse(readFileSync(path, 'utf8')))),
    )
  }
})

type Bip341 = {
  readonly outputs: readonly Readonly<
    Record<'internalPubkey' | 'tweak' | 'tweakedPubkey', string> & {
      merkleRoot: string | null
    }
  >[]
  readonly spends: readonly Readonly<
    Record<'internalPrivkey' | 'tweakedPrivkey' | 'sigHash' | 'signature', string> & {
      merkleRoot: string | null
    }
  >[]
}

/** s·G = R + c·X, the plain Schnorr signature of RFC 9591, appendix B. */
function isPlain(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const [R, key] = [group.decode(signature.slice(0, 33)), group.decode(publicKey)]
  assert.ok(R && key)
  const c = plainSuite.challengeOf(R, publicKey, message)
  const sum = group.add(R, group.multiplyPublic(key, c))
  return group.equal(group.multiplyBase(bytesToBig(signature.slice(33))), sum)
}

function rfcScalar(label: string, message: Uint8Array): bigint {
  return hashToScalar(group, { tag: toUtf8(rfcContext + label), message })
}
