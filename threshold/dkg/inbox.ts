import { type Codec, decode } from '@quorate/core/codec'
import { isFailure } from '@quorate/core/failure'
import type { Abort, Inbound, Party } from '../session.ts'
import { type DkgContext, partiesOf } from './context.ts'

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly abort: Abort }

/** By sender. A round without messages to single parties leaves `direct` empty. */
export type Received = {
  readonly broadcasts: ReadonlyMap<Party, Uint8Array>
  readonly direct: ReadonlyMap<Party, Uint8Array>
}

/** Exactly one broadcast of every other party, and with `direct` exactly one to this one alone. */
export function collect(
  context: DkgContext,
  inbox: readonly Inbound[],
  { direct }: { readonly direct: boolean },
): Checked<Received> {
  const others = othersOf(context)
  const received = {
    broadcasts: new Map<Party, Uint8Array>(),
    direct: new Map<Party, Uint8Array>(),
  }
  for (const { from, to, body } of inbox) {
    if (!others.includes(from)) return refused('unknown sender', [])
    if (to !== '*' && !(direct && to === context.self)) return refused('unexpected message', [from])
    const bodies = to === '*' ? received.broadcasts : received.direct
    if (bodies.has(from)) return refused('duplicate message', [from])
    bodies.set(from, body)
  }
  const missing = others.filter(
    (party) => !received.broadcasts.has(party) || (direct && !received.direct.has(party)),
  )
  return missing.length > 0 ? refused('missing message', missing) : { ok: true, value: received }
}

export function readEach<T>(
  codec: Codec<T>,
  bodies: ReadonlyMap<Party, Uint8Array>,
): Checked<ReadonlyMap<Party, T>> {
  const values = new Map<Party, T>()
  const culprits: Party[] = []
  for (const [party, body] of bodies) {
    const value = read(codec, body)
    if (value === undefined) culprits.push(party)
    else values.set(party, value)
  }
  return culprits.length > 0 ? refused('malformed message', culprits) : { ok: true, value: values }
}

/** Names every party whose message fails `passes`, in index order. */
export function blame<T>(
  reason: string,
  messages: ReadonlyMap<Party, T>,
  passes: (message: T, from: Party) => boolean,
): Abort | undefined {
  const culprits = [...messages]
    .filter(([party, message]) => !passes(message, party))
    .map(([party]) => party)
  return culprits.length > 0 ? abortOf(reason, culprits) : undefined
}

export function abortOf(reason: string, culprits: readonly Party[]): Abort {
  return { reason, culprits: culprits.toSorted((a, b) => a - b), burned: [] }
}

export function othersOf(context: DkgContext): readonly Party[] {
  return partiesOf(context).filter((party) => party !== context.self)
}

function refused(reason: string, culprits: readonly Party[]): Checked<never> {
  return { ok: false, abort: abortOf(reason, culprits) }
}

function read<T>(codec: Codec<T>, body: Uint8Array): T | undefined {
  try {
    return decode(codec, body)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}
