import { toHex } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { decodeBody } from '@quorate/authority/body'
import type { Evidence, Item } from '@quorate/authority/step'
import { rootOf, streamCodec } from '@quorate/authority/stream'
import { endSessions, userWhoseSessionsEnd } from '../auth/sessions.ts'
import { addCredential } from '../credentials/add.ts'
import { inTransaction, type Database, type DatabaseTransaction } from '../database/database.ts'
import { sharing } from '../database/shared.ts'
import { addFeeSponsor } from '../fee-sponsors/add.ts'
import { addKey } from '../keys/add.ts'
import { addRecovery, endRecovery } from '../recovery/add.ts'
import { addRegistration } from '../registration/add.ts'
import { applyDelegation, applyKeyStatus } from '../keys/change.ts'
import { addProposal } from '../settings/add.ts'
import { addServiceAccount } from '../service-accounts/add.ts'
import { addUser, changeUserStatus } from '../users/add.ts'
import { addErasure } from '../users/erase-rows.ts'
import { addPat, changePatStatus } from '../pats/add.ts'
import { addGrant, addPermission, changePermission, removeAssignment } from '../permissions/add.ts'
import { addPolicy, changePolicy } from '../policies/add.ts'
import { addWallet } from '../wallets/add.ts'
import { applyTags } from '../wallets/change.ts'
import { addAcceptance } from '../agreements/add.ts'
import { addOrganization } from './add.ts'
import { applyUpdate } from './rename.ts'

/** An item in force, of which rows are to be made. */
export type Applied = {
  readonly organization: Uint8Array
  readonly item: Item
  readonly evidence: Evidence
  /** The step's. */
  readonly time: number
}

/** As many steps in one transaction: a long absence is caught up in bites. */
const stepsAtOnce = 32

/**
 * Makes rows of what has come into force in an organization's root stream since the last time. It
 * runs after every change and at every start, so a server that died in between leaves nothing to
 * repair. Servers that do it at once wait for each other at the organization's row; in one server
 * those whose changes share a step share the work as well.
 */
export function applyRoot(database: Database, organization: Uint8Array): Promise<void> {
  const share = applying.get(database) ?? sharing<void>()
  applying.set(database, share)
  return share(toHex(organization), async () => {
    while (await inTransaction(database, (transaction) => applyNext(transaction, organization)));
  })
}
const applying = new WeakMap<Database, ReturnType<typeof sharing<void>>>()

/** Notes that this organization may come to be: from then on no start of a server forgets it. */
export async function expectRoot(
  database: Database | DatabaseTransaction,
  organization: Uint8Array,
): Promise<void> {
  await database
    .insertInto('root_applied')
    .values({ organization, seq: -1 })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/**
 * For the start of a server: everything, of every organization.
 *
 * @param report what cannot be applied: it holds up its own organization, which tries again at its next
 * change, and no other one
 */
export async function applyRoots(
  database: Database,
  report: (error: unknown, organization: Uint8Array) => void,
): Promise<void> {
  const expected = await database.selectFrom('root_applied').select('organization').execute()
  for (const { organization } of expected)
    try {
      await applyRoot(database, organization)
    } catch (error) {
      report(error, organization)
    }
}

/** @returns whether there may be more */
async function applyNext(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
): Promise<boolean> {
  const applied = await transaction
    .selectFrom('root_applied')
    .select('seq')
    .where('organization', '=', organization)
    .forUpdate()
    .executeTakeFirst()
  if (applied === undefined) {
    await expectRoot(transaction, organization)
    return true
  }
  const { seq } = applied
  const steps = await transaction
    .selectFrom('steps')
    .select(['seq', 'body'])
    .where('organization', '=', organization)
    .where('stream', '=', encode(streamCodec, rootOf(organization)))
    .where('seq', '>', seq)
    .orderBy('seq')
    .limit(stepsAtOnce)
    .execute()
  const last = steps.at(-1)
  if (last === undefined) return false
  for (const { body } of steps) await applyStep(transaction, organization, body)
  await transaction
    .updateTable('root_applied')
    .set({ seq: last.seq })
    .where('organization', '=', organization)
    .execute()
  return steps.length === stepsAtOnce
}

async function applyStep(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
  body: Uint8Array,
): Promise<void> {
  const { step, evidence } = decodeBody(body)
  for (const [index, item] of step.items.entries()) {
    const beside = evidence[index]
    if (beside === undefined) throw new TypeError('a certified step has evidence for every item')
    const applied = { organization, item, evidence: beside, time: step.time }
    await rowsOf[item.operation.kind]?.(transaction, applied)
    const user = userWhoseSessionsEnd(item.operation)
    if (user !== undefined) await endSessions(transaction, { organization, user }, step.time)
  }
}

type MakeRows = (transaction: DatabaseTransaction, applied: Applied) => Promise<void>

const rowsOf: { readonly [kind: string]: MakeRows | undefined } = {
  genesis: addOrganization,
  serviceAccount: addServiceAccount,
  user: addUser,
  userStatus: changeUserStatus,
  registration: addRegistration,
  credential: addCredential,
  token: addPat,
  tokenStatus: changePatStatus,
  permission: addPermission,
  permissionUpdate: changePermission,
  policy: addPolicy,
  policyUpdate: changePolicy,
  feeSponsor: addFeeSponsor,
  assignment: addGrant,
  assignmentEnd: removeAssignment,
  recovery: addRecovery,
  recoveryEnd: endRecovery,
  key: addKey,
  wallet: addWallet,
  keyStatus: applyKeyStatus,
  delegation: applyDelegation,
  tags: applyTags,
  update: applyUpdate,
  agreement: addAcceptance,
  settings: addProposal,
  erasure: addErasure,
}
