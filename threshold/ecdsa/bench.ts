import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type Clock, measure, type Row, table } from '../measure.ts'
import type { Inbound, Outcome, Party } from '../session.ts'
import { combineEcdsa } from './combine.ts'
import type { PairState } from './pair.ts'
import { type PairSetup, pairSetupStep, startPairSetup } from './pair-setup.ts'
import { startEcdsa } from './round1.ts'
import { ecdsaRound2 } from './round2.ts'
import { ecdsaRound3 } from './round3.ts'
import {
  at,
  byParty,
  type Cluster,
  cluster,
  contextFor,
  done,
  inboxes,
  next,
  outs,
} from './testing/parties.ts'

type Size = { readonly n: number; readonly t: number }

/** The default cluster, and the one that is safe against two corrupt signers. */
const usual: readonly Size[] = [
  { n: 4, t: 2 },
  { n: 5, t: 3 },
]
const random = (size: number): Uint8Array => new Uint8Array(randomBytes(size))

/** Processor time of signing, and of setting up one pair, all parties in one process. */
export async function benchEcdsa(runs = 50, sizes = usual): Promise<readonly Row[]> {
  const curves = ['secp256k1', 'stark'] as const
  const signing = curves.flatMap((curve) =>
    sizes.map(({ n, t }) => {
      const shared = cluster(n, t, curve)
      return measure(`ECDSA ${curve} sign ${t}-of-${n}`, runs, (clock) => sign(shared, clock))
    }),
  )
  return [...signing, measure('ECDSA setup of one pair', Math.ceil(runs / 5), setUp)]
}

function sign(shared: Cluster, clock: Clock): void {
  const quorum = Array.from({ length: shared.t }, (_, i) => i + 1)
  const name = Buffer.from(random(16)).toString('hex')
  const { curve, publicKey } = shared
  const { digest } = contextFor(shared, 1, quorum, name)
  const first = byParty(quorum, (self) => {
    const context = contextFor(shared, self, quorum, name)
    return clock(self, () => next(startEcdsa(context, random)))
  })
  const inFirst = inboxes(outs(first))
  const second = byParty(quorum, (self) =>
    clock(self, () => next(ecdsaRound2(at(first, self).state, at(inFirst, self)))),
  )
  const inSecond = inboxes(outs(second))
  const third = byParty(quorum, (self) =>
    clock(self, () => done(ecdsaRound3(at(second, self).state, at(inSecond, self)))),
  )
  const round3 = byParty(quorum, (self) => at(third, self).out[0]?.body ?? new Uint8Array())
  assert(clock('coordinator', () => combineEcdsa({ curve, publicKey, digest, round3 })).ok)
}

function setUp(clock: Clock): void {
  const sid = random(32)
  const parties: readonly Party[] = [1, 2]
  let outcomes = byParty<Outcome<PairSetup, PairState>>(parties, (self) =>
    clock(self, () => startPairSetup({ self, peer: 3 - self, sid }, random)),
  )
  for (let step = 0; step < 3; step++) {
    const sent = outcomes
    outcomes = byParty(parties, (self) => {
      const { out } = next(at(sent, 3 - self))
      const inbox: readonly Inbound[] = out.map((message) => ({ from: 3 - self, ...message }))
      return clock(self, () => pairSetupStep(next(at(sent, self)).state, inbox))
    })
  }
  assert([...outcomes.values()].every(({ kind }) => kind === 'done'))
}

if (import.meta.main) console.log(table(await benchEcdsa(Number(process.argv[2] ?? 50))))
