import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Rpc } from '@quorate/chains/adapter'
import { findHeader } from '@quorate/chains/evm/blocks'
import { evm } from '@quorate/chains/evm/index'
import { Failure, isFailure } from '@quorate/core/failure'
import { startEthereum, type RunningEthereum } from '@quorate/devnet/ethereum'
import { deploy } from '@quorate/devnet/testing/deploy'
import { createTestDatabase, type TestDatabase } from '@quorate/scripts/test-database'
import { type Chain, openChains } from '../chain/chains.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { migrate } from '../database/migrate.ts'
import { mine, network } from './testing/payments.ts'
import { learnTokens } from './tokens.ts'

describe('what tokens say of themselves', () => {
  let home: TestDatabase
  let database: Database
  let node: RunningEthereum
  let chain: Chain
  let rpc: Rpc
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-words-'))
  before(async () => {
    ;[home, node] = await Promise.all([createTestDatabase(), startEthereum({ dataDir })])
    const nodes = new Map([[network, { rpcUrl: node.rpcUrl, confirmations: 2 }]])
    chain = openChains(nodes).find(network)
    rpc = chain.rpc
    database = openDatabase(home.url, () => undefined)
    await migrate(database)
  })
  beforeEach(async () => {
    for (const table of ['token_words', 'unanswered_tokens'] as const)
      await database.deleteFrom(table).execute()
  })
  after(async () => {
    await database.destroy()
    await home.drop()
    await node.stop()
    rmSync(dataDir, { recursive: true, force: true })
  })

  it('is asked again where a fake node lags behind the block that has made them', async () => {
    const before = await newest()
    const contract = await coin('GLD')
    const at = await newest()
    const lagging = asking((params, hash) => {
      if (hash === at) throw new Failure('chain.refused', { network, reason: 'header not found' })
      return rpc('eth_call', [params[0], { blockHash: before }])
    })
    await learn([contract], { at, now: 1, rpc: lagging })
    assert.deepEqual(await words(), [[contract, null, null]])
    await learn([], { at, now: 15_001 })
    assert.deepEqual(await words(), [[contract, 'GLD', 15_001]])
  })

  it('is nobody’s business where no block is known yet', async () => {
    const contract = await coin('GLD')
    await learn([contract], { at: undefined, now: 1 })
    assert.deepEqual(await words(), [[contract, null, null]])
  })

  it('is asked later where fake nodes disagree about it, and about nothing else', async () => {
    const [disputed, plain] = [await coin('ONE'), await coin('TWO')]
    const at = await newest()
    const disagreeing = asking((params) => {
      if (Object(params[0])['to'] !== disputed) return rpc('eth_call', params)
      throw new Failure('chain.unavailable', { network })
    })
    await learn([disputed, plain], { at, now: 1, rpc: disagreeing })
    const said = new Map((await words()).map(([contract, symbol]) => [contract, symbol]))
    assert.deepEqual([said.get(disputed), said.get(plain)], [null, 'TWO'])
    const away: Rpc = async (method, params) => {
      if (method === 'eth_getBalance') throw new Failure('chain.unavailable', { network })
      return disagreeing(method, params)
    }
    await assert.rejects(learn([], { at, now: 15_001, rpc: away }), (error) =>
      isFailure(error, 'chain.unavailable'),
    )
    await learn([], { at, now: 15_001 })
    assert.equal(
      new Map((await words()).map(([name, symbol]) => [name, symbol])).get(disputed),
      'ONE',
    )
  })

  it('is asked first of those whose events wait for it, as they were met, and then of the others', async () => {
    const at = await newest()
    const strangers = Array.from({ length: 50 }, (_, i) => strange(String(99 - i)))
    const meet = (contract: string, now: number) => learn([contract], { at: undefined, now })
    for (const [i, contract] of strangers.entries()) await meet(contract, i < 25 ? i : 400_000 + i)
    await learn([], { at, now: 400_100 })
    const asked = (await words()).filter(([, , askedAt]) => askedAt !== null)
    const expected = [...strangers.slice(25), ...strangers.slice(0, 7)]
    assert.deepEqual(asked.map(([contract]) => contract).toSorted(), expected.toSorted())
  })

  function strange(tail: string): string {
    return `0x${tail.padStart(40, '5')}`
  }

  async function coin(symbol: string): Promise<string> {
    const { address } = await deploy(rpc, 'Coin', [symbol, symbol, 6])
    await mine(rpc, 1)
    return evm.parseAddress(address)
  }

  async function newest(): Promise<string> {
    const header = await findHeader(rpc, 'latest')
    assert.ok(header)
    return header.hash
  }

  type Call = (params: readonly unknown[], hash: unknown) => Promise<unknown>

  /** The real node, but for its answers about contracts. */
  function asking(answer: Call): Rpc {
    return async (method, params) =>
      method === 'eth_call' ? answer(params, Object(params[1])['blockHash']) : rpc(method, params)
  }

  type Look = { readonly at: string | undefined; readonly now: number; readonly rpc?: Rpc }

  function learn(contracts: readonly string[], { rpc: from = rpc, ...look }: Look): Promise<void> {
    return learnTokens(database, { ...chain, rpc: from }, { contracts, ...look })
  }

  async function words() {
    const rows = await database.selectFrom('token_words').selectAll().execute()
    return rows.map(({ contract, symbol, asked_at }) => [contract, symbol, asked_at] as const)
  }
})
