import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { encodeDerivation, encodeSchnorr } from '@quorate/effects/instruction'
import { outputKeyOf } from '@quorate/threshold/public/taproot'
import { verifySchnorr } from '@quorate/threshold/public/schnorr'
import type { WholeEvidence } from '@quorate/authority/step'
import { createKey, termsOf, told, type Key } from '../testing/keys.ts'
import type { Drafted } from '../testing/ledger.ts'
import { runSigning, signature, signCall } from '../testing/signing.ts'
import { signatureRequest } from '../testing/uses.ts'
import { World } from '../testing/world.ts'

const hash = '22'.repeat(32)
const root = sha256(toUtf8('a script tree'))
const domain = toUtf8('a domain')
const seed = toUtf8('customer 17')
const derivation = { domain: toHex(domain), seed: `0x${toHex(seed)}` }

describe('keys that do not sign bytes alone', () => {
  const world = new World()
  let taproot: Key
  let plain: Key
  let dh: Key
  let ecdsa: Key
  before(async () => {
    await world.found()
    taproot = await createKey(world, { scheme: 'Schnorr', curve: 'secp256k1' })
    plain = await createKey(world, { scheme: 'Schnorr', curve: 'secp256k1', untweaked: true })
    dh = await createKey(world, { scheme: 'DH', curve: 'secp256k1' })
    ecdsa = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
  })
  after(() => world.close())

  const derive = (key: Key, body: object = derivation): WholeEvidence =>
    world.request({ path: `/keys/${key.name}/derive`, body })
  const draft = (key: Key, evidence: WholeEvidence): Drafted =>
    world.draft(world.keyPlace(key.id), [{ kind: 'use', evidence }])
  const inForce = async (key: Key, evidence: WholeEvidence): Promise<Drafted> => {
    const drafted = draft(key, evidence)
    await world.certify(world.keyPlace(key.id), drafted)
    return drafted
  }

  it('fix scheme and curve in what every signer has signed at their birth', () => {
    for (const [key, scheme] of [
      [taproot, 'Schnorr'],
      [dh, 'DH'],
    ] as const) {
      const { terms } = key.statement
      assert.deepEqual([terms.scheme, terms.curve], [scheme, 'secp256k1'])
    }
  })

  it('are born on their own curve alone', () => {
    for (const body of [
      { scheme: 'DH', curve: 'ed25519' },
      { scheme: 'DH', curve: 'stark' },
      { scheme: 'Schnorr', curve: 'ed25519' },
      { scheme: 'Schnorr', curve: 'stark' },
    ])
      assert.throws(
        () => termsOf(world, world.request({ path: '/keys', body })),
        /do not go together/,
      )
  })

  it('sign as the output of the script tree that was asked for, by every quorum', async () => {
    const { publicKey } = taproot.statement
    const place = world.keyPlace(taproot.id)
    for (const [text, merkleRoot] of [
      ['', new Uint8Array()],
      [`0x${toHex(root)}`, root],
    ] as const) {
      const body = { kind: 'Hash', hash: `0x${hash}`, taprootMerkleRoot: text }
      const drafted = await inForce(taproot, signatureRequest(world, taproot, body))
      const message = encodeSchnorr({ merkleRoot, message: fromHex(hash) })
      const output = outputKeyOf({ publicKey, birth: 'taproot', merkleRoot })
      assert.ok(output)
      for (const quorum of [
        [1, 2],
        [3, 4],
      ]) {
        const call = signCall(place, drafted, { quorum })
        const made = await signature(world, taproot, { call, message })
        assert.ok(verifySchnorr(output, fromHex(hash), made))
      }
    }
  })

  it('sign as themselves if they were born to, and under no script tree', async () => {
    const { publicKey, terms } = plain.statement
    assert.equal(terms.untweaked, 'yes')
    const body = { kind: 'Hash', hash: `0x${hash}` }
    const drafted = await inForce(plain, signatureRequest(world, plain, body))
    const message = encodeSchnorr({ merkleRoot: undefined, message: fromHex(hash) })
    for (const quorum of [
      [1, 2],
      [3, 4],
    ]) {
      const call = signCall(world.keyPlace(plain.id), drafted, { quorum })
      const made = await signature(world, plain, { call, message })
      assert.ok(verifySchnorr(publicKey.slice(1), fromHex(hash), made))
      const spend = { publicKey, birth: 'taproot', merkleRoot: new Uint8Array() } as const
      assert.ok(!verifySchnorr(outputKeyOf(spend) ?? root, fromHex(hash), made))
    }
  })

  it('sign a message, which can name no tree, as the output without scripts', async () => {
    const { publicKey } = taproot.statement
    const body = { kind: 'Message', message: '0x0011' }
    const drafted = await inForce(taproot, signatureRequest(world, taproot, body))
    const none = new Uint8Array()
    const message = encodeSchnorr({ merkleRoot: none, message: fromHex('0011') })
    const call = signCall(world.keyPlace(taproot.id), drafted)
    const made = await signature(world, taproot, { call, message })
    const output = outputKeyOf({ publicKey, birth: 'taproot', merkleRoot: none })
    assert.ok(verifySchnorr(output ?? none, fromHex('0011'), made))
  })

  it('derive the same by every quorum, and another thing from another seed', async () => {
    const outputs = new Set<string>()
    for (const own of [seed, toUtf8('customer 18')]) {
      const drafted = await inForce(dh, derive(dh, { ...derivation, seed: toHex(own) }))
      const message = encodeDerivation({ domain, seed: own })
      for (const quorum of [
        [1, 2],
        [2, 4],
      ]) {
        const call = signCall(world.keyPlace(dh.id), drafted, { quorum })
        outputs.add(toHex(await signature(world, dh, { call, message })))
      }
    }
    assert.equal(outputs.size, 2)
  })

  it('give nothing at all of a derivation before it is certified', async () => {
    const place = world.keyPlace(dh.id)
    for (const sealed of [false, true]) {
      const drafted = draft(dh, derive(dh))
      const { step } = drafted
      for (const index of world.indexes)
        await world.answer(index, place, world.propose(place, step))
      if (sealed)
        for (const index of [1, 2]) {
          const lock = world.lockBy([1, 2, 3], place, step)
          await world.answer(index, place, { kind: 'lock', lock, step })
        }
      const { endings } = await runSigning(world, signCall(place, drafted), { roundsMax: 1 })
      assert.equal(endings.size, 2)
      for (const ending of endings.values()) assert.match(told(ending), /not certified/)
      await world.certify(place, drafted)
    }
  })

  it('do what their scheme does and nothing else, whoever asks', () => {
    const plain = { kind: 'Hash', hash: `0x${hash}` }
    const refusals: readonly (readonly [Key, WholeEvidence, RegExp])[] = [
      [taproot, signatureRequest(world, taproot, plain), /taprootMerkleRoot/],
      [taproot, derive(taproot), /DH keys derive/],
      [ecdsa, derive(ecdsa), /DH keys derive/],
      [ecdsa, signatureRequest(world, ecdsa, { ...plain, taprootMerkleRoot: '' }), /only Schnorr/],
      [dh, signatureRequest(world, dh, plain), /DH keys derive/],
      [dh, derive(dh, { ...derivation, domain: '' }), /domain is empty/],
      [dh, derive(dh, { ...derivation, domain: '00'.repeat(256) }), /domain is longer/],
      [dh, derive(dh, { ...derivation, seed: '00'.repeat(1025) }), /seed is longer/],
    ]
    for (const [key, evidence, reason] of refusals)
      assert.throws(() => draft(key, evidence), reason)
  })
})
