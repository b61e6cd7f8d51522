import type { Codec } from '@quorate/core/codec'
import type { Abort, Inbound, Outbound, Outcome, Party } from '../session.ts'

/** Whoever puts signatures together: holds no secret, and hears every broadcast. */
export const coordinator: Party = 0

/** What a field stands for, which decides how it is falsified. */
export type FieldKind =
  | 'tag'
  | 'count'
  | 'index'
  | 'hash'
  | 'bits'
  | 'point'
  | 'scalar'
  | 'elements' // of ristretto255, one after the other
  | 'scalars' // least significant byte first, one after the other

export type Field = {
  readonly kind: FieldKind
  /** How honest parties may end when this field alone is another. */
  readonly ends: readonly string[]
  /** And when it is none of its kind, if that is a check of its own. */
  readonly endsInvalid?: readonly string[]
}

export type Message = {
  readonly codec: Codec<unknown>
  /** By path, numbers of entries written `*`. */
  readonly fields: Readonly<Record<string, Field>>
  /** How it may end when it is cut, longer, of another round, party, session or curve, or missing. */
  readonly ends: readonly string[]
}

/** By the name of the check that ended a session: threshold-signing 6.7. */
export type Reactions = Readonly<Record<string, 'names' | 'burns' | 'nobody'>>

export type Delivery = Inbound & { readonly receiver: Party; readonly round: number }
export type Ending =
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'abort'; readonly abort: Abort }
  /** Another honest party has ended the session for all. */
  | { readonly kind: 'stalled' }

export type Verdict =
  /** What came out is what should. */
  | { readonly kind: 'good' }
  | { readonly kind: 'refused'; readonly reason: string; readonly culprits: readonly Party[] }
  | { readonly kind: 'bad'; readonly what: string }

export type End = {
  readonly honest: ReadonlyMap<Party, Ending>
  /** How it ended for those of the corrupt who were still there. */
  readonly corrupt: ReadonlyMap<Party, Ending>
  /** By round, as the coordinator has heard them. */
  readonly broadcasts: ReadonlyMap<number, readonly Inbound[]>
}

/** What is known of a session of one protocol without playing it. */
export type Rules = {
  readonly name: string
  readonly parties: readonly Party[]
  readonly messages: Readonly<Record<string, Message>>
  readonly nameOf: (delivery: Pick<Delivery, 'round' | 'to' | 'body'>) => string
  readonly reactions: Reactions
  /**
   * What else the liar changes for its lie to fit what it said before, as `other` is one of its
   * messages: a commitment, a digest. Nothing where that is not concerned.
   */
  readonly rebind?: (lie: Delivery, other: Delivery) => Uint8Array | undefined
  /** How it ends where nobody lies, if not with a key or a signature. */
  readonly usual?: string
  /** The coordinator carries the broadcasts: two stories told of one are the coordinator's own. */
  readonly isRelayed?: true
  readonly judge: (end: End) => Verdict
}

/** One session of one protocol, which can be played from the start of any of its rounds. */
export type Game<State> = Rules & {
  /** The first moves, from the same seeds every time. */
  readonly start: () => ReadonlyMap<Party, Outcome<State, unknown>>
  /** May be given one state several times, and leaves it as it was. */
  readonly step: (state: State, inbox: readonly Inbound[], party: Party) => Outcome<State, unknown>
  /** Makes a liar take what it has said for what it sent: its later messages fit the lie. */
  readonly believe?: (state: State, said: Delivery) => State
}

export type Attack = {
  readonly name: string
  readonly corrupt: readonly Party[]
  /** The first round in which anything is not as it should be. */
  readonly round: number
  /** What becomes of a message of a corrupt party on its way. */
  readonly tamper: (delivery: Delivery) => readonly Inbound[]
  /** The liar takes what it broadcast for what it sent. */
  readonly believed: boolean
}

type Move<State> = {
  /** None once the party is done. */
  readonly state: State | undefined
  readonly result: unknown
  readonly out: readonly Outbound[]
}
export type Round<State> = ReadonlyMap<Party, Move<State>>

/** The honest course: everybody's states and messages, round by round; entry 0 is round 1. */
export function courseOf<State>(game: Game<State>): readonly Round<State>[] {
  const course = [movesOf(game.start())]
  for (;;) {
    const moves = course.at(-1) ?? new Map<Party, Move<State>>()
    const going = [...moves].filter(([, { state }]) => state !== undefined)
    if (going.length === 0) return course
    const sent = deliveries(game, moves, course.length)
    course.push(
      movesOf(
        new Map(
          going.map(([party, { state }]) => [
            party,
            game.step(state as State, inboxOf(party, sent), party),
          ]),
        ),
      ),
    )
  }
}

/** Every message of a session, to each who receives it. */
export function saidIn<State>(
  game: Game<State>,
  course: readonly Round<State>[],
): readonly Delivery[] {
  return course.flatMap((moves, i) => deliveries(game, moves, i + 1))
}

function deliveries<State>(
  { parties }: Rules,
  moves: Round<State>,
  round: number,
): readonly Delivery[] {
  return [...moves].flatMap(([from, { out }]) =>
    out.flatMap(({ to, body }) =>
      (to === '*' ? [...parties, coordinator].filter((party) => party !== from) : [to]).map(
        (receiver) => ({ from, to, body, receiver, round }),
      ),
    ),
  )
}

/** How it ended for whoever is honest, and what came of it. */
export type Play = {
  readonly endings: ReadonlyMap<Party, Ending>
  readonly verdict: Verdict
}

export function play<State>(
  game: Game<State>,
  course: readonly Round<State>[],
  attack: Attack,
): Play {
  const honest = game.parties.filter((party) => !attack.corrupt.includes(party))
  let moves = course[attack.round - 1] ?? new Map<Party, Move<State>>()
  const broadcasts = new Map<number, readonly Inbound[]>()
  for (let round = 1; round < attack.round; round++) {
    const before = course[round - 1] ?? new Map<Party, Move<State>>()
    broadcasts.set(round, inboxOf(coordinator, deliveries(game, before, round)))
  }
  for (let round = attack.round; ; round++) {
    const sent = deliveries(game, moves, round).flatMap((delivery) => carry(attack, delivery))
    broadcasts.set(round, inboxOf(coordinator, sent))
    const before = believing(game, attack, moves, sent)
    if (honest.every((party) => before.get(party)?.state === undefined))
      return end(endingsOf(honest, before), endingsOf(attack.corrupt, before))
    const outcomes = stepAll(game, { attack, honest }, before, sent)
    const after = movesOf(outcomes)
    const endings = endingsOf(honest, after, outcomes)
    if ([...endings.values()].some(({ kind }) => kind === 'abort')) return end(endings, new Map())
    moves = after
  }

  function end(endings: End['honest'], corrupt: End['corrupt']): Play {
    return { endings, verdict: game.judge({ honest: endings, corrupt, broadcasts }) }
  }
}

/** The honest first: once one of them has ended it, nobody answers a corrupt party any more. */
function stepAll<State>(
  game: Game<State>,
  { attack, honest }: { readonly attack: Attack; readonly honest: readonly Party[] },
  moves: Round<State>,
  sent: readonly Delivery[],
): ReadonlyMap<Party, Outcome<State, unknown>> {
  const outcomes = new Map<Party, Outcome<State, unknown>>()
  for (const party of honest) {
    const state = moves.get(party)?.state
    if (state !== undefined) outcomes.set(party, game.step(state, inboxOf(party, sent), party))
  }
  if ([...outcomes.values()].some(({ kind }) => kind === 'abort')) return outcomes
  for (const party of attack.corrupt) {
    const state = moves.get(party)?.state
    const outcome = state && stepCorrupt(game, party, state, inboxOf(party, sent))
    if (outcome !== undefined) outcomes.set(party, outcome)
  }
  return outcomes
}

/** A corrupt party whom its own lies have driven into a corner falls silent. */
function stepCorrupt<State>(
  game: Game<State>,
  party: Party,
  state: State,
  inbox: readonly Inbound[],
): Outcome<State, unknown> | undefined {
  try {
    const outcome = game.step(state, inbox, party)
    return outcome.kind === 'abort' ? undefined : outcome
  } catch {
    return undefined
  }
}

function movesOf<State>(outcomes: ReadonlyMap<Party, Outcome<State, unknown>>): Round<State> {
  return new Map(
    [...outcomes].map(([party, outcome]) => [
      party,
      {
        state: outcome.kind === 'next' ? outcome.state : undefined,
        result: outcome.kind === 'done' ? outcome.result : undefined,
        out: outcome.kind === 'abort' ? [] : outcome.out,
      },
    ]),
  )
}

function endingsOf<State>(
  honest: readonly Party[],
  moves: Round<State>,
  outcomes: ReadonlyMap<Party, Outcome<State, unknown>> = new Map(),
): ReadonlyMap<Party, Ending> {
  return new Map(
    honest.map((party): [Party, Ending] => {
      const outcome = outcomes.get(party)
      if (outcome?.kind === 'abort') return [party, outcome]
      const move = moves.get(party)
      if (move === undefined || move.state !== undefined) return [party, { kind: 'stalled' }]
      return [party, { kind: 'done', result: move.result }]
    }),
  )
}

function carry(attack: Attack, delivery: Delivery): readonly Delivery[] {
  if (!attack.corrupt.includes(delivery.from)) return [delivery]
  const { receiver, round } = delivery
  return attack.tamper(delivery).map((message) => ({ ...message, receiver, round }))
}

function believing<State>(
  { believe }: Game<State>,
  { believed, corrupt }: Attack,
  moves: Round<State>,
  sent: readonly Delivery[],
): Round<State> {
  if (!believed || believe === undefined) return moves
  return new Map(
    [...moves].map(([party, move]) => {
      if (!corrupt.includes(party) || move.state === undefined) return [party, move]
      const said = sent.filter(
        ({ from, receiver }) => from === party && !corrupt.includes(receiver),
      )
      return [party, { ...move, state: said.reduce(believe, move.state) }]
    }),
  )
}

function inboxOf(party: Party, sent: readonly Delivery[]): readonly Inbound[] {
  return sent
    .filter(({ receiver }) => receiver === party)
    .map(({ from, to, body }) => ({ from, to, body }))
}
