import assert from 'node:assert/strict'
import { encode } from '@quorate/core/codec'
import type { Group, GroupName } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import type { Abort, Inbound, Outbound, Party, Random } from '../session.ts'
import { type Ceremony, type Delivery, type Ending, type Move, runCeremony } from './ceremony.ts'
import { commitmentCodec } from './messages.ts'
import { commitmentTo, type Deal, type Round1 } from './round1.ts'

/** A hostile party 2 among honest ones, for tests: it computes as they do and lies where it likes. */
export const attacker: Party = 2
export const sid = new Uint8Array(32).fill(7)

export type Attack = Pick<Ceremony, 'corrupt' | 'carry'> & { readonly sid?: Uint8Array }
export type Ends = ReadonlyMap<Party, Ending>

export function attackOn(
  group: GroupName,
  attack: Attack,
  size: { readonly n: number; readonly t: number } = { n: 3, t: 2 },
): Ends {
  return runCeremony({ group, ...size, sid, randomOf: seeded, ...attack })
}

/** Randomness that is a function of the party, so that a run can be had again. */
export function seeded(party: Party): Random {
  let calls = 0
  return (size) => {
    calls++
    return new Uint8Array(size).map((_, i) => (party * 89 + calls * 31 + i * i * 7) % 251)
  }
}

/** Replaces the broadcast of one round. The attacker believes it himself: his echoes fit. */
export function broadcasting(
  kind: Move['state']['kind'],
  change: (body: Uint8Array) => Uint8Array,
): Attack {
  return acting(kind, (move) => {
    const broadcast = move.out.find(({ to }) => to === '*')
    assert(broadcast)
    const sent = change(broadcast.body)
    const direct = move.out.filter(({ to }) => to !== '*')
    return { state: { ...move.state, sent }, out: [{ to: '*', body: sent }, ...direct] }
  })
}

/** Replaces what goes to single parties. */
export function dealing(change: (message: Outbound) => Outbound): Attack {
  return acting('round2', (move) => ({
    ...move,
    out: move.out.map((message) => (message.to === '*' ? message : change(message))),
  }))
}

export function acting(kind: Move['state']['kind'], act: (move: Move) => Move): Attack {
  return {
    corrupt: (party, move) => (party === attacker && move.state.kind === kind ? act(move) : move),
  }
}

/** Says what it says in that round and then no more, where it could not go on with its own lie. */
export function silentAfter(kind: Move['state']['kind']): Attack {
  return acting(kind, (move) => ({ ...move, last: true }))
}

/** Several at once. */
export function together(...attacks: readonly Attack[]): Attack {
  return {
    corrupt: (party, move) =>
      attacks.reduce((result, { corrupt }) => corrupt?.(party, result) ?? result, move),
  }
}

/** Commits to whatever `choose` makes of the honest deal, so that the commitment opens. */
export function committingTo(choose: (deal: Deal, group: Group) => Partial<Deal>): Attack {
  return acting('round1', ({ state }) => {
    assert(state.kind === 'round1')
    const deal = { ...state.deal, ...choose(state.deal, groupOf(state.context.group)) }
    return committed({ ...state, deal })
  })
}

function committed(state: Round1): Move {
  const commitment = commitmentTo(state.context, state.context.self, state.deal.opening)
  const sent = encode(commitmentCodec, { commitment })
  return { state: { ...state, sent }, out: [{ to: '*', body: sent }] }
}

/** What the network does to the attacker's messages of one round. */
export function carrying(
  round: number,
  change: (delivery: Delivery) => readonly Inbound[],
): Attack {
  return {
    carry: (delivery) =>
      delivery.from === attacker && delivery.round === round ? change(delivery) : [delivery],
  }
}

/** Every message of an honest ceremony. */
export function recorded(group: GroupName, other: Uint8Array): readonly Delivery[] {
  const messages: Delivery[] = []
  attackOn(group, {
    sid: other,
    carry: (delivery) => {
      messages.push(delivery)
      return [delivery]
    },
  })
  return messages
}

/** How it ended for the honest, none of whom may have been left with a key. */
export function abortsOf(ends: Ends): readonly Abort[] {
  const honest = [...ends].filter(([party]) => party !== attacker)
  return honest.flatMap(([, ending]) => {
    assert(ending.kind !== 'done', 'an honest party came out with a key')
    return ending.kind === 'abort' ? [ending.abort] : []
  })
}

export function allAbort(
  ends: Ends,
  reason: string,
  culprits: readonly Party[] = [attacker],
): void {
  const aborts = abortsOf(ends)
  assert(aborts.length === ends.size - 1)
  for (const abort of aborts) assert.deepEqual(abort, { reason, culprits, burned: [] })
}

export function flip(body: Uint8Array, at: number): Uint8Array {
  return body.map((byte, i) => (i === at ? byte ^ 1 : byte))
}

/** Overwrites from `at` on. */
export function put(body: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const out = body.slice()
  out.set(bytes, at)
  return out
}
