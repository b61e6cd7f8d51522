import { equalBytes } from '@quorate/core/bytes'
import { encode } from '@quorate/core/codec'
import { echoMismatch, echoOf } from '../echo.ts'
import type { Group } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { evaluate, type Polynomial, sumOf, sumOfSecrets } from '../group/polynomial.ts'
import type { Scalar } from '../kernel/numbers.ts'
import type { Inbound, Outcome, Party } from '../session.ts'
import { spend } from '../spent.ts'
import { type DkgContext, hashIn, type KeyShare } from './context.ts'
import { constantTerm, type Dealer, dealerOf, readShare } from './dealer.ts'
import { abortOf, blame, type Checked, collect, readEach } from './inbox.ts'
import { openingCodec, responseCodec } from './messages.ts'
import { proofChallenge } from './proof.ts'
import { commitmentTo, type Deal, forgetDeal } from './round1.ts'
import type { Round2 } from './round2.ts'

export type Round3 = {
  readonly kind: 'round3'
  readonly context: DkgContext
  readonly dealers: ReadonlyMap<Party, Dealer>
  /** H(ρ_1 … ρ_n): nobody could choose it. */
  readonly rid: Uint8Array
  /** Of rounds 1 and 2, as this party saw them. */
  readonly echoes: readonly [Uint8Array, Uint8Array]
  /** x_i = Σ_j f_j(i). Undefined when a share was wrong: then there is no key to be had. */
  readonly secret: Scalar | undefined
  /** Kept to answer a complaint. */
  readonly polynomial: Polynomial
  readonly sent: Uint8Array
}

/**
 * Checks every opening and every share, and ends the proof of possession.
 * A share that is off its dealer's commitments is seen by its receiver alone, so it does not abort
 * here: the receiver broadcasts a complaint in place of its proof, and the ceremony is dead for all.
 */
export function dkgRound3(state: Round2, inbox: readonly Inbound[]): Outcome<Round3, KeyShare> {
  const { deal } = state
  // Two challenges answered with one nonce would give this party's part of the key away.
  spend(deal)
  const outcome = respond(state, inbox)
  deal.nonce.fill(0)
  if (outcome.kind === 'abort') forgetDeal(deal)
  return outcome
}

function respond(state: Round2, inbox: readonly Inbound[]): Outcome<Round3, KeyShare> {
  const { context, deal } = state
  const group = groupOf(context.group)
  const received = collect(context, inbox, { direct: true })
  if (!received.ok) return { kind: 'abort', abort: received.abort }
  const { broadcasts, direct } = received.value
  const opened = openAll(group, state, broadcasts)
  if (!opened.ok) return { kind: 'abort', abort: opened.abort }

  const dealers = new Map(opened.value).set(context.self, deal.dealer)
  const inOrder = [...dealers].sort(([a], [b]) => a - b).map(([, dealer]) => dealer)
  const publicKey = sumOf(group, inOrder.map(constantTerm))
  if (group.equal(publicKey, group.identity))
    return { kind: 'abort', abort: abortOf('identity public key', []) }

  const rid = hashIn(context, 'rid', ...inOrder.map(({ rho }) => rho))
  const echo = echoOf(context.sid, 2, new Map(broadcasts).set(context.self, state.sent))
  const shares = readShares(group, context, opened.value, direct)
  const body = encode(
    responseCodec,
    shares.accused.length > 0
      ? { kind: 'complaint', echo, accused: shares.accused }
      : { kind: 'response', echo, proof: prove(group, context, { deal, rid }) },
  )
  return {
    kind: 'next',
    state: {
      kind: 'round3',
      context,
      dealers,
      rid,
      echoes: [state.echo, echo],
      secret: shares.accused.length > 0 ? undefined : ownSecret(group, context, { deal, shares }),
      polynomial: deal.polynomial,
      sent: body,
    },
    out: [{ to: '*', body }],
  }
}

function openAll(
  group: Group,
  { context, commitments, echo }: Round2,
  broadcasts: ReadonlyMap<Party, Uint8Array>,
): Checked<ReadonlyMap<Party, Dealer>> {
  const read = readEach(openingCodec(group), broadcasts)
  if (!read.ok) return read
  const openings = read.value
  const echoes = new Map([...openings].map(([party, opening]) => [party, opening.echo]))
  const dealers = new Map<Party, Dealer>()
  const abort =
    echoMismatch(echo, echoes) ??
    blame('commitment does not open', openings, (opening, from) =>
      equalBytes(commitmentTo(context, from, opening), commitments.get(from) ?? new Uint8Array()),
    ) ??
    // One point too many and the key would need one signer more than there may be (threshold raise).
    blame('commitment vector length', openings, ({ points }) => points.length === context.t) ??
    blame('invalid point', openings, (opening, from) => {
      const dealer = dealerOf(group, opening)
      if (dealer !== undefined) dealers.set(from, dealer)
      return dealer !== undefined
    })
  return abort === undefined ? { ok: true, value: dealers } : { ok: false, abort }
}

type Shares = { readonly values: readonly Scalar[]; readonly accused: readonly Party[] }

function readShares(
  group: Group,
  { self }: DkgContext,
  dealers: ReadonlyMap<Party, Dealer>,
  direct: ReadonlyMap<Party, Uint8Array>,
): Shares {
  const values: Scalar[] = []
  const accused: Party[] = []
  for (const [party, dealer] of dealers) {
    const body = direct.get(party) ?? new Uint8Array()
    const value = readShare(group, dealer, { to: self, body })
    if (value === undefined) accused.push(party)
    else values.push(value)
  }
  return { values, accused: accused.sort((a, b) => a - b) }
}

function ownSecret(
  group: Group,
  { self }: DkgContext,
  { deal, shares }: { readonly deal: Deal; readonly shares: Shares },
): Scalar {
  const own = evaluate(group, deal.polynomial, self)
  const sum = sumOfSecrets(group, [own, ...shares.values])
  own.fill(0)
  return sum
}

/** z_i = k_i + c·a_{i,0}: Schnorr's proof that the dealer knows his part of the key. */
function prove(
  group: Group,
  context: DkgContext,
  { deal, rid }: { readonly deal: Deal; readonly rid: Uint8Array },
): Uint8Array {
  const challenge = proofChallenge(group, context, {
    prover: context.self,
    rid,
    constant: deal.opening.points[0] as Uint8Array,
    proofNonce: deal.opening.proofNonce,
  })
  return group.secrets.combine([deal.nonce, deal.polynomial[0] as Scalar], [1n, challenge])
}
