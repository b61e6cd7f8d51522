import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { readBirth } from '@quorate/authority/key-certificate'
import { fromHex, toHex } from '@quorate/core/bytes'
import { withLyingExtension } from './testing/corrupt.ts'
import { createKey, generatePooled, told, type Key } from './testing/keys.ts'
import { setUpAllPairs, setUpPair, signature, signCall } from './testing/signing.ts'
import { signatureRequest } from './testing/uses.ts'
import { World } from './testing/world.ts'
import { peersCommand } from './peers.ts'

const message = fromHex('22'.repeat(32))

describe('what a signer holds against others', () => {
  const world = new World({ numbers: { n: 3, t: 2, q: 3 } })
  let key: Key
  before(async () => {
    await world.found()
    key = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
    await setUpAllPairs(world)
  })
  after(() => world.close())

  /** A new session of these two, under a step of its own. */
  const session = async (quorum: readonly number[]) => {
    const place = world.keyPlace(key.id)
    const drafted = world.draft(place, [{ kind: 'use', evidence: signatureRequest(world, key) }])
    await world.certify(place, drafted)
    return signCall(place, drafted, { quorum: [...quorum] })
  }
  /** By an operator, with the signer stopped. */
  const say = (index: number, ...args: readonly string[]) => {
    const { store, file, kek } = world.member(index)
    store.close()
    const lines: string[] = []
    const code = peersCommand([file, ...args], (line) => lines.push(line))
    world.open(index, { file, kek })
    return { code, lines }
  }

  it('is kept with the packet that the other has signed, and told to an operator', async () => {
    const call = await session([2, 3])
    const [two, three] = [await world.session(2, call), await world.session(3, call)]
    assert.ok(two.kind === 'packet' && three.kind === 'packet')
    const lying = withLyingExtension(world, { key, call, message }, three.packet)
    const { ceremony } = two
    const outcome = await world.session(2, { kind: 'advance', ceremony, packets: [lying] })
    assert.equal(outcome.kind, 'aborted', told(outcome))
    assert.ok(world.member(2).lines.some((line) => line.includes('"strike"')))
    const { code, lines } = say(2)
    assert.equal(code, 0)
    assert.equal(lines[0], `burned: ${toHex(world.organization)} with signer 3`)
    assert.match(lines[1] ?? '', /^strikes: signer 3, extension: 1, the last 20/)
    assert.deepEqual(say(3).lines, [])
  })

  it('ends for a burned pair by an operator’s release and a new setup, and by neither alone', async () => {
    const burned = { kind: 'unpaired', peers: [3], burned: [3] }
    assert.deepEqual(await world.session(2, await session([2, 3])), burned)
    assert.deepEqual((await setUpPair(world, 2, 3)).get(2), burned)
    await signature(world, key, { call: await session([1, 2]), message })
    const organization = toHex(world.organization)
    assert.equal(say(2, 'release', '00'.repeat(32), '3').code, 1)
    assert.equal(say(2, 'release', organization, '1').code, 1)
    assert.equal(say(2, 'release', organization, '3').code, 0)
    const missing = { kind: 'unpaired', peers: [3], burned: [] }
    assert.deepEqual(await world.session(2, await session([2, 3])), missing)
    for (const ending of (await setUpPair(world, 2, 3)).values())
      assert.equal(ending.kind, 'finished')
    await signature(world, key, { call: await session([2, 3]), message })
  })

  it('lets it sign with nobody whom its operator has banned, over restarts, until he takes it back', async () => {
    assert.equal(say(1, 'ban', '3').code, 0)
    const banned = { kind: 'banned', peers: [3] }
    for (const restarted of [false, true]) {
      if (restarted) world.restart(1)
      assert.deepEqual(await world.session(1, await session([1, 3])), banned)
      assert.deepEqual((await setUpPair(world, 1, 3)).get(1), banned)
    }
    await signature(world, key, { call: await session([1, 2]), message })
    assert.deepEqual(say(1).lines, ['banned: signer 3'])
    assert.equal(say(1, 'unban', '2').code, 1)
    assert.equal(say(1, 'unban', '3').code, 0)
    await signature(world, key, { call: await session([1, 3]), message })
  })

  it('keeps nobody out of a birth, which takes all, banned or not, and signs with the others', async () => {
    assert.equal(say(1, 'ban', '3').code, 0)
    for (const kind of [
      { scheme: 'ECDSA', curve: 'secp256k1' },
      { scheme: 'EdDSA', curve: 'ed25519' },
    ] as const) {
      const { statement } = await createKey(world, kind)
      assert.equal(statement.publicShares.length, 3)
      const birth = readBirth(await generatePooled(world, kind))
      assert.equal(birth.statement.publicShares.length, 3)
    }
    await signature(world, key, { call: await session([2, 3]), message })
    assert.deepEqual(await world.session(1, await session([1, 3])), { kind: 'banned', peers: [3] })
    assert.equal(say(1, 'unban', '3').code, 0)
  })

  it('is changed by commands that are one, and by no others', () => {
    for (const args of [
      ['ban'],
      ['ban', '0'],
      ['ban', '3', '4'],
      ['release', '3'],
      ['forgive', '3'],
    ])
      assert.equal(say(1, ...args).code, 2)
    assert.equal(
      peersCommand([], () => undefined),
      2,
    )
    assert.throws(() => peersCommand([`${world.dir}/nothing`], () => undefined), /There is no/)
  })
})
