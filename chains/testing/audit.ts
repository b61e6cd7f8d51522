/**
 * Was everybody paid once? Judged from the chain's side alone: by its blocks, by what nodes were ever
 * handed, by what people asked for and by what they were told. It knows nothing of how a server works,
 * and imports nothing of it.
 */
export type AuditedTx = {
  readonly hash: string
  readonly from: string
  readonly to: string
  readonly value: bigint
  readonly nonce: number
}
export type Evidence = {
  /** Of the chain as it has come to be, from its first block on. */
  readonly blocks: readonly { readonly transactions: readonly AuditedTx[] }[]
  /** Whatever any node was ever handed. */
  readonly handed: readonly AuditedTx[]
  /** What still lies in some pool. */
  readonly pooled: readonly AuditedTx[]
  /** Blocks, its own counted, after which nothing is taken back. */
  readonly confirmationsFinal: number
  readonly wishes: readonly Wish[]
  readonly told: readonly Told[]
}
/** What somebody wants once: nobody else pays this recipient, so that a payment says whose it is. */
export type Wish = {
  readonly from: string
  readonly recipient: string
  readonly amount: bigint
  /** All answers to it by the API's names: itself, what came of retries, and what sped it up. */
  readonly answers: readonly string[]
}
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
  | 'confirmed, not paid'
  | 'confirmed too early'
  | 'taken back'
  | 'failed, yet paid'
  | 'lost'
  | 'stuck nonce'
export type Finding = { readonly kind: FindingKind; readonly about: string }

type Settled = { readonly tx: AuditedTx; readonly height: number }

export function audit(evidence: Evidence): readonly Finding[] {
  const settled = new Map<string, Settled>()
  for (const [height, { transactions }] of evidence.blocks.entries())
    for (const tx of transactions) settled.set(tx.hash, { tx, height })
  const paid = groupBy([...settled.values()], ({ tx }) => tx.to)
  const handed = groupBy(evidence.handed, ({ to }) => to)
  const told = groupBy(evidence.told, ({ name }) => name)
  const found = evidence.wishes.flatMap((wish) => [
    ...moneyOf(wish, paid.get(wish.recipient) ?? [], handed.get(wish.recipient) ?? []),
    ...wordsOf(wish, { settled, told, isPaid: paid.has(wish.recipient) }),
  ])
  const early = evidence.told.flatMap((one) => timeOf(one, settled, evidence.confirmationsFinal))
  return [...found, ...early, ...stuckIn(evidence, settled)]
}

/** Once at most, as much as was asked for; and at one nonce for ever, since the chain takes one of each. */
function moneyOf(
  { from, recipient, amount }: Wish,
  paid: readonly Settled[],
  handed: readonly AuditedTx[],
): readonly Finding[] {
  const found: Finding[] = []
  if (paid.length > 1) found.push({ kind: 'paid twice', about: recipient })
  const isRight = (tx: AuditedTx) => tx.from === from && tx.value === amount
  if (!handed.every(isRight) || !paid.every(({ tx }) => isRight(tx)))
    found.push({ kind: 'paid something else', about: recipient })
  if (new Set(handed.map(({ nonce }) => nonce)).size > 1)
    found.push({ kind: 'may be paid twice', about: recipient })
  return found
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
  const isThere = (one: Told | undefined) =>
    one?.hash !== undefined && settled.get(one.hash)?.tx.to === recipient
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

/** At the time of the word, the block had to be as deep as nothing is taken back from. */
function timeOf(
  { name, status, hash = '', height }: Told,
  settled: ReadonlyMap<string, Settled>,
  confirmationsFinal: number,
): readonly Finding[] {
  if (status !== 'Confirmed') return []
  const at = settled.get(hash)?.height
  if (at === undefined) return [{ kind: 'confirmed, not paid', about: name }]
  return height - at + 1 < confirmationsFinal ? [{ kind: 'confirmed too early', about: name }] : []
}

/** What lies in a pool when all is over waits for a nonce that nobody will use. */
function stuckIn({ pooled }: Evidence, settled: ReadonlyMap<string, Settled>): readonly Finding[] {
  const next = new Map<string, number>()
  for (const { tx } of settled.values())
    next.set(tx.from, Math.max(next.get(tx.from) ?? 0, tx.nonce + 1))
  return pooled
    .filter(({ from, nonce }) => nonce >= (next.get(from) ?? 0))
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
