import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { HDKey } from '@scure/bip32'
import { encodeKeyStatement, keyStatementHash } from '@quorate/authority/key-certificate'
import { fromHex } from '@quorate/core/bytes'
import { encodeSchnorr } from '@quorate/effects/instruction'
import { outputKeyOf } from '@quorate/threshold/public/taproot'
import { verifySchnorr } from '@quorate/threshold/public/schnorr'
import { exchangeShare, sealAnew } from '../testing/exchange.ts'
import { createKey, deriveKey, told, type Key } from '../testing/keys.ts'
import type { Drafted } from '../testing/ledger.ts'
import { runSigning, setUpAllPairs, signature, signCall } from '../testing/signing.ts'
import { signatureRequest } from '../testing/uses.ts'
import { World } from '../testing/world.ts'
import { signSid } from './sign.ts'

const hash = '22'.repeat(32)
const message = fromHex(hash)

describe('signing with a derived key', () => {
  const world = new World()
  let master: Key
  let children: readonly Key[]
  before(async () => {
    await world.found()
    const ecdsa = { scheme: 'ECDSA', curve: 'secp256k1' }
    master = await createKey(world, { ...ecdsa, masterKey: true })
    await setUpAllPairs(world)
    children = [await deriveKey(world, master, 'm/44/7'), await deriveKey(world, master)]
  })
  after(() => world.close())

  async function inForce(key: Key, body?: object): Promise<Drafted> {
    const place = world.keyPlace(key.id)
    const evidence = signatureRequest(world, key, body)
    const drafted = world.draft(place, [{ kind: 'use', evidence }])
    await world.certify(place, drafted)
    return drafted
  }

  /** As another library derives it of what all signers have signed about the master. */
  function theirs({ statement }: Key, path: readonly number[]): Uint8Array {
    const { publicKey, chainCode } = statement
    const from = new HDKey({ publicKey, chainCode })
    const { publicKey: child } = path.reduce((at, index) => at.deriveChild(index), from)
    assert.ok(child)
    return child
  }

  it('holds under the key that BIP 32 derives, and under no other, by every quorum', async () => {
    const keys = [theirs(master, [44, 7]), theirs(master, [0]), master.statement.publicKey]
    for (const [i, key] of [...children, master].entries()) {
      const drafted = await inForce(key)
      for (const quorum of [
        [1, 2],
        [3, 4],
      ]) {
        const call = signCall(world.keyPlace(key.id), drafted, { quorum })
        const made = await signature(world, key, { call, message })
        const holding = keys.map((publicKey) =>
          secp256k1.verify(made, message, publicKey, { prehash: false }),
        )
        assert.deepEqual(
          holding,
          keys.map((_, place) => place === i),
        )
      }
    }
  })

  it('is another session than the same of its master', async () => {
    const [child] = children
    assert.ok(child)
    const call = signCall(world.keyPlace(child.id), await inForce(child))
    const { endings, packets } = await runSigning(world, call, { roundsMax: 1 })
    const said = [...endings.values()].flatMap((one) => (one.kind === 'packet' ? [one] : []))
    assert.equal(said.length, 2)
    assert.ok(packets.size > 0)
    const deps = { self: { manifest: world.cluster.manifest } }
    const sidOf = (key: Uint8Array) =>
      signSid(deps, { call, key, curve: 'secp256k1', protocol: 'ecdsa' })
    for (const { ceremony } of said) {
      assert.deepEqual(ceremony, sidOf(child.id))
      assert.notDeepEqual(ceremony, sidOf(master.id))
    }
  })

  it('with Schnorr, holds as the output of the child alone', async () => {
    const born = await createKey(world, { scheme: 'Schnorr', curve: 'secp256k1', masterKey: true })
    const derived = [born]
    // Enough for keys of either sign, which Taproot treats differently.
    while (derived.length < 8) derived.push(await deriveKey(world, born))
    const merkleRoot = new Uint8Array()
    const outputs = derived.map(({ statement: { publicKey } }) => {
      const output = outputKeyOf({ publicKey, birth: 'taproot', merkleRoot })
      assert.ok(output)
      return output
    })
    for (const [i, key] of derived.entries()) {
      const drafted = await inForce(key, { kind: 'Hash', hash, taprootMerkleRoot: '' })
      const call = signCall(world.keyPlace(key.id), drafted)
      const asked = encodeSchnorr({ merkleRoot, message })
      const made = await signature(world, key, { call, message: asked })
      assert.deepEqual(
        outputs.map((output) => verifySchnorr(output, message, made)),
        outputs.map((_, place) => place === i),
      )
      if (i > 0) assert.deepEqual(key.statement.publicKey, theirs(born, [i - 1]))
    }
  })

  it('is refused when what the kept share comes to is not the key in the log', async () => {
    const ecdsa = { scheme: 'ECDSA', curve: 'secp256k1', masterKey: true }
    const other = await createKey(world, ecdsa)
    const [child] = children
    assert.ok(child)
    const drafted = await inForce(child)
    const { kek, file } = world.member(1)
    const place = ({ id: key, statement }: Key) => ({
      ...{ signer: 1, organization: world.organization, key, owner: undefined },
      statement: keyStatementHash(encodeKeyStatement(statement)),
    })
    world.leave(1)
    const copy = `${file}.copy`
    copyFileSync(file, copy)
    exchangeShare({ file, kek }, { from: place(other), into: place(master) }, sealAnew)
    world.open(1, { kek, file })
    const call = signCall(world.keyPlace(child.id), drafted)
    assert.match(told(await world.session(1, call)), /no share of this key is in force here/)
    world.leave(1)
    copyFileSync(copy, file)
    world.open(1, { kek, file })
    assert.equal((await world.session(1, call)).kind, 'packet')
  })

  it('stops with its master, which somebody has frozen', async () => {
    const [child] = children
    assert.ok(child)
    const drafted = await inForce(child)
    await world.put(
      'freeze',
      world.request({ path: '/orgs/freezes', body: { keyId: master.name } }),
    )
    const { endings } = await runSigning(world, signCall(world.keyPlace(child.id), drafted))
    for (const ending of endings.values()) assert.match(told(ending), /the master key is frozen/)
  })
})
