import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { encodeFunctionData, parseAbi } from 'viem'
import { fingerprintOf } from '@quorate/authority/credential'
import { decodePreimage } from '@quorate/authority/request'
import { Failure } from '@quorate/core/failure'
import { deploy, type Deployed } from '@quorate/devnet/testing/deploy'
import { completeAction, initAction, type ActionDeps } from '../auth/action.ts'
import { secretHash } from '../auth/use-action.ts'
import { openChains, type Chains } from '../chain/chains.ts'
import { moneyRoutes, openMoney } from '../money.ts'
import {
  carry,
  changeSponsor,
  deployAccount,
  makeSponsor,
} from '../sponsorships/testing/sponsor.ts'
import { assertionFor } from '../testing/raw-client.ts'
import type { WalletRow } from '../wallets/find.ts'
import { findOutgoing } from './find.ts'
import type { AskedKind, Outgoing } from './tables.ts'
import { moneyDeps, openEdge } from './testing/edge.ts'
import { signedPost } from './testing/signed-post.ts'
import { makeWallet, mine, payment, startTreasury, stepTo, stranger } from './testing/treasury.ts'
import type { Treasury } from './testing/treasury.ts'

let treasury: Treasury
let coin: Deployed
let pieces: Deployed
const credId = 'cr-of-the-bot'
const short = { code: 'funds.insufficient' }

before(async () => {
  treasury = await startTreasury()
  const { bot, database } = treasury
  const { organization, user, credential, token } = bot
  const { spki, pem: public_key } = credential
  await database
    .insertInto('credentials')
    .values({
      ...{ organization, id: new Uint8Array(32), user, token: token?.id ?? null, created_at: 0 },
      ...{ cred_id: credId, fingerprint: fingerprintOf(spki), public_key },
    })
    .execute()
  await deployAccount(treasury)
  coin = await deploy(treasury.rpc, 'Coin', ['Gold', 'GLD', 6])
  pieces = await deploy(treasury.rpc, 'Pieces')
})
after(() => treasury.stop())

describe('what was paid under an external id and is asked for again', () => {
  it('is shown, although the wallet has none of that token any more', async () => {
    const wallet = await makeWallet(treasury)
    await coin.invoke('mint', [wallet.address, 100n])
    await pieces.invoke('mint', [wallet.address, 7n])
    const of = { to: stranger }
    for (const body of [
      { kind: 'Erc20', contract: coin.address, ...of, amount: '100', externalId: 'coins' },
      { kind: 'Erc721', contract: pieces.address, ...of, tokenId: '7', externalId: 'piece' },
    ]) {
      const done = await paid(wallet, body)
      await assert.rejects(init(wallet, { ...body, externalId: 'next' }), short)
      await showsAlone(wallet, body, done)
      await conflicts(wallet, { ...body, to: coin.address }, done)
    }
  })

  it('is shown for a transaction that the chain would not carry out once more', async () => {
    const [wallet, kind] = [await makeWallet(treasury), 'transaction'] as const
    await coin.invoke('mint', [wallet.address, 10n])
    const data = encodeFunctionData({
      ...{ abi: parseAbi(['function transfer(address, uint256)']), functionName: 'transfer' },
      args: [stranger, 10n],
    })
    const transaction = { type: 2, to: coin.address, data }
    const body = { kind: 'Transaction', transaction, externalId: 'all' }
    const done = await paid(wallet, body, kind)
    await assert.rejects(init(wallet, { ...body, externalId: 'next' }, { kind }))
    await showsAlone(wallet, body, done, { kind })
    const other = { ...body, transaction: { ...transaction, gasLimit: '90000' } }
    await conflicts(wallet, other, done, { kind })
  })

  it('is shown, although its fee sponsor pays for nothing more', async () => {
    const [wallet, sponsor] = [await makeWallet(treasury, 1000n), await makeSponsor(treasury)]
    const body = payment({ feeSponsorId: sponsor.name, externalId: 'sponsored' })
    const asked = await askEarlier(wallet, body)
    assert.equal(asked.status, 200, asked.message)
    const done = await carry(treasury, await rowOf(asked.id), 'confirmed')
    await changeSponsor(treasury, sponsor, { end: '/deactivate' })
    await assert.rejects(init(wallet, { ...body, externalId: 'next' }), {
      code: 'fee_sponsor.unsuitable',
    })
    await showsAlone(wallet, body, done)
    await conflicts(wallet, { ...body, amount: '1' }, done)
  })

  it('is shown, although its key is archived and nobody serves its network', async () => {
    const { database } = treasury
    const wallet = await makeWallet(treasury)
    await coin.invoke('mint', [wallet.address, 5n])
    const contract = coin.address
    const body = { kind: 'Erc20', contract, to: stranger, amount: '5', externalId: 'last' }
    const done = await paid(wallet, body)
    const gone = { deleted_at: Date.now() }
    await database.updateTable('keys').set(gone).where('id', '=', wallet.key).execute()
    const chains = openChains(new Map())
    await showsAlone(wallet, body, done, { chains })
    await conflicts(wallet, { ...body, amount: '4' }, done, { chains })
    const next = await askEarlier(wallet, { ...body, externalId: 'another' })
    assert.deepEqual([next.status, next.message], [403, 'the key is archived'])
  })

  it('is nobody’s once the external id is gone with an erasure, and the signature stays spent', async () => {
    const wallet = await makeWallet(treasury)
    const body = payment({ externalId: 'erased' })
    await paid(wallet, body)
    const userAction = await act(wallet, body, {})
    assert.equal((await send(wallet, body, { userAction })).status, 200)
    const { database } = treasury
    await database.deleteFrom('external_ids').where('external_id', '=', 'erased').execute()
    const rows = await counted()
    const { status, message } = await send(wallet, body, { userAction })
    assert.deepEqual([status, message], [400, 'user action has already been used'])
    assert.deepEqual(await counted(), rows)
  })

  it('is asked for again by a signature that bounds no fee, so that the signers would pay none', async () => {
    const wallet = await makeWallet(treasury)
    const body = payment({ externalId: 'bounded' })
    await paid(wallet, body)
    const { challengeIdentifier } = await init(wallet, body)
    const { preimage } = await treasury.database
      .selectFrom('challenges')
      .select('preimage')
      .where('identifier', '=', secretHash(challengeIdentifier))
      .executeTakeFirstOrThrow()
    assert.equal(decodePreimage(preimage).maxFee, undefined)
  })
})

type On = { readonly kind?: AskedKind; readonly chains?: Chains; readonly life?: Uint8Array }

async function paid(wallet: WalletRow, body: object, kind: AskedKind = 'transfer') {
  const { status, id, message } = await askEarlier(wallet, body, { kind })
  assert.equal(status, 200, message)
  const row = await stepTo(treasury, await rowOf(id, kind), 'broadcasted')
  await mine(treasury, 2)
  return stepTo(treasury, row, 'confirmed')
}

/**
 * With a challenge of now, with the same one in the server's next life, and with one from before the
 * first: one answer, and nothing is made.
 */
async function showsAlone(wallet: WalletRow, body: object, first: Outgoing, on: On = {}) {
  const rows = await counted()
  const userAction = await act(wallet, body, on)
  const life = new Uint8Array(16).fill(1)
  const [again, spent, later] = [
    await send(wallet, body, { ...on, life, userAction }),
    await send(wallet, body, { ...on, life, userAction }),
    await send(wallet, body, { ...on, userAction }),
  ]
  assert.deepEqual([again.status, again.id], [200, first.name], again.message)
  assert.deepEqual([spent.status, spent.message], [400, 'user action has already been used'])
  assert.deepEqual([later.status, later.id], [200, first.name], later.message)
  const earlier = await askEarlier(wallet, body, on)
  assert.deepEqual([earlier.status, earlier.id], [200, first.name], earlier.message)
  assert.deepEqual(await counted(), rows)
}

/** Before anybody signs it, and after somebody has. */
async function conflicts(wallet: WalletRow, body: object, first: Outgoing, on: On = {}) {
  const { kind, name: id, external_id: externalId } = first
  assert.ok(kind !== 'sponsorship' && externalId !== null)
  const conflict = new Failure('external_id.conflict', { kind, id, externalId })
  const rows = await counted()
  await assert.rejects(init(wallet, body, on), conflict)
  const { status, message } = await askEarlier(wallet, body, on)
  assert.deepEqual([status, message], [409, `Conflicting ${kind} with same externalId`])
  assert.deepEqual(await counted(), rows)
}

/** `/auth/action/init` as its user calls it. */
function init(wallet: WalletRow, body: object, on: On = {}) {
  const asked = { method: 'POST', path: pathOf(wallet, on), payload: JSON.stringify(body) }
  return initAction(actingOn(on), treasury.caller, asked)
}

async function act(wallet: WalletRow, body: object, on: On): Promise<string> {
  const { challenge, challengeIdentifier } = await init(wallet, body, on)
  const { privateKey } = treasury.bot.credential
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const credentialAssertion = { credId, ...assertionFor(challenge, pem) }
  return completeAction(actingOn(on), treasury.caller, {
    challengeIdentifier,
    firstFactor: { kind: 'Key', credentialAssertion },
    secondFactor: undefined,
  })
}

function actingOn({ chains = treasury.chains }: On): ActionDeps {
  const { database, platform } = treasury
  const { coordinator: log } = platform
  const { quoteMaxFee } = openMoney({ database, log, chains })
  const tokens = { keyFor: () => assert.fail('the caller is known') }
  return { database, log, tokens, quoteMaxFee, now: Date.now }
}

type Answer = { readonly status: number; readonly id: string; readonly message: string }

/** As if its challenge were from before anything that stands under its external id. */
async function askEarlier(
  wallet: WalletRow,
  body: object,
  { kind = 'transfer', ...on }: On = {},
): Promise<Answer> {
  const { headers } = await signedPost(treasury, wallet, { body, kind })
  const userAction = headers['x-dfns-useraction'] ?? assert.fail()
  return send(wallet, body, { kind, ...on, userAction })
}

async function send(
  wallet: WalletRow,
  body: object,
  { userAction, chains = treasury.chains, life, ...on }: On & { readonly userAction: string },
): Promise<Answer> {
  const deps = moneyDeps(treasury, { chains, ...(life && { life }) })
  const app = openEdge(treasury, moneyRoutes(deps))
  const headers = { 'content-type': 'application/json', 'x-dfns-useraction': userAction }
  const payload = JSON.stringify(body)
  const answer = await app.inject({ method: 'POST', url: pathOf(wallet, on), headers, payload })
  await app.close()
  return { ...answer.json<Answer>(), status: answer.statusCode }
}

function pathOf({ wallet_id }: WalletRow, { kind = 'transfer' }: On): string {
  return `/wallets/${wallet_id}/${kind}s`
}

function rowOf(name: string, kind: AskedKind = 'transfer'): Promise<Outgoing> {
  return findOutgoing(treasury.database, treasury.caller, { kind, name })
}

async function counted(): Promise<readonly number[]> {
  const { database } = treasury
  const rows = await database.selectFrom('outgoing').select('id').execute()
  const told = await database.selectFrom('outbox').select('id').execute()
  return [rows.length, told.length]
}
