import { decode, encode } from '@quorate/core/codec'
import { runCeremony, type Ceremony, type Ending as DkgEnding } from '../dkg/ceremony.ts'
import {
  committingTo,
  dealing,
  type Attack as DkgAttack,
  attacker,
  silentAfter,
  together,
} from '../dkg/attacker.ts'
import { responseCodec } from '../dkg/messages.ts'
import { labelOf, productSid } from '../ecdsa/context.ts'
import { curveOf } from '../ecdsa/curve.ts'
import { closeExtension, extendAsSender, openExtension } from '../ecdsa/extension.ts'
import { messagesOf } from '../ecdsa/messages.ts'
import { closeMultiplication, multiplyAsSender, padsOf } from '../ecdsa/multiplication.ts'
import { gadgetOf } from '../ecdsa/pair.ts'
import type { EcdsaRound1 } from '../ecdsa/round1.ts'
import type { EcdsaRound2 } from '../ecdsa/round2.ts'
import { named, seeded } from '../ecdsa/testing/parties.ts'
import type { Group } from '../group/group.ts'
import { groupOf } from '../group/groups.ts'
import { evaluate } from '../group/polynomial.ts'
import { randomNumber } from '../group/testing/oracle.ts'
import type { Random } from '../session.ts'
import { endsOf } from './check.ts'
import { type Attack, courseOf, type Delivery, type Game, play, type Round } from './game.ts'
import { ecdsaGame, type EcdsaState } from './games/ecdsa.ts'
import { pairGame } from './games/pair.ts'
import { derivedScripts, splitScripts } from './views.ts'

/**
 * An attacker who computes as the protocol does, lies in one place, and makes all that follows fit the
 * lie, Fiat and Shamir's challenges among it.
 */
export type Script = {
  readonly name: string
  /** Of how many attempts one is caught, by the analysis in docs/protocols. */
  readonly theory: number
  /** The checks that catch it. */
  readonly by: readonly string[]
  /** Attempts where time is short, and where it is not. */
  readonly attempts: readonly [number, number]
  /** How one attempt ended: names of checks. */
  readonly attempt: (random: Random) => readonly string[]
}

const curve = 'secp256k1'
const { group, scalars } = curveOf(curve)
const { announcement, closing, extension, product } = messagesOf(curve)
const setting = { curve, n: 3, t: 2, corrupt: [2] } as const
const one = group.scalarToBytes(1n)

/** Party 2 against party 1, in one session that can be played again from any round. */
export function scripts(): readonly Script[] {
  const game = ecdsaGame(setting)
  const course = courseOf(game)
  return [
    ...extensionScripts(game, course),
    ...productScripts(game, course),
    ...stateScripts(game, course),
    treeScript(),
    ...dkgScripts(),
    ...splitScripts(),
    ...derivedScripts(),
  ]
}

type Course<State> = readonly Round<State>[]

function first(course: Course<EcdsaState>): EcdsaRound1 {
  return course[0]?.get(2)?.state as EcdsaRound1
}

function second(course: Course<EcdsaState>): EcdsaRound2 {
  return course[1]?.get(2)?.state as EcdsaRound2
}

function bodyOf(course: Course<EcdsaState>, round: number, from: number, to: number | '*') {
  const sent = course[round - 1]?.get(from)?.out.find((message) => message.to === to)
  return sent?.body ?? new Uint8Array()
}

type Lie = Pick<Delivery, 'round' | 'to'> & { readonly change: (body: Uint8Array) => Uint8Array }

/** One message changed, and what has been said before made to fit it. */
function ended(game: Game<EcdsaState>, course: Course<EcdsaState>, lie: Lie): readonly string[] {
  const { round, to, change } = lie
  const isLie = (other: Delivery): boolean => other.round === round && other.to === to
  const body = change(bodyOf(course, round, 2, to))
  const told = { round, to, body, from: 2, receiver: 1 }
  const attack: Attack = {
    name: '',
    corrupt: [2],
    round: 1,
    believed: true,
    tamper: (other) => [
      {
        ...other,
        body: isLie(other) ? change(other.body) : (game.rebind?.(told, other) ?? other.body),
      },
    ],
  }
  return endsOf(play(game, course, attack))
}

function extensionScripts(game: Game<EcdsaState>, course: Course<EcdsaState>): readonly Script[] {
  const attempt = (random: Random, trees: number): readonly string[] => {
    const state = first(course)
    const pair = state.context.pairs.get(1)
    const choice = state.receiving.get(1)?.choice
    if (pair === undefined || choice === undefined) throw new Error('no pair of 2 with 1')
    const { nonce } = decode(announcement, bodyOf(course, 1, 2, '*'))
    const label = labelOf(state.first, pair, { receiver: 2, sender: 1 }, nonce)
    const opened = openExtension(label, pair.receiver, choice)
    const [start = 0, at = 0] = random(2)
    for (let i = 0; i < trees; i++) {
      const tree = (start + i) % 64
      const [guess = 0] = random(1)
      const word = tree * 24 + (at % 16)
      opened.corrections[word] = (opened.corrections[word] ?? 0) ^ 1
      for (let bit = 0; bit < 2; bit++) {
        const column = (2 * tree + bit) * 24 + (at % 16)
        if (guess & (1 << bit)) opened.columns[column] = (opened.columns[column] ?? 0) ^ 1
      }
    }
    const body = encode(extension, closeExtension(label, choice, opened).message)
    return ended(game, course, { round: 1, to: 1, change: () => body })
  }
  const by = ['extension']
  return [
    {
      name: 'OT receiver: another choice in one block, and a bet on two bits of Δ',
      ...{ theory: 3 / 4, by, attempts: [120, 2000] },
      attempt: (random) => attempt(random, 1),
    },
    {
      name: 'OT receiver: the same in two blocks',
      ...{ theory: 15 / 16, by, attempts: [40, 600] },
      attempt: (random) => attempt(random, 2),
    },
  ]
}

/** Caught whatever the secrets are. */
const sure = { theory: 1, attempts: [5, 200] } as const

function productScripts(game: Game<EcdsaState>, course: Course<EcdsaState>): readonly Script[] {
  const honest = decode(product, bodyOf(course, 2, 2, 1))
  const sending = (change: Partial<typeof honest>): readonly string[] =>
    ended(game, course, {
      ...{ round: 2, to: 1 },
      change: (body) => encode(product, { ...decode(product, body), ...change }),
    })
  const always = (
    [name, by]: readonly [string, string],
    change: (random: Random) => Partial<typeof honest>,
  ): Script => ({ name, ...sure, by: [by], attempt: (random) => sending(change(random)) })
  return [
    {
      name: 'OT sender: one entry shifted, and a bet on one bit of the choice',
      ...{ theory: 1 / 2, by: ['multiplication'], attempts: [120, 2000] },
      attempt: (random) => sending(bettingProduct(course, random)),
    },
    always(['a key point of another share than is multiplied', 'key product'], (random) => ({
      keyPoint: moved(honest.keyPoint, random),
    })),
    always(['a nonce point of another nonce, committed to', 'nonce product'], (random) => ({
      noncePoint: moved(honest.noncePoint, random),
    })),
    always(['another Γ of the nonce', 'nonce product'], (random) => ({
      nonceShare: moved(honest.nonceShare, random),
    })),
    always(['another Γ of the key', 'key product'], (random) => ({
      keyShare: moved(honest.keyShare, random),
    })),
    always(['another ψ', 'signature'], (random) => ({
      difference: shifted(honest.difference, random),
    })),
  ]
}

function stateScripts(game: Game<EcdsaState>, course: Course<EcdsaState>): readonly Script[] {
  const last = decode(closing, bodyOf(course, 3, 2, '*'))
  const ending = (change: Partial<typeof last>): readonly string[] =>
    ended(game, course, {
      ...{ round: 3, to: '*' },
      change: (body) => encode(closing, { ...decode(closing, body), ...change }),
    })
  return [
    {
      name: 'OT sender: another nonce in a whole column than in the nonce point',
      ...{ ...sure, by: ['nonce product'] },
      attempt: (random) =>
        playAs(game, course, (state) => ({ ...state, nonce: shifted(state.nonce, random) })),
    },
    {
      name: 'another share of the key, in everything',
      ...{ ...sure, by: ['public key'] },
      attempt: (random) =>
        playAs(game, course, (state) => {
          const secret = shifted(state.context.secret, random)
          return { ...state, context: { ...state.context, secret } }
        }),
    },
    {
      name: 'w shifted',
      ...{ ...sure, by: ['signature'] },
      attempt: (random) => ending({ numerator: shifted(last.numerator, random) }),
    },
    {
      name: 'u shifted',
      ...{ ...sure, by: ['signature'] },
      attempt: (random) => ending({ denominator: shifted(last.denominator, random) }),
    },
  ]
}

function shifted(value: Uint8Array, random: Random): Uint8Array {
  return scalars.add(value, scalars.reduce(random(64)))
}

function moved(point: Uint8Array, random: Random): Uint8Array {
  const by = group.multiplyBase(randomNumber(group, random))
  return group.toWire(group.add(group.fromWire(point) ?? by, by))
}

/** Party 2 goes into round 2 with another state than it announced. */
function playAs(
  game: Game<EcdsaState>,
  course: Course<EcdsaState>,
  change: (state: EcdsaRound1) => EcdsaRound1,
): readonly string[] {
  const step = (state: EcdsaState, inbox: Parameters<typeof game.step>[1], party: number) =>
    game.step(party === 2 && 'announced' in state ? change(state) : state, inbox, party)
  const attack = { name: '', corrupt: [2], round: 1, believed: false }
  return endsOf(play({ ...game, step }, course, { ...attack, tamper: (message) => [message] }))
}

/** One unit more in one entry, all later values made to fit if the choice in its row is as guessed. */
function bettingProduct(course: Course<EcdsaState>, random: Random): object {
  const { context, final, nonce, key } = second(course)
  const pair = context.pairs.get(1)
  const { blinds } = first(course)
  const blind = blinds.get(1)
  if (pair === undefined || blind === undefined) throw new Error('no pair of 2 with 1')
  const direction = { receiver: 1, sender: 2 }
  const sid = productSid(final, pair, direction)
  const { nonce: label } = decode(announcement, bodyOf(course, 1, 1, '*'))
  const sent = decode(extension, bodyOf(course, 1, 1, 2))
  const rows = extendAsSender(
    labelOf(first(course).first, pair, direction, label),
    pair.sender,
    sent,
  )
  if (rows === undefined) throw new Error('party 1 is honest')
  const inputs = { factors: [nonce, key], blind } as const
  const gadget = gadgetOf(curve, pair)
  const { delta } = pair.sender
  const masked = multiplyAsSender(
    curveOf(curve),
    sid,
    { rows: rows.slice(), delta, gadget },
    inputs,
  ).message.masked
  const pads = padsOf(curveOf(curve), sid, rows)
  const [high = 0, low = 0, column = 0, guess = 0] = random(4)
  const at = (((high * 256 + low) % 512) * 3 + (column % 3)) * 32
  for (const numbers of guess & 1 ? [masked, pads] : [masked]) {
    const entry = numbers.subarray(at, at + 32)
    entry.set(scalars.add(entry.slice().reverse(), one).reverse())
  }
  const closed = closeMultiplication(curveOf(curve), sid, { masked, pads, gadget, ...inputs })
  const [nonceShare, keyShare] = closed.shares.map((share) =>
    group.toWire(group.multiplyBaseBySecret(share)),
  )
  return { ...closed.message, nonceShare, keyShare }
}

/** Where the corrections of a tree begin in the second message of a setup: tag, nonce and salt come first. */
const [correctionsAt, correctionSize, treeSize] = [88, 16, 32]

function treeScript(): Script {
  const game = pairGame()
  const course = courseOf(game)
  return {
    name: 'base OT sender: a correction spoilt that one value of a bit of Δ needs',
    ...{ theory: 1 / 2, by: ['tree'], attempts: [40, 200] },
    attempt: (random) => {
      const [tree = 0, way = 0] = random(2)
      const at = correctionsAt + (tree % 64) * treeSize + (way & 1) * correctionSize
      const sent = course[1]?.get(2)?.out[0]?.body ?? new Uint8Array()
      const body = sent.map((byte, i) => (i === at ? byte ^ 1 : byte))
      const tamper = (message: Delivery) => [message.round === 2 ? { ...message, body } : message]
      const attack = { name: '', corrupt: [2], round: 2, believed: true, tamper }
      return endsOf(play(game, course, attack))
    },
  }
}

function dkgScripts(): readonly Script[] {
  return (['secp256k1', 'ed25519'] as const).flatMap((name) => {
    const curveGroup = groupOf(name)
    const script = (
      what: string,
      by: string,
      size: { n: number; t: number },
      make: (random: Random) => DkgAttack,
    ): Script => ({
      name: `key generation, ${name}: ${what}`,
      ...{ ...sure, by: [by], attempts: [5, 50] },
      attempt: (random) => ceremony({ ...size, group: name }, random, make(random)),
    })
    const usual = { n: 3, t: 2 }
    return [
      script('a proof of possession for another number', 'proof of possession', usual, () =>
        misproving(curveGroup),
      ),
      script('a rogue key whose only share fits', 'proof of possession', { n: 2, t: 2 }, (random) =>
        rogue(curveGroup, random),
      ),
      script('a commitment vector one longer', 'commitment vector length', usual, () =>
        committingTo(({ opening }, of) => ({
          opening: { ...opening, points: [...opening.points, of.toWire(of.generator)] },
        })),
      ),
      script('shares at index q, which is index 0', 'disputed share', usual, () => indexOfOrder()),
      script('shares of a polynomial of a higher degree', 'wrong share', usual, (random) =>
        committingTo(({ polynomial }) => ({
          polynomial: [...polynomial, curveGroup.randomSecret(random)],
        })),
      ),
    ]
  })
}

/** Fresh parties every time. */
function ceremony(
  size: Pick<Ceremony, 'group' | 'n' | 't'>,
  random: Random,
  attack: DkgAttack,
): readonly string[] {
  const draws = new Map(Array.from({ length: size.n }, (_, i) => [i + 1, random(32)]))
  const randomOf = (party: number): Random => seeded(`ceremony ${(draws.get(party) ?? []).join()}`)
  const endings = runCeremony({ ...size, sid: named(random(32).join()), randomOf, ...attack })
  const honest = [...endings].filter(([party]) => party !== attacker)
  return [...new Set(honest.map(([, ending]) => wordFor(ending)))]
}

function wordFor(ending: DkgEnding): string {
  return ending.kind === 'abort' ? ending.abort.reason : ending.kind
}

function misproving(of: Group): DkgAttack {
  return {
    corrupt: (party, move) => {
      if (party !== attacker || move.state.kind !== 'round3') return move
      const spoken = decode(responseCodec, move.state.sent)
      if (spoken.kind !== 'response') return move
      const proof = of.scalarToBytes(of.mod((of.scalarFromBytes(spoken.proof) ?? 0n) + 1n))
      const sent = encode(responseCodec, { ...spoken, proof })
      return { state: { ...move.state, sent }, out: [{ to: '*', body: sent }] }
    },
  }
}

/** f(1) = 5 fits A_0 = Z and A_1 = 5·G − Z, whatever Z is: nobody knows its logarithm. */
function rogue(of: Group, random: Random): DkgAttack {
  return together(
    committingTo(({ opening, dealer }) => {
      const Z = of.multiplyBase(randomNumber(of, random))
      const points = [Z, of.add(of.multiplyBase(5n), of.negate(Z))]
      return {
        dealer: { ...dealer, points },
        opening: { ...opening, points: points.map((point) => of.toWire(point)) },
      }
    }),
    dealing(({ to }) => ({ to, body: of.scalarToBytes(5n) })),
    silentAfter('round3'),
  )
}

/** The dealer's own part of the key for a share. When it is accused it shows what it should have sent. */
function indexOfOrder(): DkgAttack {
  return {
    corrupt: (party, move) => {
      if (party !== attacker || move.state.kind !== 'round2') return move
      const of = groupOf(move.state.context.group)
      const body = evaluate(of, move.state.deal.polynomial, 0)
      return { ...move, out: move.out.map((out) => (out.to === '*' ? out : { ...out, body })) }
    },
  }
}
