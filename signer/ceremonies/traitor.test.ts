import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { fromHex } from '@quorate/core/bytes'
import { withLyingExtension } from '../testing/corrupt.ts'
import { createKey, told, type Key } from '../testing/keys.ts'
import type { Drafted, Place } from '../testing/ledger.ts'
import { setUpPair, signCall } from '../testing/signing.ts'
import { signatureRequest } from '../testing/uses.ts'
import { World } from '../testing/world.ts'

const message = fromHex('22'.repeat(32))
/** Sessions of one pair at once, as many as one thing to be signed may have open, each with a guess. */
const sessions = 8

describe('a corrupt signer with many sessions of one pair at once', () => {
  const world = new World({ numbers: { n: 3, t: 2, q: 3 } })
  let key: Key
  let place: Place
  let drafted: Drafted
  const copyOf = (name: string): string => `${world.storeFile(1)}.${name}`
  const pair = () => world.member(1).store.pairs.find({ organization: world.organization, peer: 2 })
  const asked = () => world.session(1, signCall(place, drafted, { quorum: [1, 2] }))
  const burned = { kind: 'unpaired', peers: [2], burned: [2] }

  before(async () => {
    await world.found()
    key = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
    place = world.keyPlace(key.id)
    drafted = world.draft(place, [{ kind: 'use', evidence: signatureRequest(world, key) }])
    await world.certify(place, drafted)
    for (const ending of (await setUpPair(world, 1, 2)).values())
      assert.equal(ending.kind, 'finished', told(ending))
    world.member(1).store.close()
    copyFileSync(world.storeFile(1), copyOf('before'))
    reopen()
  })
  after(() => world.close())

  let kek: Uint8Array
  const reopen = () => {
    kek ??= world.member(1).kek
    world.open(1, { kek, file: world.storeFile(1) })
  }

  it('has one guess tested, and the pair is burned for all of them', async () => {
    const open = []
    for (let i = 0; i < sessions; i++) {
      const call = signCall(place, drafted, { quorum: [1, 2] })
      const [one, two] = [await world.session(1, call), await world.session(2, call)]
      assert.ok(one.kind === 'packet' && two.kind === 'packet', told(one))
      const lying = withLyingExtension(world, { key, call, message }, two.packet)
      open.push({ kind: 'advance', ceremony: one.ceremony, packets: [lying] } as const)
    }
    const endings = await Promise.all(open.map((advance) => world.session(1, advance)))
    const [aborted, ...others] = endings.toSorted((a, b) => (a.kind < b.kind ? -1 : 1))
    assert.ok(aborted?.kind === 'aborted')
    assert.deepEqual([aborted.reason, aborted.burned], ['extension', [2]])
    for (const ending of others) assert.deepEqual(ending, burned)
    assert.deepEqual([pair()?.status, pair()?.tests], ['burned', 1])
  })

  it('gains nothing by a restart', async () => {
    world.restart(1)
    assert.deepEqual(await asked(), burned)
    assert.deepEqual((await setUpPair(world, 1, 2)).get(1), burned)
  })

  it('gains nothing by a store that is put back to before the burning', async () => {
    const file = world.storeFile(1)
    world.member(1).store.close()
    copyFileSync(file, copyOf('after'))
    copyFileSync(copyOf('before'), file)
    assert.throws(reopen, /the store is an old copy/)
    copyFileSync(copyOf('after'), file)
    reopen()
    assert.deepEqual(await asked(), burned)
  })
})
