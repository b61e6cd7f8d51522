import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { deploy } from '@quorate/devnet/testing/deploy'
import { moneyRoutes } from '../money.ts'
import { findOutgoing } from '../transfers/find.ts'
import type { State } from '../transfers/lifecycle.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { moneyDeps, openEdge } from '../transfers/testing/edge.ts'
import { signedPost } from '../transfers/testing/signed-post.ts'
import { makeWallet, mine, startTreasury, stepTo, stranger } from '../transfers/testing/treasury.ts'
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
    const transaction = { type: 2, to: stranger, value: '1' }
    const row = await ask('transaction', { kind: 'Transaction', transaction })
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
    await tells(row, 'broadcasted')
    await mine(treasury, 2)
    await tells(row, 'confirmed')
  })

  async function ask(kind: 'transfer' | 'transaction', body: object): Promise<Outgoing> {
    const { path, payload, headers } = await signedPost(treasury, wallet, { kind, body })
    const answer = await app.inject({ method: 'POST', url: path, headers, payload })
    assert.equal(answer.statusCode, 200, answer.body)
    const { id } = answer.json<{ id: string }>()
    return findOutgoing(treasury.database, treasury.caller, { kind, name: id })
  }

  /** Once it has come to this state, the newest event of it is of this, and as it is read. */
  async function tells(row: Outgoing, state: State): Promise<void> {
    const { name, kind } = await stepTo(treasury, row, state)
    const events = await treasury.database
      .selectFrom('outbox')
      .select(['kind', 'data'])
      .where('kind', 'like', `wallet.${kind}.%`)
      .orderBy('id')
      .execute()
    const told = events.filter(({ data }) => data.includes(name)).at(-1)
    assert.equal(told?.kind, `wallet.${kind}.${state === 'refused' ? 'failed' : state}`)
    const url = `/wallets/${wallet.wallet_id}/${kind}s/${name}`
    const read = (await app.inject({ method: 'GET', url })).json<object>()
    assert.deepEqual(JSON.parse(told.data), { [`${kind}Request`]: read })
  }
})
