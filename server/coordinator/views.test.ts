import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { toUtf8 } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { sha256 } from '@quorate/core/hash'
import { certificateCodec } from '@quorate/authority/agreement/messages'
import { keyStream, rootOf, streamCodec, type StreamId } from '@quorate/authority/stream'
import type { TestDatabase } from '@quorate/scripts/test-database'
import { type Database, openDatabase } from '../database/database.ts'
import { Ledger } from './ledger.ts'
import { Views } from './views.ts'
import { createServerDatabase } from '../testing/database.ts'

const organization = sha256(toUtf8('organization'))
const root = { organization, stream: rootOf(organization) }
const key = { organization, stream: keyStream(sha256(toUtf8('key'))) }

describe('views', () => {
  let home: TestDatabase
  let database: Database
  before(async () => {
    home = await createServerDatabase()
    database = openDatabase(home.url, (error) => assert.fail(error))
  })
  after(async () => {
    await database.destroy()
    await home.drop()
  })

  /** As another server would write it. */
  async function write(stream: StreamId, seq: number, values: Readonly<Record<string, string>>) {
    const at = { organization, stream: encode(streamCodec, stream), seq }
    const rows = Object.entries(values).map(([name, text]) => ({
      ...at,
      name,
      value: toUtf8(text),
    }))
    const voice = {
      signer: 1,
      bootId: new Uint8Array(16),
      storeSequence: 1,
      signature: new Uint8Array(64),
    }
    const hash = sha256(toUtf8(String(seq)))
    const certificate = encode(certificateCodec, {
      kind: 'certificate',
      manifestHash: hash,
      organization,
      stream,
      seq,
      ballot: 0,
      stepHash: hash,
      voices: [voice],
    })
    const step = { ...at, hash, time: seq, body: new Uint8Array(), certificate }
    await database.insertInto('steps').values(step).execute()
    await database.insertInto('records').values(rows).execute()
  }

  const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString()

  it('show the newest records of a stream and of its root, as other servers write them', async () => {
    const views = new Views(new Ledger(database))
    await write(root.stream, 0, { a: '1', b: '1' })
    await write(key.stream, 0, { a: 'of the key' })
    const both = () =>
      views.read(key, ({ reader, root: head }) => [
        text(reader.read(root.stream, 'a')),
        text(reader.read(key.stream, 'a')),
        reader.read(root.stream, 'c'),
        head?.seq,
      ])
    assert.deepEqual(await both(), ['1', 'of the key', undefined, 0])
    await write(root.stream, 1, { a: '2' })
    assert.deepEqual(await both(), ['1', 'of the key', undefined, 0])
    await views.refresh(root)
    assert.deepEqual(await both(), ['2', 'of the key', undefined, 1])
  })

  it('show the records as of a place, whatever has come since', async () => {
    const views = new Views(new Ledger(database))
    const at = (seq: number) =>
      views.readAt(key, { root: seq, own: 0 }, (reader) => text(reader.read(root.stream, 'a')))
    assert.deepEqual([await at(0), await at(1)], ['1', '2'])
  })

  it('hold a whole root at once, and follow it', async () => {
    const views = new Views(new Ledger(database))
    const first = await views.whole(organization)
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => text(first.read(root.stream, name))),
      ['2', '1', undefined],
    )
    await write(root.stream, 2, { c: '3' })
    assert.equal(text((await views.whole(organization)).read(root.stream, 'c')), '3')
  })

  it('share a look at the newest step with all who come before it, and with nobody who comes later', async () => {
    let looks = 0
    class Watched extends Ledger {
      override headSeq(place: Parameters<Ledger['headSeq']>[0]) {
        looks += 1
        return super.headSeq(place)
      }
    }
    const views = new Views(new Watched(database))
    const before = await views.refresh(root)
    const first = views.refresh(root)
    const seq = (before?.seq ?? -1) + 1
    await write(root.stream, seq, { shared: 'yes' })
    const later = await Promise.all(Array.from({ length: 20 }, () => views.refresh(root)))
    assert.ok(later.every((head) => head?.seq === seq))
    await first
    assert.ok(looks >= 1 && looks <= 3, `${looks} looks`)
  })

  it('read a stream of few steps once, and know what is not in it', async () => {
    let questions = 0
    class Watched extends Ledger {
      override records(...asked: Parameters<Ledger['records']>) {
        questions += 1
        return super.records(...asked)
      }
      override changes(...asked: Parameters<Ledger['changes']>) {
        questions += 1
        return super.changes(...asked)
      }
    }
    const ledger = new Watched(database)
    const views = new Views(ledger)
    const read = (name: string) =>
      views.read(key, ({ reader }) => text(reader.read(key.stream, name)))
    assert.deepEqual(
      [await read('a'), await read('b'), await read('c')],
      ['of the key', undefined, undefined],
    )
    assert.equal(questions, 1)
    await write(key.stream, 1, { b: 'later' })
    assert.equal(await read('b'), undefined)
    await views.refresh(key)
    assert.equal(await read('b'), 'later')
  })

  it("refuse to read another organization's root", async () => {
    const views = new Views(new Ledger(database))
    const foreign = rootOf(sha256(toUtf8('another')))
    await assert.rejects(
      views.read(key, ({ reader }) => reader.read(foreign, 'a')),
      /another organization/,
    )
  })

  it('ask the database once for all that a judgement lacks, and forget how that one went', async () => {
    const views = new Views(new Ledger(database))
    let judged = 0
    const found = await views.readAt(key, { root: 2, own: 0 }, (reader) => {
      judged += 1
      const texts = ['a', 'b', 'c'].map((name) => text(reader.read(root.stream, name)))
      if (texts.includes(undefined)) throw new Error('of a judgement that lacked something')
      return texts
    })
    assert.deepEqual([found, judged], [['2', '1', '3'], 2])
  })

  it('end a judgement that asks without end', async () => {
    const views = new Views(new Ledger(database))
    let asked = 0
    const endless = views.readAt(key, { root: 0, own: 0 }, (reader) =>
      reader.read(root.stream, `record ${asked++}`),
    )
    await assert.rejects(endless, /without end/)
  })
})
