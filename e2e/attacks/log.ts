import { noStep } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import { at, attack, rule, type Attack } from './attack.ts'
import { fresh } from './stage.ts'

/** Steps that are not what they seem, where nothing is wrong with the request in them. */

const notNow = at('signer/judgement.ts', 'the time of the step is not now')

export const logs: readonly Attack[] = [
  attack(
    'proposes a step of another cluster',
    rule('step', 'the step is for another cluster'),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, {
        change: (step) => ({ ...step, manifest: fresh() }),
      }),
  ),
  attack(
    'proposes a step of rules that nobody has',
    rule('step', 'unknown reducer version'),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, {
        change: (step) => ({ ...step, reducer: 9 }),
      }),
  ),
  attack(
    'writes other records than the rules come to',
    rule('step', 'the step changes other records than it says'),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, {
        change: (step) => ({ ...step, written: fresh() }),
      }),
  ),
  attack(
    'uses a key by the root of another organization',
    at('signer/voting.ts', 'behind', '  const behind = behindOn(voter, place, step)\n'),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, {
        change: (step) => ({
          ...step,
          heads: step.heads.map((head) => ({ ...head, stream: rootOf(fresh()) })),
        }),
      }),
    { isVariant: false },
  ),
  attack(
    'names a head that nobody has certified',
    rule('heads', 'the step names a head that is not certified'),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, {
        change: (step) => ({
          ...step,
          heads: step.heads.map((head) => ({ ...head, step: fresh() })),
        }),
      }),
  ),
  attack(
    'rests a root step on a head, to choose what it is judged by',
    rule('heads', 'a root step names a head'),
    ({ stage }) => {
      const { ledger, root } = stage.world
      const head = ledger.head(root.stream)
      return stage.propose('user', stage.inviting(stage.admin), {
        change: (step) => ({ ...step, heads: head === undefined ? [] : [head] }),
      })
    },
  ),
  attack(
    'drops the newest step and goes on from the one before',
    at(
      'authority/agreement/voter.ts',
      'stale',
      "if (seq < nextSeq(state) || ballot < state.ballot) return headAnswer('stale'",
    ),
    ({ stage }) =>
      stage.propose('user', stage.inviting(stage.admin), {
        change: (step) => ({ ...step, seq: step.seq - 1 }),
      }),
  ),
  attack(
    'forks the log behind its head',
    at(
      'authority/agreement/voter.ts',
      'does not follow the head',
      "    return refuse(state, 'invalid', 'does not follow the head')\n\n  if (state.vote",
    ),
    ({ stage }) =>
      stage.propose('user', stage.inviting(stage.admin), {
        change: (step) => ({ ...step, previous: noStep }),
      }),
  ),
  attack('dates a payment back by a minute', notNow, async ({ stage, wallet }) => {
    stage.world.pass(3600_000)
    const time = stage.world.now - 60_000
    const preimage = { issuedAt: time, signBefore: time + 300_000 }
    return stage.use(stage.transfer(stage.admin, wallet, { preimage }), wallet, { time })
  }),
  attack(
    'dates a payment a minute ahead, to let waiting periods and limits pass',
    notNow,
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, { time: stage.world.now + 60_000 }),
    { isVariant: true },
  ),
  attack(
    'enters one thing as another',
    rule('step', 'the item does not stand where it belongs'),
    ({ stage }) => stage.propose('serviceAccount', stage.inviting(stage.admin)),
  ),
  attack(
    'opens a second root stream for the organization, where nothing was used yet',
    rule('step', 'the organization has no such stream'),
    ({ stage }) => {
      const place = { organization: stage.organization, stream: rootOf(fresh()) }
      return stage.propose('user', stage.inviting(stage.admin), {
        place,
        change: (step) => ({ ...step, seq: 0, previous: noStep }),
      })
    },
  ),
  attack(
    'hides versions in an item that only newer rules would read',
    rule('step', 'versions are not understood'),
    ({ stage }) =>
      stage.propose('user', stage.inviting(stage.admin), {
        item: (item) => ({ ...item, versions: [{ record: fresh(), seq: 1 }] }),
      }),
  ),
]
