import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  certificateOf,
  lockOf,
  type Certificate,
  type Lock,
  type Signed,
  type Statement,
} from '@quorate/authority/agreement/messages'
import { encodeFacts } from '@quorate/effects/facts'
import { createKey } from '@quorate/signer/testing/keys'
import type { Drafted, Place } from '@quorate/signer/testing/ledger'
import { runSigning, signCall } from '@quorate/signer/testing/signing'
import { evmFacts, transferRequest } from '@quorate/signer/testing/uses'
import { some, toldAnswer, World } from '@quorate/signer/testing/world'
import { attempt, sealsOf, votesOf } from './testing/attempt.ts'
import { corrupt, honest } from './testing/coalition.ts'
import { openPayer, type Payer } from './testing/payer.ts'

/** What keeps two honest signers out of two worlds: q voices, counted by each of them. */
describe('a hostile server that tells its signers different stories', () => {
  let payer: Payer
  let world: Payer['world']
  let wallet: Payer['wallet']
  let place: Payer['place']
  let nonce = 0n

  before(async () => {
    payer = await openPayer()
    ;({ world, wallet, place } = payer)
  })
  after(() => payer?.close())

  const payment = (at = nonce++): Drafted => payer.drafted(payer.asked(at))
  const to = (indexes: readonly number[], drafted: Drafted) => ({ place, drafted, indexes })

  /** What honest signers object to a lock or a certificate. */
  async function objections(shown: Lock | Certificate, { step }: Drafted): Promise<string[]> {
    const heard: string[] = []
    for (const index of honest) {
      const request =
        shown.kind === 'lock'
          ? ({ kind: 'lock', lock: shown, step } as const)
          : ({ kind: 'certificate', certificate: shown, step } as const)
      const answer = await world.answer(index, place, request)
      if ('detail' in answer) heard.push(toldAnswer(answer))
    }
    return heard
  }

  /** Lets everybody know what is in force, so that the next step finds nobody behind. */
  async function know(at: Place, { step, writes }: Drafted, certificate: Certificate) {
    for (const index of world.indexes) await world.adopt(index, at, { certificate, step })
    const isNew = world.ledger.head(at.stream)?.seq !== step.seq
    if (isNew) world.ledger.add(at.stream, { step, certificate, writes })
  }

  /** Tries every round of a signature by signers 1 and 2, each as far as it goes. */
  async function rounds(drafted: Drafted): Promise<number> {
    const { packets } = await runSigning(world, signCall(place, drafted), { roundsMax: 3 })
    return Math.max(0, ...[...packets.values()].map(({ length }) => length))
  }

  it('gets no seal with one vote too few, however it makes up the number', async () => {
    const drafted = payment()
    const [first, second, third] = await votesOf(world, to(honest, drafted))
    assert.ok(first && second && third)
    const mine = world.vote(corrupt, place, drafted.step)
    const later = world.vote(corrupt, place, drafted.step, 1)
    for (const votes of [
      [first, mine],
      [first, mine, mine],
      [first, mine, later],
      [first, mine, spokenBy(3, mine)],
    ])
      assert.equal((await objections(lockOf(some(votes)), drafted)).length, honest.length)
    assert.equal(await rounds(drafted), 1, 'what a vote alone allows')
    assert.deepEqual(await objections(lockOf([first, second, mine]), drafted), [])
    assert.equal(await rounds(drafted), 2, 'what a seal allows')
    await world.certify(place, drafted)
    assert.equal(await rounds(drafted), 3, 'the same calls give a signature in the end')
  })

  it('gets no signature with one seal too few, nor with votes in the place of seals', async () => {
    const drafted = payment()
    const lock = lockOf(some(await votesOf(world, to(honest, drafted))))
    const [first, second] = await sealsOf(world, { ...to(honest, drafted), lock })
    assert.ok(first && second)
    const mine = world.seal(corrupt, place, drafted.step)
    const dressed: Certificate = { ...lock, kind: 'certificate' }
    for (const certificate of [
      certificateOf([first, mine]),
      certificateOf([first, mine, mine]),
      certificateOf([first, mine, spokenBy(3, mine)]),
      dressed,
    ])
      assert.equal((await objections(certificate, drafted)).length, honest.length)
    assert.equal(await rounds(drafted), 2, 'what a seal alone allows')
    const whole = certificateOf([first, second, mine])
    assert.deepEqual(await objections(whole, drafted), [])
    assert.equal(await rounds(drafted), 3, 'one seal more and it signs')
    await know(place, drafted, whole)
  })

  it('gets one vote of each signer in one ballot, whichever proposal comes first', async () => {
    const [one, other] = [payment(nonce), payment(nonce)]
    nonce += 1n
    assert.equal((await votesOf(world, to(honest, one))).length, 3)
    assert.equal((await votesOf(world, to(honest, other))).length, 0)
    assert.equal((await votesOf(world, to(honest, one))).length, 3, 'the same one, again')
    assert.equal(await rounds(other), 0)
    await world.certify(place, one)
    const late = await attempt(world, { place, drafted: other, key: wallet.key })
    assert.deepEqual([late.votes, late.lastRounds, late.signature], [1, 0, undefined])
  })

  it('does not have one payment signed twice, though it lives in two worlds itself', async () => {
    const evidence = transferRequest(world, wallet, { nonce })
    const again = { ...evidence, facts: encodeFacts(evmFacts(nonce + 1n)) }
    const [one, other] = [evidence, again].map((asked) =>
      world.draft(place, [{ kind: 'use', evidence: asked }]),
    )
    assert.ok(one && other)
    const clone = await payer.cloneCorrupt()
    const { threshold } = world.cluster.manifest
    const inOne = { place, drafted: one, key: wallet.key, quorum: [1, corrupt] } as const
    const inOther = { place, drafted: other, key: wallet.key, quorum: [2, corrupt] } as const

    const here = await attempt(world, { ...inOne, shown: [1] })
    world.attach(corrupt, clone)
    const there = await attempt(world, { ...inOther, shown: [2] })
    for (const { votes, lastRounds, signature } of [here, there]) {
      assert.equal(votes, threshold, 'as many voices as make a signature, if nobody asked for q')
      assert.deepEqual([lastRounds, signature], [0, undefined])
    }

    world.attach(corrupt, payer.desk(corrupt))
    const decided = await attempt(world, { ...inOne, shown: [1, 3] })
    assert.ok(decided.signature, decided.refusals.join('\n'))
    world.attach(corrupt, clone)
    const belated = await attempt(world, { ...inOther, shown: [2, 3] })
    assert.deepEqual([belated.lastRounds, belated.signature], [0, undefined])
    world.attach(corrupt, payer.desk(corrupt))
    assert.ok(decided.certificate)
    await know(place, one, decided.certificate)
    nonce += 1n
  })

  it('cannot put two steps at one place of the root stream', async () => {
    const { root } = world
    const key = await createKey(world, { scheme: 'ECDSA', curve: 'secp256k1' })
    const body = { network: 'EthereumSepolia', signingKey: { id: key.name } }
    const item = () => {
      const evidence = world.request({ path: '/wallets', body })
      world.know(evidence, 'wallet', 'key')
      return world.draft(root, [{ kind: 'wallet', evidence }])
    }
    const [one, other] = [item(), item()]
    const first = await attempt(world, { place: root, drafted: one, key, shown: [1, 2] })
    assert.equal(first.seals, 3)
    const second = await attempt(world, { place: root, drafted: other, key, shown: [3] })
    assert.deepEqual([second.votes, second.seals], [2, 1])
    assert.ok(first.certificate)
    await know(root, one, first.certificate)
  })

  it('that has q signers’ keys is found out, and the organization stands still, it alone', async () => {
    const other = new World({ real: [], cluster: world.cluster, now: Date.now() })
    try {
      for (const index of world.indexes) other.attach(index, payer.desk(index))
      await other.found()
      const { root } = other
      const seq = other.ledger.of(root.stream)[0]
      assert.ok(seq)
      const forkedStep = { ...seq.step, hash: new Uint8Array(32).fill(1) }
      const forked = other.certificateBy([1, 2, 3], root, forkedStep)
      const told = await other.adopt(1, root, { certificate: forked, step: forkedStep })
      assert.equal(told.kind, 'alarm')
      assert.match(toldAnswer(told), /two steps are certified at one place/)
      const deaf = await other.answer(1, root, { kind: 'ask', nonce: new Uint8Array(16) })
      assert.equal(deaf.kind, 'alarm')
    } finally {
      other.close()
    }
    const untouched = await world.answer(1, world.root, { kind: 'ask', nonce: new Uint8Array(16) })
    assert.equal(untouched.kind, 'head')
  })
})

/** A corrupt signer's word with another's name on it. */
function spokenBy<S extends Statement>(signer: number, { statement, signature }: Signed<S>) {
  return { statement: { ...statement, signer }, signature }
}
