import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, beforeEach, describe, it } from 'node:test'
import { newVoter } from '@quorate/authority/agreement/voter'
import { keyStream, rootOf, streamName } from '@quorate/authority/stream'
import { newestReader, readerAt } from './reader.ts'
import { openStore } from './sqlite.ts'
import type { Store } from './store.ts'

const bytes = (fill: number) => new Uint8Array(32).fill(fill)
const organization = bytes(1)
const root = { organization, stream: rootOf(organization) }
const key = { organization, stream: keyStream(bytes(2)) }
const empty = new Uint8Array()

describe('the store', () => {
  const dir = mkdtempSync(join(tmpdir(), 'quorate-store-'))
  const file = join(dir, 'store.sqlite')
  let store: Store
  beforeEach(() => {
    store = openStore(file)
  })
  afterEach(() => {
    store.close()
    rmSync(file)
  })
  after(() => rmSync(dir, { recursive: true }))

  const reopen = () => {
    store.close()
    store = openStore(file)
  }
  const step = (seq: number, time = seq) => ({
    hash: bytes(seq),
    time,
    body: empty,
    certificate: empty,
  })
  const write = (name: string, value: number) => ({ key: name, value: bytes(value) })

  it('is for its owner alone', () => {
    assert.equal(statSync(file).mode & 0o077, 0)
  })

  it('counts transactions that write, and no others, over restarts', () => {
    assert.equal(store.sequence, 0)
    store.commit(() => store.memory.number('clock'))
    assert.equal(store.sequence, 0)
    store.commit(() => store.memory.setNumber('clock', 7))
    store.commit(() => store.log.putVoter(root, { ...newVoter, ballot: 3 }))
    assert.equal(store.sequence, 2)
    reopen()
    assert.equal(store.sequence, 2)
    assert.equal(store.memory.number('clock'), 7)
    assert.deepEqual(store.log.voter(root), { ...newVoter, ballot: 3 })
    assert.deepEqual(store.log.voter(key), newVoter)
  })

  it('does all of a transaction or nothing, and a part of it by itself', () => {
    const fail = () => {
      throw new Error('as it may')
    }
    assert.throws(() =>
      store.commit(() => {
        store.memory.setNumber('clock', 1)
        fail()
      }),
    )
    assert.equal(store.memory.number('clock'), 0)
    assert.equal(store.sequence, 0)
    store.commit(() => {
      store.memory.setNumber('clock', 1)
      assert.throws(() =>
        store.part(() => {
          store.memory.setNumber('restored', 1)
          fail()
        }),
      )
    })
    assert.equal(store.memory.number('clock'), 1)
    assert.equal(store.memory.number('restored'), 0)
  })

  it('forgets a vote that is undone, and knows the one before', () => {
    const [first, second] = [1, 2].map((ballot) => ({ ...newVoter, ballot }))
    assert.ok(first && second)
    const fail = () => {
      throw new Error('as it may')
    }
    const change = () => {
      store.log.putVoter(root, second)
      assert.equal(store.log.voter(root).ballot, 2)
      fail()
    }
    store.commit(() => store.log.putVoter(root, first))
    assert.throws(() => store.commit(change))
    assert.equal(store.log.voter(root).ballot, 1)
    store.commit(() => assert.throws(() => store.part(change)))
    assert.equal(store.log.voter(root).ballot, 1)
    assert.equal(store.log.voter(key).ballot, 0)
  })

  it('is not opened twice, nor when it is of another format', () => {
    assert.throws(() => openStore(file), /locked/)
    const other = join(dir, 'other.sqlite')
    openStore(other).close()
    const db = new DatabaseSync(other)
    db.exec("update meta set value = 9 where name = 'format'")
    db.close()
    assert.throws(() => openStore(other), /another format/)
  })

  it('reads records as they were at any head, and of no stream that is not named', () => {
    store.commit(() => {
      store.log.addStep(root, 0, step(0), [write('a', 10), write('b', 20)])
      store.log.addStep(root, 1, step(1), [write('a', 11), write('a', 12)])
      store.log.addStep(key, 0, step(0), [write('a', 30)])
    })
    const at = (seq: number, place = key) =>
      readerAt(store.log, place, {
        seq: 1,
        heads: [{ stream: root.stream, seq, step: bytes(seq) }],
      })
    assert.deepEqual(at(0).read(root.stream, 'a'), bytes(10))
    assert.deepEqual(at(1).read(root.stream, 'a'), bytes(12))
    assert.deepEqual(at(1).read(root.stream, 'b'), bytes(20))
    assert.deepEqual(at(0).read(key.stream, 'a'), bytes(30))
    const none = readerAt(store.log, key, { seq: 0, heads: [] })
    assert.equal(none.read(key.stream, 'a'), undefined)
    assert.equal(none.read(root.stream, 'a'), undefined)
    const own = readerAt(store.log, root, { seq: 1, heads: [] })
    assert.deepEqual(own.read(root.stream, 'a'), bytes(10))
    const sealed = [{ stream: root.stream, writes: [write('a', 13)] }]
    assert.deepEqual(newestReader(store.log, organization).read(root.stream, 'a'), bytes(12))
    const ahead = newestReader(store.log, organization, sealed)
    assert.deepEqual(ahead.read(root.stream, 'a'), bytes(13))
    assert.deepEqual(ahead.read(key.stream, 'a'), bytes(30))
    assert.deepEqual([store.log.newestSeq(root), store.log.newestSeq(key)], [1, 0])
  })

  it('holds no byte of what was replaced once it is compacted, nor does its log', () => {
    const files = () => ['', '-wal'].map((end) => readFileSync(`${file}${end}`))
    const isThere = (word: string) => files().some((one) => one.includes(word))
    const wordy = (seq: number) => Buffer.from(`bob ${seq}`.padEnd(300 + ((seq * 37) % 900), '-'))
    const other = (seq: number) => new Uint8Array(400 + ((seq * 53) % 1_100))
    const [all, stream] = [Array.from({ length: 400 }, (_, seq) => seq), streamName(root.stream)]
    store.commit(() => {
      for (const seq of all)
        store.log.addStep(root, seq, { ...step(seq), hash: bytes(1), body: wordy(seq) }, [])
    })
    store.commit(() => {
      for (const seq of all)
        store.sweeps.replaceBody(organization, { stream, seq, body: other(seq) })
    })
    assert.ok(isThere('bob'))
    assert.throws(() => store.commit(() => store.compact()), /under way/)
    store.compact()
    assert.ok(!isThere('bob'))
    assert.equal(store.log.stepAt(root, 399)?.body.length, 400 + ((399 * 53) % 1_100))
    assert.ok(store.isOpen())
  })

  it('never has two steps at one place', () => {
    store.commit(() => store.log.addStep(root, 0, step(0), []))
    assert.throws(() => store.commit(() => store.log.addStep(root, 0, step(5), [])), /UNIQUE/)
  })

  it('replaces a pair unless it is burned', () => {
    const pair = { organization, peer: 2 }
    const put = (epoch: number) =>
      store.commit(() => store.pairs.put(pair, { epoch: bytes(epoch), born: epoch, sealed: empty }))
    put(1)
    put(2)
    assert.deepEqual(store.pairs.find(pair)?.epoch, bytes(2))
    store.commit(() => store.pairs.burn(pair))
    put(4)
    assert.equal(store.pairs.find(pair)?.status, 'burned')
    const other = { organization, peer: 3 }
    store.commit(() => {
      store.pairs.put(other, { epoch: bytes(1), born: 0, sealed: empty })
      store.pairs.burn(other)
      store.pairs.put(other, { epoch: bytes(2), born: 0, sealed: empty })
    })
    assert.equal(store.pairs.find(other)?.status, 'burned')
  })

  it('counts tests of a pair from its setup on, and setups by the hour', () => {
    const pair = { organization, peer: 2 }
    const put = (born: number) =>
      store.commit(() => store.pairs.put(pair, { epoch: bytes(1), born, sealed: empty }))
    const test = () => store.commit(() => store.pairs.countTest(pair))
    const setUp = (hour: number) => store.commit(() => store.pairs.countSetup(pair, hour))
    put(7)
    test()
    test()
    assert.deepEqual([1, 1, 2].map(setUp), [1, 2, 1])
    reopen()
    assert.equal(setUp(2), 2)
    test()
    assert.deepEqual([store.pairs.find(pair)?.born, store.pairs.find(pair)?.tests], [7, 3])
    put(8)
    assert.deepEqual([store.pairs.find(pair)?.born, store.pairs.find(pair)?.tests], [8, 0])
    store.commit(() => store.pairs.burn(pair))
    test()
    put(9)
    assert.equal(store.pairs.find(pair)?.tests, 1)
  })

  it('uses a session id once, until it can do no harm any more', () => {
    const use = (expires: number) => store.commit(() => store.memory.useSession(bytes(9), expires))
    assert.ok(use(100))
    assert.ok(!use(100))
    reopen()
    store.commit(() => store.memory.forgetSessions(100))
    assert.ok(!use(100))
    store.commit(() => store.memory.forgetSessions(101))
    assert.ok(use(100))
  })

  it('forgets sessions a thousand at a time, and finds them without looking at the others', () => {
    const id = (i: number) =>
      Uint8Array.from(bytes(0))
        .fill(i >> 8, 0, 1)
        .fill(i & 255, 1, 2)
    store.commit(() => {
      for (let i = 0; i < 1_500; i++) store.memory.useSession(id(i), i)
    })
    const isFree = (i: number) =>
      store.commit(() => store.memory.useSession(id(i), Number.MAX_SAFE_INTEGER))
    store.commit(() => store.memory.forgetSessions(1_400))
    assert.deepEqual([999, 1_000].map(isFree), [true, false])
    store.commit(() => store.memory.forgetSessions(1_400))
    assert.deepEqual([1_000, 1_399, 1_400].map(isFree), [true, true, false])
    store.close()
    const db = new DatabaseSync(file)
    const plan = db
      .prepare('explain query plan select id from sessions where expires < 7 order by expires')
      .all()
    assert.match(JSON.stringify(plan), /sessions_expired/)
    db.close()
    store = openStore(file)
  })

  it('keeps the first reason why an organization stands still, and the first external id', () => {
    store.commit(() => {
      store.memory.stop(organization, 'first', empty)
      store.memory.stop(organization, 'second', empty)
      store.memory.keepExternalId(bytes(1), bytes(2))
      store.memory.keepExternalId(bytes(1), bytes(3))
    })
    assert.equal(store.memory.stopped(organization), 'first')
    assert.deepEqual(store.memory.stops(), [{ organization, detail: 'first', evidence: empty }])
    assert.equal(store.memory.stopped(bytes(7)), undefined)
    store.commit(() => store.memory.liftStop(bytes(7)))
    assert.equal(store.memory.stopped(organization), 'first')
    store.commit(() => store.memory.liftStop(organization))
    assert.equal(store.memory.stopped(organization), undefined)
    assert.deepEqual(store.memory.externalId(bytes(1)), bytes(2))
  })

  it('deletes pending shares only, and puts one in force', () => {
    const share = (statement: number, signBefore: number) => ({
      key: bytes(5),
      statement: bytes(statement),
      organization,
      newcomer: undefined,
      signBefore,
      sealed: bytes(statement),
    })
    store.commit(() => {
      store.shares.addPending(share(1, 10))
      store.shares.addPending(share(2, 20))
    })
    const name = { key: bytes(5), statement: bytes(1) }
    assert.equal(store.shares.active(name), undefined)
    assert.deepEqual(store.shares.pendingBefore(organization, 10), [])
    assert.deepEqual(store.shares.pendingBefore(organization, 11), [name])
    store.commit(() => store.shares.activate(name))
    assert.equal(store.shares.countPending(bytes(5)), 0)
    assert.deepEqual(store.shares.pendingBefore(organization, 99), [])
    store.commit(() => store.shares.deletePending(name))
    assert.deepEqual(store.shares.active(name), bytes(1))
  })
})
