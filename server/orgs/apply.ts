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
import { addErasure, eraseDue } from '../users/erase-rows.ts'
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
 * those whose changes share a step share the work as well. Whoever meets an erasure carries it out afterwards,
 * and keeps nobody waiting by that.
 */
export async function applyRoot(database: Database, organization: Uint8Array): Promise<void> {
  const share = applying.get(database) ?? sharing<boolean>()
  applying.set(database, share)
  const hasErasures = await share(toHex(organization), async () => {
    for (let hasErasures = false; ;) {
      const next = await inTransaction(database, (some) => applyNext(some, organization))
      hasErasures ||= next.hasErasures
      if (!next.isMore) return hasErasures
    }
  })
  if (hasErasures) await eraseDue(database, organization)
}
const applying = new WeakMap<Database, ReturnType<typeof sharing<boolean>>>()

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
  const due = await database.selectFrom('erasures_due').select('organization').distinct().execute()
  for (const { organization } of due)
    try {
      await eraseDue(database, organization)
    } catch (error) {
      report(error, organization)
    }
}

async function applyNext(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
): Promise<{ readonly isMore: boolean; readonly hasErasures: boolean }> {
  const applied = await transaction
    .selectFrom('root_applied')
    .select('seq')
    .where('organization', '=', organization)
    .forUpdate()
    .executeTakeFirst()
  if (applied === undefined) {
    await expectRoot(transaction, organization)
    return { isMore: true, hasErasures: false }
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
  if (last === undefined) return { isMore: false, hasErasures: false }
  let hasErasures = false
  for (const { body } of steps) {
    const items = await applyStep(transaction, organization, body)
    hasErasures ||= items.some(({ operation }) => operation.kind === 'erasure')
  }
  await transaction
    .updateTable('root_applied')
    .set({ seq: last.seq })
    .where('organization', '=', organization)
    .execute()
  return { isMore: steps.length === stepsAtOnce, hasErasures }
}

async function applyStep(
  transaction: DatabaseTransaction,
  organization: Uint8Array,
  body: Uint8Array,
): Promise<readonly Item[]> {
  const { step, evidence } = decodeBody(body)
  for (const [index, item] of step.items.entries()) {
    const beside = evidence[index]
    if (beside === undefined) throw new TypeError('a certified step has evidence for every item')
    const applied = { organization, item, evidence: beside, time: step.time }
    await rowsOf[item.operation.kind]?.(transaction, applied)
    const user = userWhoseSessionsEnd(item.operation)
    if (user !== undefined) await endSessions(transaction, { organization, user }, step.time)
  }
  return step.items
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
