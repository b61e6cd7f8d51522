import { equalBytes, toHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { isObject, parseJson } from '@quorate/core/json'
import { verifyKeyAssertion } from '../credential.ts'
import { provenOf } from '../erasure.ts'
import { permissionNames } from '../operations.ts'
import { readPublicKey } from '../public-key.ts'
import {
  assignmentTable,
  grantsTable,
  holdersTable,
  organizationTable,
  permissionNameTable,
  permissionTable,
} from '../records.ts'
import { challengeOf, encodePreimage } from '../request.ts'
import { refuse, type Judging } from './judging.ts'
import { newUser } from './new-user.ts'
import { put, putName, textOf, type Reduced, type Write } from './writes.ts'

/** What every end user is born with. */
export const endUserPermissionName = 'ManagedDefaultEndUserAccess'

/** Restricted to what an end user may do with what is his own. */
const endUserOperations = permissionNames.filter((name) =>
  /^(Wallets:(Read|Transfers:(Create|Read)|Transactions:(Create|Read))|Keys:(Read|Signatures:(Create|Read)))$/.test(
    name,
  ),
)

/**
 * The first entry of an organization's root stream: its administrator's key, its root quorum and
 * the cluster it trusts. The organization's id is the hash of the request, so that nobody needs to
 * be told a genesis; the administrator's own signature over it is the only authority.
 */
export function reduceGenesis(judging: Judging): Reduced {
  const { step, preimage, evidence, request, rules } = judging
  judgeBirth(judging)
  const body = parseJson(evidence.payload)
  if (!isObject(body) || body['rootQuorum'] !== 1) return refuse('the genesis is not well-formed')
  if (body['manifest'] !== toHex(rules.manifest.hash)) refuse('the genesis trusts another cluster')
  const spki = readPublicKey(textOf(body, 'publicKey')) ?? refuse('the public key is not usable')
  const [assertion] = evidence.assertions
  const challenge = challengeOf(encodePreimage(preimage))
  if (assertion === undefined || !verifyKeyAssertion(spki, challenge, assertion))
    return refuse('the signature is not valid')
  const user = idOf(request, 'user')
  const rootQuorum = { needed: 1, members: [user] }
  const [permission, assignment] = [idOf(request, 'permission'), idOf(request, 'assignment')]
  const writes = [
    put(organizationTable, [], {
      genesis: request,
      manifest: step.manifest,
      rootQuorum,
    }),
    putName(judging, 'organization', step.organization),
    ...newUser(judging, { user, kind: 'employee', origin: 'founded', spki, token: undefined }),
    ...managedPermissions(judging),
    put(grantsTable, [user], { entries: [{ permission, assignment }] }),
    put(holdersTable, [permission], { users: [user] }),
    put(assignmentTable, [assignment], { permission, identity: user, status: 'active' }),
    putName(judging, 'assignment', assignment),
  ]
  const manifest = step.manifest
  return { operation: { kind: 'genesis', administrator: spki, rootQuorum, manifest }, writes }
}

function judgeBirth({ step, item, preimage, evidence, request }: Judging): void {
  const committed = provenOf(evidence, preimage)
  const isSound =
    step.stream.kind === 'root' &&
    step.seq === 0 &&
    step.items.length <= 1 &&
    preimage.purpose === 'genesis' &&
    preimage.organization === undefined &&
    preimage.user === undefined &&
    equalBytes(step.organization, idOf(request, 'organization')) &&
    committed !== undefined &&
    equalBytes(committed.payload, preimage.payload) &&
    equalBytes(committed.fields, preimage.fields) &&
    committed.payloadLength === preimage.payloadLength &&
    item.cause.kind === 'request' &&
    equalBytes(item.cause.hash, request) &&
    equalBytes(item.payload, preimage.payload) &&
    equalBytes(item.fields, preimage.fields)
  if (!isSound) refuse('the genesis is not well-formed')
  if (step.time > preimage.signBefore) refuse('the request has expired')
}

function managedPermissions(judging: Judging): readonly Write[] {
  const [admin, endUser] = [0, 1].map((index) => idOf(judging.request, 'permission', index))
  if (admin === undefined || endUser === undefined) return refuse('no permission')
  return [
    ...managed(judging, admin, { name: 'ManagedFullAdminAccess', all: 'yes', operations: [] }),
    ...managed(judging, endUser, {
      name: endUserPermissionName,
      all: 'no',
      operations: endUserOperations,
    }),
  ]
}

/** Who may do everything does so for ever; what an end user may do can be changed. */
function managed(
  judging: Judging,
  id: Uint8Array,
  made: {
    readonly name: string
    readonly all: 'yes' | 'no'
    readonly operations: readonly string[]
  },
): readonly Write[] {
  const immutable = made.all
  return [
    put(permissionTable, [id], { ...made, immutable, status: 'active' }),
    put(permissionNameTable, [made.name], { permission: id }),
    putName(judging, 'permission', id),
  ]
}
