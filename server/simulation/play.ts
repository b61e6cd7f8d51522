import { audit, ether, type Evidence, type Finding } from '@quorate/chains/testing/audit'
import { toHex } from '@quorate/core/bytes'
import { type FailureCode, isFailure } from '@quorate/core/failure'
import { idOf, nameOf } from '@quorate/core/id'
import { abortOutgoing } from '../transfers/abort.ts'
import { findOutgoing } from '../transfers/find.ts'
import { replaceOutgoing } from '../transfers/replace.ts'
import { requestOutgoing } from '../transfers/request.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { Approver } from './approver.ts'
import { Faults, type Target } from './faults.ts'
import { outside, spendUnits } from './outside.ts'
import type { Server } from './servers.ts'
import { bodyOf, kindOf, mayBeSponsored, newSought, type Scenario, scenarios } from './wishes.ts'
import type { SimulatedWallet, Sought } from './wishes.ts'
import { network, type PolicyAction, unitsOfWallet, World, type WorldOptions } from './world.ts'

const feeBound = 10n ** 16n
/** Of the sponsors that stop to pay, so many do for ever. */
const archivedChance = 0.1
/** Enough for whatever was asked for, and its fees. */
const weiOfTheMended = 10n ** 19n
/** Wishes that are under way at a time: enough for lanes to fill. */
const underWayMax = 24
/** One of a hundred requests is over after some ten thousand. */
const turnsUsualMax = 200_000
const repairsMax = 5
/** As many as an owner's own transactions may keep from their places. */
const lastPaymentsMax = 3
/** In which signers agree on it after it was signed (`client.ts`). */
const signWithinMs = 10 * 60_000
/** After these nobody knows what has become of it, or it may be there under another name. */
const asksAgain: ReadonlySet<FailureCode> = new Set<FailureCode>([
  ...(['signers.unavailable', 'signing.failed', 'clock.wrong', 'chain.unavailable'] as const),
  ...(['action.used'] as const),
])
/** After it, nobody can approve any more what has waited before. */
const approvalMs = 61_000
/** Each fills one nonce. */
const paymentsPerRepair = 3
/** Of those that wait for a block, most wait for another one. */
const [newestMax, triesMax] = [40, 3]

export type PlayOptions = WorldOptions & {
  readonly transfers: number
  readonly targets: readonly Target[]
  /** Places to which a world comes by design: where it writes anywhere else, its server dies at once. */
  readonly known?: ReadonlySet<string>
  readonly only?: readonly Scenario[]
  /** Worse than usual: where only one thing is looked for. */
  readonly weather?: Weather
  /** How often its users try to mend what is stuck. */
  readonly repairs?: number
  /** As `policies`, but made at some moment, when things are under way. */
  readonly laterPolicies?: readonly PolicyAction[]
  /** How much of what a sponsor may pay for one is asked to. */
  readonly sponsoredChance?: number
  /** May what is sent to nodes and signers arrive when its sender has gone on? */
  readonly mayBeLate?: boolean
  /** One that takes more is broken off. */
  readonly turnsMax?: number
}
const chainFaults = ['reorganize', 'drop', 'outside', 'fees', 'lag', 'down', 'lie'] as const
export type Weather = {
  /** What happens to the chain all the time, and nothing else does. */
  readonly chain?: readonly (typeof chainFaults)[number][]
  /** How many of the answers to what is sent are lost. */
  readonly lossy?: number
  /** How many of the calls to signers do not reach them. */
  readonly deaf?: number
  /** How much time passes at most where little does usually. */
  readonly momentMsMax?: number
  /** For how many moves it lasts when everybody has come, if it is to be longer than usual. */
  readonly lasts?: number
}
/** What is found beside the auditor: by who has played the users, or has seen the servers' logs. */
export type PlayFinding = {
  readonly kind: 'defect' | 'mended for nothing' | 'stuck nonce'
  readonly about: string
}
export type Played = {
  readonly findings: readonly (Finding | PlayFinding)[]
  readonly evidence: Evidence
  readonly faults: Faults
  readonly lines: readonly string[]
  readonly transfers: number
  readonly statuses: ReadonlyMap<string, number>
  /** Of all that has happened, in its order: the same for the same seed. */
  readonly fingerprint: string
}

/** One run from beginning to end: people come, everything goes wrong, everything is mended, and then it is judged. */
export async function play(options: PlayOptions): Promise<Played> {
  const world = new World(options)
  await world.open()
  const game = new Game(world, options)
  await game.rage()
  await game.heal()
  const evidence = await world.evidence()
  const { faults } = game
  const findings = [...audit(evidence), ...game.findings()]
  const statuses = new Map<string, number>()
  for (const { answers } of evidence.wishes)
    for (const name of answers) {
      const status = evidence.told.findLast((one) => one.name === name)?.status ?? ''
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  const transfers = world.soughts.filter(({ asked }) => asked.length > 0).length
  const { lines, schedule } = world
  return {
    findings,
    evidence,
    faults,
    lines,
    transfers,
    statuses,
    fingerprint: schedule.fingerprint(),
  }
}

/** From which wallet, and by which sponsor. */
type Lane = { readonly wallet: SimulatedWallet; readonly feeSponsorId: string | undefined }

class Game {
  readonly faults: Faults
  private readonly world: World
  private readonly options: PlayOptions
  private readonly approver: Approver
  private readonly laterPolicies: PolicyAction[]
  private sent = 0
  private readonly found: PlayFinding[] = []
  /** Is nothing left to expire any more? */
  private isLast = false

  constructor(world: World, options: PlayOptions) {
    this.world = world
    this.options = options
    this.faults = new Faults(world.random, options)
    this.approver = new Approver(world)
    this.laterPolicies = [...(options.laterPolicies ?? [])]
    const { schedule } = world
    schedule.fateOf = this.faults.fateOf
    schedule.lossOf = this.faults.lossOf
    world.isNodeLying = () => this.faults.isNodeLying
    this.faults.onRefusal = (id) => world.hardships.sawRefusal(id, world.time)
  }

  findings(): readonly PlayFinding[] {
    const defects = this.world.defects.map((about) => ({ kind: 'defect', about }) as const)
    return [...defects, ...this.found]
  }

  /** Until everybody has come, and most have been served. */
  async rage(): Promise<void> {
    const { world, options } = this
    let left = options.weather?.lasts ?? 0
    const { turnsMax = turnsUsualMax } = options
    for (let turn = 0; turn < turnsMax; turn++) {
      if (!world.schedule.isIdle && !world.random.happens(0.02)) await world.schedule.advance()
      else if (this.sent < options.transfers || left-- > 0) await this.move()
      else return
    }
    throw new Error('it goes on for ever')
  }

  private async move(): Promise<void> {
    const { world, faults } = this
    const { random } = world
    const { weather } = this.options
    if (random.happens(0.3)) return this.come()
    if (random.happens(0.2)) return this.comeBack()
    if (world.isGoverned && random.happens(0.3)) return this.decide()
    if (this.laterPolicies.length > 0 && random.happens(0.1)) return this.makePolicy()
    if (world.sponsors.length > 0 && random.happens(0.04)) return this.turnSponsor()
    this.tick()
    if (random.happens(0.2)) for (const server of world.servers) server.skewMs = 0
    if (random.happens(0.2)) faults.isNodeDown = false
    if (random.happens(0.3)) faults.isNodeLying = false
    if (random.happens(weather === undefined ? 0.4 : 1)) this.disturbChain(weather?.chain)
    if (random.happens(0.06)) await this.disturbServers()
  }

  private tick(): void {
    const { world } = this
    const { random } = world
    world.time += random.between(100, this.options.weather?.momentMsMax ?? 1_500)
    if (random.happens(0.6))
      world.mine((tx) => !this.faults.isOver && tx.nonce % 7 === 3 && random.happens(0.3))
    for (const server of world.servers) server.turn()
  }

  private async come(): Promise<void> {
    const { world, options } = this
    const { random } = world
    const turnedAway = world.soughts.filter(({ isTurnedAway }) => isTurnedAway).length
    const underWay =
      this.sent -
      turnedAway -
      world.told.filter(({ status }) => ['Confirmed', 'Failed', 'Rejected'].includes(status)).length
    if (underWay > underWayMax || this.sent >= options.transfers) return
    const scenario = random.one(options.only ?? scenarios)
    const feeSponsorId = this.sponsorFor(scenario)
    const sought = newSought(random, {
      ...{ scenario, feeSponsorId },
      // A sponsor's wallet pays as any other, and never with a sponsor.
      wallet: random.one(feeSponsorId === undefined ? world.payers : world.wallets),
      ...{ number: this.sent++, now: world.time },
    })
    world.soughts.push(sought)
    this.handleUnits(sought)
    await this.ask(sought)
  }

  private sponsorFor(scenario: Scenario): string | undefined {
    const { world, options } = this
    const { random, sponsors } = world
    if (sponsors.length === 0 || !mayBeSponsored(scenario)) return undefined
    return random.happens(options.sponsoredChance ?? 0.5) ? random.one(sponsors).name : undefined
  }

  private async turnSponsor(): Promise<void> {
    const { world, faults } = this
    const sponsor = world.random.one(world.sponsors)
    const { status } = sponsor
    if (status === 'archived') return
    const off = world.random.happens(archivedChance) ? 'archived' : 'deactivated'
    await world.turnSponsor(sponsor, status === 'active' ? off : 'active')
    if (sponsor.status !== 'active') faults.count(`sponsor: ${sponsor.status}`)
  }

  /** Whoever has spent them all gets some again; and some have just spent them by themselves. */
  private handleUnits({ wallet, scenario, asset }: Sought): void {
    const { world, faults } = this
    const { chain, random } = world
    const isGone = chain.account(wallet.address).units === 0n
    if (asset !== ether && isGone && random.happens(0.8))
      world.endow(wallet.address, { units: unitsOfWallet })
    if (scenario === 'short of tokens' && spendUnits(world, wallet))
      faults.count('chain: all units spent outside')
  }

  private async ask(sought: Sought): Promise<void> {
    const { world } = this
    const { random, client, database } = world
    const { wallet, scenario } = sought
    const server = this.someServer()
    if (server === undefined) return void (sought.isUnanswered = true)
    const kind = kindOf(sought)
    const nonce = world.chain.account(wallet.address).nonce + random.between(0, 2)
    const executeBefore =
      scenario === 'short of time' ? world.time + random.between(500, 20_000) : undefined
    const signed = await client.action(database, {
      ...{ path: `/wallets/${wallet.walletId}/${kind}s`, body: bodyOf(sought, nonce) },
      ...{ maxFee: feeBound, now: world.time, ...(executeBefore && { executeBefore }) },
    })
    sought.until = executeBefore ?? world.time + signWithinMs
    if (scenario === 'named nonce') sought.places.push(nonce)
    const name = nameOf(kind, idOf(signed.request, kind))
    client.ids.set(name, idOf(signed.request, kind))
    sought.asked.push(name)
    sought.requests.push(toHex(signed.request))
    sought.signed = signed
    this.send(sought, server)
  }

  /** The same signed words again are the same request, whoever has heard them already. */
  private send(sought: Sought, server = this.someServer()): void {
    const { signed, wallet } = sought
    sought.isUnanswered = true
    sought.refusedAt = undefined
    if (server === undefined || signed === undefined) return
    const kind = kindOf(sought)
    const { world } = this
    const hear = (row: Outgoing) => {
      world.answer(row)
      sought.known = row.name
      sought.isUnanswered = false
      sought.isTurnedAway = false
    }
    server.run(`request a ${kind}`, async () => {
      const asked = { kind, walletId: wallet.walletId, raw: signed.raw } as const
      try {
        hear(await requestOutgoing(server.deps, world.client.caller, asked))
      } catch (error) {
        // An answer as well; once the sponsor pays again, it may be asked for again.
        if (isFailure(error, 'fee_sponsor.unsuitable')) sought.isTurnedAway = true
        if (isFailure(error) && !asksAgain.has(error.code)) sought.refusedAt = world.time
        if (!this.faults.isOver || !isFailure(error, 'action.used')) throw error
        // This life of the server has taken it in before: then it is there to be looked up.
        const name = nameOf(kind, idOf(signed.request, kind))
        hear(await findOutgoing(server.deps.database, world.client.caller, { kind, name }))
      }
    })
  }

  /** Whoever has had no answer asks again where that is safe; others want something of what is under way. */
  private async comeBack(): Promise<void> {
    const { world } = this
    const { random } = world
    const unanswered = world.soughts.slice(-60).filter((one) => one.isUnanswered)
    if (unanswered.length > 0 && random.happens(0.5)) return this.again(random.one(unanswered))
    const again = world.soughts.slice(-60).filter(({ left }) => left > 0)
    if (again.length === 0) return
    const sought = random.one(again)
    sought.left -= 1
    if (sought.scenario === 'aborted') await this.abort(sought)
    else if (sought.scenario === 'retried') await this.again(sought)
    else await this.replace(sought, sought.scenario === 'cancelled' ? 'cancellation' : 'speedUp')
  }

  /** With the words that were signed, if some server has been there to sign for; under an external id also with new ones. */
  private async again(sought: Sought): Promise<void> {
    const mayBeNew = sought.externalId !== undefined && sought.asked.length < 4
    const isNew = sought.signed === undefined || (mayBeNew && this.world.random.happens(0.5))
    if (isNew) await this.ask(sought)
    else this.send(sought)
  }

  private async abort(sought: Sought): Promise<void> {
    const { client, database, time } = this.world
    const name = sought.known ?? sought.asked.at(-1)
    const server = this.someServer()
    if (name === undefined || server === undefined) return
    const kind = kindOf(sought)
    const { walletId } = sought.wallet
    const path = `/wallets/${walletId}/${kind}s/${name}/abort`
    sought.abortedAt ??= time
    const { raw } = await client.action(database, { method: 'PUT', path, body: {}, now: time })
    server.run('abort', async () => {
      this.world.answer(
        await abortOutgoing(server.deps, client.caller, { kind, walletId, name, raw }),
      )
    })
  }

  async replace(sought: Sought, replacement: 'cancellation' | 'speedUp'): Promise<void> {
    const { client, database, time } = this.world
    const name = sought.known ?? sought.asked.at(-1)
    const server = this.someServer()
    if (name === undefined || server === undefined) return
    const kind = kindOf(sought)
    const { walletId } = sought.wallet
    const way = replacement === 'cancellation' ? 'cancel' : 'speed-up'
    const path = `/wallets/${walletId}/${kind}s/${name}/${way}`
    const action = { path, body: {}, maxFee: feeBound, now: time }
    const { raw, request } = await client.action(database, action)
    const id = idOf(request, 'transaction')
    const made = nameOf('transaction', id)
    client.ids.set(made, id)
    ;(replacement === 'cancellation' ? sought.cancelled : sought.spedUp).push(made)
    if (replacement === 'speedUp') sought.speedUps.push(toHex(request))
    server.run(way, async () => {
      const asked = { kind, walletId, name, replacement, raw } as const
      this.world.answer(await replaceOutgoing(server.deps, client.caller, asked))
    })
  }

  private async makePolicy(): Promise<void> {
    const { world } = this
    const action = this.laterPolicies.shift()
    const wallet = world.wallets.find(({ governedSince }) => governedSince === Infinity)
    if (action !== undefined) await world.govern(wallet, action)
  }

  private async decide(): Promise<void> {
    const open = await this.world.openApprovals()
    const server = this.someServer()
    if (open.length === 0 || server === undefined) return
    this.approver.decide(server, this.world.random.one(open), { isLast: false })
  }

  private async decideAll(): Promise<void> {
    if (!this.world.isGoverned) return
    const { isLast } = this
    for (const approval of await this.world.openApprovals()) {
      const server = this.someServer()
      if (server !== undefined) this.approver.decide(server, approval, { isLast })
    }
  }

  private someServer(): Server | undefined {
    const alive = this.world.servers.filter(({ life }) => life.isAlive)
    return alive.length === 0 ? undefined : this.world.random.one(alive)
  }

  private disturbChain(kinds: Weather['chain'] = chainFaults): void {
    const { world, faults } = this
    const { random, nodes } = world
    if (kinds.length === 0) return
    const kind = random.one(kinds)
    if (kind === 'reorganize') {
      const isKept = () => random.happens(0.6)
      const depth = world.reorganize(random.between(1, network.confirmationsFinal - 1), isKept)
      if (depth > 0) faults.count(`chain: reorganization of ${depth}`)
      for (let i = 0; i < depth; i++) if (random.happens(0.9)) world.mine(() => random.happens(0.3))
    }
    if (kind === 'drop') this.drop()
    if (kind === 'outside' && outside(world, random.one(world.payers)))
      faults.count('chain: outside transaction')
    if (kind === 'fees') world.baseFee = BigInt(random.between(1, 40)) * 10n ** 9n
    if (kind === 'lag')
      for (const node of nodes) node.lag = random.happens(0.5) ? random.between(0, 2) : 0
    if (kind === 'lie') {
      faults.isNodeLying = true
      world.hardships.sawLie(world.time)
      faults.count('node: lies about nonces for a while')
    }
    if (kind === 'down') {
      faults.isNodeDown = !faults.isNodeDown
      if (faults.isNodeDown) faults.count('node: down for a while')
    }
  }

  private drop(): void {
    const { random, nodes } = this.world
    const node = random.one(nodes)
    const waiting = [...node.pool.values()].flatMap((own) => [...own.values()])
    if (waiting.length === 0) return
    node.drop(random.one(waiting))
    this.faults.count('node: dropped from its pool')
  }

  private async disturbServers(): Promise<void> {
    const { world, faults } = this
    const { random } = world
    const server = random.one(world.servers)
    if (!server.life.isAlive) return this.restart(server)
    if (random.happens(0.3)) {
      faults.count('server killed anywhere')
      return world.schedule.kill(server.life)
    }
    server.skewMs = random.one([
      0,
      0,
      random.between(-4_000, 4_000),
      random.between(-60_000, 60_000),
    ])
    if (server.skewMs !== 0) faults.count('clock jumped')
  }

  private restart({ life: { server } }: Server): void {
    this.world.servers[server] = this.world.newServer(server)
  }

  /** No more faults, but for a death that is planned; who was not answered asks again, and what is stuck is mended as the documentation says. */
  async heal(): Promise<void> {
    const { world, faults } = this
    faults.isOver = true
    await world.schedule.arriveAll()
    faults.isNodeDown = false
    faults.isNodeLying = false
    world.baseFee = 10n ** 9n
    for (const node of world.nodes) node.lag = 0
    for (const server of world.servers) server.skewMs = 0
    for (const { address } of world.payers)
      world.endow(address, { balance: weiOfTheMended, units: unitsOfWallet })
    await world.mendSponsors()
    for (let i = 0; i < network.confirmationsFinal; i++) await this.pass()
    if (world.isGoverned) world.time += approvalMs
    this.isLast = true
    await this.askAgain(this.unanswered())
    await this.settle()
    if (this.options.repairs !== 0) await this.payOnceMore()
  }

  /** Until all have their answers and are at rest, or their users have done what they can. */
  private async settle(): Promise<void> {
    for (let i = 0; i < (this.options.repairs ?? repairsMax); i++) {
      const isAtRest = await this.comesToRest()
      const left = this.unanswered().filter(({ refusedAt }) => refusedAt === undefined)
      if (isAtRest && left.length === 0) return
      await this.askAgain(left)
      if (!isAtRest) await this.repair()
    }
    await this.comesToRest()
  }

  /**
   * Who pays once more finds out whether a nonce was left that nobody will use, though nothing waits behind it:
   * every wallet by itself, and every sponsor for one of them.
   */
  private async payOnceMore(): Promise<void> {
    const { world } = this
    this.approver.isWilling = true
    const other = world.wallets.find(({ governedBy }) => governedBy !== 'blocks')
    const lanes: Lane[] = world.payers.map((wallet) => ({ wallet, feeSponsorId: undefined }))
    for (const { name, status } of world.sponsors)
      if (status === 'active' && other !== undefined)
        lanes.push({ wallet: other, feeSponsorId: name })
    let unpaid: readonly Lane[] = lanes
    for (let i = 0; i < lastPaymentsMax && unpaid.length > 0; i++)
      unpaid = await this.payEach(unpaid)
    for (const { wallet, feeSponsorId } of unpaid)
      this.found.push({ kind: 'stuck nonce', about: `${wallet.address} ${feeSponsorId ?? ''}` })
  }

  /** @returns those for which it was not confirmed: what an owner has sent by himself may still be in the way */
  private async payEach(lanes: readonly Lane[]): Promise<readonly Lane[]> {
    const paid: { lane: Lane; sought: Sought }[] = []
    for (const lane of lanes) {
      const sought = await this.pay(lane)
      paid.push({ lane, sought })
    }
    await this.settle()
    return paid.filter(({ sought: { known } }) => !this.isConfirmed(known)).map(({ lane }) => lane)
  }

  private isConfirmed(name: string | undefined): boolean {
    return this.world.told.findLast((one) => one.name === name)?.status === 'Confirmed'
  }

  private async pay({ wallet, feeSponsorId }: Lane): Promise<Sought> {
    const { world } = this
    const number = this.sent++
    const wish = { scenario: 'transfer', wallet, number, now: world.time, feeSponsorId } as const
    const made = newSought(world.random, wish)
    const recipient = wallet.governedBy === 'blocks' ? this.openOne(wallet) : made.recipient
    const sought = { ...made, recipient }
    world.soughts.push(sought)
    await this.ask(sought)
    return sought
  }

  private openOne({ open }: SimulatedWallet): string {
    const paid = new Set(this.world.soughts.map(({ recipient }) => recipient))
    const next = open.find((address) => !paid.has(address))
    if (next === undefined) throw new RangeError('there is nobody left whom the wallet may pay')
    return next
  }

  private unanswered(): readonly Sought[] {
    return this.world.soughts.filter(({ isUnanswered }) => isUnanswered)
  }

  private async askAgain(soughts: readonly Sought[]): Promise<void> {
    for (const sought of soughts)
      if (sought.externalId === undefined && sought.signed !== undefined) this.send(sought)
      else await this.ask(sought)
  }

  /**
   * As long as something changes, and longer than a minute: a server whose clock was as much ahead has put off
   * until then what it had in hand.
   */
  private async comesToRest(): Promise<boolean> {
    const patience = 10
    let last = -1
    for (let still = 0; still < patience; still++) {
      for (let i = 0; i < 4; i++) await this.pass()
      const { rest, all } = await this.world.restCount()
      if (rest === all) return true
      if (rest !== last) still = 0
      last = rest
    }
    return false
  }

  private async pass(): Promise<void> {
    const { world } = this
    for (const server of world.servers) if (!server.life.isAlive) this.restart(server)
    world.time += 2_000
    world.mine()
    await this.decideAll()
    for (const server of world.servers) server.turn()
    while (!world.schedule.isIdle) await world.schedule.advance()
  }

  /** What a user can do about a payment that waits behind a gap: fill it, or pay something else. */
  private async repair(): Promise<void> {
    const { world } = this
    const stuck = await world.stuckWallets()
    for (const wallet of world.payers.filter(({ address }) => stuck.has(address))) {
      if (!world.hardships.explainGap(wallet, world.soughts))
        this.found.push({ kind: 'mended for nothing', about: wallet.address })
      for (const sought of this.blocking(wallet)) await this.replace(sought, 'cancellation')
      for (let i = 0; i < paymentsPerRepair; i++)
        await this.pay({ wallet, feeSponsorId: undefined })
      this.faults.count('mended by its user')
    }
  }

  /**
   * What may keep a wallet's nonce to itself: all that has failed, however long ago, since signers may have
   * agreed on it; and the newest of the rest. What its user has tried before, in worse times, says nothing.
   */
  private blocking(wallet: SimulatedWallet): readonly Sought[] {
    const { soughts, told } = this.world
    const own = soughts.filter((one) => one.wallet === wallet && one.feeSponsorId === undefined)
    const statuses = new Map(told.map(({ name, status }) => [name, status]))
    const hasFailed = ({ known, asked }: Sought) =>
      statuses.get(known ?? asked.at(-1) ?? '') === 'Failed'
    const rest = own.filter((one) => !hasFailed(one) && one.cancelled.length < triesMax)
    return [...own.filter(hasFailed), ...rest.slice(-newestMax)]
  }
}
