/**
 * Was everybody paid once? Judged from the chain's side alone: by its blocks, by what nodes were ever
 * handed, by what people asked for and by what they were told. It knows nothing of how a server works,
 * and imports nothing of it.
 */
export type AuditedTx = {
  readonly hash: string
  /** In lower case, as all addresses here. */
  readonly from: string
  readonly to: string
  readonly value: bigint
  readonly data: string
  readonly nonce: number
  /** Of type 4 (EIP-7702): which accounts have signed to run whose code, here or everywhere, and at which nonce. */
  readonly authorizations?: readonly {
    readonly authority: string
    readonly address: string
    readonly nonce: number
  }[]
}
/** With what its receipt says. */
export type CarriedOut = AuditedTx & {
  readonly succeeded: boolean
  readonly logs: readonly Log[]
}
export type Log = {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
}
export type Handed = AuditedTx & {
  readonly at: number
  /** What its sender has signed, in hex: two at one nonce may be about one payment, and each allowed in its own time. */
  readonly digest?: string
}
export type Evidence = {
  /** Of the chain as it has come to be, from its first block on. */
  readonly blocks: readonly { readonly transactions: readonly CarriedOut[] }[]
  /** Whatever any node was ever handed, and when that was first. */
  readonly handed: readonly Handed[]
  /** What still lies in some pool. */
  readonly pooled: readonly AuditedTx[]
  /** Hashes of what owners have sent by themselves: that is their own affair. */
  readonly outside: ReadonlySet<string>
  /** Blocks, its own counted, after which nothing is taken back. */
  readonly confirmationsFinal: number
  readonly wishes: readonly Wish[]
  /** Whatever the API has answered, to whomever, and what events have said, in this order. */
  readonly told: readonly Told[]
  /** By the API's names: what it still shows when all is over. */
  readonly shown: ReadonlySet<string>
  /** What has not come to its end by then, be it something that the API has no name for. */
  readonly open: readonly string[]
  /** Accounts whose owners have asked to have a nonce filled with nothing. */
  readonly filled: ReadonlySet<string>
}
/** What somebody wants once: nobody else pays this recipient, so that a payment says whose it is. */
export type Wish = {
  readonly from: string
  readonly recipient: string
  readonly asset: Asset
  readonly amount: bigint
  /** Since when those who have to approve it have: nothing where they have not, 0 where nobody has to. */
  readonly allowedSince: number | undefined
  /** The same of each by itself that it was asked for by: by the digest that was to be signed for it. */
  readonly allowedBy?: ReadonlyMap<string, number>
  /** By the API's names: itself, what came of retries, and what sped it up, if anybody was told of it. */
  readonly answers: readonly string[]
  /** Whoever wants it has asked again and again, and nobody has ever answered. */
  readonly isUnanswered: boolean
  /** When it was answered the last time that nothing will come of it. */
  readonly refusedAt: number | undefined
  /** The nonces that it was to have and no others: nothing where it was to have any. */
  readonly places: readonly number[]
  /** What was done to it, each from its moment on, of which it may end unpaid. */
  readonly hardships: readonly Hardship[]
}
export type Hardship = { readonly what: string; readonly since: number }
/** Ether, or the address of a token's contract. */
export type Asset = string
export const ether: Asset = 'ether'

/** What an answer of the API, or an event, has said. */
export type Told = {
  readonly name: string
  readonly status: 'Pending' | 'Executing' | 'Broadcasted' | 'Confirmed' | 'Failed' | 'Rejected'
  readonly hash?: string | undefined
  /** In the API's words, for whoever looks into it. */
  readonly reason?: string | undefined
  readonly at: number
  /** The highest that the chain had ever been at that moment. */
  readonly height: number
}
export type FindingKind =
  | 'paid twice'
  | 'may be paid twice'
  | 'paid something else'
  | 'paid without approval'
  | 'confirmed, not paid'
  | 'confirmed too early'
  | 'taken back'
  | 'failed, yet paid'
  | 'failed for nothing'
  | 'lost'
  | 'unanswered'
  | 'stuck nonce'
export type Finding = { readonly kind: FindingKind; readonly about: string }

type Settled = { readonly tx: CarriedOut; readonly height: number }
/** What a transaction does, or an account in it that somebody else pays the fees of. */
type Call = {
  readonly from: string
  readonly to: string
  readonly value: bigint
  readonly data: string
  /** Of all that say the same here the chain carries out one at most. */
  readonly once: string
}
type Payment = {
  readonly from: string
  readonly to: string
  readonly asset: Asset
  readonly amount: bigint
}
type Ordered = Payment &
  Pick<Handed, 'at' | 'digest'> & {
    readonly once: string
  }

export function audit(evidence: Evidence): readonly Finding[] {
  const settled = new Map<string, Settled>()
  for (const [height, { transactions }] of evidence.blocks.entries())
    for (const tx of transactions) settled.set(tx.hash, { tx, height })
  const paid = groupBy([...settled.values()].flatMap(paidBy), ({ to }) => to)
  const asked = groupBy(evidence.handed.flatMap(orderedBy), ({ to }) => to)
  const told = groupBy(evidence.told, ({ name }) => name)
  const mayLose = losers(evidence, settled)
  const found = evidence.wishes.flatMap((wish) => {
    const orders = asked.get(wish.recipient) ?? []
    const isPaid = paid.has(wish.recipient)
    const last = wish.answers.map((name) => told.get(name)?.at(-1))
    return [
      ...moneyOf(wish, paid.get(wish.recipient) ?? [], orders),
      ...wordsOf(wish, last, { settled, isPaid }),
      ...(isPaid || mayLose(wish, orders) ? [] : reasonOf(wish, last)),
    ]
  })
  const early = evidence.told.flatMap((one) => timeOf(one, settled, evidence.confirmationsFinal))
  return [
    ...found,
    ...unwished(evidence),
    ...[...told.values()].flatMap(takenBack),
    ...lost(evidence, told),
    ...early,
    ...stuckIn(evidence, settled),
  ]
}

/** `Transfer(address,address,uint256)` and `transfer(address,uint256)` (ERC-20). */
const transferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'
const transferSelector = '0xa9059cbb'

/**
 * The contract that accounts run whose fees somebody else pays, as it stands on every chain; its
 * `relay(address,bytes,bytes32,uint256,bytes32,bytes32)`, which does for an account what that has signed,
 * and its `Executed(bytes32)`, by which the account says that it has.
 */
const contract = '0x546c1d5988c49c84deb825543e466ffaf7a70f83'
const relaySelector = '0x84c169d9'
const executedTopic = '0xa74c8847d513feba22a0f0cb38d53081abf97562cdb293926ba243689e7c41ca'

type Relay = {
  readonly account: string
  /** The contract's own, of which an account uses each once, in any order. */
  readonly nonce: string
  readonly calls: readonly Call[]
}

/** @returns nothing for what the contract does not take for one */
function relayIn({ to, value, data }: AuditedTx): Relay | undefined {
  if (to !== contract || value > 0n || !data.startsWith(relaySelector)) return undefined
  const words = data.slice(relaySelector.length)
  const wordAt = (byte: number) => words.slice(2 * byte, 2 * byte + 64)
  const numberAt = (byte: number) => Number(`0x${wordAt(byte)}`)
  const account = `0x${wordAt(0).slice(-40)}`
  const nonce = `0x${wordAt(64)}`
  const start = numberAt(32)
  const size = numberAt(start)
  const operations = words.slice(2 * (start + 32), 2 * (start + 32 + size))
  if (operations.length !== 2 * size) return undefined
  const calls = callsIn(operations, { from: account, once: `${account} ${nonce}` })
  return calls && { account, nonce, calls }
}

/** One after the other: whom, of 20 bytes, how much, how much data, of 32 bytes each, and the data. */
function callsIn(
  operations: string,
  by: { readonly from: string; readonly once: string },
): readonly Call[] | undefined {
  const calls: Call[] = []
  for (let left = operations; left !== '';) {
    const [to, value, size] = [left.slice(0, 40), left.slice(40, 104), left.slice(104, 168)]
    const end = 168 + 2 * Number(`0x${size}`)
    if (!(end <= left.length)) return undefined
    const data = `0x${left.slice(168, end)}`
    calls.push({ ...by, to: `0x${to}`, value: BigInt(`0x${value}`), data })
    left = left.slice(end)
  }
  return calls
}

function callsOf(tx: AuditedTx): readonly Call[] {
  const { from, to, value, data, nonce } = tx
  return relayIn(tx)?.calls ?? [{ from, to, value, data, once: `${from} ${nonce}` }]
}

/** Whom it has paid: by its receipt, which has nobody for what has failed. */
function paidBy({ tx }: Settled): readonly Payment[] {
  if (!tx.succeeded) return []
  const units = tx.logs.flatMap(({ address, topics: [topic, payer, payee], data }) =>
    topic === transferTopic && payer !== undefined && payee !== undefined
      ? [{ ...parties(payer, payee), asset: address, amount: BigInt(data) }]
      : [],
  )
  return hasDone(tx) ? [...callsOf(tx).flatMap(etherOf), ...units] : units
}

/** Of what an account was to do, the account itself says so. */
function hasDone(tx: CarriedOut): boolean {
  const relay = relayIn(tx)
  if (relay === undefined) return true
  return tx.logs.some(
    ({ address, topics: [topic, nonce] }) =>
      address === relay.account && topic === executedTopic && nonce === relay.nonce,
  )
}

function parties(payer: string, payee: string) {
  const [from, to] = [payer, payee].map((word) => `0x${word.slice(-40).toLowerCase()}`)
  return { from: from ?? '', to: to ?? '' }
}

function etherOf({ from, to, value }: Call): readonly Payment[] {
  return value > 0n ? [{ from, to, asset: ether, amount: value }] : []
}

/** Whom it is to pay, should it be carried out. */
function askedBy(call: Call): readonly Payment[] {
  const { from, to, data } = call
  const inEther = etherOf(call)
  // After the function's name come two words, the first of which is an address.
  if (!data.startsWith(transferSelector) || data.length !== 10 + 2 * 64) return inEther
  const [payee, amount] = [data.slice(10, 74), BigInt(`0x${data.slice(74)}`)]
  return [...inEther, { from, to: `0x${payee.slice(-40)}`, asset: to, amount }]
}

function orderedBy(tx: Handed): readonly Ordered[] {
  const { at, digest = '' } = tx
  return callsOf(tx).flatMap((call) =>
    askedBy(call).map((payment) => ({ ...payment, once: call.once, at, digest })),
  )
}

/** Once at most, as much as was asked for; and for ever by what the chain carries out once. */
function moneyOf(
  { from, recipient, asset, amount, allowedSince, allowedBy }: Wish,
  paid: readonly Payment[],
  asked: readonly Ordered[],
): readonly Finding[] {
  const found: Finding[] = []
  if (paid.length > 1) found.push({ kind: 'paid twice', about: recipient })
  const isRight = (one: Payment) =>
    one.from === from && one.asset === asset && one.amount === amount
  if (![...asked, ...paid].every(isRight))
    found.push({ kind: 'paid something else', about: recipient })
  if (new Set(asked.map(({ once }) => once)).size > 1)
    found.push({ kind: 'may be paid twice', about: recipient })
  const isAllowed = ({ at, digest = '' }: Ordered) =>
    allowedSince !== undefined && at >= (allowedBy?.get(digest) ?? allowedSince)
  if (!asked.every(isAllowed)) found.push({ kind: 'paid without approval', about: recipient })
  return found
}

/**
 * A server hands out what pays those who are to be paid, or nothing to its own sender, and that is all;
 * and what makes an account run code only for what that account is to do, and only the contract's.
 */
function unwished({ handed, outside, wishes }: Evidence): readonly Finding[] {
  const recipients = new Set(wishes.map(({ recipient }) => recipient))
  const isWish = (call: Call) => {
    const asked = askedBy(call)
    return asked.length === 1 && asked.every(({ to }) => recipients.has(to))
  }
  return handed
    .filter((tx) => {
      const calls = callsOf(tx)
      const isWished = calls.length > 0 && calls.every(isWish)
      const isRight = (isFill(tx) || isWished) && authorizesRightly(tx)
      return !isRight && !outside.has(tx.hash)
    })
    .map(({ hash }) => ({ kind: 'paid something else', about: hash }))
}

function isFill({ from, to, value, data }: AuditedTx): boolean {
  return to === from && value === 0n && data === '0x'
}

function authorizesRightly(tx: AuditedTx): boolean {
  const account = relayIn(tx)?.account
  return (tx.authorizations ?? []).every(
    ({ authority, address }) => authority === account && address === contract,
  )
}

/** The last word of one of its answers is Confirmed if it was paid, and of none if it was not. */
function wordsOf(
  { recipient, answers, isUnanswered }: Wish,
  last: readonly (Told | undefined)[],
  known: { readonly settled: ReadonlyMap<string, Settled>; readonly isPaid: boolean },
): readonly Finding[] {
  const { settled, isPaid } = known
  const found: Finding[] = []
  if (isUnanswered) found.push({ kind: 'unanswered', about: answers.at(-1) ?? recipient })
  const confirmed = last.filter((one) => one?.status === 'Confirmed')
  const isThere = (one: Told | undefined) => {
    const there = settled.get(one?.hash ?? '')
    return there !== undefined && paidBy(there).some(({ to }) => to === recipient)
  }
  // Of those that are paid once, one has been confirmed by the payment of another.
  if (!confirmed.every(isThere) || confirmed.length > 1)
    found.push({ kind: 'confirmed, not paid', about: recipient })
  // Who has been told nothing at all has been paid behind his back.
  if (isPaid && confirmed.length === 0 && last.every((one) => one && isAtRest(one)))
    found.push({ kind: 'failed, yet paid', about: recipient })
  return found
}

const isAtRest = ({ status }: Told) => ['Confirmed', 'Failed', 'Rejected'].includes(status)

/** Of what was not paid, and is said to have failed: something was done to it before, or nothing kept it. */
function reasonOf(
  { recipient, answers, refusedAt, hardships }: Wish,
  last: readonly (Told | undefined)[],
): readonly Finding[] {
  const failed = last.filter((one) => one?.status === 'Failed' || one?.status === 'Rejected')
  const isRefused = answers.length === 0 && refusedAt !== undefined
  if (failed.length < answers.length || (failed.length === 0 && !isRefused)) return []
  const at = Math.max(...failed.map((one) => one?.at ?? 0), refusedAt ?? 0)
  if (hardships.some(({ since }) => since <= at)) return []
  const words = failed.map((one) => `${one?.name} (${one?.reason})`).join(', ')
  return [{ kind: 'failed for nothing', about: `${words} to ${recipient}` }]
}

/**
 * Who may go unpaid by the chain's word: another transaction has the nonce that it was to have, which its owner has
 * sent by himself, or has filled with nothing, or has named for another one, or had named for this one.
 */
function losers(
  { handed, outside, filled, wishes }: Evidence,
  settled: ReadonlyMap<string, Settled>,
): (wish: Wish, orders: readonly Ordered[]) => boolean {
  const { winners } = noncesIn(settled)
  const named = new Set(
    wishes.flatMap(({ recipient, places }) => (places.length === 0 ? [] : [recipient])),
  )
  const lostPlaces = groupBy(
    handed.flatMap((tx) =>
      callsOf(tx)
        .flatMap(askedBy)
        .map(({ to }) => ({ to, place: `${tx.from} ${tx.nonce}` })),
    ),
    ({ to }) => to,
  )
  const isByOwner = (tx: CarriedOut) =>
    outside.has(tx.hash) ||
    (isFill(tx) && filled.has(tx.from)) ||
    paidBy({ tx, height: 0 }).some(({ to }) => named.has(to))
  return ({ from, recipient, places }, orders) => {
    if (places.some((place) => winners.has(`${from} ${place}`))) return true
    if (orders.length === 0) return false
    return (lostPlaces.get(recipient) ?? []).some((one) => {
      const winner = winners.get(one.place)
      return winner !== undefined && isByOwner(winner)
    })
  }
}

function takenBack(words: readonly Told[]): readonly Finding[] {
  const isTakenBack = words.some(
    (one, i) => isAtRest(one) && words.slice(i + 1).some(({ status }) => status !== one.status),
  )
  return isTakenBack ? [{ kind: 'taken back', about: words[0]?.name ?? '' }] : []
}

/** What anybody was told of is still shown when all is over, and has come to its end; and so has what nobody was told of. */
function lost(
  { shown, open, wishes }: Evidence,
  told: ReadonlyMap<string, readonly Told[]>,
): readonly Finding[] {
  const names = [...told.keys(), ...wishes.flatMap(({ answers }) => answers)]
  const unended = names.filter((name) => {
    const last = told.get(name)?.at(-1)
    return !shown.has(name) || last === undefined || !isAtRest(last)
  })
  return [...new Set([...open, ...unended])].map((about) => ({ kind: 'lost', about }))
}

/** It was carried out, in a block that was as deep, at the time of the word, as nothing is taken back from. */
function timeOf(
  { name, status, hash = '', height }: Told,
  settled: ReadonlyMap<string, Settled>,
  confirmationsFinal: number,
): readonly Finding[] {
  if (status !== 'Confirmed') return []
  const there = settled.get(hash)
  if (there?.tx.succeeded !== true) return [{ kind: 'confirmed, not paid', about: name }]
  const isEarly = height - there.height + 1 < confirmationsFinal
  return isEarly ? [{ kind: 'confirmed too early', about: name }] : []
}

/** What lies in a pool when all is over waits for a nonce that nobody will use. */
function stuckIn(
  { pooled, outside }: Evidence,
  settled: ReadonlyMap<string, Settled>,
): readonly Finding[] {
  const { next } = noncesIn(settled)
  return pooled
    .filter(({ hash, from, nonce }) => nonce >= (next.get(from) ?? 0) && !outside.has(hash))
    .map(({ from, nonce }) => ({ kind: 'stuck nonce', about: `${from} ${nonce}` }))
}

/** What has used each nonce; and the next one of each account that has used some. */
function noncesIn(settled: ReadonlyMap<string, Settled>) {
  const next = new Map<string, number>()
  const winners = new Map<string, CarriedOut>()
  for (const { tx } of settled.values()) {
    next.set(tx.from, Math.max(next.get(tx.from) ?? 0, tx.nonce + 1))
    winners.set(`${tx.from} ${tx.nonce}`, tx)
    // One that is signed for any other nonce than the account's next has no effect (EIP-7702).
    for (const { authority, nonce } of tx.authorizations ?? [])
      if (nonce === (next.get(authority) ?? 0)) {
        next.set(authority, nonce + 1)
        winners.set(`${authority} ${nonce}`, tx)
      }
  }
  return { next, winners }
}

function groupBy<T>(items: readonly T[], nameOf: (item: T) => string): Map<string, readonly T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(nameOf(item)) ?? []
    group.push(item)
    groups.set(nameOf(item), group)
  }
  return groups
}
