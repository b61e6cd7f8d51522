import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import type { WholeEvidence } from '@quorate/authority/step'
import { nameOf } from '@quorate/core/id'
import { at, attack, backed, gone, rule, without, type Attack, type Outcome } from '../attack.ts'
import { honest } from '../drive.ts'
import { word } from '../mailbox.ts'
import { byCode, codeOf, ending } from '../people.ts'
import { agreed, inForce, signed } from '../rounds.ts'
import { fresh, made, type Actor, type Made, type Stage, type Wallet } from '../stage.ts'
import { unauthorized } from '../tokens.ts'
import {
  approvalBy,
  changing,
  blocked,
  decide,
  deciding,
  guarded,
  held,
  hold,
  lay,
  minuteMs,
  on,
  type Held,
} from './scene.ts'

/** Approvals that nobody gave, or not for this, or not any more. */

type Waiting = {
  readonly wallet: Wallet
  readonly policy: Made
  readonly evidence: WholeEvidence
  readonly held: Held
}
type Group = Parameters<typeof approvalBy>[0]

/** A transfer that waits for its approval. */
async function waiting(
  stage: Stage,
  group: Group = {},
  { by = stage.admin, timeout }: { readonly by?: Actor; readonly timeout?: number } = {},
): Promise<Waiting> {
  const wallet = await stage.createWallet(stage.admin)
  const policy = await lay(stage, { action: approvalBy(group, timeout), filters: on(wallet) })
  const evidence = stage.transfer(by, wallet, { nonce: 0n })
  return { wallet, policy, evidence, held: await hold(stage, evidence, stage.placeOf(wallet)) }
}

/** An employee who may do everything. */
async function approver(stage: Stage): Promise<Actor> {
  const anne = await stage.newcomer(await stage.invite(), true)
  await stage.assign(stage.everything, anne)
  return anne
}

/** Decides as nobody may, and pays if that was taken for a decision. */
async function paidBy(
  stage: Stage,
  { wallet, evidence, held: { place } }: Waiting,
  decision: WholeEvidence,
  time?: number,
): Promise<Outcome> {
  const dated = time === undefined ? {} : { time }
  const decided = await stage.propose('decision', decision, { place, ...dated })
  return decided.seals === 0 ? decided : stage.use(evidence, wallet, dated)
}

async function denyByMailbox(stage: Stage, by: Actor, { id: target }: Held): Promise<void> {
  const signed = word(stage, by, { kind: 'denyApproval', target })
  for (const index of honest) {
    const answer = stage.world.member(index).signer.accept(signed)
    if (!answer.ok) throw new Error(answer.reason)
  }
}

const approved = 'authority/reduce/approved.ts'
const approval = 'authority/reduce/approval.ts'
const noApprover = 'the user is no approver of this'
const notCovered = 'the approval does not cover what policies want'
const asVariant = { isVariant: true }

const waits = backed(
  rule('approved', 'the request waits for its approval'),
  'the approvals themselves are counted again',
)
const standing = (code: string, instead: string) =>
  without(at(approved, notCovered, code), [code, instead])
const deciders = (code: string, instead: string) =>
  without(at(approved, noApprover, code), [code, instead])
const notPending = (code: string) =>
  without(at(approval, 'the approval is not pending', code), [code, ''])
const kindOfCaller = rule('author', 'no caller of this kind may ask for this')
const notNow = at('signer/judgement.ts', 'the time of the step is not now')

const unasked = held(
  approved,
  'heldBy.length > 0 ? refuse(heldReason + reason) : undefined',
  'undefined',
)

const missing: readonly Attack[] = [
  attack('pays what a policy holds, and asks nobody', unasked, async ({ stage }) => {
    const wallet = await guarded(stage, { action: approvalBy() })
    return stage.use(stage.transfer(stage.admin, wallet, { nonce: 0n }), wallet)
  }),
  attack(
    'brings the approval of one request to another body',
    unasked,
    async ({ stage }) => {
      const { wallet, held: of } = await waiting(stage)
      await decide(stage, await approver(stage), of)
      const body = { amount: '1000' }
      return stage.use(stage.transfer(stage.admin, wallet, { nonce: 0n, body }), wallet)
    },
    asVariant,
  ),
  attack('pays while the approval is waiting', waits, async ({ stage }) => {
    const { wallet, evidence } = await waiting(stage)
    return stage.use(evidence, wallet)
  }),
  attack(
    'removes a policy while it holds a request, and pays',
    waits,
    async ({ stage }) => {
      const { wallet, policy, evidence } = await waiting(stage)
      await stage.put('policyUpdate', changing(stage, stage.admin, policy))
      return stage.use(evidence, wallet)
    },
    asVariant,
  ),
  attack(
    'pays with one approval where two are wanted',
    without(at(approved, waits.reason, 'return approving.length >= group.quorum'), [
      'return approving.length >= group.quorum',
      'return approving.length > 0',
    ]),
    async ({ stage }) => {
      const { wallet, evidence, held: of } = await waiting(stage, { quorum: 2 })
      await decide(stage, await approver(stage), of)
      return stage.use(evidence, wallet)
    },
  ),
  attack(
    'pays with the approval of one group where two have to',
    without(at(approved, waits.reason, 'return groups.every((group) => {'), [
      'return groups.every((group) => {',
      'return groups.some((group) => {',
    ]),
    async ({ stage }) => {
      const [anne, bert] = [await approver(stage), await approver(stage)]
      const wallet = await guarded(
        stage,
        { action: approvalBy({ of: [anne] }) },
        { action: approvalBy({ of: [bert] }) },
      )
      const evidence = stage.transfer(stage.admin, wallet, { nonce: 0n })
      await decide(stage, anne, await hold(stage, evidence, stage.placeOf(wallet)))
      return stage.use(evidence, wallet)
    },
  ),
  attack(
    'signs for a request that waits as if it were signed once already',
    gone(
      rule(
        'use',
        'there is nothing to renew',
        "if (known === undefined) return refuse('there is nothing to renew')",
      ),
    ),
    async ({ stage }) => {
      const { wallet, evidence, held: of } = await waiting(stage)
      await decide(stage, await approver(stage), of)
      const { place } = of
      return stage.propose('renew', evidence, { place, key: wallet.key })
    },
    asVariant,
  ),
  attack(
    'signs once more what a policy has come to hold since',
    held(
      'authority/reduce/use.ts',
      "judgeGate(judging, activity)\n  return {\n    operation: { kind: 'renew'",
      "return {\n    operation: { kind: 'renew'",
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage)
      const place = stage.placeOf(wallet)
      const evidence = stage.transfer(stage.admin, wallet, { nonce: 0n })
      await stage.put('use', evidence, place)
      await lay(stage, { action: approvalBy(), filters: on(wallet) })
      return stage.propose('renew', evidence, { place, key: wallet.key })
    },
  ),
]

const changed: readonly Attack[] = [
  attack(
    'removes the policy that held a request when its approver has gone',
    standing(
      'const wanted = [...approval.opening.policies, ...heldBy]',
      'const wanted = [...heldBy]',
    ),
    async ({ stage }) => {
      const { wallet, policy, evidence, held: of } = await waiting(stage)
      const anne = await approver(stage)
      await decide(stage, anne, of)
      await stage.put('userStatus', archiving(stage, anne))
      await stage.put('policyUpdate', changing(stage, stage.admin, policy))
      return stage.use(evidence, wallet)
    },
  ),
  attack(
    'pays by the approval of those who had to approve before the policy changed',
    standing(
      'isSatisfied(judging, approval, groupsOf(judging, wanted))',
      'isSatisfied(judging, approval, groupsOf(judging, approval.opening.policies))',
    ),
    async ({ stage }) => {
      const { wallet, policy, evidence, held: of } = await waiting(stage)
      const [anne, bert] = [await approver(stage), await approver(stage)]
      await decide(stage, anne, of)
      const stricter = { action: approvalBy({ of: [bert] }), filters: on(wallet) }
      await stage.put('policyUpdate', changing(stage, stage.admin, policy, stricter))
      return stage.use(evidence, wallet)
    },
  ),
  attack(
    'pays what was approved and is blocked since',
    blocked(
      'authority/reduce/gate.ts',
      "if (gate.verdict === 'deny') refuse(blockedReason + gate.reason)",
      '',
    ),
    approvedThenBlocked,
  ),
  attack(
    'pays what was approved and is blocked since, though another policy wants no more than that',
    blocked(
      'policy/evaluate.ts',
      "verdict: having('Block').length > 0 ? 'deny' : held",
      'verdict: held',
    ),
    approvedThenBlocked,
  ),
  attack(
    'opens an approval for what is blocked',
    blocked(
      'authority/reduce/approval.ts',
      "if (gate.verdict === 'deny') refuse(blockedReason + gate.reason)",
      '',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage, {}, { action: approvalBy() })
      const place = stage.placeOf(wallet)
      return stage.propose('approval', stage.transfer(stage.admin, wallet), { place })
    },
  ),
]

async function approvedThenBlocked({ stage }: { readonly stage: Stage }): Promise<Outcome> {
  const { wallet, evidence, held: of } = await waiting(stage)
  await decide(stage, await approver(stage), of)
  await lay(stage, { filters: on(wallet) })
  return stage.use(evidence, wallet)
}

const denials: readonly Attack[] = [
  attack(
    'pays what was denied',
    backed(rule('approved', 'the request was denied'), 'nobody can have approved it'),
    async ({ stage }) => {
      const { wallet, evidence, held: of } = await waiting(stage)
      await decide(stage, await approver(stage), of, 'Denied')
      return stage.use(evidence, wallet)
    },
  ),
  attack(
    'pays what was approved, before it lets the denial of another approver into the log',
    without(
      rule(
        'approved',
        'the request was denied',
        'find(judging, denialTable, held.approval) !== undefined',
      ),
      [' ||\n    find(judging, denialTable, held.approval) !== undefined', ''],
    ),
    async ({ stage }) => {
      const { wallet, evidence, held: of } = await waiting(stage)
      await decide(stage, await approver(stage), of)
      await denyByMailbox(stage, await approver(stage), of)
      return stage.use(evidence, wallet)
    },
  ),
  attack(
    'takes the last round of what another approver has denied by the mailbox meanwhile',
    gone(rule('questions', 'the request was denied', 'judgeNotDenied(judging)')),
    async ({ stage }) => {
      const { wallet, evidence, held: of } = await waiting(stage)
      await decide(stage, await approver(stage), of)
      const signing = await inForce(stage, evidence, wallet)
      const other = await approver(stage)
      return signed(stage, signing, () => denyByMailbox(stage, other, of))
    },
    agreed,
  ),
  attack(
    'has one approver approve what another has denied',
    notPending("approval.status !== 'pending' ||"),
    async ({ stage }) => {
      const scene = await waiting(stage)
      await decide(stage, await approver(stage), scene.held, 'Denied')
      return paidBy(stage, scene, deciding(stage, await approver(stage), scene.held))
    },
  ),
  attack(
    'has one approver approve what another has denied by the mailbox',
    without(
      rule(
        'approval',
        'the approval is not pending',
        'find(judging, denialTable, id) !== undefined',
      ),
      [' ||\n    find(judging, denialTable, id) !== undefined', ''],
    ),
    async ({ stage }) => {
      const scene = await waiting(stage)
      await denyByMailbox(stage, await approver(stage), scene.held)
      const { place } = scene.held
      const decision = deciding(stage, await approver(stage), scene.held)
      return stage.propose('decision', decision, { place })
    },
  ),
  attack(
    'opens an approval once more after it was denied',
    rule('approval', 'the request is held already'),
    async ({ stage }) => {
      const scene = await waiting(stage)
      const { held: of, evidence, wallet } = scene
      await decide(stage, await approver(stage), of, 'Denied')
      const reopened = await stage.propose('approval', evidence, { place: of.place })
      if (reopened.seals === 0) return reopened
      await decide(stage, await approver(stage), of)
      return stage.use(evidence, wallet)
    },
  ),
]

const late: readonly Attack[] = [
  attack(
    'has an approval decided after its time',
    notPending('judging.step.time > opening.expiresAt ||'),
    async ({ stage }) => {
      const scene = await waiting(stage, {}, { timeout: 1 })
      stage.world.pass(2 * minuteMs)
      return paidBy(stage, scene, deciding(stage, await approver(stage), scene.held))
    },
  ),
  attack(
    'dates a decision back to when the approval could be decided',
    notNow,
    async ({ stage }) => {
      const anne = await approver(stage)
      const scene = await waiting(stage, {}, { timeout: 1 })
      const time = stage.world.now
      stage.world.pass(2 * minuteMs)
      const preimage = { issuedAt: time, signBefore: time + 10 * minuteMs }
      const dated = deciding(stage, anne, scene.held, 'Approved', preimage)
      return paidBy(stage, scene, dated, time)
    },
    asVariant,
  ),
  attack(
    'opens an approval when the request was to be signed by now',
    rule('author', 'the request has expired', 'if (!isLater && step.time > signBefore)'),
    async ({ stage }) => {
      const wallet = await guarded(stage, { action: approvalBy() })
      const evidence = stage.transfer(stage.admin, wallet, { nonce: 0n })
      stage.world.pass(11 * minuteMs)
      return stage.propose('approval', evidence, { place: stage.placeOf(wallet) })
    },
    asVariant,
  ),
  attack(
    'opens an approval for what was paid without it',
    rule('approval', 'the request has been used'),
    async ({ stage }) => {
      const wallet = await guarded(stage)
      const place = stage.placeOf(wallet)
      const evidence = stage.transfer(stage.admin, wallet, { nonce: 0n })
      await stage.put('use', evidence, place)
      await lay(stage, { action: approvalBy(), filters: on(wallet) })
      return stage.propose('approval', evidence, { place })
    },
  ),
  attack(
    'opens an approval that no policy wants, to use the request when it is late',
    backed(
      rule('approval', 'no policy holds the request'),
      'an opening without a policy is none in bytes',
    ),
    async ({ stage }) => {
      const wallet = await guarded(stage)
      const place = stage.placeOf(wallet)
      return stage.propose('approval', stage.transfer(stage.admin, wallet), { place })
    },
  ),
  attack(
    'writes other policies into an approval than those that hold the request',
    rule('item', 'the item does something else than was asked for'),
    async ({ stage }) => {
      const wallet = await guarded(stage, { action: approvalBy() })
      const place = stage.placeOf(wallet)
      return stage.propose('approval', stage.transfer(stage.admin, wallet), {
        place,
        item: (item) =>
          item.operation.kind === 'approval'
            ? {
                ...item,
                operation: {
                  ...item.operation,
                  opening: {
                    ...item.operation.opening,
                    policies: [{ policy: fresh(), definition: fresh() }],
                  },
                },
              }
            : item,
      })
    },
    asVariant,
  ),
]

const decisions: readonly Attack[] = [
  attack(
    'has somebody approve his own request',
    deciders('(!isInitiator || group.initiatorCanApprove)', 'true'),
    async ({ stage }) => {
      const scene = await waiting(stage)
      return paidBy(stage, scene, deciding(stage, stage.admin, scene.held))
    },
  ),
  attack(
    'has somebody approve his own request through his own token',
    deciders('(!isInitiator || group.initiatorCanApprove)', 'true'),
    async ({ stage }) => {
      const scene = await waiting(stage)
      const pat = await stage.createPat(stage.admin)
      return paidBy(stage, scene, deciding(stage, pat, scene.held))
    },
    asVariant,
  ),
  attack(
    'has somebody approve whom the policy does not name',
    deciders("(approvers === undefined || approvers.includes(nameOf('user', user)))", 'true'),
    async ({ stage }) => {
      const scene = await waiting(stage, { of: [await approver(stage)] })
      return paidBy(stage, scene, deciding(stage, await approver(stage), scene.held))
    },
  ),
  attack(
    'has a service account approve where people have to',
    deciders(
      "(record?.kind === 'serviceAccount' && serviceAccountsCanApprove)",
      "record?.kind === 'serviceAccount'",
    ),
    async ({ stage, machine }) => {
      const scene = await waiting(stage)
      return paidBy(stage, scene, deciding(stage, machine, scene.held))
    },
  ),
  attack(
    'has an end user approve',
    kindOfCaller,
    async ({ stage, ulla }) => {
      const scene = await waiting(stage)
      return paidBy(stage, scene, deciding(stage, ulla, scene.held))
    },
    asVariant,
  ),
  attack(
    'approves as a user whom nobody has confirmed',
    rule('author', 'the credential is not confirmed'),
    async ({ stage, eve }) => {
      const scene = await waiting(stage)
      return paidBy(stage, scene, deciding(stage, eve, scene.held))
    },
    asVariant,
  ),
  attack(
    'approves as a user who was archived',
    rule('author', 'the user is not active'),
    async ({ stage }) => {
      const scene = await waiting(stage)
      const anne = await approver(stage)
      await stage.put('userStatus', archiving(stage, anne))
      return paidBy(stage, scene, deciding(stage, anne, scene.held))
    },
    asVariant,
  ),
  attack(
    'approves as an employee without the right to',
    unauthorized,
    async ({ stage, bob }) => {
      const scene = await waiting(stage)
      return paidBy(stage, scene, deciding(stage, bob, scene.held))
    },
    asVariant,
  ),
  attack(
    'counts the approval of one approver twice',
    rule('approval', 'the user has decided'),
    async ({ stage }) => {
      const scene = await waiting(stage, { quorum: 2 })
      const anne = await approver(stage)
      await decide(stage, anne, scene.held)
      return paidBy(stage, scene, deciding(stage, anne, scene.held))
    },
  ),
  attack(
    'takes anything that is no denial for an approval',
    without(rule('approval', 'value is neither Approved nor Denied'), [
      "refuse('value is neither Approved nor Denied')",
      "'approved'",
    ]),
    async ({ stage }) => {
      const scene = await waiting(stage)
      const value = 'approved'
      return paidBy(stage, scene, deciding(stage, await approver(stage), scene.held, value))
    },
  ),
]

const replays: readonly Attack[] = [
  attack(
    'writes a decision into the stream of another key',
    backed(
      rule('approval', 'there is no such approval'),
      'of what is not there nobody could be an approver',
    ),
    async ({ stage }) => {
      const [one, other] = [await waiting(stage), await waiting(stage)]
      const decision = deciding(stage, await approver(stage), one.held)
      return stage.propose('decision', decision, { place: other.held.place })
    },
  ),
  attack(
    'stands another approval behind the name of the one that was decided on',
    rule(
      'author',
      'the subject approvalId is not the one that is named',
      'the subject ${role} is not the one that is named',
    ),
    async ({ stage }) => {
      const [one, other] = [await waiting(stage), await waiting(stage)]
      const named = { name: one.held.name, id: other.held.id }
      const { place } = other.held
      const decision = deciding(stage, await approver(stage), named)
      return stage.propose('decision', decision, { place })
    },
    asVariant,
  ),
  attack(
    'moves a decision to another approval of the same key',
    rule('author', 'the signature is not valid'),
    async ({ stage }) => {
      const { wallet, held: one } = await waiting(stage)
      const { place } = one
      const again = stage.transfer(stage.admin, wallet, { nonce: 1n })
      const other = await hold(stage, again, place)
      const anne = await approver(stage)
      const signed = deciding(stage, anne, one)
      const moved = deciding(stage, { ...anne, by: newKeyCredential() }, other)
      return stage.propose('decision', { ...moved, assertions: signed.assertions }, { place })
    },
    asVariant,
  ),
  attack(
    'uses one decision twice',
    rule(
      'item',
      'the request has been used',
      'if (reader.read(step.stream, recordKey(requestTable, challenge)) !== undefined)',
    ),
    async ({ stage }) => {
      const { held: of } = await waiting(stage, { quorum: 2 })
      const decision = deciding(stage, await approver(stage), of)
      await stage.put('decision', decision, of.place)
      return stage.propose('decision', decision, { place: of.place })
    },
    asVariant,
  ),
]

const standingNot: readonly Attack[] = [
  attack(
    'pays by the approval of somebody who was archived since',
    standing('!isActive(record) || credential === undefined', 'credential === undefined'),
    async ({ stage }) => losing(stage, (anne) => stage.put('userStatus', archiving(stage, anne))),
  ),
  attack(
    'pays by an approval whose signature came from a device that is gone',
    standing('isCredentialLive(record, credential, time) &&', ''),
    async ({ stage }) => {
      const anne = await approver(stage)
      const { user, name } = anne
      const device = newKeyCredential()
      await stage.put('credential', byCode(stage, user, await codeOf(stage, anne), device))
      await stage.put('confirmation', stage.confirming(stage.admin, { id: user, name }))
      const end = () => stage.ask(anne, ending(stage.credentialId(anne, 1)))
      return losing(stage, () => stage.put('credentialStatus', end()), { ...anne, by: device })
    },
  ),
  attack(
    'pays by the approval of somebody who has no right to approve any more',
    standing("has(rights, 'Policies:Approvals:Approve')", 'rights !== undefined'),
    async ({ stage }) => {
      const anne = await stage.newcomer(await stage.invite(), true)
      const identity = { id: anne.user, name: anne.name }
      const given = await stage.put(
        'assignment',
        stage.assigning(stage.admin, stage.everything, identity),
      )
      return losing(stage, () => stage.put('assignmentEnd', unassigning(stage, given)), anne)
    },
  ),
  attack(
    'pays by an approval that came through a token which is switched off',
    standing(
      'if (id !== undefined && (token === undefined || !isTokenLive(records, token, time))) return false',
      '',
    ),
    async ({ stage }) => {
      const anne = await approver(stage)
      const pat = await stage.createPat(anne)
      const { id: tokenId } = pat.token ?? { id: fresh() }
      const path = `/auth/pats/${nameOf('token', tokenId)}/deactivate`
      const off = stage.ask(anne, { method: 'PUT', path, body: {}, ids: { tokenId } })
      return losing(stage, () => stage.put('tokenStatus', off), pat)
    },
  ),
]

/** Somebody approves, and then cannot any more. */
async function losing(
  stage: Stage,
  lose: (anne: Actor) => Promise<unknown>,
  anne?: Actor,
): Promise<Outcome> {
  const by = anne ?? (await approver(stage))
  const { wallet, evidence, held: of } = await waiting(stage)
  await decide(stage, by, of)
  await lose(by)
  return stage.use(evidence, wallet)
}

function archiving(stage: Stage, { user: id, name }: Actor): WholeEvidence {
  const wish = { method: 'DELETE', path: `/auth/users/${name}`, body: {} }
  return stage.ask(stage.admin, { ...wish, ids: { userId: id } })
}

function unassigning(stage: Stage, given: WholeEvidence): WholeEvidence {
  const { id, name } = made(given, 'assignment')
  const { id: permissionId, name: permission } = stage.everything
  const path = `/permissions/${permission}/assignments/${name}`
  const ids = { permissionId, assignmentId: id }
  return stage.ask(stage.admin, { method: 'DELETE', path, body: {}, ids })
}

export const unapproved: readonly Attack[] = [
  ...missing,
  ...changed,
  ...denials,
  ...late,
  ...decisions,
  ...replays,
  ...standingNot,
]
