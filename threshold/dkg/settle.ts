import { decode } from '@quorate/core/codec'
import { echoMismatch } from '../echo.ts'
import { groupOf } from '../group/groups.ts'
import type { Abort, Inbound, Outcome, Party } from '../session.ts'
import type { KeyShare } from './context.ts'
import { readShare } from './dealer.ts'
import type { Complained } from './finish.ts'
import { abortOf, blame, collect, readEach } from './inbox.ts'
import { type Settlement, settlementCodec } from './messages.ts'

/**
 * Hears each complaint in the open, as Gennaro, Jarecki, Krawczyk and Rabin (2007) have dealers do.
 * A dealer who cannot show the right share even now is convicted. One who can is not acquitted: he
 * may have sent another before, and the accuser may have lied, and nothing here can tell. So nobody
 * is named then, lest a dealer could have his victims banned. Always an abort.
 */
export function dkgSettle(state: Complained, inbox: readonly Inbound[]): Outcome<never, KeyShare> {
  return { kind: 'abort', abort: verdict(state, inbox) }
}

function verdict(state: Complained, inbox: readonly Inbound[]): Abort {
  const { context, complaints, echo, sent } = state
  const received = collect(context, inbox, { direct: false })
  if (!received.ok) return received.abort
  const read = readEach(settlementCodec, received.value.broadcasts)
  if (!read.ok) return read.abort
  const answers = new Map(read.value).set(context.self, decode(settlementCodec, sent))
  const mismatch = echoMismatch(
    echo,
    new Map([...answers].map(([party, settlement]) => [party, settlement.echo])),
  )
  if (mismatch !== undefined) return mismatch
  const evasive = blame('malformed message', answers, (answer, from) =>
    answersAll(complaints, answer, from),
  )
  if (evasive !== undefined) return evasive
  return judge(state, answers)
}

/** Exactly those who accused it, in order. */
function answersAll(
  complaints: Complained['complaints'],
  { shares }: Settlement,
  accused: Party,
): boolean {
  const accusers = [...complaints]
    .filter(([, parties]) => parties.includes(accused))
    .map(([accuser]) => accuser)
    .sort((a, b) => a - b)
  return (
    shares.length === accusers.length && shares.every(({ accuser }, i) => accuser === accusers[i])
  )
}

function judge({ context, dealers }: Complained, answers: ReadonlyMap<Party, Settlement>): Abort {
  const group = groupOf(context.group)
  const wrong = blame('wrong share', answers, ({ shares }, from) => {
    const dealer = dealers.get(from)
    return shares.every(
      ({ accuser, share }) =>
        dealer !== undefined &&
        readShare(group, dealer, { to: accuser, body: share }) !== undefined,
    )
  })
  return wrong ?? abortOf('disputed share', [])
}
