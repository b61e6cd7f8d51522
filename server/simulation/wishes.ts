import { type Asset, ether, type Wish } from '@quorate/chains/testing/audit'
import { coin } from '@quorate/chains/testing/small-coin'
import type { Signed } from './client.ts'
import type { Hardships } from './hardships.ts'
import type { Random } from './random.ts'

/** What people come with. */
export const scenarios = [
  ...(['transfer', 'retried', 'transaction', 'named nonce', 'sped up', 'cancelled'] as const),
  ...(['aborted', 'short of time', 'short of money', 'token', 'short of tokens'] as const),
] as const
export type Scenario = (typeof scenarios)[number]

const isAskedAgain: ReadonlySet<Scenario> = new Set(['retried', 'sped up', 'cancelled', 'aborted'])
/** Nobody else pays for what is at a place of its own, or takes another one's. */
const isUnsponsored: ReadonlySet<Scenario> = new Set(['named nonce', 'sped up', 'cancelled'])
/** Of those of which something more is asked, so many are in the coin. */
const inCoinChance = 0.25

export type SimulatedWallet = {
  readonly key: Uint8Array
  readonly walletId: string
  readonly address: string
  /** Since when policies say something about what it pays, and what. */
  governedSince: number
  governedBy: 'asks' | 'blocks' | undefined
  /** Whom it may pay although a policy blocks all others: each of them once. */
  open: readonly string[]
}

/** One thing that somebody wants once, and what has become of it so far. */
export type Sought = {
  readonly scenario: Scenario
  readonly wallet: SimulatedWallet
  readonly recipient: string
  /** Whom the same transaction pays as much, before it. */
  readonly beside: string | undefined
  /** Who pays the fees, by the API's name. */
  readonly feeSponsorId: string | undefined
  readonly asset: Asset
  readonly amount: bigint
  readonly externalId: string | undefined
  /** When it was asked for first. */
  readonly since: number
  /** By the API's names: what it was asked as, again for each retry, and what has come in its place. */
  readonly asked: string[]
  readonly spedUp: string[]
  /** Hashes of what was signed for it, in hex, in the order of `asked`; and of what was to speed it up. */
  readonly requests: string[]
  readonly speedUps: string[]
  /** The nonces that it has named. */
  readonly places: number[]
  /** Until when it may be carried out, as it was signed the last time. */
  until: number | undefined
  /** When its user has begun to give it up. */
  abortedAt: number | undefined
  readonly cancelled: string[]
  /** As it was signed the last time. */
  signed: Signed | undefined
  /** By what name the API has answered. */
  known: string | undefined
  /** Nobody has answered the last time that it was asked for. */
  isUnanswered: boolean
  /** When the API has answered the last time that it will not do it. */
  refusedAt: number | undefined
  /** Its sponsor pays nothing, as the API has said. */
  isTurnedAway: boolean
  /** What is still to be asked of it, once there is something to ask of. */
  left: number
}

export const kindOf = ({ scenario }: Sought): 'transfer' | 'transaction' =>
  scenario === 'transaction' || scenario === 'named nonce' ? 'transaction' : 'transfer'

type Came = Pick<Sought, 'scenario' | 'wallet'> & {
  readonly number: number
  readonly now: number
  readonly feeSponsorId?: string | undefined
}

export function mayBeSponsored(scenario: Scenario): boolean {
  return !isUnsponsored.has(scenario)
}

export function newSought(
  random: Random,
  { scenario, wallet, number, now, feeSponsorId }: Came,
): Sought {
  const amount = scenario === 'short of money' ? 10n ** 24n : BigInt(random.between(1, 1_000_000))
  const isInCoin =
    scenario === 'token' ||
    scenario === 'short of tokens' ||
    (isAskedAgain.has(scenario) && random.happens(inCoinChance))
  const stranger = () => `0x${Buffer.from(random.bytes(20)).toString('hex')}`
  const isBesides = feeSponsorId !== undefined && scenario === 'transaction'
  return {
    ...{ scenario, wallet, amount, feeSponsorId, asked: [], spedUp: [], cancelled: [] },
    ...{ since: now, requests: [], speedUps: [], places: [] },
    ...{ until: undefined, abortedAt: undefined, refusedAt: undefined },
    asset: isInCoin ? coin.address : ether,
    recipient: stranger(),
    beside: isBesides && random.happens(0.7) ? stranger() : undefined,
    externalId: scenario === 'retried' || random.happens(0.2) ? `order ${number}` : undefined,
    ...{ signed: undefined, known: undefined, isUnanswered: false, isTurnedAway: false },
    left: isAskedAgain.has(scenario) ? random.between(1, 3) : 0,
  }
}

/** As an auditor needs to know it, for each who is to be paid. */
export function wishesOf(
  sought: Sought,
  {
    isTold,
    hardships,
  }: { readonly isTold: (name: string) => boolean; readonly hardships: Hardships },
): readonly Wish[] {
  const { wallet, recipient, beside, asset, amount, asked, spedUp } = sought
  const { places, isUnanswered, refusedAt } = sought
  const wish = {
    ...{ from: wallet.address, recipient, asset, amount, places, ...hardships.allowed(sought) },
    answers: [...asked, ...spedUp].filter(isTold),
    isUnanswered: isUnanswered && refusedAt === undefined,
    refusedAt,
    hardships: hardships.of(sought),
  }
  return beside === undefined ? [wish] : [wish, { ...wish, recipient: beside }]
}

/** @param nonce of those that name one */
export function bodyOf(sought: Sought, nonce: number): object {
  const { scenario, recipient, beside, asset, amount, externalId, feeSponsorId } = sought
  const named = {
    ...(externalId === undefined ? {} : { externalId }),
    ...(feeSponsorId === undefined ? {} : { feeSponsorId }),
  }
  if (kindOf(sought) === 'transfer') {
    const moved = asset === ether ? { kind: 'Native' } : { kind: 'Erc20', contract: asset }
    return { ...moved, to: recipient, amount: amount.toString(), ...named }
  }
  const value = amount.toString()
  if (feeSponsorId !== undefined) {
    const recipients = beside === undefined ? [recipient] : [beside, recipient]
    const userOperations = recipients.map((to) => ({ to, value }))
    return { kind: 'UserOperations', userOperations, ...named }
  }
  const fixed = scenario === 'named nonce' ? { nonce } : {}
  const transaction = { to: recipient, value, ...fixed }
  return { kind: 'Transaction', transaction, ...named }
}
