import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { decodeEvidence, encodeEvidence } from '@quorate/authority/step'
import { nameOf } from '@quorate/core/id'
import { moneyRoutes, startMoneyWorkers, type MoneyWorkers } from '../money.ts'
import { pageBytesMax } from '../page.ts'
import type { WalletRow } from '../wallets/find.ts'
import { moneyDeps, openEdge } from './testing/edge.ts'
import { signedPost } from './testing/signed-post.ts'
import { makeWallet, payment, startTreasury, stranger } from './testing/treasury.ts'
import { ether, network, type Treasury, type Wish } from './testing/treasury.ts'

let treasury: Treasury
let wallet: WalletRow
let workers: MoneyWorkers
let app: ReturnType<typeof openEdge>

before(async () => {
  treasury = await startTreasury()
  wallet = await makeWallet(treasury)
  workers = startMoneyWorkers(treasury.deps)
  app = openEdge(treasury, moneyRoutes(moneyDeps(treasury, { wake: workers.wake })))
  await treasury.rpc('evm_setIntervalMining', [1])
})
after(async () => {
  await app.close()
  await workers.stop()
  await treasury.stop()
})

describe('the routes of money', () => {
  it('answer a transfer at once, and tell later what became of it', async () => {
    const { status, body } = await post({ body: payment({ externalId: 'rent' }) })
    assert.equal(status, 200)
    assert.deepEqual(
      [body.status, body.requestBody.amount, body.externalId],
      [...['Executing', '1000', 'rent']],
    )
    assert.equal(body.requester.userId, treasury.caller.userId)
    const done = await untilDone(`/wallets/${wallet.wallet_id}/transfers/${body.id}`)
    assert.equal(done.status, 'Confirmed')
    assert.ok(done.txHash && done.fee && done.dateBroadcasted && done.dateConfirmed)
    const again = await post({ body: payment({ externalId: 'rent' }) })
    assert.deepEqual([again.status, again.body.id], [200, body.id])
    const other = await post({ body: payment({ externalId: 'rent', amount: '1' }) })
    assert.equal(other.status, 409)
    assert.equal(other.body.message, 'Conflicting transfer with same externalId')
    assert.deepEqual(other.body.error.details, { duplicate: { id: body.id, externalId: 'rent' } })
  })

  it('answer a transaction with its hash', async () => {
    const transaction = { type: 2, to: stranger, value: '1' }
    const body = { kind: 'Transaction', transaction }
    const answer = await post({ body, kind: 'transaction' })
    assert.equal(answer.status, 200)
    assert.equal(answer.body.status, 'Broadcasted')
    assert.match(answer.body.txHash ?? '', /^0x[0-9a-f]{64}$/)
    await untilDone(`/wallets/${wallet.wallet_id}/transactions/${answer.body.id}`)
  })

  it('list what has been asked for page by page, newest first', async () => {
    const path = `/wallets/${wallet.wallet_id}/transfers`
    for (let i = 0; i < 2; i++) await post({ body: payment({ amount: String(i) }) })
    const first = await get(`${path}?limit=2`)
    const second = await get(`${path}?limit=2&paginationToken=${first.body.nextPageToken}`)
    const amounts = [...first.body.items, ...second.body.items].map(
      ({ requestBody }) => requestBody.amount,
    )
    assert.deepEqual(amounts, ['1', '0', '1000'])
    assert.equal(second.body.nextPageToken, undefined)
    assert.equal(first.body.walletId, wallet.wallet_id)
    assert.equal((await get(`${path}?paginationToken=x`)).status, 400)
  })

  it('refuse what can be known to go wrong, and change nothing', async () => {
    const wrong: readonly (readonly [Wish, number, RegExp])[] = [
      [{ body: payment({ to: 'nobody' }) }, 400, /address is not valid/],
      [{ body: payment({ to: stranger.replace('aA', 'Aa') }) }, 400, /address is not valid/],
      [{ body: payment({ amount: '9'.repeat(78) }) }, 400, /not valid/],
      [{ body: payment({ amount: 5 }) }, 400, /not valid/],
      [{ body: payment({ memo: 'hi' }) }, 400, /not supported yet/],
      [
        { body: { kind: 'Erc7984', to: stranger, amount: '1', contract: stranger } },
        400,
        /Erc7984/,
      ],
      [asTransaction({ type: 1, to: stranger }), 400, /not valid/],
      [asTransaction({ type: 2, gasLimit: '60000' }), 400, /not valid/],
      [asTransaction('0x1234'), 400, /not valid/],
      [asTransaction({ type: 2, to: stranger, nonce: '9'.repeat(20) }), 400, /not valid/],
      [
        asTransaction({ type: 0, to: stranger, gasPrice: `${ether}`, gasLimit: '21000' }),
        ...([400, /fee is above the ceiling/] as const),
      ],
    ]
    const before = await counts()
    for (const [wish, status, message] of wrong) {
      const answer = await post(wish)
      assert.equal(answer.status, status, JSON.stringify(wish.body))
      assert.match(answer.body.message, message)
    }
    assert.deepEqual(await counts(), before)
  })

  it('spend a user action once, for its own words alone', async () => {
    const { headers, path, payload } = await signedPost(treasury, wallet, { body: payment() })
    const swapped = { method: 'POST' as const, url: path, headers, payload: '{"kind":"Native"}' }
    assert.equal((await app.inject(swapped)).statusCode, 400)
    const other = payload.replace('1000', '1001')
    assert.equal((await app.inject({ ...swapped, payload: other })).statusCode, 403)
    const answers = await Promise.all([1, 2, 3].map(() => app.inject({ ...swapped, payload })))
    assert.deepEqual(answers.map(({ statusCode }) => statusCode).toSorted(), [200, 400, 400])
    const { 'x-dfns-useraction': _, ...bare } = headers
    assert.equal((await app.inject({ ...swapped, headers: bare, payload })).statusCode, 403)
  })

  it('show what a user action has made when its answer was lost: by another life, or under a key', async () => {
    const { headers, path, payload } = await signedPost(treasury, wallet, { body: payment() })
    const asked = { method: 'POST' as const, url: path, headers, payload }
    const first = (await app.inject(asked)).json<Body>()
    assert.equal((await app.inject(asked)).statusCode, 400)
    const key = { ...headers, 'idempotency-key': 'mine' }
    const keyed = await app.inject({ ...asked, headers: key })
    assert.deepEqual([keyed.statusCode, keyed.json<Body>().id], [200, first.id])
    const other = openEdge(treasury, moneyRoutes(moneyDeps(treasury)))
    // By then its time is over, within which it could have begun anything.
    await treasury.database
      .updateTable('challenges')
      .set((eb) => ({ action_expires_at: eb('used_at', '+', 1) }))
      .execute()
    const again = await other.inject(asked)
    assert.deepEqual([again.statusCode, again.json<Body>().id], [200, first.id])
    await untilDone(`${path}/${first.id}`)
    const next = await app.inject({ ...asked, headers: key })
    assert.deepEqual(next.json(), keyed.json())
    await other.close()
  })

  it('pay once under a key, however often it is signed', async () => {
    const before = await counts()
    const ask = async () => {
      const { headers, path, payload } = await signedPost(treasury, wallet, { body: payment() })
      const key = { ...headers, 'idempotency-key': 'invoice-7' }
      return app.inject({ method: 'POST', url: path, headers: key, payload })
    }
    const [first, second] = [await ask(), await ask()]
    assert.deepEqual(second.json(), first.json())
    assert.equal(second.headers['idempotent-replayed'], 'true')
    const { rows, used } = await counts()
    assert.deepEqual([rows[0], used], [(before.rows[0] ?? 0) + 1, before.used + 1])
  })

  it('find nothing of a wallet that is not there', async () => {
    const nobody = nameOf('wallet', new Uint8Array(32))
    for (const what of ['transfers', 'transactions', 'assets', 'history'])
      assert.equal((await get(`/wallets/${nobody}/${what}`)).status, 404, what)
    const { wallet_id } = wallet
    const missing = nameOf('transfer', new Uint8Array(32))
    assert.equal((await get(`/wallets/${wallet_id}/transfers/${missing}`)).status, 404)
    const { items } = (await get(`/wallets/${wallet_id}/transfers`)).body
    const elsewhere = await get(`/wallets/${nobody}/transfers/${items[0]?.id}`)
    assert.equal(elsewhere.status, 404)
    assert.equal((await get(`/wallets/${wallet_id}/transactions/${items[0]?.id}`)).status, 404)
  })

  it('show what a wallet holds, even when it is nothing', async () => {
    const { wallet_id } = await makeWallet(treasury, 0n)
    const { status, body } = await get(`/wallets/${wallet_id}/assets?netWorth=true`)
    assert.equal(status, 200)
    const asset = { kind: 'Native', symbol: 'ETH', decimals: 18, verified: true, balance: '0' }
    const netWorth = { USD: 0 }
    assert.deepEqual(body, { walletId: wallet_id, network, assets: [asset], netWorth })
  })

  it('tell what has happened on the chain, newest first, by direction and kind', async () => {
    const path = `/wallets/${wallet.wallet_id}/history`
    // By then nothing comes any more: but for what the wallet was given by the node's own command.
    const paying = (await counts()).rows[0] ?? 0
    const nothing = 1
    const isAll = ({ items }: Body) => byBlocks(items).length === paying - nothing
    const all = byBlocks((await untilTrue(path, isAll)).items)
    const [first] = all
    assert.ok(first)
    assert.equal(first.kind, 'NativeTransfer')
    assert.equal(first.direction, 'Out')
    assert.equal(first.from, wallet.address)
    assert.ok(first.txHash && Number(first.fee) > 0 && first.symbol === 'ETH')
    const numbers = all.map(({ blockNumber }) => blockNumber)
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => b - a),
    )
    const page = await get(`${path}?limit=3`)
    const rest = await get(`${path}?paginationToken=${page.body.nextPageToken}`)
    assert.deepEqual(byBlocks([...page.body.items, ...rest.body.items]), all)
    assert.deepEqual(byBlocks((await get(`${path}?direction=In`)).body.items), [])
    assert.deepEqual((await get(`${path}?kind=Erc20Transfer`)).body.items, [])
    assert.deepEqual((await get(`${path}?contract=${stranger}`)).body.items, [])
    const ofKind = (await get(`${path}?kind=NativeTransfer`)).body.items
    assert.equal(byBlocks(ofKind).length, all.length)
  })

  it('end a page early where what was asked for is large, and leave nothing out', async () => {
    const { database } = treasury
    const { wallet_id, id: of } = await makeWallet(treasury, 0n)
    const row = await database
      .selectFrom('outgoing')
      .selectAll()
      .where('kind', '=', 'transaction')
      .where('state', '=', 'confirmed')
      .executeTakeFirstOrThrow()
    const payload = JSON.stringify({ kind: 'Transaction', transaction: `0x${'ab'.repeat(1e5)}` })
    const evidence = encodeEvidence({ ...decodeEvidence(row.evidence), payload })
    const atRest = { due_at: null, slot: null, block_hash: null }
    const rows = Array.from({ length: 45 }, (_, created_at) => {
      const id = new Uint8Array(randomBytes(32))
      const place = { wallet: of, wallet_id, created_at }
      return { ...row, ...place, ...atRest, id, name: nameOf('transaction', id), evidence }
    })
    await database.insertInto('outgoing').values(rows).execute()
    for (const path of [`/wallets/${wallet_id}/transactions`, '/orgs/transactions']) {
      const found: Body[] = []
      let [pages, token] = [0, '']
      do {
        const { status, body } = await get(`${path}?limit=500${token}`)
        assert.equal(status, 200)
        assert.ok(JSON.stringify(body).length < 1.5 * pageBytesMax)
        found.push(...body.items.filter((item) => item.walletId === wallet_id))
        token = body.nextPageToken === undefined ? '' : `&paginationToken=${body.nextPageToken}`
        pages++
      } while (token !== '')
      assert.deepEqual([new Set(found.map(({ id }) => id)).size, found.length], [45, 45])
      assert.equal(pages, 3)
    }
  })
})

function byBlocks(items: readonly Body[]): readonly Body[] {
  return items.filter(({ seenBy }) => seenBy === undefined)
}

type Answer = { readonly status: number; readonly body: Body }
/** Whatever an answer may have; each test looks at what it is about. */
type Body = {
  readonly id: string
  readonly status: string
  readonly message: string
  readonly walletId: string
  readonly kind: string
  readonly direction: string
  readonly from: string
  readonly symbol: string
  readonly seenBy?: string
  readonly blockNumber: number
  readonly requestBody: { readonly amount?: string }
  readonly requester: { readonly userId: string }
  readonly error: { readonly details: object }
  readonly items: readonly Body[]
  readonly txHash?: string
  readonly fee?: string
  readonly externalId?: string
  readonly nextPageToken?: string
  readonly dateBroadcasted?: string
  readonly dateConfirmed?: string
}

async function post(wish: Wish): Promise<Answer> {
  const { path, payload, headers } = await signedPost(treasury, wallet, wish)
  const answer = await app.inject({ method: 'POST', url: path, headers, payload })
  return { status: answer.statusCode, body: answer.json<Body>() }
}

async function get(url: string): Promise<Answer> {
  const answer = await app.inject({ method: 'GET', url })
  return { status: answer.statusCode, body: answer.json<Body>() }
}

function asTransaction(transaction: object | string): Wish {
  return { body: { kind: 'Transaction', transaction }, kind: 'transaction' }
}

async function counts(): Promise<{ rows: readonly number[]; used: number }> {
  const { database } = treasury
  const count = async (table: 'outgoing' | 'external_ids') => {
    const rows = await database.selectFrom(table).select('organization').execute()
    return rows.length
  }
  const used = await database
    .selectFrom('challenges')
    .select('request')
    .where('used_at', 'is not', null)
    .execute()
  const rows = [await count('outgoing'), await count('external_ids')]
  return { rows, used: used.length }
}

function untilDone(path: string): Promise<Body> {
  return untilTrue(path, ({ status }) => status === 'Confirmed' || status === 'Failed')
}

async function untilTrue(path: string, isDone: (body: Body) => boolean): Promise<Body> {
  const end = Date.now() + 20_000
  for (;;) {
    const { body } = await get(path)
    if (isDone(body)) return body
    assert.ok(Date.now() < end, JSON.stringify(body))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
