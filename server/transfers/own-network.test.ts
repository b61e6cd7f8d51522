import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { matchOperation } from '@quorate/authority/operations'
import { decodeUnsigned } from '@quorate/effects/evm/transaction'
import { addressOf } from '@quorate/effects/address'
import { rulesFor } from '@quorate/judge/rules'
import { compareBalances } from '../balances/compare.ts'
import { readChains } from '../chain/chains.ts'
import { historyItemOf } from '../history/entity.ts'
import { follow } from '../history/follow.ts'
import { newFollower } from '../history/follower.ts'
import { rowByBalance } from '../history/record.ts'
import { moneyRoutes, openMoney } from '../money.ts'
import { carry, deployAccount, makeSponsor, paidFor } from '../sponsorships/testing/sponsor.ts'
import { checkSuited } from '../wallets/suited.ts'
import type { WalletRow } from '../wallets/find.ts'
import { transferOf } from './entity.ts'
import { effectOf } from './reading.ts'
import { moneyDeps, openEdge } from './testing/edge.ts'
import {
  ether,
  makeWallet,
  mine,
  ownWords,
  payment,
  request,
  startTreasury,
  stepTo,
  stranger,
  type Treasury,
} from './testing/treasury.ts'

const own = { id: 'MyChain', chainId: 777_001, feeCeiling: ether / 50n, legacy: false }

describe('a network that only this cluster has, with four signer processes and a real chain', () => {
  let treasury: Treasury
  let wallet: WalletRow
  before(async () => {
    treasury = await startTreasury(own)
    wallet = await makeWallet(treasury, ether, own.id)
  })
  after(() => treasury.stop())

  it('has wallets with an address, and no other has them under its name', async () => {
    const { chains, deps, caller, database } = treasury
    assert.equal(wallet.address, addressOf(chains.networks, own.id, wallet.public_key))
    const suited = (network: string) =>
      checkSuited({ ...{ database, rules: deps.rules }, ...chains }, caller, { network })
    await suited(own.id)
    await assert.rejects(suited('TheirChain'), { code: 'request.unsupported' })
    await assert.rejects(makeWallet(treasury, ether, 'TheirChain'))
    const elsewhere = rulesFor({ ...treasury.platform.manifest, networks: [] })
    assert.equal(elsewhere.networkOf(own.id), undefined)
  })

  it('pays, on its own chain and in its own asset, within its own ceiling', async () => {
    const { chains, database, rpc, caller } = treasury
    const log = treasury.deps.coordinator
    const match = matchOperation('POST', `/wallets/${wallet.wallet_id}/transfers`)
    assert.ok(match)
    const quote = openMoney({ database, chains, log }).quoteMaxFee
    const maxFee = await quote(caller, match, { ...payment() })
    assert.ok(maxFee !== undefined && maxFee > 0n && maxFee <= own.feeCeiling)

    const row = await request(treasury, wallet, { body: payment(), maxFee })
    const signed = await stepTo(treasury, row, 'signed')
    const { traits } = chains.find(own.id)
    const { chainId } = decodeUnsigned(effectOf(signed, traits).unsigned ?? assert.fail())
    assert.equal(chainId, BigInt(own.chainId))
    await stepTo(treasury, row, 'broadcasted')
    await mine(treasury, 3)
    const done = await stepTo(treasury, row, 'confirmed')
    assert.equal(BigInt(String(await rpc('eth_getBalance', [stranger, 'latest']))), 1000n)
    const asset = { symbol: 'MINE', decimals: 18, verified: true }
    assert.deepEqual(transferOf(done).metadata, { asset })
    assert.deepEqual(treasury.lines, [])
  })

  it('has fee sponsors as all have, once the contract of accounts is there', async () => {
    const { chains, database, rpc, caller } = treasury
    const poor = await makeWallet(treasury, 1000n, own.id)
    const sponsor = await makeSponsor(treasury, { on: own.id })
    const body = payment({ feeSponsorId: sponsor.name })
    const match = matchOperation('POST', `/wallets/${poor.wallet_id}/transfers`)
    assert.ok(match)
    const { quoteMaxFee } = openMoney({ database, chains, log: treasury.deps.coordinator })
    const unsuitable = { code: 'fee_sponsor.unsuitable' }
    await assert.rejects(quoteMaxFee(caller, match, { ...body }), unsuitable)
    await deployAccount(treasury)
    const maxFee = await quoteMaxFee(caller, match, { ...body })
    assert.ok(maxFee !== undefined && maxFee > 0n && maxFee <= own.feeCeiling)
    const there = BigInt(String(await rpc('eth_getBalance', [stranger, 'latest'])))
    const row = await request(treasury, poor, { body, maxFee })
    const done = await carry(treasury, row, 'confirmed')
    const sent = (await paidFor(treasury, done)) ?? assert.fail()
    const told = await rpc('eth_getTransactionByHash', [done.hash])
    const { chainId, type } = told as { readonly chainId: string; readonly type: string }
    assert.deepEqual([Number(chainId), type], [own.chainId, '0x4'])
    assert.equal(BigInt(String(await rpc('eth_getBalance', [stranger, 'latest']))), there + 1000n)
    assert.ok(BigInt(sent.cost ?? 0) <= maxFee)
    assert.deepEqual(treasury.lines, [])
  })

  it('is not asked to pay more for a transaction than its ceiling', async () => {
    const transaction = { type: 2, to: stranger, maxFeePerGas: `${10n ** 12n}`, gasLimit: '21000' }
    const asked = request(treasury, wallet, {
      ...{ body: { kind: 'Transaction', transaction }, kind: 'transaction' },
      maxFee: ether,
    })
    await assert.rejects(asked, { code: 'fee.above_ceiling' })
  })

  it('is read as before once its nodes are taken away, and takes no new wallet or payment', async () => {
    const { database, deps, caller, platform } = treasury
    const follower = newFollower(treasury.chains.find(own.id))
    while ((await follow(deps, follower)) === 'more');
    while ((await compareBalances(deps, follower)) === 'more');
    const words = JSON.stringify({ [own.id]: { ...ownWords, confirmations: 2 } })
    const chains = readChains(words, undefined, platform.manifest.networks)
    const app = openEdge(treasury, moneyRoutes(moneyDeps(treasury, { chains })))
    const path = `/wallets/${wallet.wallet_id}`
    const read = async (of: string) => {
      const answer = await app.inject({ method: 'GET', url: of })
      return { status: answer.statusCode, body: answer.json() }
    }
    const [paid] = (await read(`${path}/transfers`)).body.items
    assert.deepEqual([paid.status, paid.metadata.asset.symbol], ['Confirmed', 'MINE'])
    const [out] = (await read(`${path}/history`)).body.items
    assert.deepEqual([out.txHash, out.symbol, out.value], [paid.txHash, 'MINE', '1000'])
    assert.equal((await read(`/orgs/balances?network=${own.id}`)).body.items[0]?.symbol, 'MINE')
    assert.equal((await read(`${path}/assets`)).status, 503)
    assert.equal((await read(`/networks/fees?network=${own.id}`)).status, 503)
    const match = matchOperation('POST', `${path}/transfers`)
    const { quoteMaxFee } = openMoney({ database, chains, log: deps.coordinator })
    const quoted = quoteMaxFee(caller, match ?? assert.fail(), { ...payment() })
    await assert.rejects(quoted, { code: 'chain.unavailable' })
    const another = checkSuited({ ...deps, ...chains }, caller, { network: own.id })
    await assert.rejects(another, { code: 'request.unsupported' })
    await app.close()
  })

  it('has what moved there told in its own asset', async () => {
    const { network } = treasury.chains.find(own.id)
    const at = { number: 1, hash: `0x${'00'.repeat(32)}`, time: 0 }
    const item = historyItemOf(rowByBalance(wallet, at, 5n), wallet, network)
    assert.deepEqual(item.metadata.asset, { symbol: 'MINE', decimals: 18, verified: true })
  })
})
