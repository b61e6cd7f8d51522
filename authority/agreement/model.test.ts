import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { areSoundNumbers } from '../manifest.ts'
import type { OpaqueStep, PromiseProof, PromiseStatement } from './messages.ts'
import { runHostile, violationsOf } from './model/hostile.ts'
import { forgetfulMutants, mutants, stuckMutants } from './model/mutants.ts'
import { runService } from './model/service.ts'
import {
  type Numbers,
  type Rules,
  type World,
  conclude,
  createWorld,
  forge,
  judgeOf,
  learn,
  lockNamed,
  placeName,
  soundRules,
  standardNumbers,
  stateOf,
  stepNamed,
} from './model/world.ts'
import { headHash, newVoter, nextSeq, restored, voterStateCodec } from './voter.ts'

const [usual] = standardNumbers
const fork = 'two steps certified at one place'
const twoThings = 'an honest signer said two things in one ballot'
/** Each broken rule is found within a few hundred; sound rules stand millions. */
const seedsMax = 3000

describe('agreement under a hostile server and f corrupt signers', () => {
  for (const numbers of standardNumbers) {
    const runs = numbers === usual ? 250 : 60
    it(`never forks with ${nameOf(numbers)}, even when a signer is restored`, () => {
      for (let seed = 0; seed < runs; seed++) {
        const found = violationsOf({ seed, numbers, restores: true })
        assert.deepEqual([...found], [], `seed ${seed}`)
      }
    })

    it(`is finished by honest servers with ${nameOf(numbers)}, whatever was done before`, () => {
      for (let seed = 0; seed < 24; seed++) {
        const run = { seed, numbers, hostileMoves: seed % 2 === 0 ? 60 : 0 }
        const { world, stuck } = runService(run)
        assert.deepEqual([...world.violations], [], `seed ${seed}`)
        assert.ok(!stuck, `seed ${seed}`)
      }
    })

    it(`knows two quorums to share an honest signer with ${nameOf(numbers)}`, () => {
      assert.ok(areSoundNumbers(numbers))
      assert.ok(!areSoundNumbers({ ...numbers, q: numbers.q - 1 }))
    })
  }

  it('is an adversary that gets somewhere: steps certified late, and not by everybody', () => {
    const worlds = Array.from({ length: 100 }, (_, seed) => runHostile({ seed, numbers: usual }))
    const ballots = worlds.flatMap(({ certificates }) =>
      [...certificates.values()].flatMap((known) =>
        [...known.values()].map(({ ballot }) => ballot),
      ),
    )
    assert.ok(ballots.length > 30)
    assert.ok(ballots.filter((ballot) => ballot > 0).length > 10)
  })
})

describe('agreement with one rule broken', () => {
  for (const [name, rules] of Object.entries(mutants))
    it(`forks when ${name}`, () => {
      assert.ok(isFound(fork, { rules, restores: false }))
    })

  it('forks when a restored signer does not abstain', () => {
    const rules = forgetfulMutants['a restored signer does not abstain']
    assert.ok(isFound(fork, { rules, restores: true }))
  })

  it('is caught by alarm, not forked, when only a vote is overwritten in one ballot', () => {
    const rules = stuckMutants['a vote is overwritten in one ballot']
    assert.ok(isFound(twoThings, { rules, restores: false }))
    assert.ok(isFound('an honest signer raised the alarm', { rules, restores: false }))
  })
})

describe('a signer restored from a backup', () => {
  it('keeps silent where nobody else has voted yet, as it may have been the first', () => {
    assert.deepEqual([...votesTwice(soundRules)], [])
    const rules = stuckMutants['a restored signer speaks where the others have not voted yet']
    assert.deepEqual([...votesTwice(rules)], [twoThings])
  })

  it('is not betrayed by a promise that it has forgotten', () => {
    assert.deepEqual([...useForgottenPromise(soundRules)], [])
    const rules = forgetfulMutants['promises of an earlier place open a later one']
    assert.deepEqual([...useForgottenPromise(rules)], [fork])
  })
})

function isFound(
  violation: typeof fork | typeof twoThings | 'an honest signer raised the alarm',
  run: { readonly rules: Rules; readonly restores: boolean },
): boolean {
  for (let seed = 0; seed < seedsMax; seed++)
    if (violationsOf({ seed, numbers: usual, ...run }).has(violation)) return true
  return false
}

function nameOf({ n, t, q }: Numbers): string {
  return `n = ${n}, t = ${t}, q = ${q}`
}

function scripted(rules: Rules): World {
  return createWorld(1, usual, { rules, isFresh: () => true })
}

/** Signer 3 votes for x, loses its disk, hears that nobody has voted, and is asked about y. */
function votesTwice(rules: Rules): World['violations'] {
  const world = scripted(rules)
  vote(world, 3, 'x')
  loseDisk(world, 3, 0)
  vote(world, 3, 'y')
  return world.violations
}

/**
 * Signer 3 promises ballot 1 at place 0 and loses its disk. It comes back at place 1, where it
 * helps to certify x in ballot 0; then its forgotten promise is shown to have y in ballot 1.
 */
function useForgottenPromise(rules: Rules): World['violations'] {
  const world = scripted(rules)
  promise(world, 3)
  loseDisk(world, 3, 0)
  certify(world, [2, 4], { name: 'z', ballot: 0 })
  adopt(world, [2, 3])
  certify(world, [2, 3], { name: 'x', ballot: 0 })
  promise(world, 4)
  adopt(world, [4])
  const { organization, stream, trust } = world.agreement
  const forged = forge<PromiseStatement>(world, 1, {
    kind: 'promise',
    manifestHash: trust.manifestHash,
    organization,
    stream,
    seq: 0,
    ballot: 1,
    previous: headHash(newVoter),
    lock: undefined,
  })
  const promises = [{ ...forged, lock: undefined }, ...(world.promises.get('0 1')?.values() ?? [])]
  certify(world, [2, 4], { name: 'y', ballot: 1, promises })
  return world.violations
}

function loseDisk(world: World, signer: number, reported: number): void {
  const upTo = world.rules.abstainUpTo(reported)
  const state = upTo === undefined ? newVoter : restored(newVoter, upTo)
  world.disks.set(signer, encode(voterStateCodec, state))
}

type Proposal = {
  readonly name: string
  readonly ballot: number
  readonly promises?: readonly PromiseProof[]
}

function vote(world: World, signer: number, name: string, proposal?: Proposal): OpaqueStep {
  const { agreement, rules } = world
  const state = stateOf(world, signer)
  const step = learn(world, stepNamed(name, { seq: nextSeq(state), previous: headHash(state) }))
  const { ballot = 0, promises = [] } = proposal ?? {}
  const request = { ballot, step, headCertificate: undefined, promises }
  conclude(world, signer, rules.onPropose(agreement, state, request, judgeOf(world, signer)))
  return step
}

/** Two honest votes and seals; the corrupt signer adds its own. */
function certify(world: World, signers: readonly [number, number], proposal: Proposal): void {
  const [step] = signers.map((signer) => vote(world, signer, proposal.name, proposal))
  if (step === undefined) return
  const name = `${placeName({ ...step, ballot: proposal.ballot })} ${toHex(step.hash)}`
  const lock = lockNamed(world, name)
  if (lock === undefined) return
  for (const signer of signers) {
    const state = stateOf(world, signer)
    const judge = judgeOf(world, signer)
    conclude(world, signer, world.rules.onLock(world.agreement, state, { lock, step }, judge))
  }
}

function promise(world: World, signer: number): void {
  const request = { seq: 0, ballot: 1 }
  conclude(world, signer, world.rules.onBallot(world.agreement, stateOf(world, signer), request))
}

function adopt(world: World, signers: readonly number[]): void {
  for (const signer of signers) {
    const state = stateOf(world, signer)
    const [certificate] = world.certificates.get(nextSeq(state))?.values() ?? []
    assert.ok(certificate)
    const request = { certificate, step: world.steps.get(toHex(certificate.stepHash)) }
    conclude(world, signer, world.rules.onCertificate(world.agreement, state, request))
  }
}
