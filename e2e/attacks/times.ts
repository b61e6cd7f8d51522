import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { certificateOf } from '@quorate/authority/agreement/messages'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { some } from '@quorate/signer/testing/world'
import { at, attack, without, type Attack, type Outcome } from './attack.ts'
import type { Cast } from './cast.ts'
import { forge, honest, statedBy } from './drive.ts'
import { dayMs, personWith, recovering, waitFor } from './recovery.ts'
import { sealed } from './rounds.ts'
import type { Stage } from './stage.ts'

/** Clocks that are set, steps that are kept back, and signers that have forgotten. */

const minuteMs = 60_000
const clock = (reason: string, code: string, rest: string) =>
  without(at('signer/clock.ts', reason, code), [rest, 'if (false)'])

/** Whoever owns the network sets the clocks of all honest signers; then they are right again. */
async function withClocks(
  { world }: Stage,
  driftMs: number,
  run: () => Promise<Outcome>,
  isRestarted = false,
): Promise<Outcome> {
  const set = (drift: number) => {
    for (const index of honest) {
      world.drift.set(index, drift)
      if (isRestarted) world.restart(index)
    }
  }
  set(driftMs)
  const outcome = await run()
  set(0)
  return outcome
}

const clocks: readonly Attack[] = [
  attack(
    'sets the clocks of all signers ahead, so that something has expired or become due',
    clock('the clock of this machine has leapt', 'if (isLeap(now))', 'if (isLeap(now))'),
    ({ stage, wallet }) => {
      const time = stage.world.now + 30 * minuteMs
      const preimage = { signBefore: time + minuteMs }
      const asked = stage.transfer(stage.admin, wallet, { preimage })
      return withClocks(stage, 30 * minuteMs, () => stage.use(asked, wallet, { time }))
    },
  ),
  attack(
    'starts all signers again with clocks set back, so that what has expired has not',
    clock(
      'the clock of this machine is behind what it has shown before',
      'if (now < latest - leapMsMax)',
      'if (now < latest - leapMsMax)',
    ),
    async ({ stage, wallet }) => {
      await stage.invite()
      // Nothing comes into force in this hour: the log alone would let it go by.
      stage.world.pass(60 * minuteMs)
      await Promise.all(honest.map((index) => stage.world.ask(index, { kind: 'ping' })))
      const time = stage.world.now - 30 * minuteMs
      const preimage = { issuedAt: time, signBefore: time + minuteMs }
      const asked = stage.transfer(stage.admin, wallet, { preimage })
      const use = () => stage.use(asked, wallet, { time })
      return withClocks(stage, -30 * minuteMs, use, true)
    },
  ),
]

const hidden: readonly Attack[] = [
  attack(
    'shows a recovery to nobody until its waiting period is over',
    without(
      at(
        'signer/first-sight.ts',
        'this signer has not known of the recovery for long enough',
        'return tooEarly ?',
      ),
      ['tooEarly ? { item: first, detail } : undefined', 'tooEarly ? undefined : undefined'],
    ),
    async ({ stage, wallet }) => {
      const { world } = stage
      const { root } = world
      const carl = await personWith(stage)
      await stage.assign(stage.everything, carl)
      const brought = newKeyCredential()
      await waitFor(stage, dayMs)
      const evidence = recovering(stage, carl, carl.recovery, { named: carl.recoveryId, brought })
      const drafted = forge(world, { place: root, asked: [{ kind: 'recovery', evidence }] })
      const certificate = certificateOf(some(await sealed(stage, root, drafted)))
      world.pass(dayMs + minuteMs)
      const { step, writes } = drafted
      for (const index of world.indexes) await world.adopt(index, root, { certificate, step })
      world.ledger.add(root.stream, { step, certificate, writes })
      const outcome = await stage.use(stage.transfer({ ...carl, by: brought }, wallet), wallet)
      await waitFor(stage, 0)
      return outcome
    },
  ),
  attack(
    'keeps back the certificate of a revocation that the signers have sealed',
    without(
      at(
        'signer/judgement.ts',
        'the user is not active',
        "place.stream.kind === 'root' ? [] : sealedAtRoot(judges, organization)\n",
      ),
      [
        "place.stream.kind === 'root' ? [] : sealedAtRoot(judges, organization)\n",
        '[] as never[]\n',
      ],
    ),
    async ({ stage, wallet }) => {
      const { world } = stage
      const { root } = world
      const carl = await stage.newcomer(await stage.invite(), true)
      await stage.assign(stage.everything, carl)
      const asked = stage.transfer(carl, wallet)
      const wish = { method: 'PUT', path: `/auth/users/${carl.name}/deactivate`, body: {} }
      const evidence = stage.ask(stage.admin, { ...wish, ids: { userId: carl.user } })
      const drafted = forge(world, { place: root, asked: [{ kind: 'userStatus', evidence }] })
      await sealed(stage, root, drafted)
      const outcome = await stage.use(asked, wallet)
      await world.certify(root, drafted)
      return outcome
    },
  ),
]

/** The store and the mark of signer 1 as they are now, and how to bring them back. */
function copyOf({ world }: Stage) {
  const { file, kek } = world.member(1)
  const folder = mkdtempSync(join(tmpdir(), 'quorate-copy-'))
  world.leave(1)
  const ends = ['', '.mark']
  for (const end of ends) cpSync(`${file}${end}`, join(folder, `${basename(file)}${end}`))
  world.open(1, { file, kek })
  const bring = (which: readonly string[]) => {
    for (const end of which)
      cpSync(
        join(folder, `${basename(file)}${end}`),
        join(dirname(file), `${basename(file)}${end}`),
      )
  }
  const forget = () => rmSync(folder, { recursive: true })
  return { file, kek, store: () => bring(['']), all: () => bring(ends), forget }
}

/** A signer is started on its store of an hour ago, and asked; then the newer one is back. */
async function restored(
  { stage, wallet }: Cast,
  which: 'store' | 'all',
  ask: () => Promise<Outcome>,
): Promise<Outcome> {
  const { world } = stage
  const old = copyOf(stage)
  for (let i = 0; i < 2; i++)
    await stage.put('use', stage.transfer(stage.admin, wallet), stage.placeOf(wallet))
  const newest = copyOf(stage)
  world.pass(60 * minuteMs)
  world.leave(1)
  old[which]()
  try {
    world.open(1, old)
    return await ask()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { refusals: [error.message], ...nothing }
  } finally {
    if (world.members.has(1)) world.leave(1)
    newest.all()
    world.open(1, newest)
    for (const copy of [old, newest]) copy.forget()
  }
}
const nothing = { votes: 0, seals: 0, lastRounds: 0, isSigned: false, changed: 0 }

/** Signer 1 is offered a payment at the newest place, and whatever shows it how far it had been. */
async function offered({ stage, wallet }: Cast): Promise<Outcome> {
  const { world } = stage
  const place = stage.placeOf(wallet)
  const evidence = stage.transfer(stage.admin, wallet)
  const drafted = forge(world, { place, asked: [{ kind: 'use', evidence }] })
  for (const { certificate, step } of world.ledger.of(place.stream).slice(-2))
    await world.adopt(1, place, { certificate, step })
  const answer = await world.answer(1, place, world.propose(place, drafted.step))
  const isVoted = statedBy(answer, 'vote') !== undefined
  const refusals = 'detail' in answer ? [answer.detail] : []
  return { ...nothing, refusals, votes: isVoted ? 1 : 0 }
}

const stores: readonly Attack[] = [
  attack(
    'has a signer started on its store of an hour ago',
    without(at('signer/store/mark.ts', 'the store is an old copy', 'if (reason !== undefined) {'), [
      'if (reason !== undefined) {',
      'if (false) {',
    ]),
    (cast) => restored(cast, 'store', () => offered(cast)),
  ),
  attack(
    'has a signer started on all its files of an hour ago, and asks for a vote that it has given',
    without(
      at(
        'signer/voting.ts',
        'this store is older than what its signer has said',
        'if (mustAbstain(',
      ),
      ['if (mustAbstain(voter, request))', 'if (false)'],
    ),
    (cast) => restored(cast, 'all', () => offered(cast)),
  ),
]

export const times: readonly Attack[] = [...hidden, ...stores, ...clocks]
