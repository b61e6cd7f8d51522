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
export type Handed = AuditedTx & { readonly at: number }
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
  readonly told: readonly Told[]
}
/** What somebody wants once: nobody else pays this recipient, so that a payment says whose it is. */
export type Wish = {
  readonly from: string
  readonly recipient: string
  readonly asset: Asset
  readonly amount: bigint
  /** Since when those who have to approve it have: nothing where they have not, 0 where nobody has to. */
  readonly allowedSince: number | undefined
  /** All answers to it by the API's names: itself, what came of retries, and what sped it up. */
  readonly answers: readonly string[]
}
/** Ether, or the address of a token's contract. */
export type Asset = string
export const ether: Asset = 'ether'

/** What an answer of the API, or an event, has said. */
export type Told = {
  readonly name: string
  readonly status: 'Pending' | 'Executing' | 'Broadcasted' | 'Confirmed' | 'Failed' | 'Rejected'
  readonly hash?: string | undefined
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
  | 'lost'
  | 'stuck nonce'
export type Finding = { readonly kind: FindingKind; readonly about: string }

type Settled = { readonly tx: CarriedOut; readonly height: number }
type Payment = {
  readonly from: string
  readonly to: string
  readonly asset: Asset
  readonly amount: bigint
  readonly nonce: number
}
type Ordered = Payment & { readonly at: number }

export function audit(evidence: Evidence): readonly Finding[] {
  const settled = new Map<string, Settled>()
  for (const [height, { transactions }] of evidence.blocks.entries())
    for (const tx of transactions) settled.set(tx.hash, { tx, height })
  const paid = groupBy([...settled.values()].flatMap(paidBy), ({ to }) => to)
  const asked = groupBy(evidence.handed.flatMap(orderedBy), ({ to }) => to)
  const told = groupBy(evidence.told, ({ name }) => name)
  const found = evidence.wishes.flatMap((wish) => [
    ...moneyOf(wish, paid.get(wish.recipient) ?? [], asked.get(wish.recipient) ?? []),
    ...wordsOf(wish, { settled, told, isPaid: paid.has(wish.recipient) }),
  ])
  const early = evidence.told.flatMap((one) => timeOf(one, settled, evidence.confirmationsFinal))
  return [...found, ...unwished(evidence), ...early, ...stuckIn(evidence, settled)]
}

/** `Transfer(address,address,uint256)` and `transfer(address,uint256)` (ERC-20). */
const transferTopic = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'
const transferSelector = '0xa9059cbb'

/** Whom it has paid: by its receipt, which has nobody for what has failed. */
function paidBy({ tx }: Settled): readonly Payment[] {
  const { from, to, value, nonce, succeeded, logs } = tx
  if (!succeeded) return []
  const units = logs.flatMap(({ address, topics: [topic, payer, payee], data }) =>
    topic === transferTopic && payer !== undefined && payee !== undefined
      ? [{ ...parties(payer, payee), asset: address, amount: BigInt(data), nonce }]
      : [],
  )
  return value > 0n ? [{ from, to, asset: ether, amount: value, nonce }, ...units] : units
}

function parties(payer: string, payee: string) {
  const [from, to] = [payer, payee].map((word) => `0x${word.slice(-40).toLowerCase()}`)
  return { from: from ?? '', to: to ?? '' }
}

/** Whom it is to pay, should it be carried out. */
function askedBy({ from, to, value, data, nonce }: AuditedTx): readonly Payment[] {
  const inEther = value > 0n ? [{ from, to, asset: ether, amount: value, nonce }] : []
  // After the function's name come two words, the first of which is an address.
  if (!data.startsWith(transferSelector) || data.length !== 10 + 2 * 64) return inEther
  const [payee, amount] = [data.slice(10, 74), BigInt(`0x${data.slice(74)}`)]
  return [...inEther, { from, to: `0x${payee.slice(-40)}`, asset: to, amount, nonce }]
}

function orderedBy(tx: Handed): readonly Ordered[] {
  return askedBy(tx).map((payment) => ({ ...payment, at: tx.at }))
}

/** Once at most, as much as was asked for; and at one nonce for ever, since the chain takes one of each. */
function moneyOf(
  { from, recipient, asset, amount, allowedSince }: Wish,
  paid: readonly Payment[],
  asked: readonly Ordered[],
): readonly Finding[] {
  const found: Finding[] = []
  if (paid.length > 1) found.push({ kind: 'paid twice', about: recipient })
  const isRight = (one: Payment) =>
    one.from === from && one.asset === asset && one.amount === amount
  if (![...asked, ...paid].every(isRight))
    found.push({ kind: 'paid something else', about: recipient })
  if (new Set(asked.map(({ nonce }) => nonce)).size > 1)
    found.push({ kind: 'may be paid twice', about: recipient })
  if (asked.some(({ at }) => allowedSince === undefined || at < allowedSince))
    found.push({ kind: 'paid without approval', about: recipient })
  return found
}

/** A server hands out what pays one who is to be paid, or nothing to its own sender, and that is all. */
function unwished({ handed, outside, wishes }: Evidence): readonly Finding[] {
  const recipients = new Set(wishes.map(({ recipient }) => recipient))
  return handed
    .filter((tx) => {
      const asked = askedBy(tx)
      const isFill = asked.length === 0 && tx.to === tx.from && tx.data === '0x'
      const isWished = asked.length === 1 && asked.every(({ to }) => recipients.has(to))
      return !isFill && !isWished && !outside.has(tx.hash)
    })
    .map(({ hash }) => ({ kind: 'paid something else', about: hash }))
}

/** The last word of one of its answers is Confirmed if it was paid, and of none if it was not. */
function wordsOf(
  { recipient, answers }: Wish,
  known: {
    readonly settled: ReadonlyMap<string, Settled>
    readonly told: ReadonlyMap<string, readonly Told[]>
    readonly isPaid: boolean
  },
): readonly Finding[] {
  const { settled, told, isPaid } = known
  const last = answers.map((name) => told.get(name)?.at(-1))
  const found: Finding[] = []
  const isAtRest = ({ status }: Told) => ['Confirmed', 'Failed', 'Rejected'].includes(status)
  for (const [i, one] of last.entries())
    if (one === undefined || !isAtRest(one))
      found.push({ kind: 'lost', about: answers[i] ?? recipient })
  const confirmed = last.filter((one) => one?.status === 'Confirmed')
  const isThere = (one: Told | undefined) => {
    const there = settled.get(one?.hash ?? '')
    return there !== undefined && paidBy(there).some(({ to }) => to === recipient)
  }
  if (!confirmed.every(isThere)) found.push({ kind: 'confirmed, not paid', about: recipient })
  if (isPaid && answers.length > 0 && confirmed.length === 0 && found.length === 0)
    found.push({ kind: 'failed, yet paid', about: recipient })
  for (const name of answers) {
    const words = told.get(name) ?? []
    const isTakenBack = words.some(
      (one, i) => isAtRest(one) && words.slice(i + 1).some(({ status }) => status !== one.status),
    )
    if (isTakenBack) found.push({ kind: 'taken back', about: name })
  }
  return found
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
  const next = new Map<string, number>()
  for (const { tx } of settled.values())
    next.set(tx.from, Math.max(next.get(tx.from) ?? 0, tx.nonce + 1))
  return pooled
    .filter(({ hash, from, nonce }) => nonce >= (next.get(from) ?? 0) && !outside.has(hash))
    .map(({ from, nonce }) => ({ kind: 'stuck nonce', about: `${from} ${nonce}` }))
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
