import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Rpc } from '@quorate/chains/adapter'
import { Failure } from '@quorate/core/failure'
import { createdName, idOf, nameOf } from '@quorate/core/id'
import { rulesFor } from '@quorate/judge/rules'
import type { OwnNetwork } from '@quorate/authority/manifest'
import { decodePreimage, requestHash } from '@quorate/authority/request'
import { type RunningEthereum, startEthereum } from '@quorate/devnet/ethereum'
import { type Person, signedRequest } from '@quorate/signer/testing/requests'
import { toFunctionSelector } from 'viem'
import type { Caller } from '../../auth/caller.ts'
import type { SignedAction } from '../../auth/use-action.ts'
import { type Chains, openChains, readChains } from '../../chain/chains.ts'
import { type Company, found, hire } from '../../coordinator/testing/company.ts'
import { type Platform, startPlatform } from '../../coordinator/testing/platform.ts'
import { type Database, inTransaction } from '../../database/database.ts'
import { applyRoot } from '../../orgs/apply.ts'
import { assertUnderstood, lineOf } from '../../testing/said.ts'
import { openQuota, type Quota } from '../../usage/quota.ts'
import { noOpinions } from '../../facts/file.ts'
import { findWallet, type WalletRow } from '../../wallets/find.ts'
import { findOutgoing } from '../find.ts'
import { leaseRows } from '../lease.ts'
import type { State } from '../lifecycle.ts'
import { enter } from '../request.ts'
import type { AskedKind, Outgoing } from '../tables.ts'
import { type WorkDeps, workOnce } from '../work.ts'

export const network = 'EthereumSepolia'
/** What the operator calls it. */
export const ownWords = { name: 'My Chain', symbol: 'MINE' }
export const ether = 10n ** 18n
export const stranger = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
/** Above what a payment costs on an empty chain, and below the network's ceiling. */
const feeBound = ether / 100n

/** An organization with money: real signers, a real chain whose blocks come when a test wants them. */
export type Treasury = {
  readonly platform: Platform
  readonly database: Database
  readonly node: RunningEthereum
  readonly rpc: Rpc
  readonly chains: Chains
  readonly company: Company
  readonly bot: Person
  readonly caller: Caller
  readonly deps: WorkDeps
  /** What workers have warned of and not understood; a test that provokes it takes it out. */
  readonly lines: string[]
  /** @throws where such a line is left */
  stop(): Promise<void>
}

/** @param own a network that the manifest alone has, in place of Sepolia */
export async function startTreasury(own?: OwnNetwork): Promise<Treasury> {
  const dataDir = mkdtempSync(join(tmpdir(), 'quorate-treasury-'))
  const [platform, node] = await Promise.all([
    startPlatform(own === undefined ? [] : [own]),
    startEthereum({ dataDir, ...(own === undefined ? {} : { chainId: own.chainId }) }),
  ])
  const { coordinator, database } = platform
  const entry = { rpcUrl: node.rpcUrl, confirmations: 2 }
  const chains =
    own === undefined
      ? openChains(new Map([[network, entry]]))
      : readChains(JSON.stringify({ [own.id]: { ...entry, ...ownWords } }), undefined, [own])
  const { rpc } = chains.find(own?.id ?? network)
  await rpc('evm_setIntervalMining', [0])
  await rpc('evm_setAutomine', [false])
  const company = await found(coordinator, platform.manifest.hash)
  const bot = await hire(coordinator, company)
  // Its members were made by the tests of another room: rows are wanted of its wallets alone.
  const head = await coordinator.head(company.organization)
  const applied = { organization: company.organization, seq: head?.seq ?? -1 }
  await database.insertInto('root_applied').values(applied).execute()
  const lines: string[] = []
  const say = (context: object, message: string) => void lines.push(lineOf(context, message))
  const log = { warn: say, error: say }
  const rules = rulesFor(platform.manifest)
  const deps = { database, coordinator, chains, opine: noOpinions, rules, log, now: Date.now }
  const stop = async () => {
    try {
      await platform.stop()
    } finally {
      await node.stop()
      rmSync(dataDir, { recursive: true, force: true })
    }
    assertUnderstood(lines.filter((line) => !isOfFunding(line)))
  }
  const caller = callerOf(bot)
  return { platform, database, node, rpc, chains, company, bot, caller, deps, lines, stop }
}

export function callerOf({ organization, user, token }: Person): Caller {
  assert.ok(token)
  return {
    organization,
    orgId: nameOf('organization', organization),
    user,
    userId: nameOf('user', user),
    username: 'bot',
    kind: 'CustomerEmployee',
    isServiceAccount: true,
    token: { id: token.id, tokenId: nameOf('token', token.id), kind: 'ServiceAccount' },
  }
}

/** With a key of its own, and funded unless told otherwise. */
export async function makeWallet(
  {
    platform,
    company,
    bot,
    caller,
    rpc,
  }: Pick<Treasury, 'platform' | 'company' | 'bot' | 'caller' | 'rpc'>,
  funds = ether,
  on = network,
): Promise<WalletRow> {
  const { coordinator, database } = platform
  const { organization } = company
  const wish = { path: '/wallets', body: { network: on }, now: Date.now(), ids: company.ids }
  const evidence = signedRequest(bot, wish)
  const { certificate } = await coordinator.createKey({ organization, evidence })
  const settled = { ...evidence, facts: certificate }
  await coordinator.settle({ organization, kind: 'wallet', evidence: settled })
  await applyRoot(database, organization)
  const request = requestHash(evidence.preimage)
  const name = createdName(request, 'wallet')
  company.ids.set(name, idOf(request, 'wallet'))
  const wallet = await findWallet(database, caller, name)
  await fund(rpc, wallet, funds)
  return wallet
}

/** Of no block: that history finds out about it is no fault. */
export async function fund(
  rpc: Rpc,
  { address }: Pick<WalletRow, 'address'>,
  wei: bigint,
): Promise<void> {
  await rpc('anvil_setBalance', [address, `0x${wei.toString(16)}`])
}

/** As `../../balances/settle.ts` tells of an amount that no block accounts for. */
function isOfFunding(line: string): boolean {
  return (
    line.startsWith('a balance was not what history said') &&
    line.includes('"asset":"Native"') &&
    line.endsWith('"missed":0}')
  )
}

export type Wish = {
  readonly body: object
  readonly kind?: AskedKind
  readonly maxFee?: bigint
  readonly person?: Person
  readonly executeBefore?: number
  readonly issuedAt?: number
  /** Until when the signers may agree on it: usually ten minutes. */
  readonly signBefore?: number
  readonly quota?: Quota
}

export const payment = (change: object = {}): object => ({
  kind: 'Native',
  to: stranger,
  amount: '1000',
  ...change,
})

/** Of whatever a wallet can be asked for. */
export type WishOfAny = Omit<Wish, 'kind'> & { readonly kind?: AskedKind | 'signature' }

/** As the client signed it and the edge has checked it. */
export function actionFor(
  { company, bot }: Pick<Treasury, 'company' | 'bot'>,
  wallet: WalletRow,
  { body, kind = 'transfer', maxFee = feeBound, person = bot, ...times }: WishOfAny,
): SignedAction {
  const { executeBefore, signBefore, issuedAt } = times
  const evidence = signedRequest(person, {
    path: `/wallets/${wallet.wallet_id}/${kind}s`,
    ...{ body, maxFee, ids: company.ids, now: Date.now() },
    change: {
      ...(executeBefore === undefined ? {} : { executeBefore }),
      ...(signBefore === undefined ? {} : { signBefore }),
      ...(issuedAt === undefined ? {} : { issuedAt }),
    },
  })
  const { preimage, payload } = evidence
  return {
    ...{ request: requestHash(preimage), preimage: decodePreimage(preimage), payload },
    evidence: (facts) => ({ ...evidence, facts }),
  }
}

export async function request(
  treasury: Pick<Treasury, 'company' | 'bot' | 'caller' | 'database'> &
    Partial<Pick<Treasury, 'chains'>>,
  wallet: WalletRow,
  wish: Wish,
): Promise<Outgoing> {
  const { caller, database, chains = openChains(new Map()) } = treasury
  const { kind = 'transfer', quota = openQuota(undefined) } = wish
  const action = actionFor(treasury, wallet, wish)
  return inTransaction(database, (transaction) =>
    enter(transaction, { caller, wallet, kind, action, quota, chains, now: Date.now() }),
  )
}

export function reread({ database }: Pick<Treasury, 'database'>, row: Outgoing): Promise<Outgoing> {
  return findOutgoing(database, row, { kind: row.kind, name: row.name })
}

/** One step, whatever is due; other rows are left alone. */
export async function step(
  { deps, database }: Pick<Treasury, 'deps' | 'database'>,
  { organization, id }: Outgoing,
): Promise<void> {
  await database.updateTable('outgoing').set({ due_at: null }).where('id', '!=', id).execute()
  await database
    .updateTable('outgoing')
    .set({ due_at: 0, lease_until: 0 })
    .where('organization', '=', organization)
    .where('id', '=', id)
    .execute()
  const [row] = await leaseRows(database, 1, Date.now())
  assert.ok(row, 'the row can be leased')
  await workOnce(deps, row)
}

/** Steps until a row is in one of these states. */
export async function stepTo(
  treasury: Pick<Treasury, 'deps' | 'database'>,
  row: Outgoing,
  ...states: readonly State[]
): Promise<Outgoing> {
  const stepsMax = 20
  for (let i = 0; i < stepsMax; i++) {
    const found = await reread(treasury, row)
    if (states.includes(found.state)) return found
    await step(treasury, found)
  }
  const found = await reread(treasury, row)
  assert.ok(states.includes(found.state), `${found.state}: ${found.reason ?? found.waiting}`)
  return found
}

export function balanceOf({ chains }: Pick<Treasury, 'chains'>, address: string): Promise<bigint> {
  const { adapter, rpc } = chains.find(network)
  return adapter.balance(rpc, address)
}

/** What somebody sends with the wallet's key past all servers; in a block, which is not settled. */
export async function payOutside(
  { rpc }: Pick<Treasury, 'rpc'>,
  { address: from }: Pick<WalletRow, 'address'>,
): Promise<void> {
  await rpc('anvil_impersonateAccount', [from])
  await rpc('eth_sendTransaction', [{ from, to: stranger, value: '0x1' }])
  await mine({ rpc })
}

/**
 * As a network of the OP Stack has it: a contract that says what a transaction pays for its bytes, here the same for all.
 * It knows no other question.
 */
export async function setDataFee({ rpc }: Pick<Treasury, 'rpc'>, wei: bigint): Promise<void> {
  const oracle = '0x420000000000000000000000000000000000000F'
  const selector = toFunctionSelector('getL1Fee(bytes)').slice(2)
  const isAsked = `5f3560e01c63${selector}146011575f5ffd5b`
  const answer = `7f${wei.toString(16).padStart(64, '0')}5f5260205ff3`
  await rpc('anvil_setCode', [oracle, `0x${isAsked}${answer}`])
}

type Fake = (params: readonly unknown[], real: Rpc) => Promise<unknown>

/** Through a fake node: the real one, but for some of its answers. */
export function asking<T extends Pick<Treasury, 'deps'>>(
  treasury: T,
  fakes: Readonly<Record<string, Fake>>,
): T {
  const { chains } = treasury.deps
  const find: Chains['find'] = (id) => {
    const chain = chains.find(id)
    const rpc: Rpc = async (method, params) => {
      const fake = Object.hasOwn(fakes, method) ? fakes[method] : undefined
      return fake === undefined ? chain.rpc(method, params) : fake(params, chain.rpc)
    }
    return { ...chain, rpc }
  }
  return { ...treasury, deps: { ...treasury.deps, chains: { ...chains, find } } }
}

/** Fakes of a node that has forgotten how things went. */
export const pruned = {
  receipts: { eth_getTransactionReceipt: async () => null },
  hashes: { eth_getTransactionByHash: async () => null },
  /** But for the newest one that is settled, and those after it. */
  states: {
    eth_getTransactionCount: async ([address, at], real) => {
      const head = Number(await real('eth_blockNumber', []))
      if (Number(at) >= head - 1 || typeof at !== 'string' || !at.startsWith('0x'))
        return real('eth_getTransactionCount', [address, at])
      throw new Failure('chain.refused', { network, reason: 'missing trie node' })
    },
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Fake>>>>

/** As if the leases of whoever has died had ended. */
export async function endLeases({ database }: Pick<Treasury, 'database'>): Promise<void> {
  await database.updateTable('outgoing').set({ lease_until: 0 }).execute()
  await database.updateTable('chain_heads').set({ lease_until: 0 }).execute()
}

/** The same, and all that is under way is due. */
export async function letTimePass(treasury: Pick<Treasury, 'database'>): Promise<void> {
  await endLeases(treasury)
  const due = treasury.database.updateTable('outgoing').set({ due_at: 0 })
  await due.where('due_at', 'is not', null).execute()
}

/** What nobody has at hand is due, however long it was put off. */
export async function makeDue({ database }: Pick<Treasury, 'database'>): Promise<void> {
  const now = Date.now()
  // Who has been due for longer comes first. A row that somebody writes right now is left to the next time: who
  // waits for several at once may be waited for.
  await sql`update outgoing set due_at = ${now} where (organization, id) in (
    select organization, id from outgoing where due_at > ${now} and lease_until < ${now}
    for update skip locked
  )`.execute(database)
}

export async function mine({ rpc }: Pick<Treasury, 'rpc'>, blocks = 1): Promise<void> {
  await rpc('anvil_mine', [`0x${blocks.toString(16)}`])
}
