import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Inbound, Outbound, Party } from '../session.ts'
import { sid, seeded } from './attacker.ts'
import { startDkg } from './round1.ts'
import type { Round2 } from './round2.ts'
import { type DkgState, dkgStep, forgetDkg } from './step.ts'

const parties = [1, 2, 3]
const size = { group: 'ed25519', n: 3, t: 2, sid } as const

/** All of a party's numbers that would give its part of the key away. */
function secretsOf(state: DkgState): readonly Uint8Array[] {
  if (state.kind === 'complained') return []
  if (state.kind === 'round3') return state.secret ? [...state.polynomial, state.secret] : []
  return [...state.deal.polynomial, state.deal.nonce]
}

function isWiped(secrets: readonly Uint8Array[]): boolean {
  return secrets.length > 0 && secrets.every((secret) => secret.every((byte) => byte === 0))
}

/** The states in which all parties wait for the messages of this round, and what each will get. */
function waiting(rounds: number) {
  let moves = new Map<Party, { state: DkgState; out: readonly Outbound[] }>()
  for (const self of parties) {
    const first = startDkg({ ...size, self }, seeded(self))
    assert.ok(first.kind === 'next')
    moves.set(self, first)
  }
  for (let round = 1; round < rounds; round++) {
    const sent = moves
    moves = new Map()
    for (const [self, { state }] of sent) {
      const next = dkgStep(state, inboxOf(self, sent))
      assert.ok(next.kind === 'next')
      moves.set(self, next)
    }
  }
  const own = moves.get(1)
  assert.ok(own)
  return { state: own.state, inbox: inboxOf(1, moves) }
}

function inboxOf(
  self: Party,
  moves: ReadonlyMap<Party, { readonly out: readonly Outbound[] }>,
): readonly Inbound[] {
  return [...moves].flatMap(([from, { out }]) =>
    out
      .filter(({ to }) => (to === '*' ? from !== self : to === self))
      .map(({ to, body }) => ({ from, to, body })),
  )
}

describe('what a dealer keeps to itself', () => {
  it('is overwritten once a key is born, but for the share', () => {
    const { state, inbox } = waiting(3)
    assert.ok(state.kind === 'round3')
    const end = dkgStep(state, inbox)
    assert.ok(end.kind === 'done')
    assert.ok(isWiped(state.polynomial))
    assert.ok(!isWiped([end.result.secret]))
  })

  it('is overwritten when the ceremony is aborted in any round', () => {
    for (const rounds of [1, 2, 3]) {
      const { state, inbox } = waiting(rounds)
      const secrets = secretsOf(state)
      assert.equal(dkgStep(state, inbox.slice(1)).kind, 'abort')
      assert.ok(isWiped(secrets), state.kind)
    }
  })

  it('is overwritten when nobody goes on', () => {
    for (const rounds of [1, 2, 3]) {
      const { state } = waiting(rounds)
      const secrets = secretsOf(state)
      forgetDkg(state)
      assert.ok(isWiped(secrets), state.kind)
    }
  })

  it('answers no second challenge with the nonce of the first', () => {
    const { state, inbox } = waiting(2)
    const { nonce } = (state as Round2).deal
    assert.equal(dkgStep(state, inbox).kind, 'next')
    assert.ok(isWiped([nonce]))
    // Nor in a copy of the state, which has the same deal.
    for (const again of [state, { ...state }]) assert.throws(() => dkgStep(again, inbox))
  })
})
