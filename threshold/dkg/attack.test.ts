import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { concat, equalBytes } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { badPoints } from '../group/bad-points.ts'
import type { Group } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { type Numbers, randomNumber } from '../group/testing/oracle.ts'
import type { Inbound, Outbound } from '../session.ts'
import {
  acting,
  allAbort,
  type Attack,
  attacker,
  attackOn,
  broadcasting,
  carrying,
  committingTo,
  dealing,
  flip,
  put,
  recorded,
  seeded,
  sid,
  silentAfter,
  together,
} from './attacker.ts'
import type { Delivery } from './ceremony.ts'
import { responseCodec, settlementCodec } from './messages.ts'
import { startDkg } from './round1.ts'
import { dkgRound2 } from './round2.ts'

const t = 2
const cut = (body: Uint8Array): Uint8Array => body.slice(1)
const lengthen = (body: Uint8Array): Uint8Array => concat(body, Uint8Array.of(0))
const empty = (): Uint8Array => new Uint8Array()
const wrongSizes = [cut, lengthen, empty]

for (const name of ['secp256k1', 'ed25519', 'stark'] as const) {
  const group = groupOf(name)
  const order = orderOf(group)

  describe(`key generation on ${name}, under attack`, () => {
    it('refuses an opening of another commitment', () => {
      for (const wrong of [flip(sid, 0), new Uint8Array(32), new Uint8Array(32).fill(255)])
        allAbort(
          attackOn(
            name,
            broadcasting('round1', () => wrong),
          ),
          'commitment does not open',
        )
    })

    it('refuses an opening with any one member changed', () => {
      const p = group.wireSize
      const [points, proofNonce] = [36, 36 + t * p]
      const members = {
        a0: points,
        a1: points + p,
        proofNonce,
        rho: proofNonce + p,
        salt: proofNonce + p + 32,
      }
      for (const at of Object.values(members))
        for (const change of [flip, (body: Uint8Array) => put(body, at, new Uint8Array(32))])
          allAbort(
            attackOn(
              name,
              broadcasting('round2', (body) => change(body, at)),
            ),
            'commitment does not open',
          )
    })

    it('refuses every unusable point that its dealer committed to', () => {
      const usable = badPoints(group).filter(({ length }) => length === group.wireSize)
      for (const bad of usable) {
        const choices: readonly Attack[] = [
          ...[0, 1].map((at) =>
            committingTo(({ opening }) => ({
              opening: { ...opening, points: opening.points.map((a, k) => (k === at ? bad : a)) },
            })),
          ),
          committingTo(({ opening }) => ({ opening: { ...opening, proofNonce: bad } })),
        ]
        for (const attack of choices) allAbort(attackOn(name, attack), 'invalid point')
      }
    })

    it('refuses a vector that would raise or lower the threshold', () => {
      for (const length of [0, t - 1, t + 1, 7])
        allAbort(
          attackOn(name, together(withVectorOf(length), silentAfter('round2'))),
          'commitment vector length',
        )
    })

    it('refuses a vector longer than any cluster has parties', () => {
      const long = (body: Uint8Array): Uint8Array => {
        const point = body.slice(36, 36 + group.wireSize)
        const points = Array.from({ length: 8 }, () => point)
        const rest = body.slice(36 + t * group.wireSize)
        return concat(body.slice(0, 32), Uint8Array.of(0, 0, 0, 8), ...points, rest)
      }
      allAbort(attackOn(name, broadcasting('round2', long)), 'malformed message')
    })

    it('refuses a key that is the identity', () => {
      // Here the attacker knows the others' secrets, which is what the commitments prevent.
      const others = [1, 3].map((party) => randomNumber(group, seeded(party)))
      const opposite = group.mod(-others.reduce((sum, secret) => sum + secret, 0n))
      allAbort(attackOn(name, withSecret(opposite)), 'identity public key', [])
    })

    it('refuses a key of which one party would hold nothing', () => {
      // f(1) = 5 + (v − 5) = v, the opposite of what party 1 has of itself and of party 3.
      const others = [1, 3].map((party) => {
        const draw = seeded(party)
        return randomNumber(group, draw) + randomNumber(group, draw)
      })
      const v = others.reduce((sum, share) => sum - share, 0n)
      allAbort(attackOn(name, withPolynomial([5n, group.mod(v - 5n)])), 'identity public share', [])
    })

    it('refuses a rogue key whose only share fits', () => {
      // Z stands for a point chosen after the other's: nobody knows its logarithm. With t = n = 2
      // the one share f(1) = 5 fits A_0 = Z, A_1 = 5·G − Z, and the proof alone can tell.
      const size = { n: 2, t: 2 }
      const rogue = together(
        committingTo(({ opening, dealer }) => {
          const Z = group.multiplyBase(randomNumber(group, seeded(9)))
          const points = [Z, group.add(group.multiplyBase(5n), group.negate(Z))]
          return {
            dealer: { ...dealer, points },
            opening: { ...opening, points: points.map((point) => group.toWire(point)) },
          }
        }),
        dealing(({ to }) => ({ to, body: group.scalarToBytes(5n) })),
        silentAfter('round3'),
      )
      allAbort(attackOn(name, rogue, size), 'proof of possession')
    })

    it('refuses every wrong proof of possession', () => {
      const another = recorded(name, new Uint8Array(32).fill(8)).find(
        ({ from, round }) => from === attacker && round === 3,
      )
      assert.ok(another)
      const wrong = [
        (body: Uint8Array) => flip(body, 40),
        (body: Uint8Array) => put(body, 33, new Uint8Array(32)),
        (body: Uint8Array) => put(body, 33, order),
        (body: Uint8Array) => put(body, 33, new Uint8Array(32).fill(255)),
        // From another ceremony.
        (body: Uint8Array) => put(body, 33, another.body.slice(33)),
      ]
      for (const change of wrong)
        allAbort(attackOn(name, broadcasting('round3', change)), 'proof of possession')
    })

    it("refuses another party's proof as one's own", () => {
      let first: Uint8Array | undefined
      const attack: Attack = {
        carry: (delivery) => {
          if (delivery.round === 3 && delivery.from === 1) first = delivery.body
          const copies =
            delivery.round === 3 && delivery.from === attacker && delivery.receiver === 3
          return [copies ? { ...delivery, body: first ?? delivery.body } : delivery]
        },
      }
      const end = attackOn(name, attack).get(3)
      assert.ok(end?.kind === 'abort')
      assert.equal(end.abort.reason, 'proof of possession')
    })

    it('names to all the dealer of a wrong share, whatever is wrong with it', () => {
      const wrong = [
        (share: Uint8Array) => flip(share, 16),
        () => new Uint8Array(32),
        () => order,
        () => new Uint8Array(32).fill(255),
        ...wrongSizes,
      ]
      for (const change of wrong) {
        const attack = together(
          dealing(({ to, body }) => ({ to, body: to === 1 ? change(body) : body })),
          // In the open he shows the same again, or what passes for it: he cannot change his mind.
          broadcasting('complained', (body) => put(body, 41, flip(body.slice(41), 0))),
        )
        allAbort(attackOn(name, attack), 'wrong share')
      }
    })

    it('names a dealer of shares that belong to no committed polynomial', () => {
      const attack = committingTo(({ polynomial }) => ({
        polynomial: polynomial.with(1, group.scalarToBytes(5n)),
      }))
      allAbort(attackOn(name, attack), 'wrong share')
    })

    it('ends at a complaint of a share that was right, and bans no dealer for it', () => {
      const complain = (body: Uint8Array): Uint8Array =>
        encode(responseCodec, { kind: 'complaint', echo: body.slice(1, 33), accused: [1] })
      allAbort(attackOn(name, broadcasting('round3', complain)), 'disputed share', [])
    })

    it('refuses a share that was meant for another', () => {
      const swap = acting('round2', (move) => {
        const [broadcast, first, third] = move.out
        assert.ok(broadcast && first && third)
        const swapped = [
          { to: first.to, body: third.body },
          { to: third.to, body: first.body },
        ]
        return { ...move, out: [broadcast, ...swapped] }
      })
      // In the open this dealer shows what he should have sent: his victims must not be banned.
      allAbort(attackOn(name, swap), 'disputed share', [])
    })
  })
}

describe('key generation over a hostile network', () => {
  const name = 'ed25519'

  it('tells by the echo alone that a dealer dealt twice', () => {
    // Party 3 is given a whole second deal: commitment, opening and share, all of which fit.
    allAbort(attackOn(name, secondDealFor3()), 'echo mismatch', [])
  })

  it('ends where a message differs from one receiver to another', () => {
    for (const [round, at] of [
      [1, 0],
      [2, 40],
      [3, 40],
    ] as const) {
      const ends = attackOn(
        name,
        carrying(round, (delivery) =>
          delivery.receiver === 3 && delivery.to === '*'
            ? [{ ...delivery, body: flip(delivery.body, at) }]
            : [delivery],
        ),
      )
      // Whoever was told the truth in round 3 has a key that party 3 will never certify.
      assert.equal(ends.get(3)?.kind, 'abort')
    }
  })

  it('refuses a wrong echo, blaming nobody', () => {
    allAbort(
      attackOn(
        name,
        broadcasting('round2', (body) => flip(body, 0)),
      ),
      'echo mismatch',
      [],
    )
    allAbort(
      attackOn(
        name,
        broadcasting('round3', (body) => flip(body, 1)),
      ),
      'echo mismatch',
      [],
    )
  })

  it('refuses every broadcast that is cut short, too long or empty', () => {
    for (const kind of ['round1', 'round2', 'round3'] as const)
      for (const change of wrongSizes)
        allAbort(attackOn(name, untilRound3(broadcasting(kind, change))), 'malformed message')
    allAbort(
      attackOn(name, untilRound3(broadcasting('round3', (body) => put(body, 0, Uint8Array.of(3))))),
      'malformed message',
    )
  })

  it('names who sent nothing, twice, or to somebody else', () => {
    const tampering: readonly (readonly [string, (d: Delivery) => readonly Inbound[]])[] = [
      ['missing message', () => []],
      ['duplicate message', (delivery) => [delivery, delivery]],
      ['unexpected message', (delivery) => [{ ...delivery, to: 5 }]],
    ]
    for (const round of [1, 2, 3])
      for (const [reason, change] of tampering)
        allAbort(attackOn(name, carrying(round, change)), reason)
  })

  it('names who broadcast and dealt no share, or dealt one where none belongs', () => {
    const noShare = carrying(2, (delivery) => (delivery.to === '*' ? [delivery] : []))
    allAbort(attackOn(name, noShare), 'missing message')
    for (const round of [1, 3]) {
      const extra = carrying(round, (delivery) => [
        delivery,
        { ...delivery, to: delivery.receiver },
      ])
      allAbort(attackOn(name, extra), 'unexpected message')
    }
  })

  it('hears nobody but the other parties', () => {
    for (const from of [0, 1, 4, -1, 1.5, Number.NaN]) {
      const stranger = carrying(1, (delivery) => [delivery, { ...delivery, from }])
      const end = attackOn(name, stranger).get(1)
      assert.ok(end?.kind === 'abort')
      assert.deepEqual(end.abort, { reason: 'unknown sender', culprits: [], burned: [] })
    }
  })

  it('takes no message of another ceremony', () => {
    const old = recorded(name, new Uint8Array(32).fill(8))
    const reasons = { 1: 'commitment does not open', 2: 'echo mismatch', 3: 'echo mismatch' }
    for (const round of [1, 2, 3] as const) {
      const stale = old.find((m) => m.from === attacker && m.round === round && m.to === '*')
      assert.ok(stale)
      const attack = broadcasting(`round${round}`, () => stale.body)
      allAbort(attackOn(name, attack), reasons[round], round === 1 ? [attacker] : [])
    }
  })

  it('takes no message of another round', () => {
    const messages = recorded(name, sid)
    for (const round of [1, 2, 3] as const)
      for (const other of [1, 2, 3].filter((one) => one !== round)) {
        const stray = messages.find((m) => m.round === other && m.from === attacker && m.to === '*')
        assert.ok(stray)
        allAbort(
          attackOn(name, untilRound3(broadcasting(`round${round}`, () => stray.body))),
          'malformed message',
        )
      }
  })

  it('takes no complaint that names nobody, itself, a stranger, or one twice', () => {
    for (const accused of [[], [0], [attacker], [4], [3, 1], [1, 1], [1, 3, 1]]) {
      const list = Uint8Array.of(0, 0, 0, accused.length, ...accused)
      const complain = (body: Uint8Array): Uint8Array =>
        concat(Uint8Array.of(2), body.slice(1, 33), list)
      allAbort(attackOn(name, untilRound3(broadcasting('round3', complain))), 'malformed message')
    }
  })

  it('blames nobody who was told another complaint than the rest', () => {
    const complain = carrying(3, (delivery) => {
      const accused = [delivery.receiver === 1 ? 3 : 1]
      const echo = delivery.body.slice(1, 33)
      return [{ ...delivery, body: encode(responseCodec, { kind: 'complaint', echo, accused }) }]
    })
    const ends = attackOn(name, {
      ...complain,
      // The attacker waits for a settlement too.
      ...broadcasting('round3', (body) =>
        encode(responseCodec, { kind: 'complaint', echo: body.slice(1, 33), accused: [1] }),
      ),
    })
    allAbort(ends, 'echo mismatch', [])
  })

  it('names a dealer who is accused and answers nothing, too much, or another', () => {
    const share = new Uint8Array(32).fill(1)
    for (const accusers of [[], [3], [1, 3], [1, 1]]) {
      const answer = (body: Uint8Array): Uint8Array =>
        encode(settlementCodec, {
          echo: body.slice(0, 32),
          shares: accusers.map((accuser) => ({ accuser, share })),
        })
      const attack = together(
        dealing(({ to, body }) => ({ to, body: to === 1 ? flip(body, 3) : body })),
        broadcasting('complained', answer),
      )
      allAbort(attackOn(name, attack), 'malformed message')
    }
  })
})

/** For what the attacker's own code would choke on when it goes on. */
function untilRound3(attack: Attack): Attack {
  return together(attack, silentAfter('round3'))
}

function orderOf(group: Group): Uint8Array {
  const bytes = group.scalarToBytes(group.order - 1n)
  const last = group.name === 'ed25519' ? 0 : 31
  return bytes.map((byte, i) => (i === last ? byte + 1 : byte))
}

function withVectorOf(length: number): Attack {
  return committingTo(({ opening }, group) => {
    const spare = group.toWire(group.generator)
    return {
      opening: { ...opening, points: Array.from({ length }, (_, k) => opening.points[k] ?? spare) },
    }
  })
}

function withSecret(secret: bigint): Attack {
  return withPolynomial([secret, 5n])
}

function withPolynomial(polynomial: Numbers): Attack {
  return committingTo((deal, group) => {
    const points = polynomial.map((a) => group.multiplyBase(a))
    return {
      polynomial: polynomial.map((a) => group.scalarToBytes(a)),
      dealer: { ...deal.dealer, points },
      opening: { ...deal.opening, points: points.map((point) => group.toWire(point)) },
    }
  })
}

function secondDealFor3(): Attack {
  const heard: Inbound[] = []
  const start = startDkg({ group: 'ed25519', self: attacker, n: 3, t, sid }, seeded(9))
  assert.ok(start.kind === 'next')
  const sayTo3 = (round: number): readonly Outbound[] => {
    if (round === 1) return start.out
    const next = dkgRound2(start.state, heard)
    assert.ok(next.kind === 'next')
    return next.out
  }
  return {
    carry: (delivery) => {
      const { from, to, receiver, round } = delivery
      if (round === 1 && receiver === attacker) heard.push(delivery)
      if (from !== attacker || receiver !== 3 || round > 2) return [delivery]
      const other = sayTo3(round).find((message) => message.to === to)
      assert.ok(other && !equalBytes(other.body, delivery.body))
      return [{ ...delivery, body: other.body }]
    },
  }
}
