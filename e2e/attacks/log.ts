import { noStep } from '@quorate/authority/step'
import { rootOf } from '@quorate/authority/stream'
import { at, attack, gone, rule, without, type Attack } from './attack.ts'
import { fresh } from './stage.ts'

/** Steps that are not what they seem, where nothing is wrong with the request in them. */

const notNow = without(at('signer/judgement.ts', 'the time of the step is not now'), [
  "    return { ok: false, reason: sideOf(step, now), detail: 'the time of the step is not now' }",
  ';',
])

export const logs: readonly Attack[] = [
  attack(
    'proposes a step of another cluster',
    without(rule('step', 'the step is for another cluster'), [
      "    return { ok: false, reason: 'the step is for another cluster' }",
      ';',
    ]),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, {
        change: (step) => ({ ...step, manifest: fresh() }),
      }),
  ),
  attack(
    'proposes a step of rules that nobody has',
    gone(
      rule('step', 'unknown reducer version', 'if (step.reducer !== reducerVersion)'),
      ' return { ok: false, reason: unknownReducer }',
    ),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, {
        change: (step) => ({ ...step, reducer: 9 }),
      }),
  ),
  attack(
    'writes other records than the rules come to',
    without(rule('step', 'the step changes other records than it says'), [
      "isWritten ? made : { ok: false, reason: 'the step changes other records than it says' }",
      'made',
    ]),
    ({ stage, wallet }) =>
      stage.use(stage.transfer(stage.admin, wallet), wallet, {
        change: (step) => ({ ...step, written: fresh() }),
      }),
  ),
  attack(
    'uses a key by the root of another organization',
    without(at('signer/voting.ts', 'behind', '  const behind = behindOn(voter, place, step)\n'), [
      '  const behind = behindOn(voter, place, step)\n',
      '  const behind = undefined\n',
    ]),
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
    without(rule('heads', 'the step names a head that is not certified'), [
      '|| !equalBytes(certified.hash, head.step)',
      '',
    ]),
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
    without(rule('heads', 'a root step names a head'), [
      "step.heads.length === 0 ? undefined : 'a root step names a head'",
      'undefined',
    ]),
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
    without(at('authority/agreement/voter.ts', 'stale', 'if (seq < nextSeq(state) || ballot <'), [
      'if (seq < nextSeq(state) || ballot <',
      'if (ballot <',
    ]),
    ({ stage }) =>
      stage.propose('user', stage.inviting(stage.admin), {
        change: (step) => ({ ...step, seq: step.seq - 1 }),
      }),
  ),
  attack(
    'forks the log behind its head',
    without(
      at(
        'authority/agreement/voter.ts',
        'does not follow the head',
        "return refuse(state, 'invalid', 'does not follow the head')",
      ),
      ["    return refuse(state, 'invalid', 'does not follow the head')", ';'],
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
    rule('item', 'the item does not stand where it belongs'),
    ({ stage }) => stage.propose('serviceAccount', stage.inviting(stage.admin)),
  ),
  attack(
    'opens a second root stream for the organization, where nothing was used yet',
    rule('item', 'the organization has no such stream'),
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
    rule('item', 'versions are not understood'),
    ({ stage }) =>
      stage.propose('user', stage.inviting(stage.admin), {
        item: (item) => ({ ...item, versions: [{ record: fresh(), seq: 1 }] }),
      }),
  ),
]
