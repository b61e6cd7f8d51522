import { createCipheriv, createHash } from 'node:crypto'
import { randomNumber } from '../../group/testing/oracle.ts'
import type { Inbound, Outbound, Outcome, Party, Random } from '../../session.ts'
import type { EcdsaContext } from '../context.ts'
import { curveOf, type EcdsaCurveName, isDigest } from '../curve.ts'
import type { PairState } from '../pair.ts'
import { pairSetupStep, startPairSetup } from '../pair-setup.ts'
import { type EcdsaRound1, startEcdsa } from '../round1.ts'
import { type EcdsaRound2, ecdsaRound2 } from '../round2.ts'
import { ecdsaRound3, type EcdsaResult } from '../round3.ts'

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

export type Cluster = {
  readonly curve: EcdsaCurveName
  readonly n: number
  readonly t: number
  readonly publicKey: Uint8Array
  readonly publicShares: readonly Uint8Array[]
  readonly secrets: readonly Uint8Array[]
  /** By owner, then by peer. */
  readonly pairs: ReadonlyMap<Party, ReadonlyMap<Party, PairState>>
}

/** On the Stark curve as its verifiers take it: below 2^251. */
export function digestNamed(curve: EcdsaCurveName, name: string): Uint8Array {
  const digest = named(`digest ${name}`)
  return isDigest(curve, digest) ? digest : digest.with(0, (digest[0] ?? 0) & 7)
}

const setUp = new Map<string, readonly [PairState, PairState]>()

/** A key shared by a polynomial nobody would use, and real pair setups, made once in a process. */
export function cluster(
  n: number,
  t: number,
  curve: EcdsaCurveName = 'secp256k1',
  paired = Array.from({ length: n }, (_, i) => i + 1),
): Cluster {
  const { group } = curveOf(curve)
  const random = seeded(curve === 'secp256k1' ? `key ${n} ${t}` : `${curve} key ${n} ${t}`)
  const coefficients = Array.from({ length: t }, () => randomNumber(group, random))
  const at = (x: bigint): bigint =>
    coefficients.reduceRight((sum, coefficient) => group.mod(sum * x + coefficient), 0n)
  const parties = Array.from({ length: n }, (_, i) => i + 1)
  const point = (secret: bigint): Uint8Array => group.encode(group.multiplyBase(secret))
  const pairs = new Map(parties.map((party) => [party, new Map<Party, PairState>()]))
  for (const low of paired)
    for (const high of paired.filter((party) => party > low)) {
      const name = `${low} ${high}`
      const made = setUp.get(name) ?? setUpPair(low, high, seeded(name))
      setUp.set(name, made)
      pairs.get(low)?.set(high, made[0])
      pairs.get(high)?.set(low, made[1])
    }
  return {
    curve,
    n,
    t,
    publicKey: point(at(0n)),
    publicShares: parties.map((party) => point(at(BigInt(party)))),
    secrets: parties.map((party) => group.scalarToBytes(at(BigInt(party)))),
    pairs,
  }
}

export function contextFor(
  { curve, n, t, publicKey, publicShares, secrets, pairs }: Cluster,
  self: Party,
  quorum: readonly Party[],
  name = 'session',
): EcdsaContext {
  return {
    curve,
    self,
    quorum,
    n,
    t,
    secret: secrets[self - 1] ?? new Uint8Array(32),
    publicKey,
    publicShares,
    pairs: pairs.get(self) ?? new Map(),
    sid: named(`sid ${name}`),
    digest: digestNamed(curve, name),
  }
}

/** What each party received in one round. */
export function inboxes(
  sent: ReadonlyMap<Party, readonly Outbound[]>,
): ReadonlyMap<Party, readonly Inbound[]> {
  const all = [...sent].flatMap(([from, out]) => deliver(from, out))
  return new Map(
    [...sent.keys()].map((self) => [
      self,
      all.filter(({ from, to }) => from !== self && (to === self || to === '*')),
    ]),
  )
}

/** One signing session by real parties, with every message kept, and every state as it was. */
export type Session = {
  readonly contexts: ReadonlyMap<Party, EcdsaContext>
  readonly first: ReadonlyMap<Party, Going<EcdsaRound1>>
  readonly second: ReadonlyMap<Party, Going<EcdsaRound2>>
  readonly third: ReadonlyMap<Party, Closed>
}
type Going<S> = Extract<Outcome<S, never>, { kind: 'next' }>
type Closed = Extract<Outcome<never, EcdsaResult>, { kind: 'done' }>

export function signTogether(
  shared: Cluster,
  quorum: readonly Party[],
  name: string,
  digest = digestNamed(shared.curve, name),
): Session {
  const contexts = byParty(quorum, (self) => ({
    ...contextFor(shared, self, quorum, name),
    digest,
  }))
  const first = byParty(quorum, (self) =>
    next(startEcdsa(at(contexts, self), seeded(`${name} ${self}`))),
  )
  const inFirst = inboxes(outs(first))
  const second = byParty(quorum, (self) =>
    next(ecdsaRound2(structuredClone(at(first, self).state), at(inFirst, self))),
  )
  const inSecond = inboxes(outs(second))
  const third = byParty(quorum, (self) =>
    done(ecdsaRound3(structuredClone(at(second, self).state), at(inSecond, self))),
  )
  return { contexts, first, second, third }
}

export function outs(
  round: ReadonlyMap<Party, { readonly out: readonly Outbound[] }>,
): ReadonlyMap<Party, readonly Outbound[]> {
  return new Map([...round].map(([party, { out }]) => [party, out]))
}

/** The round 3 bodies, as the server collects them. */
export function closings({ third }: Pick<Session, 'third'>): Map<Party, Uint8Array> {
  return new Map([...third].map(([party, { out }]) => [party, out[0]?.body ?? new Uint8Array()]))
}

export function byParty<T>(parties: readonly Party[], make: (party: Party) => T): Map<Party, T> {
  return new Map(parties.map((party) => [party, make(party)]))
}

export function at<T>(map: ReadonlyMap<Party, T>, party: Party): T {
  const value = map.get(party)
  if (value === undefined) throw new Error(`nothing of party ${party}`)
  return value
}
