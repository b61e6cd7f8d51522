import { encode } from '@quorate/core/codec'
import type { Group } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import type { Polynomial } from '../group/polynomial.ts'
import type { Scalar } from '../kernel/numbers.ts'
import type { Outcome, Party, Random } from '../session.ts'
import { checkContext, type DkgContext, hashIn, type KeyShare } from './context.ts'
import type { Dealer } from './dealer.ts'
import { commitmentCodec, type Opening } from './messages.ts'

/** What a dealer keeps to itself. */
export type Deal = {
  readonly polynomial: Polynomial
  /** k, the nonce of the proof of possession. */
  readonly nonce: Scalar
  /** The public half, as points and as bytes. */
  readonly dealer: Dealer
  readonly opening: Omit<Opening, 'echo'>
}

export type Round1 = {
  readonly kind: 'round1'
  readonly context: DkgContext
  readonly deal: Deal
  readonly sent: Uint8Array
}

/**
 * Deals a random polynomial and commits to it before anybody has seen anything: nobody can choose
 * his part of the key after the others'. Feldman 1987 for the sharing; Gennaro, Jarecki, Krawczyk
 * and Rabin 2007 for why the commitment; Komlo and Goldberg 2020 (ePrint 2020/852),
 * figure 1, round 1, for the proof of possession.
 */
export function startDkg(context: DkgContext, random: Random): Outcome<Round1, KeyShare> {
  checkContext(context)
  const deal = dealIn(groupOf(context.group), context, random)
  const sent = encode(commitmentCodec, {
    commitment: commitmentTo(context, context.self, deal.opening),
  })
  return {
    kind: 'next',
    state: { kind: 'round1', context, deal, sent },
    out: [{ to: '*', body: sent }],
  }
}

/** C_i = H(commitment; sid, group, n, t, i, A_i…, K_i, ρ_i, salt_i). */
export function commitmentTo(
  context: DkgContext,
  dealer: Party,
  { points, proofNonce, rho, salt }: Omit<Opening, 'echo'>,
): Uint8Array {
  return hashIn(context, 'commitment', Uint8Array.of(dealer), ...points, proofNonce, rho, salt)
}

/** Overwrites what a dealer kept to itself, once it is of no more use. */
export function forgetDeal({ polynomial, nonce }: Pick<Deal, 'polynomial' | 'nonce'>): void {
  for (const secret of [...polynomial, nonce]) secret.fill(0)
}

function dealIn(group: Group, { t }: DkgContext, random: Random): Deal {
  const polynomial = Array.from({ length: t }, () => group.randomSecret(random))
  const nonce = group.randomSecret(random)
  const dealer = {
    points: polynomial.map((coefficient) => group.multiplyBaseBySecret(coefficient)),
    proofNonce: group.multiplyBaseBySecret(nonce),
    rho: random(32),
  }
  const opening = {
    points: dealer.points.map((point) => group.toWire(point)),
    proofNonce: group.toWire(dealer.proofNonce),
    rho: dealer.rho,
    salt: random(32),
  }
  return { polynomial, nonce, dealer, opening }
}
