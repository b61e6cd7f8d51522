import { type Asset, ether, type Wish } from '@quorate/chains/testing/audit'
import { coin } from '@quorate/chains/testing/small-coin'
import type { Signed } from './client.ts'
import type { Random } from './random.ts'

/** What people come with. */
export const scenarios = [
  ...(['transfer', 'retried', 'transaction', 'named nonce', 'sped up', 'cancelled'] as const),
  ...(['aborted', 'short of time', 'short of money', 'token', 'short of tokens'] as const),
] as const
export type Scenario = (typeof scenarios)[number]

const isAskedAgain: ReadonlySet<Scenario> = new Set(['retried', 'sped up', 'cancelled', 'aborted'])
/** Of those of which something more is asked, so many are in the coin. */
const inCoinChance = 0.25

export type SimulatedWallet = {
  readonly key: Uint8Array
  readonly walletId: string
  readonly address: string
  /** Since when policies say something about what it pays. */
  governedSince: number
}

/** One thing that somebody wants once, and what has become of it so far. */
export type Sought = {
  readonly scenario: Scenario
  readonly wallet: SimulatedWallet
  readonly recipient: string
  readonly asset: Asset
  readonly amount: bigint
  readonly externalId: string | undefined
  /** When it was asked for first. */
  readonly since: number
  /** When whoever approves it had signed that he does. */
  approvedAt: number | undefined
  /** By the API's names: what it was asked as, again for each retry, and what has come in its place. */
  readonly asked: string[]
  readonly spedUp: string[]
  readonly cancelled: string[]
  /** As it was signed the last time. */
  signed: Signed | undefined
  /** By what name the API has answered. */
  known: string | undefined
  /** Nobody has answered the last time that it was asked for. */
  isUnanswered: boolean
  /** What is still to be asked of it, once there is something to ask of. */
  left: number
}

export const kindOf = ({ scenario }: Sought): 'transfer' | 'transaction' =>
  scenario === 'transaction' || scenario === 'named nonce' ? 'transaction' : 'transfer'

export function newSought(
  random: Random,
  {
    scenario,
    wallet,
    number,
    now,
  }: { scenario: Scenario; wallet: SimulatedWallet; number: number; now: number },
): Sought {
  const amount = scenario === 'short of money' ? 10n ** 24n : BigInt(random.between(1, 1_000_000))
  const isInCoin =
    scenario === 'token' ||
    scenario === 'short of tokens' ||
    (isAskedAgain.has(scenario) && random.happens(inCoinChance))
  return {
    ...{ scenario, wallet, amount, asked: [], spedUp: [], cancelled: [] },
    ...{ since: now, approvedAt: undefined },
    asset: isInCoin ? coin.address : ether,
    recipient: `0x${Buffer.from(random.bytes(20)).toString('hex')}`,
    externalId: scenario === 'retried' || random.happens(0.2) ? `order ${number}` : undefined,
    ...{ signed: undefined, known: undefined, isUnanswered: false },
    left: isAskedAgain.has(scenario) ? random.between(1, 3) : 0,
  }
}

/** As an auditor needs to know it. @param there the API's names of what there is */
export function wishOf(sought: Sought, there: ReadonlySet<string>): Wish {
  const { wallet, recipient, asset, amount, asked, spedUp, since, approvedAt } = sought
  const answers = [...asked, ...spedUp].filter((name) => there.has(name))
  const allowedSince = since < wallet.governedSince ? 0 : approvedAt
  return { from: wallet.address, recipient, asset, amount, allowedSince, answers }
}

/** @param nonce of those that name one */
export function bodyOf(sought: Sought, nonce: number): object {
  const { scenario, recipient, asset, amount, externalId } = sought
  const named = externalId === undefined ? {} : { externalId }
  if (kindOf(sought) === 'transfer') {
    const moved = asset === ether ? { kind: 'Native' } : { kind: 'Erc20', contract: asset }
    return { ...moved, to: recipient, amount: amount.toString(), ...named }
  }
  const fixed = scenario === 'named nonce' ? { nonce } : {}
  const transaction = { to: recipient, value: amount.toString(), ...fixed }
  return { kind: 'Transaction', transaction, ...named }
}
