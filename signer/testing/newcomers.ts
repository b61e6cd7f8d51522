import { randomBytes } from 'node:crypto'
import { challengeOf, commitTo, encodePreimage } from '@quorate/authority/request'
import type { WholeEvidence } from '@quorate/authority/step'
import { newKeyCredential } from '@quorate/authority/testing/key-credential'
import { makeCredential, signWithinMs, type Person } from './requests.ts'
import type { World } from './world.ts'

/** A service account that may do whatever its administrator may. */
export async function createServiceAccount(world: World): Promise<Person> {
  const credential = makeCredential()
  const body = { name: 'backend', publicKey: credential.pem, daysValid: 30 }
  const asked = world.request({ path: '/auth/service-accounts', body })
  const [user = '', token = ''] = world.know(asked, 'user', 'token')
  await world.put('serviceAccount', asked)
  const permission = [...world.ids.keys()].find((name) => name.startsWith('pm-')) ?? ''
  const path = `/permissions/${permission}/assignments`
  await world.put('assignment', world.request({ path, body: { identityId: user } }))
  const { organization } = world
  const held = { id: world.id(token), kind: 'ServiceAccount' } as const
  return { organization, user: world.id(user), credential, token: held }
}

let count = 0

/** An end user who has not registered yet. */
export async function enrolEndUser(world: World, by: Person): Promise<Uint8Array> {
  const body = { email: `end-user-${++count}@example.test`, kind: 'EndUser' }
  const asked = world.request({ path: '/auth/registration/delegated', body }, by)
  const [user = ''] = world.know(asked, 'user')
  await world.put('user', asked)
  return world.id(user)
}

/** What he hands in, for a challenge of his own. */
export function registration(
  world: Pick<World, 'organization' | 'now'>,
  user: Uint8Array,
  networks: readonly string[],
): WholeEvidence {
  const salt = new Uint8Array(randomBytes(32))
  const preimage = encodePreimage({
    ...{ purpose: 'register', organization: world.organization, user, token: undefined },
    ...{ method: 'POST', path: '/auth/registration/enduser', ...commitTo('', salt), subjects: [] },
    ...{ verification: 'none', maxFee: undefined, nonce: new Uint8Array(randomBytes(32)) },
    ...{ issuedAt: world.now, signBefore: world.now + signWithinMs },
    executeBefore: world.now + signWithinMs,
  })
  const firstFactorCredential = newKeyCredential().create(challengeOf(preimage))
  const wallets = networks.map((network) => ({ network }))
  const payload = JSON.stringify({ firstFactorCredential, wallets })
  return { preimage, payload, salt, assertions: [], facts: new Uint8Array() }
}
