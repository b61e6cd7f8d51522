import { Failure } from '@quorate/core/failure'

/**
 * The life of everything that leaves a wallet, transfers and transactions alike, in one table.
 *
 *   requested ─▶ slotted ─▶ prepared ─▶ signed ─▶ broadcasted ─▶ included ─▶ confirmed
 *
 * Up to `prepared` no signed bytes exist, and a refusal or the request's own deadline ends it. From
 * `signed` on somebody may have the bytes, so only the chain can end it: another transaction has its
 * slot for good (`lapsed`), or it was carried out and failed (`reverted`). A reorganization puts it
 * back to where the chain has put it.
 */
const lifecycle = {
  requested: { takeSlot: 'slotted', refuse: 'refused', expire: 'expired' },
  slotted: { prepare: 'prepared', loseSlot: 'requested', refuse: 'refused', expire: 'expired' },
  prepared: { sign: 'signed', loseSlot: 'requested', refuse: 'refused', expire: 'expired' },
  signed: { send: 'broadcasted', include: 'included', lapse: 'lapsed' },
  broadcasted: { include: 'included', lapse: 'lapsed' },
  included: {
    include: 'included',
    confirm: 'confirmed',
    revert: 'reverted',
    displace: 'broadcasted',
    lapse: 'lapsed',
  },
  confirmed: { displace: 'broadcasted' },
  reverted: { displace: 'broadcasted' },
  lapsed: {},
  refused: {},
  expired: {},
} as const satisfies { readonly [from: string]: { readonly [event: string]: string } }

export type State = keyof typeof lifecycle
export type Event = { [S in State]: keyof (typeof lifecycle)[S] }[State]
export const states = Object.keys(lifecycle) as readonly State[]

/** What the API calls it. */
export type Status = 'Pending' | 'Executing' | 'Broadcasted' | 'Confirmed' | 'Failed'
const statuses: Readonly<Record<State, Status>> = {
  requested: 'Pending',
  slotted: 'Executing',
  prepared: 'Executing',
  signed: 'Executing',
  broadcasted: 'Broadcasted',
  included: 'Broadcasted',
  confirmed: 'Confirmed',
  reverted: 'Failed',
  lapsed: 'Failed',
  refused: 'Failed',
  expired: 'Failed',
}

/** Those in which nobody can hold signed bytes. */
export const unsigned: ReadonlySet<State> = new Set(['requested', 'slotted', 'prepared'])
/** Those in which one holds its address's next slot, so that the others have to wait. */
export const atTheDesk = ['slotted', 'prepared'] as const satisfies readonly State[]
/** Those that rest on a block, and fall with it. */
export const onABlock = ['included', 'confirmed', 'reverted'] as const satisfies readonly State[]

/** @throws Failure `transfer.wrong_state` for what is not in the table */
export function after(from: State, event: Event): State {
  const events: { readonly [event: string]: State } = lifecycle[from]
  const to = Object.hasOwn(events, event) ? events[event] : undefined
  if (to === undefined) throw new Failure('transfer.wrong_state', { from, event })
  return to
}

export function statusOf(state: State): Status {
  return statuses[state]
}

/** Is there nothing left to do, unless the chain takes it back? */
export function isAtRest(state: State): boolean {
  return statuses[state] === 'Confirmed' || statuses[state] === 'Failed'
}
