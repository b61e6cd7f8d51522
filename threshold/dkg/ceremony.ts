import assert from 'node:assert/strict'
import type { Abort, Inbound, Outbound, Outcome, Party, Random } from '../session.ts'
import { type DkgContext, type KeyShare, partiesOf } from './context.ts'
import { startDkg } from './round1.ts'
import { type DkgState, dkgStep } from './step.ts'

export type Ending =
  | { readonly kind: 'done'; readonly result: KeyShare }
  | { readonly kind: 'abort'; readonly abort: Abort }
  /** Waits for a party that has aborted or fallen silent. */
  | { readonly kind: 'stalled' }

export type Move = {
  readonly state: DkgState
  readonly out: readonly Outbound[]
  /** Says this and then no more, and does not care how it ends. */
  readonly last?: true
}
export type Delivery = Inbound & { readonly receiver: Party; readonly round: number }

export type Ceremony = Omit<DkgContext, 'self'> & {
  readonly randomOf: (party: Party) => Random
  /** What a corrupt party does in place of its honest move. */
  readonly corrupt?: (party: Party, move: Move) => Move
  /** What the network makes of a message on its way to one receiver. */
  readonly carry?: (delivery: Delivery) => readonly Inbound[]
}

/** A whole ceremony in one process: for tests and measurements, which may play the attacker. */
export function runCeremony(ceremony: Ceremony): ReadonlyMap<Party, Ending> {
  const { randomOf, corrupt = (_, move) => move, carry = (delivery) => [delivery] } = ceremony
  const parties = partiesOf(ceremony)
  const endings = new Map<Party, Ending>()
  let moves = new Map<Party, Move>()
  const take = (party: Party, outcome: Outcome<DkgState, KeyShare>): void => {
    if (outcome.kind === 'next') moves.set(party, corrupt(party, outcome))
    else endings.set(party, outcome)
  }
  for (const self of parties) take(self, startDkg(contextOf(ceremony, self), randomOf(self)))

  for (let round = 1; moves.size > 0; round++) {
    if (moves.size < parties.length) {
      for (const party of moves.keys()) endings.set(party, { kind: 'stalled' })
      return endings
    }
    const sent = moves
    moves = new Map()
    for (const [party, { state, last }] of sent)
      if (last) endings.set(party, { kind: 'stalled' })
      else take(party, dkgStep(state, inboxOf(party, sent, round)))
  }
  return endings

  function inboxOf(receiver: Party, sent: ReadonlyMap<Party, Move>, round: number): Inbound[] {
    return [...sent].flatMap(([from, { out }]) =>
      out
        .filter(({ to }) => (to === '*' ? from !== receiver : to === receiver))
        .flatMap(({ to, body }) => carry({ from, to, body, receiver, round })),
    )
  }
}

/** What an honest ceremony with fresh randomness leaves each party with, in index order. */
export function generateShares(
  key: Pick<DkgContext, 'group' | 'n' | 't'>,
  random: Random,
): readonly KeyShare[] {
  const endings = runCeremony({ ...key, sid: random(32), randomOf: () => random })
  return [...endings.values()].map((ending) => {
    assert(ending.kind === 'done')
    return ending.result
  })
}

function contextOf({ group, n, t, sid }: Ceremony, self: Party): DkgContext {
  return { group, self, n, t, sid }
}
