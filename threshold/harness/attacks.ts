import { concat, equalBytes } from '@quorate/core/bytes'
import { layoutOf, type Span } from '@quorate/core/codec'
import type { Group } from '../group/group.ts'
import type { Inbound, Party } from '../session.ts'
import { type Attack, type Delivery, type Field, type Rules, type Message } from './game.ts'
import { type Mutation, mutationsOf, put } from './mutations.ts'

/** A session that a corrupt party has been in, or could have: what it can replay. */
export type Elsewhere = { readonly name: string; readonly said: readonly Delivery[] }

export type Arena = {
  readonly rules: Rules
  /** Every message of the session as it goes where nobody lies. */
  readonly said: readonly Delivery[]
  readonly group: Group
  readonly corrupt: readonly Party[]
  readonly elsewhere: readonly Elsewhere[]
}

/** An attack, and how honest parties may end under it. */
export type Trial = {
  readonly attack: Attack
  readonly message: string
  /** Empty for what is done to a whole message. */
  readonly field: string
  readonly mutation: string
  readonly ends: readonly string[]
  /** The falsified bytes are the same in every session. */
  readonly isFixed: boolean
  /** Only one of several was lied to. */
  readonly isToOne: boolean
}

/** Every trial of one game: each field of each message of the corrupt parties, and each message whole. */
export function trialsOf(arena: Arena): readonly Trial[] {
  return slotsOf(arena).flatMap((slot) => [
    ...fieldTrials(arena, slot),
    ...wholeTrials(arena, slot),
  ])
}

/** One kind of message that the first corrupt party sends. */
type Slot = {
  readonly name: string
  readonly message: Message
  /** One of them, to an honest party or else to the coordinator. */
  readonly sample: Delivery
  readonly isBroadcast: boolean
}

function slotsOf({ rules, said, corrupt }: Arena): readonly Slot[] {
  const slots = new Map<string, Slot>()
  for (const delivery of said) {
    const name = rules.nameOf(delivery)
    const message = rules.messages[name]
    if (message === undefined) throw new Error(`${rules.name}: no message is called ${name}`)
    if (delivery.from !== corrupt[0] || corrupt.includes(delivery.receiver) || slots.has(name))
      continue
    slots.set(name, { name, message, sample: delivery, isBroadcast: delivery.to === '*' })
  }
  return [...slots.values()]
}

function fieldTrials(arena: Arena, slot: Slot): readonly Trial[] {
  return spansOf(slot.message, slot.sample.body).flatMap((span, index) => {
    const field = fieldOf(arena.rules, slot, span)
    const mutations = [
      ...mutationsOf(field, arena.group, span.form === 'integer'),
      ...replaysOf(arena, slot, { span, index }),
    ]
    return mutations.flatMap((mutation): readonly Trial[] => {
      const change = (body: Uint8Array): Uint8Array =>
        changeSpan(slot.message, body, index, mutation)
      return variantsOf(arena, slot, change).map(({ attack, how, isToOne }) => ({
        attack: { ...attack, name: `${slot.name}.${span.path}: ${mutation.name}${how}` },
        message: slot.name,
        field: span.path,
        mutation: mutation.name,
        // To name one thing a length is to break the message.
        ends: [
          ...((mutation.isInvalid ? field.endsInvalid : undefined) ?? field.ends),
          ...(span.form === 'integer' ? slot.message.ends : []),
        ],
        isFixed: mutation.isFixed,
        isToOne,
      }))
    })
  })
}

export function spansOf({ codec }: Message, body: Uint8Array): readonly Span[] {
  return layoutOf(codec, body)
}

/** `shares.0.accuser` is `shares.*.accuser`. */
export function pathOf({ path }: Span): string {
  return path.replace(/(?<=^|\.)\d+(?=\.|$)/g, '*')
}

function fieldOf(rules: Rules, { name, message }: Slot, span: Span): Field {
  const field = message.fields[pathOf(span)]
  if (field === undefined) throw new Error(`${rules.name}: ${name} has a new field ${span.path}`)
  return field
}

function changeSpan(
  { codec }: Message,
  body: Uint8Array,
  index: number,
  { change }: Pick<Mutation, 'change'>,
): Uint8Array {
  const span = layoutOf(codec, body)[index]
  return span === undefined ? body : put(body, span.start, change(body.slice(span.start, span.end)))
}

/** The same field as others have filled it: in other sessions, and the honest in this one. */
function replaysOf(
  { rules, said, corrupt, elsewhere }: Arena,
  { name, message, sample }: Slot,
  { span, index }: { readonly span: Span; readonly index: number },
): readonly Mutation[] {
  const of = (what: string, found: Delivery | undefined): readonly Mutation[] => {
    if (found === undefined) return []
    const other = spanOf(message, found.body, index)
    if (other?.length !== span.end - span.start) return []
    return [{ name: what, change: () => other, isFixed: false }]
  }
  return [
    ...elsewhere.flatMap((place) => of(place.name, twinOf(place.said, sample))),
    ...of(
      'of another party',
      said.find(
        (other) =>
          !corrupt.includes(other.from) &&
          other.from !== sample.from &&
          rules.nameOf(other) === name,
      ),
    ),
  ]
}

function spanOf(message: Message, body: Uint8Array, index: number): Uint8Array | undefined {
  try {
    const span = layoutOf(message.codec, body)[index]
    return span && body.slice(span.start, span.end)
  } catch {
    // Of another curve, say: what is no message of this kind has no such field.
    return undefined
  }
}

/** What the same party said in the same place of another session. */
function twinOf(said: readonly Delivery[], sample: Delivery): Delivery | undefined {
  return said.find(
    ({ round, from, to, receiver }) =>
      round === sample.round &&
      from === sample.from &&
      receiver === sample.receiver &&
      (to === '*') === (sample.to === '*'),
  )
}

type Change = (body: Uint8Array) => Uint8Array
type Variant = { readonly attack: Attack; readonly how: string; readonly isToOne: boolean }

/**
 * One falsification in the ways in which it can be told: to all, whoever broadcasts it believing it;
 * to one receiver alone; and with all else that was said made to fit it.
 */
function variantsOf(arena: Arena, slot: Slot, change: Change): readonly Variant[] {
  const { rules, said, corrupt } = arena
  const isSlot = (delivery: Delivery): boolean => rules.nameOf(delivery) === slot.name
  const lie = (delivery: Delivery): Delivery => ({ ...delivery, body: change(delivery.body) })
  if (equalBytes(lie(slot.sample).body, slot.sample.body)) return []
  const replace = (delivery: Delivery): readonly Inbound[] => [lie(delivery)]
  const common = { name: '', corrupt, round: slot.sample.round }
  const told = tellings(arena, slot).map(({ how, isTold, believed, isToOne }) => ({
    how,
    isToOne,
    attack: {
      ...common,
      believed,
      tamper: (delivery: Delivery) =>
        isSlot(delivery) && isTold(delivery) ? replace(delivery) : [delivery],
    },
  }))
  const fitting = fitted(rules, said, corrupt, { isSlot, lie })
  return fitting === undefined ? told : [...told, fitting]
}

function tellings(
  { rules, said, corrupt }: Arena,
  { sample, isBroadcast }: Slot,
): readonly (Pick<Variant, 'how' | 'isToOne'> & {
  readonly isTold: (delivery: Delivery) => boolean
  readonly believed: boolean
})[] {
  const all = { how: '', isTold: () => true, believed: true, isToOne: false }
  const honest = rules.parties.filter((party) => !corrupt.includes(party))
  const [first] = honest
  // Of the last round only the coordinator takes notice.
  if (said.every(({ round }) => round <= sample.round) || (honest.length < 2 && !isBroadcast))
    return [all]
  const one = ({ receiver }: Delivery): boolean => receiver === first
  return [all, { how: ', to one', isTold: one, believed: false, isToOne: true }]
}

function fitted(
  rules: Rules,
  said: readonly Delivery[],
  corrupt: readonly Party[],
  {
    isSlot,
    lie,
  }: { isSlot: (delivery: Delivery) => boolean; lie: (delivery: Delivery) => Delivery },
): Variant | undefined {
  const { rebind } = rules
  if (rebind === undefined) return undefined
  const lies = said.filter((one) => corrupt.includes(one.from) && isSlot(one)).map(lie)
  const fit = (delivery: Delivery): Delivery =>
    lies
      .filter(({ from }) => from === delivery.from)
      .reduce((other, one) => ({ ...other, body: rebind(one, other) ?? other.body }), delivery)
  const changed = said.filter(
    (one) => corrupt.includes(one.from) && !isSlot(one) && fit(one).body !== one.body,
  )
  const [first] = changed
  if (first === undefined) return undefined
  return {
    how: ', all else fitting',
    isToOne: false,
    attack: {
      name: '',
      corrupt,
      round: Math.min(first.round, ...lies.map(({ round }) => round)),
      believed: true,
      tamper: (delivery) => [isSlot(delivery) ? lie(delivery) : fit(delivery)],
    },
  }
}

/** What can be done to a message without looking into it. */
function wholeTrials(arena: Arena, slot: Slot): readonly Trial[] {
  const changes = [...shapes, ...substitutes(arena, slot)].flatMap(({ name, change }) =>
    variantsOf(arena, slot, change).map(({ attack, how, isToOne }) => ({
      ...trial(slot, `${name}${how}`, attack),
      isToOne,
    })),
  )
  return [...changes, ...courier(arena, slot)]
}

const shapes: readonly { readonly name: string; readonly change: Change }[] = [
  { name: 'without its first byte', change: (body) => body.slice(1) },
  { name: 'without its last byte', change: (body) => body.slice(0, -1) },
  { name: 'cut in half', change: (body) => body.slice(0, body.length >> 1) },
  { name: 'empty', change: () => new Uint8Array() },
  { name: 'a byte longer', change: (body) => concat(body, Uint8Array.of(0)) },
  { name: 'twice as long', change: (body) => concat(body, body) },
  { name: 'all zero', change: (body) => new Uint8Array(body.length) },
  { name: 'all ones', change: (body) => new Uint8Array(body.length).fill(0xff) },
]

/** Other messages in its place: of other sessions, other rounds, other parties. */
function substitutes(
  { rules, said, corrupt, elsewhere }: Arena,
  { name, sample }: Slot,
): readonly { readonly name: string; readonly change: Change }[] {
  const here = said
  const old = elsewhere.flatMap((place) => {
    const twin = twinOf(place.said, sample)
    return twin === undefined ? [] : [{ name: place.name, body: twin.body }]
  })
  const rounds = new Map(
    here
      .filter((other) => other.from === sample.from && rules.nameOf(other) !== name)
      .map((other) => [rules.nameOf(other), other.body]),
  )
  const theirs = here.find((other) => !corrupt.includes(other.from) && rules.nameOf(other) === name)
  return [
    ...old,
    ...[...rounds].map(([other, body]) => ({ name: `its ${other}`, body })),
    ...(theirs === undefined ? [] : [{ name: 'that of another party', body: theirs.body }]),
  ].map(({ name: what, body }) => ({ name: what, change: () => body }))
}

/** What a carrier can do, and only to messages of a corrupt party, as all are signed. */
function courier({ rules, corrupt }: Arena, slot: Slot): readonly Trial[] {
  const stranger = rules.parties.length + 9
  const ways: readonly { name: string; carry: (one: Delivery) => readonly Inbound[] }[] = [
    { name: 'nothing', carry: () => [] },
    { name: 'twice', carry: (one) => [one, one] },
    {
      name: 'twice, once falsified',
      carry: (one) => [one, { ...one, body: one.body.map((b) => b ^ 1) }],
    },
    { name: 'from a stranger', carry: (one) => [{ ...one, from: stranger }] },
    { name: 'from nobody', carry: (one) => [{ ...one, from: 0 }] },
    { name: 'to a stranger', carry: (one) => [{ ...one, to: stranger }] },
    {
      name: 'to all and not to one, or the other way',
      carry: (one) => [{ ...one, to: one.to === '*' ? one.receiver : '*' }],
    },
  ]
  return ways.map(({ name, carry }) =>
    trial(slot, name, {
      name,
      corrupt,
      round: slot.sample.round,
      believed: false,
      tamper: (one) => (rules.nameOf(one) === slot.name ? carry(one) : [one]),
    }),
  )
}

function trial(slot: Slot, mutation: string, attack: Attack): Trial {
  return {
    attack: { ...attack, name: `${slot.name}: ${mutation}` },
    message: slot.name,
    field: '',
    mutation,
    ends: slot.message.ends,
    isFixed: false,
    isToOne: false,
  }
}
