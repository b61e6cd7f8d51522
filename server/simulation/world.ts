import type { Evidence, Handed, Told } from '@quorate/chains/testing/audit'
import { openChains } from '../chain/chains.ts'
import { SmallChain, type Tx } from '@quorate/chains/testing/small-chain'
import { SmallNode } from '@quorate/chains/testing/small-node'
import { createdName, idOf } from '@quorate/core/id'
import { requestHash } from '@quorate/authority/request'
import { toHex } from '@quorate/core/bytes'
import { rootOf } from '@quorate/authority/stream'
import { addressOf } from '@quorate/effects/address'
import { tableNetworks } from '@quorate/effects/networks'
import type { ApprovalRow } from '../approvals/tables.ts'
import type { Database } from '../database/database.ts'
import { transactionOf } from '../transfers/entity.ts'
import { isAtRest } from '../transfers/lifecycle.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { Client } from './client.ts'
import { lyingNode } from './faults.ts'
import { type Connections, GatedDatabase, type Said } from './gated-database.ts'
import { Hardships } from './hardships.ts'
import { Random } from './random.ts'
import { settleInRoot } from './root.ts'
import { Schedule } from './schedule.ts'
import { Server, type Planted } from './servers.ts'
import { SmallSigners } from './signers.ts'
import { changeSponsor, makeSponsor, type Limits, type SimulatedSponsor } from './sponsors.ts'
import type { SimulatedWallet, Sought } from './wishes.ts'
import { wishesOf } from './wishes.ts'

export const network = { ...openChains(new Map()).named('EthereumSepolia'), confirmationsFinal: 4 }
const t0 = Date.UTC(2026, 0, 1)
const ether = 10n ** 18n
const gwei = 10n ** 9n
/** Of the coin: more than all that come to a world want of it. */
export const unitsOfWallet = 10n ** 9n

export type WorldOptions = {
  readonly seed: string
  readonly connections: Connections
  readonly servers: number
  readonly nodes: number
  readonly wallets: number
  /** What policies do with payments of its wallets, in their order; nobody has any unless said. */
  readonly policies?: readonly PolicyAction[]
  readonly planted?: Planted
  /** Who pay the fees of others, each from a wallet of its own. */
  readonly sponsors?: readonly Limits[]
}

/** Of all but what a wallet pays to itself: without an approval a gap can be filled. */
export type PolicyAction = 'asks' | 'blocks'

/** Who pays the fees of others; its name is in what they ask for. */
export type FeePayer = SimulatedSponsor & {
  readonly wallet: SimulatedWallet
  readonly perDay: bigint | undefined
  status: 'active' | 'deactivated' | 'archived'
}

/** Everything there is in one run, all of it from one seed, and the moves that it can make. */
export class World {
  readonly random: Random
  readonly schedule: Schedule
  readonly gated: GatedDatabase
  readonly chain: SmallChain
  readonly nodes: readonly SmallNode[]
  readonly signers: SmallSigners
  readonly client: Client
  /** For what nobody's code does: setting up, and reading at the end. */
  readonly database: Database
  readonly servers: Server[] = []
  readonly wallets: SimulatedWallet[] = []
  readonly sponsors: FeePayer[] = []
  readonly soughts: Sought[] = []
  readonly told: Told[] = []
  readonly lines: string[] = []
  /** What no server should have to say of itself. */
  readonly defects: string[] = []
  readonly hardships: Hardships
  readonly handed = new Map<string, Tx & Handed>()
  /** What owners have sent past everybody: if it lies behind a gap, that is their own affair. */
  readonly sentOutside = new Set<string>()
  private readonly options: WorldOptions
  time = t0
  isNodeLying: () => boolean = () => false
  baseFee = gwei

  constructor(options: WorldOptions) {
    this.options = options
    this.random = new Random(options.seed)
    this.schedule = new Schedule(this.random)
    this.gated = new GatedDatabase(options.connections, this.schedule)
    // What was settled once stays: a block that is gone since the look has made it no less so.
    this.gated.onTold = (one) => this.tell(one)
    this.schedule.onDeath = (life) => this.gated.abandon(life)
    this.database = this.gated.for(undefined)
    this.chain = new SmallChain(network.chainId, t0 / 1000)
    const seen = (tx: Tx) => {
      if (!this.handed.has(tx.hash)) this.handed.set(tx.hash, { ...tx, at: this.time })
    }
    this.nodes = Array.from({ length: options.nodes }, () => new SmallNode(this.chain, seen))
    this.signers = new SmallSigners({
      ...{ clock: () => this.time, random: this.random },
      ...options.planted?.signers,
    })
    this.hardships = new Hardships({
      ...{ chain: this.chain, signers: this.signers },
      sponsorNamed: (name) => this.sponsors.find((one) => one.name === name),
      idNamed: (name) => this.client.ids.get(name),
      isNodeAlone: options.nodes === 1,
      hasDelegated: (address) =>
        [...this.handed.values()].some(({ authorizations = [] }) =>
          authorizations.some(({ authority }) => authority === address),
        ),
    })
    this.client = new Client(this.random, this.signers.cluster.manifest.hash, t0)
  }

  /** That somebody has heard it, in an answer or by an event. */
  tell(said: Said): void {
    this.told.push({ ...said, at: this.time, height: this.chain.highest })
  }

  /** An answer of the API. */
  answer(row: Outgoing): void {
    this.tell(saidOf(row))
  }

  async open(): Promise<void> {
    await this.options.connections.empty(tables)
    const { organization, genesis } = this.client
    const root = { organization, stream: rootOf(organization) }
    this.signers.agree(root, { kind: 'genesis', evidence: genesis }, this.time)
    for (let i = 0; i < this.options.wallets; i++)
      await this.addWallet(i === 0 ? ether / 100n : ether)
    for (const shape of this.options.sponsors ?? []) await this.addSponsor(shape)
    for (const [i, action] of (this.options.policies ?? []).entries())
      await this.govern(this.wallets[i], action)
    for (let i = 0; i < this.options.servers; i++) this.servers.push(this.newServer(i))
    for (let i = 0; i < network.confirmationsFinal; i++) this.mine()
  }

  newServer(server: number): Server {
    const { schedule, gated, signers, nodes } = this
    return new Server(
      {
        ...{ schedule, gated, signers, network, planted: this.options.planted ?? {} },
        nodes: nodes.map(({ rpc }, i) => {
          const lies = () => i === 0 && this.isNodeLying()
          return lyingNode(rpc, { random: this.random, lies, mayRaise: nodes.length > 1 })
        }),
        // No two things happen at one moment: in a tie a database chooses.
        time: () => (this.time += 1),
        newLife: () => this.random.bytes(16),
        log: (line) => void this.lines.push(`${this.time - t0} ${server}: ${line}`),
        onDefect: (line) => void this.defects.push(`${this.time - t0} ${server}: ${line}`),
      },
      server,
    )
  }

  /** In the rows of the log, of which the signers know, and in those that the API reads. */
  async addWallet(funds: bigint): Promise<SimulatedWallet> {
    const wallet = await this.makeWallet(funds)
    this.wallets.push(wallet)
    return wallet
  }

  private async makeWallet(funds: bigint): Promise<SimulatedWallet> {
    const { client, signers, database } = this
    const { organization } = client
    const asked = { path: '/wallets', body: { network: network.id }, now: this.time }
    const evidence = client.evidence(asked)
    const certificate = signers.createKey(organization, evidence)
    const stream = rootOf(organization)
    const settled = { kind: 'wallet', evidence: { ...evidence, facts: certificate } } as const
    signers.agree({ organization, stream }, settled, this.time)
    const request = requestHash(evidence.preimage)
    const [id, wallet_id] = [idOf(request, 'wallet'), createdName(request, 'wallet')]
    const [key, key_id] = [idOf(request, 'key'), createdName(request, 'key')]
    const public_key = signers.publicKey(key)
    const address = addressOf(tableNetworks, network.id, public_key) ?? ''
    client.ids.set(wallet_id, id)
    const common = { organization, name: null, created_at: this.time }
    const scheme = { scheme: 'ECDSA', curve: 'secp256k1', untweaked: false } as const
    await database
      .insertInto('keys')
      .values({ ...common, id: key, key_id, public_key, certificate, master: false, ...scheme })
      .execute()
    const row = { ...common, id, wallet_id, network: network.id, address, key, external_id: null }
    await database
      .insertInto('wallets')
      .values({ ...row, tags: '[]', owner: null })
      .execute()
    const walletAddress = address.toLowerCase()
    this.endow(walletAddress, { balance: funds, units: unitsOfWallet })
    const governed = { governedSince: Infinity, governedBy: undefined, open: [] }
    return { key, walletId: wallet_id, address: walletAddress, ...governed }
  }

  private async addSponsor(limits: Limits): Promise<void> {
    const wallet = await this.makeWallet(ether)
    const made = await makeSponsor(this, wallet, limits)
    const perDay = limits.perDay === undefined ? undefined : BigInt(limits.perDay)
    this.sponsors.push({ ...made, wallet, perDay, status: 'active' })
  }

  /** Whether it pays at all; what is archived stays so. */
  async turnSponsor(sponsor: FeePayer, status: FeePayer['status']): Promise<void> {
    if (sponsor.status === status || sponsor.status === 'archived') return
    await changeSponsor(this, sponsor, changes[status])
    sponsor.status = status
    this.hardships.sawTurn(sponsor.name, { at: this.time, isOff: status !== 'active' })
  }

  /** All that can pay do, as much as they have. */
  async mendSponsors(): Promise<void> {
    for (const sponsor of this.sponsors) {
      await this.turnSponsor(sponsor, 'active')
      if (sponsor.status === 'active') await changeSponsor(this, sponsor, {})
    }
  }

  /** Everybody from whose address something is sent. */
  get payers(): readonly SimulatedWallet[] {
    return [...this.wallets, ...this.sponsors.map(({ wallet }) => wallet)]
  }

  /** From now on nothing leaves a wallet by the word of one user alone, or nothing at all. */
  async govern(wallet: SimulatedWallet | undefined, action: PolicyAction): Promise<void> {
    if (wallet === undefined || wallet.governedSince < Infinity) return
    const { database } = this
    const { organization } = this.client
    if (action === 'blocks') wallet.open = openFor(wallet)
    const body = policyOn(wallet, action)
    const evidence = await settleInRoot(this, { kind: 'policy', path: '/v2/policies', body })
    const id = idOf(requestHash(evidence.preimage), 'policy')
    const dates = { created_at: this.time, updated_at: this.time }
    await database
      .insertInto('policies')
      .values({ organization, id, status: 'Active', ...dates })
      .execute()
    wallet.governedSince = this.time
    wallet.governedBy = action
  }

  get isGoverned(): boolean {
    return this.wallets.some(({ governedSince }) => governedSince < Infinity)
  }

  /** Approvals that somebody can still decide on. */
  openApprovals(): Promise<readonly ApprovalRow[]> {
    return this.database
      .selectFrom('approvals')
      .selectAll()
      .where('status', '=', 'Pending')
      .where('expires_at', '>', this.time)
      .orderBy('approval_id')
      .execute()
  }

  endow(address: string, has: Parameters<SmallChain['endow']>[1]): void {
    this.chain.endow(address, has)
    this.seeFunds([address])
  }

  private seeFunds(addresses: readonly string[]): void {
    this.hardships.sawFunds(addresses, { at: this.time, baseFee: this.baseFee })
  }

  /** A block of what lies in pools. @param isLeftOut what does not get into it, however much it pays */
  mine(isLeftOut: (tx: Tx) => boolean = () => false): void {
    const all = new Map(
      this.nodes.flatMap(({ pool }) =>
        [...pool.values()].flatMap((own) => [...own.values()].map((tx) => [tx.hash, tx] as const)),
      ),
    )
    const offered = [...all.values()].filter((tx) => !isLeftOut(tx))
    offered.sort((a, b) => a.nonce - b.nonce || Number(b.tip - a.tip))
    const timestamp = Math.max(Math.floor(this.time / 1000), this.chain.head.timestamp + 1)
    this.chain.mine(offered, { timestamp, baseFee: this.baseFee })
    for (const node of this.nodes) node.forget()
    this.seeFunds(this.payers.map(({ address }) => address))
  }

  /** Takes blocks off the chain's end, never one that was settled once. */
  reorganize(depth: number, isKept: (tx: Tx) => boolean): number {
    const settled = this.chain.highest - network.confirmationsFinal + 1
    let taken = 0
    for (; taken < depth && this.chain.head.number > Math.max(settled, 1); taken++) {
      for (const tx of this.chain.unmine().filter(isKept))
        for (const node of this.nodes) offer(node, tx)
      this.seeFunds(this.payers.map(({ address }) => address))
    }
    return taken
  }

  async restCount(): Promise<{ readonly rest: number; readonly all: number }> {
    const rows = await this.database.selectFrom('outgoing').select('state').execute()
    return { rest: rows.filter(({ state }) => isAtRest(state)).length, all: rows.length }
  }

  async stuckWallets(): Promise<ReadonlySet<string>> {
    const rows = await this.database.selectFrom('outgoing').select(['state', 'address']).execute()
    const waiting = rows.filter(({ state }) => !isAtRest(state))
    return new Set(waiting.map(({ address }) => address.toLowerCase()))
  }

  /** All that an auditor needs, with the last word of the API about everything there is. */
  async evidence(): Promise<Evidence> {
    const rows = await this.database.selectFrom('outgoing').selectAll().execute()
    // What a sponsor sends for a request has no name for anybody.
    const asked = rows.filter(({ kind }) => kind !== 'sponsorship')
    for (const row of asked) this.answer(row)
    const { hardships, told, soughts } = this
    const names = new Set(told.map(({ name }) => name))
    const isTold = (name: string) => names.has(name)
    const pooled = this.nodes.flatMap(({ pool }) =>
      [...pool.values()].flatMap((own) => [...own.values()]),
    )
    return {
      blocks: this.chain.blocks,
      handed: [...this.handed.values()],
      ...{ pooled, outside: this.sentOutside, told },
      confirmationsFinal: network.confirmationsFinal,
      wishes: soughts.flatMap((sought) => wishesOf(sought, { isTold, hardships })),
      shown: new Set(asked.map(({ name }) => name)),
      open: rows.filter(({ state }) => !isAtRest(state)).map(({ name }) => name),
      filled: new Set(
        soughts.filter(({ cancelled }) => cancelled.length > 0).map(({ wallet }) => wallet.address),
      ),
    }
  }
}

function saidOf(row: Outgoing): Said {
  const { id: name, status, txHash: hash, reason } = transactionOf(row)
  return { name, status, hash, reason }
}

const changes = { active: 'activate', deactivated: 'deactivate', archived: 'archive' } as const

/** As many as users pay who mend something and try whether it goes on, again and again. */
const openCount = 64

/** Drawn apart, so that the rest of the chance is as it is without a policy. */
function openFor({ address }: SimulatedWallet): readonly string[] {
  const random = new Random(`open for ${address}`)
  return Array.from({ length: openCount }, () => `0x${toHex(random.bytes(20))}`)
}

function policyOn({ address, walletId, open }: SimulatedWallet, action: PolicyAction): object {
  const groups = [{ quorum: 1, approvers: {}, initiatorCanApprove: true }]
  // In minutes, and no less can be asked for.
  const asks = { kind: 'RequestApproval', approvalGroups: groups, autoRejectTimeout: 1 }
  return {
    ...{ name: `${action} for ${walletId}`, activityKind: 'Wallets:Sign' },
    rule: {
      kind: 'TransactionRecipientWhitelist',
      configuration: { addresses: [address, ...open] },
    },
    action: action === 'asks' ? asks : { kind: 'Block' },
    filters: { walletId: { in: [walletId] } },
  }
}

function offer(node: SmallNode, tx: Tx): void {
  try {
    node.take(tx)
  } catch {
    // It has it, or another one at its nonce, and says so.
  }
}

/** Those in which a world leaves anything. */
export const tables = [
  ...['outgoing', 'slots', 'slot_queues', 'external_ids', 'challenges', 'outbox', 'proposals'],
  ...['steps', 'records', 'request_places', 'signatures', 'keys', 'wallets', 'chain_heads'],
  ...['key_certificates', 'approvals', 'approval_decisions', 'policies', 'fee_sponsors'],
] as const
