import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Rpc } from '@quorate/chains/adapter'
import { severalNodes } from '@quorate/chains/evm/several-nodes'
import { Failure } from '@quorate/core/failure'
import { deploy, type Deployed } from '@quorate/devnet/testing/deploy'
import { moneyRoutes } from '../money.ts'
import type { WalletRow } from '../wallets/find.ts'
import { transferOf } from './entity.ts'
import { findOutgoing } from './find.ts'
import type { Outgoing } from './tables.ts'
import { moneyDeps, openEdge } from './testing/edge.ts'
import { signedPost } from './testing/signed-post.ts'
import { makeWallet, mine, startTreasury, stepTo, stranger } from './testing/treasury.ts'
import { network, reread, step, type Treasury } from './testing/treasury.ts'

let treasury: Treasury
let app: ReturnType<typeof openEdge>
let wallet: WalletRow
let coin: Deployed
let pieces: Deployed
let sets: Deployed

before(async () => {
  treasury = await startTreasury()
  const { rpc } = treasury
  app = openEdge(treasury, moneyRoutes(moneyDeps(treasury)))
  wallet = await makeWallet(treasury)
  coin = await deploy(rpc, 'Coin', ['Gold', 'GLD', 6])
  pieces = await deploy(rpc, 'Pieces')
  sets = await deploy(rpc, 'Sets')
  await coin.invoke('mint', [wallet.address, 100n])
  await pieces.invoke('mint', [wallet.address, 7n])
  await sets.invoke('mint', [wallet.address, 7n, 9n])
})
after(async () => {
  await app.close()
  await treasury.stop()
})

describe('transfers of tokens, with four signer processes and a real chain', () => {
  it('move coins of every contract of the standard, and say what the contract calls itself', async () => {
    const old = await deploy(treasury.rpc, 'OldCoin')
    await old.invoke('mint', [wallet.address, 100n])
    for (const [token, asset] of [
      [coin, { symbol: 'GLD', decimals: 6, verified: false }],
      [old, { symbol: 'OLD', decimals: 9, verified: false }],
    ] as const) {
      const body = { kind: 'Erc20', contract: token.address, to: stranger, amount: '40' }
      const done = await paid(body)
      assert.deepEqual(transferOf(done).metadata, { asset })
      assert.deepEqual(transferOf(done).requestBody, body)
      assert.equal(await token.ask('balanceOf', [stranger]), 40n)
      assert.equal(await token.ask('balanceOf', [wallet.address]), 60n)
    }
  })

  it('move a piece of a collection, and units of one', async () => {
    const { address: contract } = pieces
    const done = await paid({ kind: 'Erc721', contract, to: stranger, tokenId: '7' })
    assert.deepEqual(transferOf(done).metadata, { asset: { symbol: 'PCS', verified: false } })
    assert.equal(await pieces.ask('ownerOf', [7n]), BigInt(stranger))
    const units = { kind: 'Erc1155', contract: sets.address, to: stranger }
    await paid({ ...units, tokenId: '7', amount: '4' })
    assert.equal(await sets.ask('balanceOf', [stranger, 7n]), 4n)
    assert.equal(await sets.ask('balanceOf', [wallet.address, 7n]), 5n)
  })

  it('are refused for what is no such token on this network, and change nothing', async () => {
    const asked = (body: object) => post({ to: stranger, ...body })
    const before = await counted()
    for (const body of [
      { kind: 'Erc20', contract: stranger, amount: '1' },
      { kind: 'Erc20', contract: pieces.address, amount: '1' },
      { kind: 'Erc721', contract: coin.address, tokenId: '1' },
      { kind: 'Erc1155', contract: pieces.address, tokenId: '1', amount: '1' },
    ]) {
      const { status, message, details } = await asked(body)
      assert.deepEqual([status, message], [400, 'Asset metadata not found'])
      assert.deepEqual(details, { network, kind: body.kind, contract: body.contract })
    }
    const wrong = { kind: 'Erc20', contract: stranger.replace('aA', 'Aa'), amount: '1' }
    assert.match((await asked(wrong)).message, /address is not valid/)
    assert.deepEqual(await counted(), before)
  })

  it('fail before anything is signed when the wallet has too little of it', async () => {
    const { address: contract } = coin
    for (const [body, reason] of [
      [{ kind: 'Erc20', contract, amount: '61' }, `61 of Erc20 ${contract} needed, 60 available`],
      [
        { kind: 'Erc721', contract: pieces.address, tokenId: '8' },
        `1 of Erc721 ${pieces.address} needed, 0 available`,
      ],
      [
        { kind: 'Erc1155', contract: sets.address, tokenId: '8', amount: '1' },
        `1 of Erc1155 ${sets.address} needed, 0 available`,
      ],
    ] as const) {
      const failed = await stepTo(treasury, await asRow({ to: stranger, ...body }), 'refused')
      assert.equal(failed.reason, `insufficient funds: ${reason}`)
      assert.equal(failed.signed, null)
    }
  })

  it('wait while a fake node does not want to ask the token, and go through', async () => {
    const chain = treasury.chains.find(network)
    let refusals = 0
    const busy: Rpc = async (method, params) => {
      if (method !== 'eth_call') return chain.rpc(method, params)
      refusals++
      throw new Failure('chain.refused', { network, reason: 'limit exceeded', code: -32_005 })
    }
    const chains = { ...treasury.chains, find: () => ({ ...chain, rpc: busy }) }
    const through = { ...treasury, deps: { ...treasury.deps, chains } }
    const body = {
      kind: 'Erc1155',
      contract: sets.address,
      to: stranger,
      tokenId: '7',
      amount: '1',
    }
    const row = await stepTo(treasury, await asRow(body), 'slotted')
    // As often as a refusal of the transaction itself would have ended it.
    for (let tries = 1; tries <= 4; tries++) {
      await step(through, row)
      const { state, waiting } = await reread(treasury, row)
      assert.deepEqual([state, waiting, refusals], ['slotted', 'limit exceeded', tries])
    }
    await stepTo(treasury, row, 'broadcasted')
    await mine(treasury, 2)
    await stepTo(treasury, row, 'confirmed')
    assert.equal(await sets.ask('balanceOf', [wallet.address, 7n]), 4n)
  })

  it('are not ended by one of two fake nodes that says the wallet has none of it', async () => {
    const chain = treasury.chains.find(network)
    const poor: Rpc = async (method, params) => {
      const answer = await chain.rpc(method, params)
      return method === 'eth_call' ? `0x${'00'.repeat(32)}` : answer
    }
    const [nodes, now] = [[poor, chain.rpc], () => performance.now()] as const
    const rpc = severalNodes({ network: chain.network, nodes, agree: 2, now })
    const chains = { ...treasury.chains, find: () => ({ ...chain, rpc }) }
    const body = { kind: 'Erc20', contract: coin.address, to: stranger, amount: '1' }
    const row = await stepTo(treasury, await asRow(body), 'slotted')
    await step({ ...treasury, deps: { ...treasury.deps, chains } }, row)
    const { state, waiting } = await reread(treasury, row)
    assert.deepEqual([state, waiting], ['slotted', `no node of ${network} answers`])
    await stepTo(treasury, row, 'broadcasted')
    await mine(treasury, 2)
    await stepTo(treasury, row, 'confirmed')
  })

  it('fail before anything is signed when the token would refuse, in the token’s words', async () => {
    await pieces.invoke('mint', [wallet.address, 9n])
    // A contract that knows nothing of pieces could never give it back.
    const to = coin.address
    const row = await asRow({ kind: 'Erc721', contract: pieces.address, to, tokenId: '9' })
    const failed = await stepTo(treasury, row, 'refused')
    assert.match(failed.reason ?? '', /revert/)
    assert.equal(failed.signed, null)
  })

  it('wait for those under way that may need all there is', async () => {
    const body = { kind: 'Erc20', contract: coin.address, to: stranger, amount: '34' }
    const first = await stepTo(treasury, await asRow(body), 'broadcasted')
    const second = await asRow(body)
    await stepTo(treasury, second, 'slotted')
    await step(treasury, second)
    const { state, waiting } = await reread(treasury, second)
    assert.deepEqual([state, waiting], ['requested', 'what is under way may need all there is'])
    await mine(treasury, 2)
    await stepTo(treasury, first, 'confirmed')
    assert.match((await stepTo(treasury, second, 'refused')).reason ?? '', /34 .* 25 available/)
  })
})

async function paid(body: object): Promise<Outgoing> {
  const row = await stepTo(treasury, await asRow(body), 'broadcasted')
  await mine(treasury, 2)
  return stepTo(treasury, row, 'confirmed')
}

type Answer = {
  readonly status: number
  readonly message: string
  readonly details: object | undefined
  readonly id: string
}

async function post(body: object): Promise<Answer> {
  const { path, payload, headers } = await signedPost(treasury, wallet, { body })
  const answer = await app.inject({ method: 'POST', url: path, headers, payload })
  const { id, message, error } = answer.json<Answer & { readonly error?: Answer }>()
  return { status: answer.statusCode, id, message, details: error?.details }
}

async function asRow(body: object): Promise<Outgoing> {
  const { status, id, message } = await post(body)
  assert.equal(status, 200, message)
  return findOutgoing(treasury.database, treasury.caller, { kind: 'transfer', name: id })
}

async function counted(): Promise<readonly number[]> {
  const { database } = treasury
  const rows = await database.selectFrom('outgoing').select('id').execute()
  const used = database.selectFrom('challenges').select('request').where('used_at', 'is not', null)
  return [rows.length, (await used.execute()).length]
}
