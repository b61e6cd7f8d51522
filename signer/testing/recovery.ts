import { randomBytes } from 'node:crypto'
import {
  challengeOf,
  commitTo,
  encodePreimage,
  requestHash,
  type Preimage,
} from '@quorate/authority/request'
import type { Evidence } from '@quorate/authority/step'
import { newKeyCredential, type KeyCredential } from '@quorate/authority/testing/key-credential'
import type { Passkey } from '@quorate/authority/testing/passkey'
import { idOf } from '@quorate/core/id'
import { executeWithinMs, signWithinMs, type Person } from './requests.ts'
import type { World } from './world.ts'

/** How long a recovery waits from now on. */
export function waitSetting(world: World, waitMs: number, person?: Person) {
  const body = { settings: { recovery: { waitMs } } }
  return world.request({ path: '/orgs/settings', body, change: { method: 'PUT' } }, person)
}

function challenge(world: World, changed: Partial<Preimage>, salt: Uint8Array): Uint8Array {
  const { organization, user } = world.administrator
  return encodePreimage({
    ...{ purpose: 'recover', organization, user, token: undefined, method: 'POST' },
    ...{ path: '/auth/recover/user', ...commitTo('', salt), subjects: [] },
    ...{ verification: 'none', maxFee: undefined, nonce: new Uint8Array(randomBytes(32)) },
    ...{ issuedAt: world.now, signBefore: world.now + signWithinMs },
    ...{ executeBefore: world.now + executeWithinMs, ...changed },
  })
}

type Added = Pick<KeyCredential | Passkey, 'create'>

/** What brings the administrator another credential, by the one that he has. */
export function adding(world: World, added: Added): Evidence {
  const purpose = { purpose: 'add-credential', path: '/auth/credentials' } as const
  const facts = challenge(world, purpose, new Uint8Array(32))
  const body = { ...added.create(challengeOf(facts)), credentialName: 'another' }
  return world.request({ path: '/auth/credentials', body, facts })
}

/** @returns the id of the credential, once it is in force */
export async function addCredential(world: World, added: Added): Promise<Uint8Array> {
  const evidence = adding(world, added)
  await world.put('credential', evidence)
  return idOf(requestHash(evidence.preimage), 'credential')
}

export type Recovering = {
  readonly old: KeyCredential
  readonly oldId: Uint8Array
  readonly first: KeyCredential
  readonly next?: KeyCredential
}

/** The administrator's recovery by his recovery key. */
export function recovering(world: World, { old, oldId, first, next }: Recovering): Evidence {
  const salt = new Uint8Array(randomBytes(32))
  const subjects = [{ role: 'credentialId', id: oldId }]
  const preimage = challenge(world, { subjects }, salt)
  const following = next ?? newKeyCredential({ kind: 'RecoveryKey' })
  const newCredentials = {
    firstFactorCredential: first.create(challengeOf(preimage)),
    recoveryCredential: following.create(challengeOf(preimage)),
  }
  const signature = old.recover(JSON.stringify(newCredentials))
  const payload = JSON.stringify({ recovery: signature, newCredentials })
  return { preimage, payload, salt, assertions: [], facts: new Uint8Array() }
}

/** The administrator with another key than the one he began with. */
export function administratorBy(world: World, { key, spki, pem }: KeyCredential): Person {
  return { ...world.administrator, credential: { privateKey: key, spki, pem } }
}
