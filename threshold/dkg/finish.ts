import assert from 'node:assert/strict'
import { decode, encode } from '@quorate/core/codec'
import { echoMismatch, echoOf } from '../echo.ts'
import type { Group } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { evaluate, evaluatePoints, sumOf } from '../group/polynomial.ts'
import type { Inbound, Outcome, Party } from '../session.ts'
import { spend } from '../spent.ts'
import { hashIn, type KeyShare, partiesOf } from './context.ts'
import type { Dealer } from './dealer.ts'
import { abortOf, blame, collect, readEach } from './inbox.ts'
import { type Response, responseCodec, settlementCodec } from './messages.ts'
import { isProofOfPossession } from './proof.ts'
import type { Round3 } from './round3.ts'

export type Complained = {
  readonly kind: 'complained'
  readonly context: Round3['context']
  readonly dealers: ReadonlyMap<Party, Dealer>
  /** Whom each accuser accuses, the own complaint among them. */
  readonly complaints: ReadonlyMap<Party, readonly Party[]>
  /** Of round 3, as this party saw it. */
  readonly echo: Uint8Array
  readonly sent: Uint8Array
}

/**
 * Checks that every dealer knows his part of the key, and adds the parts up. A complaint leads to
 * one more round, which decides who lied, and to no key.
 */
export function dkgFinish(state: Round3, inbox: readonly Inbound[]): Outcome<Complained, KeyShare> {
  spend(state)
  const outcome = conclude(state, inbox)
  forgetPolynomial(state)
  // A key that is born has the very bytes.
  if (outcome.kind !== 'done') state.secret?.fill(0)
  return outcome
}

/** Complaints, if there were any, have been answered. */
function forgetPolynomial({ polynomial }: Round3): void {
  for (const coefficient of polynomial) coefficient.fill(0)
}

function conclude(state: Round3, inbox: readonly Inbound[]): Outcome<Complained, KeyShare> {
  const { context, dealers, rid, echoes } = state
  const group = groupOf(context.group)
  const received = collect(context, inbox, { direct: false })
  if (!received.ok) return { kind: 'abort', abort: received.abort }
  const { broadcasts } = received.value
  const read = readEach(responseCodec, broadcasts)
  if (!read.ok) return { kind: 'abort', abort: read.abort }

  const responses = read.value
  const abort =
    echoMismatch(echoes[1], new Map([...responses].map(([party, { echo }]) => [party, echo]))) ??
    blame('malformed message', responses, (response, from) => isOrderly(state, response, from)) ??
    blame('proof of possession', responses, (response, prover) => {
      const dealer = dealers.get(prover)
      if (response.kind === 'complaint') return true
      if (dealer === undefined) return false
      return isProofOfPossession(group, context, { prover, rid, dealer, proof: response.proof })
    })
  if (abort !== undefined) return { kind: 'abort', abort }

  const echo = echoOf(context.sid, 3, new Map(broadcasts).set(context.self, state.sent))
  const complaints = complaintsOf(state, responses)
  return complaints.size > 0
    ? answer(group, state, { complaints, echo })
    : keyShare(group, state, echo)
}

/** A complaint names others, each once, in order. */
function isOrderly({ context }: Round3, response: Response, from: Party): boolean {
  if (response.kind === 'response') return true
  return response.accused.every(
    (party, i) =>
      party !== from && party >= 1 && party <= context.n && party > (response.accused[i - 1] ?? 0),
  )
}

function complaintsOf(
  { context, sent }: Round3,
  responses: ReadonlyMap<Party, Response>,
): ReadonlyMap<Party, readonly Party[]> {
  const all = new Map(responses).set(context.self, decode(responseCodec, sent))
  const complaints = new Map<Party, readonly Party[]>()
  for (const [party, response] of all)
    if (response.kind === 'complaint') complaints.set(party, response.accused)
  return complaints
}

/** Everybody accused shows the share in the clear: harmless, as nobody will use this key. */
function answer(
  group: Group,
  { context, dealers, polynomial }: Round3,
  { complaints, echo }: Pick<Complained, 'complaints' | 'echo'>,
): Outcome<Complained, KeyShare> {
  const accusers = partiesOf(context).filter((party) =>
    complaints.get(party)?.includes(context.self),
  )
  const body = encode(settlementCodec, {
    echo,
    shares: accusers.map((accuser) => ({
      accuser,
      share: evaluate(group, polynomial, accuser),
    })),
  })
  return {
    kind: 'next',
    state: { kind: 'complained', context, dealers, complaints, echo, sent: body },
    out: [{ to: '*', body }],
  }
}

function keyShare(
  group: Group,
  { context, dealers, rid, echoes, secret }: Round3,
  echo: Uint8Array,
): Outcome<Complained, KeyShare> {
  const { n, t, self } = context
  const joint = Array.from({ length: t }, (_, k) =>
    sumOf(
      group,
      [...dealers.values()].flatMap(({ points }) => points.slice(k, k + 1)),
    ),
  )
  const publicShares = partiesOf(context).map((party) => evaluatePoints(group, joint, party))
  if (publicShares.some((point) => group.equal(point, group.identity)))
    return { kind: 'abort', abort: abortOf('identity public share', []) }
  // Every share was checked, so this can fail only if the machine miscalculated.
  assert(secret !== undefined)
  assert(group.equal(group.multiplyBaseBySecret(secret), publicShares[self - 1] ?? group.identity))
  const result: KeyShare = {
    group: context.group,
    n,
    t,
    self,
    secret,
    publicKey: group.encode(joint[0] ?? group.identity),
    publicShares: publicShares.map((point) => group.encode(point)),
    chainCode: hashIn(context, 'chain-code', rid),
    transcript: hashIn(context, 'transcript', ...echoes, echo),
  }
  return { kind: 'done', result, out: [] }
}
