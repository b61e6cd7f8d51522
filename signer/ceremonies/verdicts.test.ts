import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { decodeBody, type Body } from '@quorate/authority/body'
import type { Reader } from '@quorate/authority/reduce/judging'
import { toUtf8 } from '@quorate/core/bytes'
import { createKey, type Key } from '../testing/keys.ts'
import { signatureRequest } from '../testing/uses.ts'
import { World } from '../testing/world.ts'
import { newestReader } from '../store/reader.ts'
import { openVerdicts } from './verdicts.ts'

describe('what was judged of a use a moment ago', () => {
  const world = new World({ numbers: { n: 4, t: 2, q: 3 } })
  let key: Key
  let body: Body
  before(async () => {
    await world.found()
    key = await createKey(world, { scheme: 'EdDSA', curve: 'ed25519' })
    const wanted = [{ kind: 'use', evidence: signatureRequest(world, key) }] as const
    body = decodeBody(world.draft(world.keyPlace(key.id), wanted).step.bytes)
  })
  after(() => world.close())

  /** The newest records; `changed` says what is in the place of the one of this name. */
  function records(
    changed: (key: string, value: Uint8Array | undefined) => Uint8Array | undefined,
  ) {
    const newest = newestReader(world.member(1).store.log, world.organization)
    const read = new Set<string>()
    const reader: Reader = {
      read(stream, name) {
        read.add(name)
        return changed(name, newest.read(stream, name))
      },
    }
    return { reader, read }
  }

  it('stands as long as every record that it rests on is what it was', () => {
    const verdicts = openVerdicts()
    const { rules } = world
    const { reader, read } = records((_, value) => value)
    const first = verdicts({ body, reader, rules }, 0)
    assert.ok(first.ok)
    assert.equal(verdicts({ body, reader, rules }, 0), first)
    assert.ok(read.size > 3)
    for (const lost of read) {
      const without = records((name, value) =>
        name === lost ? (value === undefined ? toUtf8('frozen') : undefined) : value,
      )
      assert.notEqual(verdicts({ body, reader: without.reader, rules }, 0), first)
    }
  })

  it('says no as soon as the author is gone, and yes when he is back', () => {
    const verdicts = openVerdicts()
    const { rules } = world
    const { reader } = records((_, value) => value)
    const gone = records((name, value) => (name.startsWith('user/') ? undefined : value))
    for (const isGone of [false, true, false])
      assert.equal(verdicts({ body, reader: isGone ? gone.reader : reader, rules }, 0).ok, !isGone)
  })

  it('is of one item of one body', () => {
    const verdicts = openVerdicts()
    const { rules } = world
    const { reader } = records((_, value) => value)
    assert.ok(verdicts({ body, reader, rules }, 0).ok)
    assert.ok(!verdicts({ body, reader, rules }, 1).ok)
    assert.ok(!verdicts({ body: { ...body, evidence: [] }, reader, rules }, 0).ok)
  })
})
