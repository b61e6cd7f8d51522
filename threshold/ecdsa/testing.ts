import { createCipheriv, createHash } from 'node:crypto'
import type { Inbound, Outbound, Outcome, Party, Random } from '../session.ts'
import type { PairState } from './pair.ts'
import { pairSetupStep, startPairSetup } from './pair-setup.ts'

/** For tests only: the same bytes for the same name, in every run. */
export function seeded(name: string): Random {
  const key = createHash('sha256').update(name).digest()
  const stream = createCipheriv('aes-256-ctr', key, new Uint8Array(16))
  return (size) => new Uint8Array(stream.update(new Uint8Array(size)))
}

export function named(name: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(name).digest())
}

export function deliver(from: Party, out: readonly Outbound[]): readonly Inbound[] {
  return out.map((message) => ({ from, ...message }))
}

export function next<S, R>(outcome: Outcome<S, R>): Extract<Outcome<S, R>, { kind: 'next' }> {
  if (outcome.kind !== 'next') throw new Error(`expected to go on, but: ${describe(outcome)}`)
  return outcome
}

export function done<S, R>(outcome: Outcome<S, R>): Extract<Outcome<S, R>, { kind: 'done' }> {
  if (outcome.kind !== 'done') throw new Error(`expected a result, but: ${describe(outcome)}`)
  return outcome
}

function describe(outcome: Outcome<unknown, unknown>): string {
  return outcome.kind === 'abort' ? outcome.abort.reason : outcome.kind
}

/** Two real parties, message by message. */
export function setUpPair(low: Party, high: Party, random: Random): [PairState, PairState] {
  const sid = named(`pair ${low} ${high}`)
  let a = next(startPairSetup({ self: low, peer: high, sid }, random))
  let b = next(startPairSetup({ self: high, peer: low, sid }, random))
  for (let step = 0; step < 2; step++) {
    const [fromA, fromB] = [deliver(low, a.out), deliver(high, b.out)]
    a = next(pairSetupStep(a.state, fromB))
    b = next(pairSetupStep(b.state, fromA))
  }
  const [fromA, fromB] = [deliver(low, a.out), deliver(high, b.out)]
  return [done(pairSetupStep(a.state, fromB)).result, done(pairSetupStep(b.state, fromA)).result]
}
