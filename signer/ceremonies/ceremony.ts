import { toHex } from '@quorate/core/bytes'
import type { Abort, Inbound, Outbound } from '@quorate/threshold/session'
import type { Packet } from '@quorate/wire/packet'
import type { SessionReply } from '@quorate/wire/link'
import type { Reading } from '../clock.ts'
import { pack, unpack, type Mail } from './mail.ts'

/**
 * What a ceremony does next. Between two rounds it is in memory alone and in one place: whoever
 * goes on with it takes it out first, so that no round can be played twice and none survives a
 * restart.
 */
export type Move =
  | { readonly kind: 'next'; readonly proceed: Proceed; readonly out: readonly Outbound[] }
  /** The last packet. */
  | { readonly kind: 'last'; readonly out: readonly Outbound[] }
  | { readonly kind: 'end'; readonly reply: SessionReply }
export type Proceed = (inbox: readonly Inbound[]) => Move

/** Above anything that an honest server keeps open; each is a few kilobytes. */
const openMax = 512

type Open = {
  readonly mail: Mail
  /** Of the packet sent last. */
  readonly round: number
  readonly expires: number
  readonly proceed: Proceed
}

export class Ceremonies {
  private readonly open = new Map<string, Open>()

  isFull(now: number): boolean {
    for (const [name, { expires }] of this.open) if (expires < now) this.open.delete(name)
    return this.open.size >= openMax
  }

  /** Sends the first packet. */
  begin(mail: Mail, expires: number, move: Move): SessionReply {
    return this.settle({ mail, round: 0, expires }, move)
  }

  /** Takes the others' packets of the round in which this signer has spoken last. */
  advance(ceremony: Uint8Array, packets: readonly Packet[], now: Reading): SessionReply {
    const name = toHex(ceremony)
    const found = this.open.get(name)
    if (found === undefined) return refused('no such session is open')
    if (!now.ok) return refused(now.reason)
    this.open.delete(name)
    if (found.expires < now.time) return refused('the session has expired')
    const received = unpack(found.mail, found.round, packets)
    if (!received.ok) return aborted(ceremony, { ...received, burned: [] })
    return this.settle(found, found.proceed(received.inbox))
  }

  private settle({ mail, round, expires }: Omit<Open, 'proceed'>, move: Move): SessionReply {
    if (move.kind === 'end') return move.reply
    const { ceremony } = mail
    const packet = pack(mail, round + 1, move.out)
    if (packet === undefined)
      return aborted(ceremony, { reason: 'a key that seals nothing', culprits: [], burned: [] })
    if (move.kind === 'next')
      this.open.set(toHex(ceremony), { mail, round: round + 1, expires, proceed: move.proceed })
    return { kind: 'packet', ceremony, packet }
  }
}

export function refused(reason: string): SessionReply {
  return { kind: 'refused', reason: reason.slice(0, 100).toWellFormed() }
}

export function aborted(ceremony: Uint8Array, { reason, culprits, burned }: Abort): SessionReply {
  return { kind: 'aborted', ceremony, reason, culprits, burned }
}

export function end(reply: SessionReply): Move {
  return { kind: 'end', reply }
}
