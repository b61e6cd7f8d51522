import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { sql } from 'kysely'
import { encode } from '@quorate/core/codec'
import { toHex } from '@quorate/core/bytes'
import { createdName, idOf, nameOf } from '@quorate/core/id'
import { requestHash } from '@quorate/authority/request'
import { encodeEvidence, type Evidence } from '@quorate/authority/step'
import { keyStream, streamCodec } from '@quorate/authority/stream'
import { signedRequest } from '@quorate/signer/testing/requests'
import { ask } from '../coordinator/testing/company.ts'
import { until } from '../coordinator/testing/platform.ts'
import { openBrake, type Write } from '../testing/brake.ts'
import { openKilledServers } from '../transfers/testing/killed-servers.ts'
import type { Outgoing } from '../transfers/tables.ts'
import {
  makeWallet,
  payment,
  request,
  reread,
  startTreasury,
  type Treasury,
} from '../transfers/testing/treasury.ts'
import { approvalFor } from './find.ts'

const drafting = { table: 'proposals', event: 'insert', when: 'true' } as const
const agreeing = { table: 'steps', event: 'insert', when: 'true' } as const
const working = (when: string): Write => ({ table: 'approvals', event: 'update', when })
const turning = (to: string, from: string): Write => ({
  table: 'outgoing',
  event: 'update',
  when: `new.state = '${to}' and old.state = '${from}'`,
})

const explaining = working('new.explained is distinct from old.explained')
const announcing = working('new.announced_at is distinct from old.announced_at')
const making = { table: 'assignments', event: 'insert', when: 'true' } as const
const ending = working('new.outcome is distinct from old.outcome')

/**
 * Every write between a request that policies hold and what comes of it: what stands in one transaction
 * with another write is that one. Not here: the writes of a held signature's own row, which are one
 * each (`signatures/held.test.ts` finds them missing), and those of a payment that is free to go
 * (`transfers/killed.test.ts`).
 */
describe('a server that is killed at each write', () => {
  let treasury: Treasury
  let servers: ReturnType<typeof openKilledServers>
  before(async () => {
    treasury = await startTreasury()
    const { company, platform, rpc, database } = treasury
    await rpc('evm_setIntervalMining', [1])
    const { organization } = company
    const action = { kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] }
    for (const activityKind of ['Wallets:Sign', 'Permissions:Assign']) {
      const body = { name: activityKind, activityKind, rule: { kind: 'AlwaysTrigger' }, action }
      const evidence = ask(company, company.administrator, { path: '/v2/policies', body })
      await platform.coordinator.settle({ organization, kind: 'policy', evidence })
    }
    servers = openKilledServers(treasury, await openBrake(database))
  })
  after(async () => {
    await servers.kill()
    await treasury.stop()
  })

  const approvalOf = async (of: Uint8Array) =>
    (await approvalFor(treasury.database, treasury.company.organization, of)) ?? assert.fail()
  /** As the administrator signs it. */
  async function approving(of: Uint8Array): Promise<Evidence> {
    const { company } = treasury
    const { id, approval_id: name } = await approvalOf(of)
    company.ids.set(name, id)
    const path = `/v2/policy-approvals/${name}/decisions`
    return ask(company, company.administrator, { path, body: { value: 'Approved' } })
  }
  async function decisionOn({ request: of, key }: Outgoing) {
    return {
      organization: toHex(treasury.company.organization),
      stream: toHex(encode(streamCodec, keyStream(key))),
      evidence: toHex(encodeEvidence(await approving(of))),
    }
  }
  /** As if the leases of the dead had ended, and whatever waits were due. */
  async function letTimePass(): Promise<void> {
    const { database } = treasury
    const due = { lease_until: 0, due_at: 0 }
    await database.updateTable('outgoing').set(due).execute()
    await database.updateTable('approvals').set(due).where('due_at', 'is not', null).execute()
    await database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
  }
  async function dieAt(...[write, decisions]: Parameters<typeof servers.dieAt>): Promise<void> {
    await servers.dieAt(write, decisions)
    await letTimePass()
  }
  const lookAt = (of: Uint8Array) =>
    treasury.database
      .updateTable('approvals')
      .set({ due_at: 0 })
      .where('request', '=', of)
      .execute()
  const ended = (of: Uint8Array) =>
    until(async () => (await approvalOf(of)).outcome === 'Applied', 60_000)

  it('of a held payment asks once, hears each decision once, and pays once', async () => {
    const { database, platform, rpc } = treasury
    const wallet = await makeWallet(treasury)
    const change = await heldChange()
    // From here on the signers dial the servers that are killed.
    await platform.links.close()
    const row = await request(treasury, wallet, { body: payment() })
    // As the edge takes it in where there are policies, if it dies at once.
    await database.updateTable('outgoing').set({ state: 'asked' }).execute()
    const stateNow = async () => (await reread(treasury, row)).state
    // No worker is to be faster than the row that waits: none looks at the approval yet.
    await sql`alter table approvals alter column due_at drop default`.execute(database)
    for (const write of [drafting, agreeing, turning('held', 'asked')]) {
      await dieAt(write)
      assert.equal(await stateNow(), 'asked')
    }
    // Before anybody looks at the approval: a server may do that sooner than it writes this down.
    servers.start()
    await until(async () => (await stateNow()) === 'held', 60_000)
    await servers.kill()
    await letTimePass()
    await lookAt(row.request)
    for (const write of [explaining, announcing]) await dieAt(write)
    assert.equal(await stateNow(), 'held')
    const decision = await decisionOn(row)
    for (const write of [drafting, agreeing]) {
      await dieAt(write, [decision])
      assert.equal(await stateNow(), 'held')
    }
    await dieAt(turning('requested', 'held'), [decision])
    assert.equal(await stateNow(), 'held')
    servers.start()
    await until(async () => (await stateNow()) === 'confirmed', 60_000)
    await ended(row.request)
    assert.equal(await rpc('eth_getTransactionCount', [wallet.address, 'latest']), '0x1')
    const rows = await database
      .selectFrom('approvals')
      .innerJoin('approval_decisions', 'approval_decisions.approval', 'approvals.id')
      .select('approvals.id')
      .where('request', '=', row.request)
      .execute()
    assert.equal(rows.length, 1)
    await servers.kill()
    await letTimePass()
    await isMade(change)
  })

  /** A permission that is given: approved, and nobody has looked at it since. */
  async function heldChange(): Promise<Uint8Array> {
    const { company, platform, bot, database } = treasury
    const { coordinator } = platform
    const { organization, ids, administrator } = company
    const by = { now: Date.now(), ids }
    const body = { name: 'held', operations: ['Wallets:Read'] }
    const made = signedRequest(bot, { path: '/permissions', body, ...by })
    await coordinator.settle({ organization, kind: 'permission', evidence: made })
    const name = createdName(requestHash(made.preimage), 'permission')
    ids.set(name, idOf(requestHash(made.preimage), 'permission'))
    const identityId = nameOf('user', administrator.user)
    ids.set(identityId, administrator.user)
    const path = `/permissions/${name}/assignments`
    const evidence = signedRequest(bot, { path, body: { identityId }, ...by })
    await coordinator.settle({ organization, kind: 'approval', evidence })
    const request = requestHash(evidence.preimage)
    const decision = await approving(request)
    await coordinator.settle({ organization, kind: 'decision', evidence: decision })
    await database.updateTable('approvals').set({ due_at: null }).execute()
    return request
  }

  /** Each step of the worker that makes it; until then all is as of any approval. */
  async function isMade(of: Uint8Array): Promise<void> {
    const { database } = treasury
    const given = () =>
      database
        .selectFrom('assignments')
        .select('id')
        .where('id', '=', idOf(of, 'assignment'))
        .execute()
    await lookAt(of)
    for (const write of [drafting, agreeing, making]) await dieAt(write)
    assert.deepEqual(await given(), [])
    await dieAt(ending)
    assert.equal((await given()).length, 1)
    assert.equal((await approvalOf(of)).outcome, null)
    servers.start()
    await ended(of)
    assert.equal((await given()).length, 1)
  }
})
