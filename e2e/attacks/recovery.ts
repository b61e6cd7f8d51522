import { newKeyCredential, type KeyCredential } from '@quorate/authority/testing/key-credential'
import { challengeOf } from '@quorate/authority/request'
import type { WholeEvidence } from '@quorate/authority/step'
import { nameOf } from '@quorate/core/id'
import { attack, rule, without, type Attack } from './attack.ts'
import { fresh, made, type Actor, type Stage } from './stage.ts'

/** Whoever holds the mailbox of a user, and what it takes besides. */

type Recovering = {
  /** Of the recovery key that the challenge names. */
  readonly named?: Uint8Array
  readonly of?: Uint8Array
  /** What the recovery key signs, where it is not what is brought. */
  readonly signed?: (brought: object) => object
  readonly brought?: KeyCredential
  readonly kind?: string
}

export function recovering(
  stage: Stage,
  { user }: Pick<Actor, 'user'>,
  key: KeyCredential,
  more: Recovering,
): WholeEvidence {
  const { named = fresh(), of = user, signed = (brought) => brought, kind = 'RecoveryKey' } = more
  const { brought = newKeyCredential() } = more
  const subjects = [{ role: 'credentialId', id: named }]
  const change = { purpose: 'recover', path: '/auth/recover/user', user: of, subjects } as const
  return stage.completion(change, (challenge) => {
    const newCredentials = { firstFactorCredential: brought.create(challenge) }
    const { credentialAssertion } = key.recover(JSON.stringify(signed(newCredentials)))
    return { recovery: { kind, credentialAssertion }, newCredentials }
  })
}

/** Somebody of his own for an attack that changes him. */
export async function personWith(stage: Stage) {
  const recovery = newKeyCredential({ kind: 'RecoveryKey' })
  const actor = await stage.newcomer(await stage.invite(), true, { recovery })
  return { ...actor, recovery, recoveryId: stage.credentialId(actor, 1) }
}

export const recoveries: readonly Attack[] = [
  attack(
    'recovers a user by the mailed code alone',
    rule('recovery', 'the signature of the recovery key is not valid'),
    ({ stage, bob }) => {
      const mine = newKeyCredential({ kind: 'RecoveryKey' })
      const named = stage.credentialId(bob, 1)
      return stage.propose('recovery', recovering(stage, bob, mine, { named }))
    },
  ),
  attack(
    'recovers a user by a recovery key that he never had',
    rule('recovery', 'the recovery key is unknown'),
    ({ stage, bob, bobsRecovery }) =>
      stage.propose('recovery', recovering(stage, bob, bobsRecovery, {})),
  ),
  attack(
    'recovers the administrator by the recovery key of another user',
    rule('recovery', 'the recovery key is unknown'),
    ({ stage, bob, bobsRecovery }) => {
      const given = { named: stage.credentialId(bob, 1), of: stage.admin.user }
      return stage.propose('recovery', recovering(stage, bob, bobsRecovery, given))
    },
    { isVariant: true },
  ),
  attack(
    'recovers a user by his ordinary key',
    rule('recovery', 'the credential is no recovery key'),
    async ({ stage }) => {
      const carl = await personWith(stage)
      const key = carl.by as KeyCredential
      const named = stage.credentialId(carl)
      return stage.propose('recovery', recovering(stage, carl, key, { named }))
    },
  ),
  attack(
    'swaps the new credentials behind the signature of the recovery key',
    rule('recovery', 'the recovery key has signed other credentials'),
    ({ stage, bob, bobsRecovery }) => {
      const named = stage.credentialId(bob, 1)
      const theirs = { firstFactorCredential: newKeyCredential().create(challengeOf(fresh())) }
      const given = { named, signed: () => theirs }
      return stage.propose('recovery', recovering(stage, bob, bobsRecovery, given))
    },
  ),
  attack(
    'calls a recovery something else than its signature says',
    rule('recovery', 'the recovery is not signed by a recovery key'),
    ({ stage, bob, bobsRecovery }) => {
      const given = { named: stage.credentialId(bob, 1), kind: 'Key' }
      return stage.propose('recovery', recovering(stage, bob, bobsRecovery, given))
    },
  ),
  attack(
    'brings back a key that the user has had before',
    rule('new-credentials', 'the user has had this key before'),
    async ({ stage }) => {
      const carl = await personWith(stage)
      const given = { named: carl.recoveryId, brought: carl.by as KeyCredential }
      return stage.propose('recovery', recovering(stage, carl, carl.recovery, given))
    },
  ),
  attack(
    'recovers a user who is deactivated',
    rule('recovery', 'the user is not active'),
    async ({ stage }) => {
      const carl = await personWith(stage)
      const wish = { method: 'PUT', path: `/auth/users/${carl.name}/deactivate`, body: {} }
      await stage.put('userStatus', stage.ask(stage.admin, { ...wish, ids: { userId: carl.user } }))
      const given = { named: carl.recoveryId }
      return stage.propose('recovery', recovering(stage, carl, carl.recovery, given))
    },
  ),
  attack(
    'signs with a key from before a recovery',
    rule('author', 'the credential is not active'),
    async ({ stage, wallet }) => {
      const carl = await personWith(stage)
      await stage.assign(stage.everything, carl)
      await stage.put(
        'recovery',
        recovering(stage, carl, carl.recovery, { named: carl.recoveryId }),
      )
      return stage.use(stage.transfer(carl, wallet), wallet)
    },
    { isVariant: true },
  ),
  attack(
    'recovers again by a recovery key that a recovery has ended',
    rule('recovery', 'the recovery key is not active'),
    async ({ stage }) => {
      const carl = await personWith(stage)
      const given = { named: carl.recoveryId }
      await stage.put('recovery', recovering(stage, carl, carl.recovery, given))
      return stage.propose('recovery', recovering(stage, carl, carl.recovery, given))
    },
  ),
  attack(
    'acts with a recovery key',
    rule('author', 'a recovery key signs recoveries alone'),
    async ({ stage, wallet }) => {
      const carl = await personWith(stage)
      await stage.assign(stage.everything, carl)
      return stage.use(stage.transfer({ ...carl, by: carl.recovery }, wallet), wallet)
    },
  ),
  attack(
    'uses the new credentials before the waiting period is over',
    rule('author', 'the credential is not active'),
    async ({ stage, wallet }) => {
      const { carl, brought } = await waiting(stage)
      return stage.use(stage.transfer({ ...carl, by: brought }, wallet), wallet)
    },
    { isVariant: true },
  ),
  attack(
    'moves money with a stolen device while a recovery waits',
    rule('use', 'a recovery of this user is waiting'),
    async ({ stage, wallet }) => {
      const { carl } = await waiting(stage)
      return stage.use(stage.transfer(carl, wallet), wallet)
    },
  ),
  attack(
    'begins a second recovery while one waits',
    rule('recovery', 'a recovery of this user is waiting'),
    async ({ stage }) => {
      const { carl } = await waiting(stage)
      const given = { named: carl.recoveryId }
      return stage.propose('recovery', recovering(stage, carl, carl.recovery, given))
    },
  ),
  attack(
    'cancels the recovery of somebody else',
    rule('recovery', 'there is no such recovery'),
    async ({ stage, bob }) => {
      const { recovery } = await waiting(stage)
      return stage.propose('recoveryEnd', cancelling(stage, bob, recovery))
    },
  ),
  attack(
    'cancels a recovery when its time has come',
    rule('recovery', 'the recovery is not waiting'),
    async ({ stage }) => {
      const { carl, brought, recovery } = await waiting(stage)
      stage.world.pass(2 * dayMs)
      return stage.propose('recoveryEnd', cancelling(stage, { ...carl, by: brought }, recovery))
    },
  ),
  attack(
    'uses the new credentials of a recovery that was cancelled',
    rule('author', 'the credential is not active'),
    async ({ stage, wallet }) => {
      const { carl, brought, recovery } = await waiting(stage)
      await stage.put('recoveryEnd', cancelling(stage, carl, recovery))
      stage.world.pass(2 * dayMs)
      return stage.use(stage.transfer({ ...carl, by: brought }, wallet), wallet)
    },
    { isVariant: true },
  ),
  attack(
    'dates a recovery back, to shorten its waiting period',
    without(rule('heads', 'the step goes back in time'), ['|| before.time > step.time', '']),
    async ({ stage }) => {
      const carl = await personWith(stage)
      await stage.invite()
      const asked = recovering(stage, carl, carl.recovery, { named: carl.recoveryId })
      return stage.propose('recovery', asked, {
        change: (step) => ({ ...step, time: step.time - dayMs }),
      })
    },
  ),
]

export const dayMs = 24 * 3600_000

/** A recovery under a waiting period of a day, which is off again afterwards. */
async function waiting(stage: Stage) {
  const carl = await personWith(stage)
  await stage.assign(stage.everything, carl)
  const brought = newKeyCredential()
  const given = { named: carl.recoveryId, brought }
  await waitFor(stage, dayMs)
  const asked = await stage.put('recovery', recovering(stage, carl, carl.recovery, given))
  await waitFor(stage, 0)
  return { carl, brought, recovery: made(asked, 'recovery').id }
}

export async function waitFor(stage: Stage, waitMs: number): Promise<void> {
  const body = { settings: { recovery: { waitMs } } }
  await stage.put(
    'settings',
    stage.ask(stage.admin, { method: 'PUT', path: '/orgs/settings', body }),
  )
}

function cancelling(stage: Stage, by: Actor, recovery: Uint8Array): WholeEvidence {
  const path = `/auth/recoveries/${nameOf('recovery', recovery)}`
  return stage.ask(by, { method: 'DELETE', path, body: {}, ids: { recoveryId: recovery } })
}
