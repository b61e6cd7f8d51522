import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { deploy } from '@quorate/devnet/testing/deploy'
import { keyStream, type StreamId } from '@quorate/authority/stream'
import { approvalFor } from '../approvals/find.ts'
import { ask as askAs } from '../coordinator/testing/company.ts'
import { moneyRoutes } from '../money.ts'
import { findOutgoing } from '../transfers/find.ts'
import type { State } from '../transfers/lifecycle.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { moneyDeps, openEdge } from '../transfers/testing/edge.ts'
import { signedPost } from '../transfers/testing/signed-post.ts'
import {
  makeWallet,
  mine,
  payment,
  startTreasury,
  stepTo,
  stranger,
} from '../transfers/testing/treasury.ts'
import type { Treasury } from '../transfers/testing/treasury.ts'
import type { WalletRow } from '../wallets/find.ts'

describe('an event of money tells what one would read then', () => {
  let treasury: Treasury
  let wallet: WalletRow
  let app: ReturnType<typeof openEdge>
  before(async () => {
    treasury = await startTreasury()
    app = openEdge(treasury, moneyRoutes(moneyDeps(treasury)))
    wallet = await makeWallet(treasury)
  })
  after(async () => {
    await app.close()
    await treasury.stop()
  })

  it('of a transaction', async () => {
    const row = await ask('transaction', bodies.transaction)
    await isTold(row, 'requested')
    await tells(row, 'broadcasted')
    await mine(treasury, 2)
    await tells(row, 'confirmed')
  })

  it('of a transaction that is never signed', async () => {
    const transaction = { type: 2, to: stranger, value: `${10n ** 21n}` }
    await tells(await ask('transaction', { kind: 'Transaction', transaction }), 'refused')
  })

  it('of a transfer of units of a piece', async () => {
    const sets = await deploy(treasury.rpc, 'Sets')
    await sets.invoke('mint', [wallet.address, 7n, 9n])
    const units = { kind: 'Erc1155', contract: sets.address, tokenId: '7', amount: '4' }
    const row = await ask('transfer', { ...units, to: stranger })
    await isTold(row, 'requested')
    await tells(row, 'broadcasted')
    await mine(treasury, 2)
    await tells(row, 'confirmed')
  })

  for (const kind of ['transfer', 'transaction'] as const) {
    it(`of a ${kind} that is held and denied`, async () => {
      await policy({ kind: 'RequestApproval', approvalGroups: [{ quorum: 1, approvers: {} }] })
      const row = await ask(kind, { ...bodies[kind], externalId: `denied ${kind}` })
      assert.equal(row.state, 'held')
      // It was told of before anybody was asked to approve it.
      const { approvalId, ...requested } = await read(row)
      assert.deepEqual(await latest(row), {
        ...{ kind: `wallet.${kind}.requested`, data: { [`${kind}Request`]: requested } },
      })
      assert.ok(approvalId)
      await deny(row)
      await tells(row, 'rejected')
    })

    it(`of a ${kind} that is blocked`, async () => {
      await policy({ kind: 'Block' })
      const answer = await post(kind, { ...bodies[kind], externalId: `blocked ${kind}` })
      assert.equal(answer.statusCode, 403, answer.body)
      const rows = treasury.database.selectFrom('outgoing').selectAll()
      const row = rows.where('external_id', '=', `blocked ${kind}`).executeTakeFirstOrThrow()
      await tells(await row, 'rejected')
    })
  }

  const transaction = { type: 2, to: stranger, value: '1' }
  const bodies = { transfer: payment(), transaction: { kind: 'Transaction', transaction } }

  /** On a wallet of its own, which is that of the rest of the test. */
  async function policy(action: object): Promise<void> {
    wallet = await makeWallet(treasury)
    const rule = { kind: 'AlwaysTrigger' }
    const filters = { walletId: { in: [wallet.wallet_id] } }
    const about = { name: 'all of it', activityKind: 'Wallets:Sign', rule, action, filters }
    await settle('policy', { path: '/v2/policies', body: about })
  }

  async function deny({ organization, request, key }: Outgoing): Promise<void> {
    const approval = await approvalFor(treasury.database, organization, request)
    const { id, approval_id: name } = approval ?? assert.fail('somebody was asked')
    treasury.company.ids.set(name, id)
    const path = `/v2/policy-approvals/${name}/decisions`
    await settle('decision', { path, body: { value: 'Denied' } }, keyStream(key))
  }

  async function settle(
    kind: 'policy' | 'decision',
    asked: { readonly path: string; readonly body: object },
    stream?: StreamId,
  ): Promise<void> {
    const { company, platform } = treasury
    const evidence = askAs(company, company.administrator, asked)
    const on = stream === undefined ? {} : { stream }
    const { organization } = company
    await platform.coordinator.settle({ organization, kind, evidence, ...on })
  }

  async function ask(kind: 'transfer' | 'transaction', body: object): Promise<Outgoing> {
    const answer = await post(kind, body)
    assert.equal(answer.statusCode, 200, answer.body)
    const { id } = answer.json<{ id: string }>()
    return findOutgoing(treasury.database, treasury.caller, { kind, name: id })
  }

  async function post(kind: 'transfer' | 'transaction', body: object) {
    const { path, payload, headers } = await signedPost(treasury, wallet, { kind, body })
    return app.inject({ method: 'POST', url: path, headers, payload })
  }

  /** Once it has come to this state, the newest event of it is of this, and as it is read. */
  async function tells(row: Outgoing, state: State): Promise<void> {
    await isTold(await stepTo(treasury, row, state), state === 'refused' ? 'failed' : state)
  }

  async function isTold(row: Outgoing, what: string): Promise<void> {
    const { kind } = row
    const data = { [`${kind}Request`]: await read(row) }
    assert.deepEqual(await latest(row), { kind: `wallet.${kind}.${what}`, data })
  }

  async function read({ name, kind }: Outgoing) {
    const url = `/wallets/${wallet.wallet_id}/${kind}s/${name}`
    return (await app.inject({ method: 'GET', url })).json<{ readonly approvalId?: string }>()
  }

  async function latest({ name, kind }: Outgoing): Promise<unknown> {
    const events = await treasury.database
      .selectFrom('outbox')
      .select(['kind', 'data'])
      .where('kind', 'like', `wallet.${kind}.%`)
      .orderBy('id')
      .execute()
    const told = events.filter(({ data }) => data.includes(name)).at(-1)
    return told && { kind: told.kind, data: JSON.parse(told.data) }
  }
})
