import type { WholeEvidence } from '@quorate/authority/step'
import { keyStream } from '@quorate/authority/stream'
import { nameOf } from '@quorate/core/id'
import { entry } from './cluster.ts'
import type { Key } from './keys.ts'
import { makeCredential, type Person } from './requests.ts'
import type { World } from './world.ts'

/** One that may do everything, and speaks through its token. */
export async function serviceAccount(
  world: World,
): Promise<Person & { token: { id: Uint8Array } }> {
  const credential = makeCredential()
  const permissionId = [...world.ids.keys()].find((one) => one.startsWith('pm-'))
  const body = { name: 'api', publicKey: credential.pem, daysValid: 30, permissionId }
  const asked = world.request({ path: '/auth/service-accounts', body })
  const [user = '', token = ''] = world.know(asked, 'user', 'token')
  await world.put('serviceAccount', asked)
  const { organization } = world
  return {
    ...{ organization, user: world.id(user), credential },
    token: { id: world.id(token), kind: 'ServiceAccount' },
  }
}

/** From here on whatever a key signs wants the approval of another employee than who asks. */
export async function holdEverything(world: World): Promise<void> {
  const policy = {
    ...{ name: 'all', activityKind: 'Wallets:Sign', rule: { kind: 'AlwaysTrigger' } },
    action: { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] },
  }
  await world.put('policy', world.request({ path: '/v2/policies', body: policy }))
}

/** @returns the id of the approval that the request waits for now, in its key's stream */
export async function holdUse(world: World, key: Key, evidence: WholeEvidence) {
  const { body } = await world.put('approval', evidence, keyStream(key.id))
  const { operation } = entry(body.items, 0)
  if (operation.kind !== 'approval') throw new Error('an approval was to be opened')
  const { approval } = operation
  world.ids.set(nameOf('approval', approval), approval)
  return approval
}

/** By the administrator. */
export function deciding(world: World, approval: Uint8Array, value: 'Approved' | 'Denied') {
  const path = `/v2/policy-approvals/${nameOf('approval', approval)}/decisions`
  return world.request({ path, body: { value } })
}
