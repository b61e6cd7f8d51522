import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keepAttendance } from './attendance.ts'
import { Roast, type Verdict } from './roast.ts'

describe('the sessions of one signature', () => {
  const nobody = new Set<number>()
  const inOrder = () => keepAttendance(Date.now, () => 0)

  it('go on with those that owe nothing while one is waited for, and never with that one', () => {
    const roast = new Roast(2, inOrder())
    roast.begin(0, next(roast, nobody))
    const owing = new Set([2])
    assert.deepEqual(next(roast, owing), [1, 3])
    roast.begin(1, [1, 3], owing)
    // It has answered by now, but those who do answer in time come first.
    assert.deepEqual(next(roast, nobody), [1, 3])
    assert.equal(ask(roast, new Set([2, 3, 4])), undefined)
  })

  it('call a late signer again, once it owes nothing, where there is no other', () => {
    const roast = new Roast(2, inOrder())
    roast.begin(0, [1, 2])
    roast.begin(1, [3, 4], new Set([1, 2]))
    roast.end(1, { kind: 'faulty', signers: [4] }, 0)
    assert.equal(ask(roast, new Set([1, 2])), undefined)
    assert.deepEqual(ask(roast, new Set([2])), [1, 3])
  })

  it('leave out for good who fails twice to answer, or has sent what nobody would accept', () => {
    const roast = new Roast(2, inOrder())
    for (const session of [0, 1]) {
      roast.begin(session, [1, 2])
      roast.end(session, { kind: 'missed', signer: 1 }, 0)
    }
    assert.deepEqual(next(roast, nobody), [2, 3])
    roast.begin(2, [2, 3])
    roast.end(2, { kind: 'faulty', signers: [2] }, 0)
    assert.deepEqual(next(roast, nobody), [3, 4])
  })

  it('part those whose word stands against each other, and try others first', () => {
    const roast = new Roast(2, inOrder())
    roast.begin(0, [1, 2])
    roast.end(0, { kind: 'parted', signer: 1, peers: [2] }, 0)
    assert.deepEqual(next(roast, nobody), [3, 4])
    assert.deepEqual(ask(roast, new Set([4])), [1, 3])
    // With 3 left alone among them it is one of the two, and not both together.
    assert.equal(ask(roast, new Set([3, 4])), undefined)
  })

  it('know who is corrupt once he has fallen out with as many as a signature needs', () => {
    const roast = new Roast(2, inOrder())
    for (const [session, peer] of [2, 3].entries()) {
      roast.begin(session, [1, peer])
      roast.end(session, { kind: 'parted', signer: peer, peers: [1] }, 0)
    }
    const without4 = new Set([4])
    assert.deepEqual(ask(roast, without4), [2, 3])
    // Not even with one that he has not fallen out with yet.
    assert.equal(ask(roast, new Set([2, 3])), undefined)
  })

  it('wait for a busy signer, each time longer, without a word of blame', () => {
    const roast = new Roast(2, inOrder())
    let now = 0
    const waits = []
    for (let session = 0; session < 8; session++) {
      roast.begin(session, [1, 2])
      roast.end(session, { kind: 'busy', signer: 1 }, now)
      assert.deepEqual(ask(roast, new Set([4]), now), [2, 3])
      const until = roast.busyUntil(now) ?? assert.fail()
      waits.push(until - now)
      now = until
      assert.deepEqual(ask(roast, new Set([3, 4]), now), [1, 2])
    }
    assert.deepEqual(waits, [50, 100, 200, 400, 800, 1_000, 1_000, 1_000])
    assert.equal(roast.begun, 0)
  })

  it('call nobody who is being mended, and him again when that is done', () => {
    const roast = new Roast(2, inOrder())
    roast.begin(0, [1, 2])
    roast.end(0, { kind: 'mending', signer: 1, peers: [] }, 0)
    assert.deepEqual(next(roast, nobody), [2, 3])
    roast.mended(1, [], true)
    assert.deepEqual(next(roast, nobody), [1, 2])
    roast.begin(1, [1, 2])
    roast.end(1, { kind: 'mending', signer: 1, peers: [2] }, 0)
    assert.deepEqual(next(roast, nobody), [1, 3])
    roast.mended(1, [2], false)
    roast.begin(2, [3, 4])
    roast.end(2, { kind: 'spoilt' }, 0)
    assert.equal(ask(roast, new Set([1, 2])), undefined)
    assert.deepEqual(next(roast, nobody), [1, 3])
  })

  it('are n - t + 1 at most, whatever n - t signers do that the server can see', () => {
    everyCluster((n, t, random) => {
      const bad = sample(n, n - t, random)
      const most = play({ n, t, random, bad, wiles: ['silent', 'slow', 'rubbish'] })
      assert.ok(most <= n - t + 1, `${most} sessions for ${n}/${t}`)
    })
  })

  it('are t (t - 1) more at most when t - 1 of them accuse, or are accused by, whom they please', () => {
    everyCluster((n, t, random) => {
      const bad = sample(n, Math.min(t - 1, n - t), random)
      const most = play({ n, t, random, bad, wiles: ['silent', 'rubbish', 'accuse'] })
      assert.ok(most <= n - t + 1 + t * (t - 1), `${most} sessions for ${n}/${t}`)
    })
  })
})

function ask(roast: Roast, owing: ReadonlySet<number>, now = 0): readonly number[] | undefined {
  return roast.next({ connected: [1, 2, 3, 4], owing, apart: [], now })
}

function next(roast: Roast, owing: ReadonlySet<number>): readonly number[] {
  return ask(roast, owing) ?? assert.fail('there is no quorum')
}

type Random = () => number
type Wile = 'silent' | 'slow' | 'rubbish' | 'accuse'
type Game = {
  readonly n: number
  readonly t: number
  readonly random: Random
  readonly bad: ReadonlySet<number>
  readonly wiles: readonly Wile[]
}

/** Every size there is, many times over, from one seed. */
function everyCluster(check: (n: number, t: number, random: Random) => void): void {
  const random = seeded(7)
  for (let n = 2; n <= 7; n++)
    for (let t = 2; t <= n; t++) for (let i = 0; i < 100; i++) check(n, t, random)
}

/**
 * A signature of two rounds among signers of which the bad ones do, in every session anew, whatever
 * of their wiles they like. Honest ones answer before anybody's patience is over.
 * @returns how many sessions it took
 */
function play({ n, t, random, bad, wiles }: Game): number {
  const roast = new Roast(t, keepAttendance(Date.now, random))
  const connected = Array.from({ length: n }, (_, i) => i + 1)
  /** Sessions under way, with those that each of them waits for. */
  const open = new Map<number, Set<number>>()
  for (let session = 0; session < 200; session++) {
    const owing = new Set([...open.values()].flatMap((late) => [...late]))
    const quorum = roast.next({ connected, owing, apart: [], now: 0 })
    if (quorum === undefined) {
      // All that is left is waiting: whoever is waited for has missed his time in the end.
      const [late] = open
      assert.ok(late, 'no quorum, and nothing to wait for')
      const [number, [signer = 0]] = [late[0], [...late[1]]]
      open.delete(number)
      roast.end(number, { kind: 'missed', signer }, 0)
      continue
    }
    roast.begin(session, quorum, owing)
    const verdict = playSession(quorum, { bad, wiles, random })
    if (verdict === undefined) return roast.begun
    if (verdict instanceof Set) open.set(session, verdict)
    else roast.end(session, verdict, 0)
    // Now and then a slow one answers after all, only to be waited for in its next round.
    if (random() < 0.3)
      for (const late of open.values()) if (late.size > 1) late.delete([...late][0] ?? 0)
  }
  assert.fail('it came to no end')
}

/** @returns nothing when there is a signature, or those that it waits for */
function playSession(
  quorum: readonly number[],
  { bad, wiles, random }: Pick<Game, 'bad' | 'wiles' | 'random'>,
): Verdict | Set<number> | undefined {
  const there = quorum.filter((signer) => bad.has(signer))
  const of = (wile: Wile) => there.filter(() => wiles.includes(wile) && random() < 0.4)
  const [rubbish] = of('rubbish')
  if (rubbish !== undefined) return { kind: 'faulty', signers: [rubbish] }
  const [accuser] = of('accuse')
  const others = quorum.filter((signer) => signer !== accuser)
  const victim = others[Math.floor(random() * others.length)]
  if (accuser !== undefined && victim !== undefined)
    return random() < 0.5
      ? { kind: 'parted', signer: accuser, peers: [victim] }
      : { kind: 'parted', signer: bad.has(victim) ? accuser : victim, peers: [accuser] }
  const late = [...of('silent'), ...of('slow')]
  return late.length > 0 ? new Set(late) : undefined
}

function sample(n: number, count: number, random: Random): ReadonlySet<number> {
  const all = Array.from({ length: n }, (_, i) => ({ signer: i + 1, at: random() }))
  const chosen = all.sort((a, b) => a.at - b.at).slice(0, count)
  return new Set(chosen.map(({ signer }) => signer))
}

/** Mulberry32: small, and the same on every machine. */
function seeded(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}
