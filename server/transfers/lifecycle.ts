import { Failure } from '@quorate/core/failure'

/**
 * The life of everything that leaves a wallet, transfers and transactions alike, in one table.
 *
 *   requested ─▶ slotted ─▶ prepared ─▶ signed ─▶ broadcasted ─▶ included ─▶ confirmed
 *
 * Where an organization has policies on signing, it begins as `asked`, until these have spoken. What
 * they hold waits as `held`, without a slot, for whoever approves it; they may hold it as late as
 * before its bytes are signed, and then it begins anew once it is approved.
 *
 * What a fee sponsor pays for has no slot: it is prepared at once, and from `signed` on it follows what
 * the sponsor sends for it, which is a row with a life of its own. Where that is `outbid` there is another
 * one, which has its slot and is worked out `again` until its signers agree on it.
 *
 * Up to `prepared` no signed bytes exist, and a refusal, the request's own deadline or its user ends it. From
 * `signed` on somebody may have the bytes, so only the chain can end it: another transaction has its
 * slot for good (`lapsed`), or it was carried out and failed (`reverted`). A reorganization puts it
 * back to where the chain has put it.
 */
const lifecycle = {
  asked: { pass: 'requested', hold: 'held', reject: 'rejected', expire: 'expired' },
  held: { release: 'requested', reject: 'rejected' },
  requested: {
    takeSlot: 'slotted',
    prepare: 'prepared',
    refuse: 'refused',
    expire: 'expired',
    abort: 'aborted',
  },
  slotted: {
    prepare: 'prepared',
    loseSlot: 'requested',
    refuse: 'refused',
    expire: 'expired',
    abort: 'aborted',
  },
  prepared: {
    sign: 'signed',
    again: 'slotted',
    loseSlot: 'requested',
    hold: 'held',
    reject: 'rejected',
    refuse: 'refused',
    expire: 'expired',
    abort: 'aborted',
  },
  signed: { send: 'broadcasted', include: 'included', outbid: 'signed', lapse: 'lapsed' },
  broadcasted: { include: 'included', outbid: 'broadcasted', lapse: 'lapsed' },
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
  rejected: {},
  aborted: {},
} as const satisfies { readonly [from: string]: { readonly [event: string]: string } }

export type State = keyof typeof lifecycle
export type Event = { [S in State]: keyof (typeof lifecycle)[S] }[State]
export const states = Object.keys(lifecycle) as readonly State[]
export const moves = states.flatMap((state) =>
  Object.keys(lifecycle[state]).map((event) => ({ state, event })),
)

/**
 * What the API calls it: pending is what waits for policies or whom they ask, and nothing else. In line
 * it is executing, is so again when it loses its slot, and can be aborted.
 */
export type Status = 'Pending' | 'Executing' | 'Broadcasted' | 'Confirmed' | 'Failed' | 'Rejected'
const statuses: Readonly<Record<State, Status>> = {
  asked: 'Pending',
  held: 'Pending',
  requested: 'Executing',
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
  rejected: 'Rejected',
  aborted: 'Failed',
}

/** Those in which nobody can hold signed bytes. */
export const unsigned: ReadonlySet<State> = new Set([
  ...(['asked', 'held', 'requested', 'slotted', 'prepared'] as const),
])
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
  return ['Confirmed', 'Failed', 'Rejected'].includes(statuses[state])
}
