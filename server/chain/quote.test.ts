import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { fromHex, toHex } from '@quorate/core/bytes'
import { isFailure, type FailureCode } from '@quorate/core/failure'
import { createdName, idOf, nameOf } from '@quorate/core/id'
import { parseJson } from '@quorate/core/json'
import { matchOperation } from '@quorate/authority/operations'
import { addressOf } from '@quorate/effects/address'
import { decodeFacts } from '@quorate/effects/facts'
import { readIntent } from '@quorate/effects/intent'
import { tableNetworks } from '@quorate/effects/networks'
import { encode } from '@quorate/core/codec'
import { encodeRecord, recordKey, slotTable } from '@quorate/authority/records'
import { keyStream, streamCodec } from '@quorate/authority/stream'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { startEthereum, type RunningEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Caller } from '../auth/caller.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import { openMoney } from '../money.ts'
import { readChains } from './chains.ts'

const seed = new Uint8Array(32).fill(1)
const organization = idOf(seed, 'organization')
const caller: Caller = {
  ...{ organization, orgId: nameOf('organization', organization) },
  ...{ user: seed, userId: nameOf('user', seed), username: 'x', kind: 'CustomerEmployee' },
  isServiceAccount: true,
}
/** The generator of secp256k1 (SEC 2, section 2.4.1): the key whose secret is 1. */
const publicKey = fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798')
const [key, network] = [idOf(seed, 'key'), 'EthereumSepolia']
const address = addressOf(tableNetworks, network, publicKey) ?? ''
const wallets = {
  [network]: createdName(seed, 'wallet', 1),
  KeyECDSA: createdName(seed, 'wallet', 2),
}
const stranger = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const payment = { kind: 'Native', to: stranger, amount: '1' }
const coins = { kind: 'Erc20', to: stranger, amount: '1' }
const ceiling = 5n * 10n ** 16n

describe('what a user is asked to bound fees by', () => {
  let home: TestDatabase
  let database: Database
  let node: RunningEthereum
  let money: ReturnType<typeof openMoney>
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-quote-'))
  before(async () => {
    ;[home, node] = await Promise.all([createTestDatabase(), startEthereum({ dataDir })])
    database = openDatabase(home.url, (error) => assert.fail(error))
    await migrate(database)
    await addRows()
    const chains = readChains(JSON.stringify({ [network]: { rpcUrl: node.rpcUrl } }))
    const log = { read: () => assert.fail('nobody is sponsored here') }
    money = openMoney({ database, chains, log })
  })
  after(async () => {
    await database.destroy()
    await home.drop()
    await node.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('is twice what the chain asks for, for a payment from a wallet that is still empty', async () => {
    const fee = (await quote(payment)) ?? 0n
    const facts = await factsOf({ type: 2, to: stranger, value: '0' }, ceiling)
    assert.equal(facts.gasLimit, 21_000n)
    const now = facts.gasLimit * facts.maxFeePerGas
    assert.ok(fee > now && fee < 3n * now, `${fee} of ${now}`)
  })

  it('is of a token’s own transfer, for a wallet that has what it is to move', async () => {
    const { rpc } = readChains(JSON.stringify({ [network]: { rpcUrl: node.rpcUrl } })).find(network)
    const { address: contract, invoke } = await deploy(rpc, 'Coin', ['', 'GLD', 6])
    await refuses(quote({ ...coins, contract }), 'funds.insufficient')
    await invoke('mint', [address, 1n])
    const plain = (await quote(payment)) ?? 0n
    assert.ok(((await quote({ ...coins, contract })) ?? 0n) > plain)
  })

  it('follows what the payload names, up to the ceiling and never above it', async () => {
    const price = 10n ** 12n
    const named = (gasLimit: bigint) =>
      quote(asTransaction({ type: 0, to: stranger, gasPrice: `${price}`, gasLimit: `${gasLimit}` }))
    assert.equal(await named(21_000n), 2n * 21_000n * price)
    assert.equal(await named(40_000n), ceiling)
    await refuses(named(50_001n), 'fee.above_ceiling')
    const tipped = { type: 2, to: stranger, gasLimit: '60000', maxPriorityFeePerGas: `${price}` }
    await refuses(quote(asTransaction(tipped)), 'fee.above_ceiling')
  })

  it('is nothing where no fee is left to choose', async () => {
    const bytes = `0x${toHex(fromHex(wholeTransaction))}`
    assert.equal(await quote(asTransaction(bytes)), undefined)
    assert.equal(await quote({ kind: 'Message', message: '0x00' }, 'signatures'), undefined)
    const match = matchOperation('POST', '/keys')
    assert.ok(match)
    assert.equal(await money.quoteMaxFee(caller, match, {}), undefined)
  })

  it('is not given for what would be refused later', async () => {
    await refuses(quote({ ...payment, to: '0x1' }), 'address.malformed')
    await refuses(quote({ ...payment, amount: '9'.repeat(78) }), 'body.malformed')
    await refuses(quote({ ...payment, kind: 'Erc7984' }), 'request.unsupported')
    await refuses(quote({ ...coins, contract: '0x1' }), 'address.malformed')
    await refuses(quote({ ...coins, contract: stranger }), 'asset.not_found')
    await refuses(quote(asTransaction({ type: 2 })), 'body.malformed')
    await refuses(quote(payment, 'transfers', 'KeyECDSA'), 'request.unsupported')
    const nobody = matchOperation('POST', `/wallets/${nameOf('wallet', seed)}/transfers`)
    assert.ok(nobody)
    await refuses(money.quoteMaxFee(caller, nobody, payment), 'wallet.not_found')
    const foreign = { ...caller, organization: seed }
    await refuses(quote(payment, 'transfers', network, foreign), 'wallet.not_found')
  })

  it('binds the facts of a transaction that is signed and handed back', async () => {
    await refuses(factsOf({ type: 2, to: stranger }, 1n), 'fee.above_ceiling')
    const named = await factsOf({ type: 2, to: stranger, nonce: 7 }, ceiling)
    assert.equal(named.nonce, 7n)
    assert.equal((await factsOf({ type: 2, to: stranger }, ceiling)).nonce, 0n)
    const uses = [{ request: seed, fee: 0n, effect: seed }]
    const value = encodeRecord(slotTable, { uses })
    const stream = encode(streamCodec, keyStream(key))
    const name = recordKey(slotTable, network, 0n)
    await database
      .insertInto('records')
      .values({ organization, stream, name, seq: 0, value })
      .execute()
    assert.equal((await factsOf({ type: 2, to: stranger }, ceiling)).nonce, 1n)
  })

  async function factsOf(transaction: object, maxFee: bigint) {
    const payload = JSON.stringify(asTransaction(transaction))
    const read = readIntent('signature', payload)
    const known = tableNetworks.find(network)
    assert.ok(read.ok && read.intent.kind === 'signature' && known)
    const facts = await money.observeFacts({
      ...{ network: known, scheme: 'ECDSA', curve: 'secp256k1', publicKey, intent: read.intent },
      ...{ untweaked: false, organization, key, payload, maxFee },
    })
    const decoded = decodeFacts(facts)
    assert.ok(decoded.family === 'evm')
    return decoded
  }

  async function quote(
    body: object,
    what = 'to' in body ? 'transfers' : 'transactions',
    on: keyof typeof wallets = network,
    by = caller,
  ): Promise<bigint | undefined> {
    const match = matchOperation('POST', `/wallets/${wallets[on]}/${what}`)
    assert.ok(match)
    return money.quoteMaxFee(by, match, parseJson(JSON.stringify(body)))
  }

  async function addRows(): Promise<void> {
    const row = { organization, created_at: 0, name: null }
    const certificate = new Uint8Array()
    const named = { key_id: nameOf('key', key), public_key: publicKey, certificate, master: false }
    const kind = { scheme: 'ECDSA', curve: 'secp256k1', untweaked: false } as const
    await database
      .insertInto('keys')
      .values({ ...row, id: key, ...named, ...kind })
      .execute()
    for (const [index, [on, wallet_id]] of Object.entries(wallets).entries())
      await database
        .insertInto('wallets')
        .values({
          ...{
            ...row,
            id: idOf(seed, 'wallet', index + 1),
            wallet_id,
            key,
            external_id: null,
            tags: '[]',
            owner: null,
          },
          ...{ network: on, address: on === network ? address : null },
        })
        .execute()
  }
})

/** Type 2 on chain 11155111: nonce 0, 1 gwei, 21000 gas, to 0xaa…aa, value 1, nothing else. */
const wholeTransaction = `02ea83aa36a780843b9aca00843b9aca0082520894${'aa'.repeat(20)}0180c0`

function asTransaction(transaction: object | string): object {
  return { kind: 'Transaction', transaction }
}

async function refuses(asked: Promise<unknown>, code: FailureCode): Promise<void> {
  await assert.rejects(asked, (error) => isFailure(error, code))
}
