import { encode } from '@quorate/core/codec'
import { echoOf } from '../echo.ts'
import { groupOf } from '../group/groups.ts'
import { evaluate } from '../group/polynomial.ts'
import type { Inbound, Outcome, Party } from '../session.ts'
import type { DkgContext, KeyShare } from './context.ts'
import { collect, othersOf, readEach } from './inbox.ts'
import { commitmentCodec, openingCodec } from './messages.ts'
import { type Deal, forgetDeal, type Round1 } from './round1.ts'

export type Round2 = {
  readonly kind: 'round2'
  readonly context: DkgContext
  readonly deal: Deal
  readonly commitments: ReadonlyMap<Party, Uint8Array>
  /** Of round 1, as this party saw it. */
  readonly echo: Uint8Array
  readonly sent: Uint8Array
}

/** Everybody is committed: opens to all, and sends each his share. Feldman 1987. */
export function dkgRound2(state: Round1, inbox: readonly Inbound[]): Outcome<Round2, KeyShare> {
  const outcome = open(state, inbox)
  if (outcome.kind === 'abort') forgetDeal(state.deal)
  return outcome
}

function open(
  { context, deal, sent }: Round1,
  inbox: readonly Inbound[],
): Outcome<Round2, KeyShare> {
  const received = collect(context, inbox, { direct: false })
  if (!received.ok) return { kind: 'abort', abort: received.abort }
  const { broadcasts } = received.value
  const read = readEach(commitmentCodec, broadcasts)
  if (!read.ok) return { kind: 'abort', abort: read.abort }

  const group = groupOf(context.group)
  const commitments = new Map([...read.value].map(([party, { commitment }]) => [party, commitment]))
  const echo = echoOf(context.sid, 1, new Map(broadcasts).set(context.self, sent))
  const body = encode(openingCodec(group), { echo, ...deal.opening })
  const shares = othersOf(context).map((to) => ({
    to,
    body: evaluate(group, deal.polynomial, to),
  }))
  return {
    kind: 'next',
    state: { kind: 'round2', context, deal, commitments, echo, sent: body },
    out: [{ to: '*', body }, ...shares],
  }
}
