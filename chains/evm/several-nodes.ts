import { toHex } from '@quorate/core/bytes'
import { Failure, isFailure } from '@quorate/core/failure'
import type { Rpc } from '../adapter.ts'
import {
  type Fields,
  readAccount,
  readBytes,
  readFields,
  readHash,
  readList,
  readPayment,
  readQuantity,
  unreadable,
} from './answer.ts'
import { coversBloom } from './bloom.ts'
import {
  type Answer,
  ask,
  forgive,
  type Form,
  isTrusted,
  lookAt,
  type Member,
  newMember,
  noteSlow,
  putAside,
  type Watch,
} from './member.ts'
import { callDepthMax } from './traces.ts'

export type SeveralNodes = Watch & {
  /** In the order in which they are asked for what one alone may answer. */
  readonly nodes: readonly Rpc[]
  /** How many must say the same before it counts for money. */
  readonly agree: number
  /** How many may say otherwise and are not believed: fewer than half of all nodes. None if nothing is said. */
  readonly outvoted?: number
}

/** A node this far behind the others is out of step; slow ones are behind by seconds. */
const lagMaxS = 60n
/** For how long the newest block counts that all were seen to have: less than most networks take for one. */
const pinMsMax = 1_000
/** Nobody is left alone for being slow where then one would be believed by itself. */
const leastWithoutSlow = 2

/** The newest block that all of these have. */
type Pin = {
  readonly number: bigint
  readonly hash: string
  readonly members: readonly Member[]
  readonly until: number
}
type Asked = { readonly method: string; readonly params: readonly unknown[]; readonly form: Form }

/**
 * Several nodes of one network as if they were one. What says where money is (nonces, balances,
 * receipts, blocks) is asked of all of them at one block, and no answer is better than two; all else
 * is asked of the first of those in step that answers. What is sent, is sent to all.
 *
 * Nodes that do not answer, are of another chain, fall behind the others or behind themselves, are much
 * slower than the others for a while, or answer with what is no answer, are put aside and then tried again.
 *
 * One liar among those that answer stops money until somebody looks. Alone, after the others have
 * failed, it would be believed: `agree` at 2 stops money then as well. Whoever would rather go on lets
 * some be outvoted: what all the others say then counts, and liars in such a number are believed.
 */
export function severalNodes(options: SeveralNodes): Rpc {
  const group = new Group(options)
  return async (method, params) => {
    const rule = rules.get(method)
    return rule === undefined ? group.first(method, params) : rule(group, params)
  }
}

type Rule = (group: Group, params: readonly unknown[]) => Promise<unknown>

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['eth_sendRawTransaction', (group, params) => group.sent(params)],
  ['eth_blockNumber', async (group) => hexOf((await group.pin()).number)],
  ['eth_getBalance', (group, params) => stateAt(group, 'eth_getBalance', params)],
  ['eth_getTransactionCount', transactionCount],
  ['eth_getTransactionReceipt', receipt],
  ['eth_getBlockByNumber', block],
  ['eth_getLogs', logs],
  ['eth_call', call],
  ['eth_getTransactionByBlockHashAndIndex', transactionIn],
  ['debug_traceBlockByHash', trace('debug_traceBlockByHash', traceForm)],
  ['debug_traceTransaction', trace('debug_traceTransaction', (value) => callForm(value, 1))],
  // Whether there are any is asked by this one.
  ['debug_traceCall', trace('debug_traceCall', (value) => callForm(value, 1))],
])

/** The newest state is that of the newest block which all have, by its hash (EIP-1898). */
async function stateAt(
  group: Group,
  method: string,
  [address, at]: readonly unknown[],
): Promise<unknown> {
  const pin = await group.pin()
  const where = at === 'latest' ? { blockHash: pin.hash, requireCanonical: true } : at
  return group.agreed(pin, { method, params: [address, where], form: readQuantity })
}

/**
 * Pools differ, and what waits there may be dropped. The lowest count gives out no slot twice, since
 * whoever asks keeps count of what he has sent himself; a higher one, made up, would leave a gap.
 */
async function transactionCount(group: Group, params: readonly unknown[]): Promise<unknown> {
  const [address, at] = params
  const method = 'eth_getTransactionCount'
  if (at !== 'pending') return stateAt(group, method, params)
  const mined = readQuantity(await stateAt(group, method, [address, 'latest']))
  const asked = { method, params, form: readQuantity }
  const answers = await group.all(await group.pin(), asked)
  const lowest = least(answers.map((answer) => readQuantity(valueOf(answer)))) ?? mined
  return hexOf(lowest > mined ? lowest : mined)
}

/** One that not all can have yet is none yet; one that some have and others hide is a disagreement. */
async function receipt(group: Group, params: readonly unknown[]): Promise<unknown> {
  const pin = await group.pin()
  const asked = { method: 'eth_getTransactionReceipt', params, form: receiptForm }
  const told = await group.told(pin, asked)
  const isLater = ({ answer }: Told) =>
    answer.kind === 'result' && heightOf(answer.value) > pin.number
  return group.same(
    asked,
    told.map((one) => (isLater(one) ? { ...one, answer: noneYet } : one)),
  )
}

const noneYet: Answer = { kind: 'result', value: null, said: 'null' }

async function block(group: Group, [at, whole]: readonly unknown[]): Promise<unknown> {
  const pin = await group.pin()
  const number = at === 'latest' ? pin.number : readQuantity(at)
  if (number > pin.number) return null
  const params = [hexOf(number), whole]
  return group.agreed(pin, { method: 'eth_getBlockByNumber', params, form: blockForm })
}

/**
 * Of a block that all have. An index that lags says that there are none, and is not believed. Where
 * nodes differ, the block's own bloom, of which they do not, says which of them lack some: those are
 * put aside, and the others have to agree. One that has more than others may be right, as not all of
 * a network's own logs are in its blooms: then nobody is believed.
 */
async function logs(group: Group, params: readonly unknown[]): Promise<unknown> {
  const pin = await group.pin()
  const { blockHash: of, topics } = readFields(params[0])
  const form = (value: unknown) =>
    of === undefined ? logsForm(value) : logsOf(readHash(of), value)
  const asked = { method: 'eth_getLogs', params, form }
  const told = await group.told(pin, asked)
  const isSame = told.every(({ answer }) => answer.said === told[0]?.answer.said)
  // The bloom is of all logs, and says nothing of some.
  if (isSame || of === undefined || topics !== undefined) return group.same(asked, told)
  const header = { method: 'eth_getBlockByHash', params: [of, false], form: bloomForm }
  const { logsBloom } = readFields(await group.agreed(pin, header))
  if (typeof logsBloom !== 'string') return group.same(asked, told)
  const isShort = ({ answer }: Told) => lacksLogs(readBytes(logsBloom), answer)
  for (const { member } of told.filter(isShort))
    group.distrust(member, 'it lacks logs of the block')
  return group.same(asked, group.enough(told.filter((one) => !isShort(one))))
}

type Told = { readonly member: Member; readonly answer: Answer }

function answersOf(told: readonly Told[]): readonly Answer[] {
  return told.map(({ answer }) => answer)
}

/** One that refuses has said nothing of them. */
function lacksLogs(bloom: Uint8Array, answer: Answer): boolean {
  if (answer.kind === 'refused') return false
  const found = readList(answer.value).map((one) => {
    const { address, topics } = readFields(one)
    return { address: String(address), topics: readList(topics).map(readHash) }
  })
  return !coversBloom(bloom, found)
}

function logsOf(block: string, value: unknown): unknown {
  const said = logsForm(value)
  const isOfBlock = (one: unknown) => readHash(readFields(one)['blockHash']) === block
  if (!readList(value).every(isOfBlock)) throw unreadable('logs of the block asked about')
  return said
}

function bloomForm(value: unknown): unknown {
  const { logsBloom } = readFields(value)
  return [hashOf(value), typeof logsBloom === 'string' ? toHex(readBytes(logsBloom)) : null]
}

class Group {
  private readonly options: SeveralNodes
  private readonly members: readonly Member[]
  private pinning: Promise<Pin> | undefined
  private pinned: Pin | undefined

  constructor(options: SeveralNodes) {
    this.options = options
    this.members = options.nodes.map((rpc, i) => newMember(rpc, i + 1))
  }

  /** The first of those in step that answers; what it refuses, the others would as well. */
  async first(method: string, params: readonly unknown[]): Promise<unknown> {
    for (const member of await this.inPlay()) {
      const answer = await ask(member, this.options, { method, params, form: anything })
      if (answer !== undefined) return valueOf(answer)
    }
    throw this.unavailable('no node answers')
  }

  /** Where nobody can tell who is in step, what is for show is asked of whoever is there. */
  private async inPlay(): Promise<readonly Member[]> {
    try {
      return (await this.pin()).members
    } catch (error) {
      if (isFailure(error, 'chain.unavailable') || isFailure(error, 'chain.refused'))
        return this.trusted()
      throw error
    }
  }

  /** To all: it is on its way as soon as one has taken it. */
  async sent(params: readonly unknown[]): Promise<unknown> {
    const asked = { method: 'eth_sendRawTransaction', params, form: readHash }
    const answers = await this.askAll(this.trusted(), asked)
    const best = answers.find(({ kind }) => kind === 'result') ?? answers[0]
    if (best === undefined) throw this.unavailable('no node answers')
    return valueOf(best)
  }

  async agreed(pin: Pin, asked: Asked): Promise<unknown> {
    return this.same(asked, await this.told(pin, asked))
  }

  /** @throws Failure `chain.unavailable` when fewer answer than have to agree */
  async all(pin: Pin, asked: Asked): Promise<readonly Answer[]> {
    return answersOf(await this.told(pin, asked))
  }

  /** As `all`, and who has said it. */
  async told({ members }: Pin, asked: Asked): Promise<readonly Told[]> {
    const { now, agree } = this.options
    const begun = now()
    const told = await Promise.all(
      members.map(async (member) => {
        const answer = await ask(member, this.options, asked)
        return answer === undefined ? [] : [{ member, answer, tookMs: now() - begun }]
      }),
    )
    noteSlow(told.flat(), this.options, Math.max(agree, leastWithoutSlow))
    return this.enough(told.flat())
  }

  enough(told: readonly Told[]): readonly Told[] {
    if (!this.isEnough(told)) throw this.unavailable('too few nodes answer')
    return told
  }

  isEnough(told: readonly Told[]): boolean {
    return told.length >= Math.max(this.options.agree, 1)
  }

  distrust(member: Member, reason: string): void {
    putAside(member, this.options, reason)
  }

  /**
   * Those who say otherwise than enough others are put aside.
   * @throws Failure `chain.unavailable` when they do not all say the same, nor enough of them
   */
  same({ method }: Asked, told: readonly Told[]): unknown {
    const [first] = told
    if (first === undefined) throw this.unavailable('no node answers')
    if (told.every((one) => saysSame(one, first))) return valueOf(first.answer)
    const winner = told.find((one) => this.outvotes(told, one))
    if (winner === undefined) throw this.unavailable(`nodes disagree about ${method}`)
    const liars = told.filter((one) => one.answer.kind === 'result' && !saysSame(one, winner))
    for (const { member } of liars) this.distrust(member, 'it says otherwise than the others')
    return valueOf(winner.answer)
  }

  /** Of all nodes, also of those that have said nothing. What many refuse, one may still know. */
  private outvotes(told: readonly Told[], one: Told): boolean {
    const { nodes, outvoted = 0 } = this.options
    if (one.answer.kind === 'refused') return false
    return told.filter((other) => saysSame(one, other)).length >= nodes.length - outvoted
  }

  async pin(): Promise<Pin> {
    const { pinned } = this
    const isFresh =
      pinned !== undefined &&
      this.options.now() < pinned.until &&
      pinned.members.every((member) => isTrusted(member, this.options))
    if (isFresh) return pinned
    this.pinning ??= this.repin().finally(() => (this.pinning = undefined))
    return this.pinning
  }

  private async repin(): Promise<Pin> {
    const { members, reference } = await this.inStep()
    const number = least(members.map(({ head }) => head))
    if (number === undefined) throw this.unavailable('no node is in step')
    const draft = { number, hash: '', members, until: 0 }
    const params = [hexOf(number), false]
    const asked = { method: 'eth_getBlockByNumber', params, form: headForm }
    const block = await this.agreed(draft, asked)
    if (timeOf(block) + lagMaxS < reference) return this.repinWithout(draft)
    for (const member of members) if (isTrusted(member, this.options)) forgive(member)
    // From now on, however long that took: else slow nodes would be asked all this for each question.
    this.pinned = { ...draft, hash: hashOf(block), until: this.options.now() + pinMsMax }
    return this.pinned
  }

  /** An old block for the newest one, at a time that is not its own, would hide all that came after. */
  private repinWithout({ number, members }: Pin): Promise<Pin> {
    for (const member of members)
      if (member.head === number) this.distrust(member, 'its newest block is an old one')
    return this.repin()
  }

  /** Those that are neither behind the others nor behind what they have said before. */
  private async inStep(): Promise<{
    readonly members: readonly Member[]
    readonly reference: bigint
  }> {
    const looked = await Promise.all(
      this.trusted().map(async (member) => {
        const time = await lookAt(member, this.options)
        return time === undefined ? [] : [{ member, time }]
      }),
    )
    const known = looked.flat()
    // The middle one, so that one among three that is ahead of time cannot make the others look late.
    const times = known.map(({ time }) => time).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
    const reference = times[times.length >> 1] ?? 0n
    const members = known.flatMap(({ member, time }) => {
      if (time + lagMaxS >= reference) return [member]
      putAside(member, this.options, 'it is behind the others')
      return []
    })
    return { members, reference }
  }

  private async askAll(members: readonly Member[], asked: Asked): Promise<readonly Answer[]> {
    const answers = await Promise.all(members.map((member) => ask(member, this.options, asked)))
    return answers.filter((answer) => answer !== undefined)
  }

  private trusted(): readonly Member[] {
    return this.members.filter((member) => isTrusted(member, this.options))
  }

  private unavailable(reason: string): Failure<'chain.unavailable'> {
    const { id: network } = this.options.network
    return new Failure('chain.unavailable', { network }, { cause: new Error(reason) })
  }
}

function saysSame({ answer: a }: Told, { answer: b }: Told): boolean {
  return a.kind === b.kind && a.said === b.said
}

function valueOf(answer: Answer): unknown {
  if (answer.kind === 'refused') throw answer.error
  return answer.value
}

const anything: Form = () => ''

function receiptForm(value: unknown): unknown {
  const fields = readFields(value)
  const { logs, l1Fee } = fields
  const amounts = ['blockNumber', 'status', 'gasUsed', 'effectiveGasPrice']
  return [
    readHash(fields['transactionHash']),
    readHash(fields['blockHash']),
    ...amounts.map((name) => readQuantity(fields[name])),
    ...(l1Fee === undefined || l1Fee === null ? [] : [readQuantity(l1Fee)]),
    ...(logs === undefined ? [] : [logsForm(logs)]),
  ]
}

function blockForm(value: unknown): unknown {
  const fields = readFields(value)
  const { number, timestamp, parentHash, gasLimit } = fields
  const transactions = readList(fields['transactions']).map((one) =>
    typeof one === 'string' ? readHash(one) : transactionForm(readFields(one)),
  )
  const gas = gasLimit === undefined || gasLimit === null ? null : readQuantity(gasLimit)
  const header = [readQuantity(number), readQuantity(timestamp), readHash(parentHash), gas]
  // A bloom that is made up would hide logs, or let nobody's logs ever be all there are.
  return [bloomForm(value), header, transactions]
}

function transactionForm(transaction: Fields): unknown {
  const { hash, transactionIndex, from } = transaction
  const { value, to = null } = readPayment(transaction)
  return [readHash(hash), [readQuantity(transactionIndex), value], readAccount(from), to]
}

/** What somebody holds at a named block says where money is; whatever else is asked is for show. */
async function call(group: Group, params: readonly unknown[]): Promise<unknown> {
  const [, at] = params
  const method = 'eth_call'
  if (typeof at !== 'object' || at === null) return group.first(method, params)
  return group.agreed(await group.pin(), {
    method,
    params,
    form: (value) => toHex(readBytes(value)),
  })
}

/** Of a block that all have, too long for one answer. */
async function transactionIn(group: Group, params: readonly unknown[]): Promise<unknown> {
  const form = (value: unknown) => transactionForm(readFields(value))
  const method = 'eth_getTransactionByBlockHashAndIndex'
  return group.agreed(await group.pin(), { method, params, form })
}

/**
 * Not every node keeps traces: those that do have to agree, and to be as many as have to agree on anything. Fewer are as
 * good as none, or one of them could make up payments.
 */
function trace(method: string, form: Form): Rule {
  return async (group, params) => {
    const asked = { method, params, form }
    const told = await group.told(await group.pin(), asked)
    const given = told.filter(({ answer }) => answer.kind === 'result')
    const refused = told.filter(({ answer }) => answer.kind === 'refused')
    return group.same(asked, group.isEnough(given) ? given : refused.slice(0, 1))
  }
}

function traceForm(value: unknown): unknown {
  return readList(value).map((one) => {
    const { result } = readFields(one)
    // One that has taken too long among others: no reason to leave the node alone.
    return result === undefined ? null : callForm(result, 1)
  })
}

/** Of each call what says where money went; the rest differs from node to node. */
function callForm(value: unknown, depth: number): unknown {
  if (depth > callDepthMax) throw unreadable('calls that can be')
  const { type, from, to, value: amount, error, calls } = readFields(value)
  const text = (one: unknown) => (typeof one === 'string' ? one : null)
  const accounts = [from, to].map((one) => text(one)?.toLowerCase())
  const failed = error !== undefined && error !== null
  const inner = readList(calls ?? []).map((one) => callForm(one, depth + 1))
  return [text(type), accounts, readQuantity(amount ?? '0x0'), failed, inner]
}

function logsForm(value: unknown): unknown {
  return readList(value).map((one) => {
    const { blockHash, transactionHash, transactionIndex, logIndex, address, topics, data } =
      readFields(one)
    return [
      ...[readHash(blockHash), readHash(transactionHash)],
      ...[readQuantity(transactionIndex), readQuantity(logIndex)],
      // Whose log it is says which token has moved.
      ...[readAccount(address), readList(topics).map(readHash), toHex(readBytes(data))],
    ]
  })
}

function headForm(block: unknown): unknown {
  return [hashOf(block), timeOf(block)]
}

function timeOf(block: unknown): bigint {
  return readQuantity(readFields(block)['timestamp'])
}

function hashOf(block: unknown): string {
  return readHash(readFields(block)['hash'])
}

/** Of a receipt; none is nowhere. */
function heightOf(value: unknown): bigint {
  return value === null ? -1n : readQuantity(readFields(value)['blockNumber'])
}

function least(values: readonly bigint[]): bigint | undefined {
  const [first, ...others] = values
  return first === undefined
    ? undefined
    : others.reduce((lowest, value) => (value < lowest ? value : lowest), first)
}

function hexOf(value: bigint): string {
  return `0x${value.toString(16)}`
}
