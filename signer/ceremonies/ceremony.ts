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
  | {
      readonly kind: 'next'
      readonly proceed: Proceed
      readonly out: readonly Outbound[]
      /** In the place of `proceed`, when nobody goes on with it. */
      readonly discard?: () => void
      /** The packet is made: what it was made of may go. */
      readonly onPacked?: () => void
    }
  /** Worked out elsewhere, once all that has been written so far is on the disk. */
  | { readonly kind: 'work'; readonly run: () => Promise<() => Move> }
  /** The last packet. */
  | { readonly kind: 'last'; readonly out: readonly Outbound[] }
  | { readonly kind: 'end'; readonly reply: SessionReply }
export type Proceed = (inbox: readonly Inbound[]) => Move

/** What a call is answered with, or what there is to do first: after the commit, and then in another. */
export type Said =
  | SessionReply
  | { readonly kind: 'later'; readonly run: () => Promise<() => Said> }

/** Above anything that an honest server keeps open; each is a few kilobytes. */
const openMax = 512
/** Of one signature: an honest server opens n - t + 1 (`docs/protocols/aborts.md`), and closes them. */
const openOfOneMax = 8

type Open = {
  readonly mail: Mail
  /** Of the packet sent last. */
  readonly round: number
  readonly expires: number
  /** What it is to make, where there may be several attempts at it. */
  readonly aim: string
  readonly proceed: Proceed
  readonly discard: (() => void) | undefined
}
type Session = Omit<Open, 'proceed' | 'discard'>
type Begun = Pick<Open, 'expires'> & { readonly aim?: string }

export class Ceremonies {
  private readonly open = new Map<string, Open>()
  /** Those whose next round is being worked out. */
  private readonly working = new Map<string, { isClosed: boolean }>()

  /** May no further session begin, or none with this aim? */
  isFull(now: number, aim = ''): boolean {
    let alike = 0
    for (const [name, open] of this.open) {
      if (open.expires < now) this.drop(name)
      else if (aim !== '' && open.aim === aim) alike++
    }
    return this.open.size + this.working.size >= openMax || alike >= openOfOneMax
  }

  close(ceremony: Uint8Array): SessionReply {
    const name = toHex(ceremony)
    this.drop(name)
    // Its answer must still be heard: it may be a lost bet.
    const working = this.working.get(name)
    if (working !== undefined) working.isClosed = true
    return { kind: 'closed' }
  }

  private drop(name: string): void {
    this.open.get(name)?.discard?.()
    this.open.delete(name)
  }

  /** Sends the first packet. */
  begin(mail: Mail, { expires, aim = '' }: Begun, move: Move): Said {
    return this.settle({ mail, round: 0, expires, aim }, move)
  }

  /** Takes the others' packets of the round in which this signer has spoken last. */
  advance(ceremony: Uint8Array, packets: readonly Packet[], now: Reading): Said {
    const name = toHex(ceremony)
    const found = this.open.get(name)
    if (found === undefined) return refused('no such session is open')
    if (!now.ok) return refused(now.reason)
    this.open.delete(name)
    if (found.expires < now.time) return ended(found, refused('the session has expired'))
    const received = unpack(found.mail, found.round, packets)
    if (!received.ok) return ended(found, aborted(ceremony, { ...received, burned: [] }))
    return this.settle(found, found.proceed(received.inbox))
  }

  private settle(of: Session, move: Move): Said {
    if (move.kind === 'end') return move.reply
    if (move.kind === 'work') return this.later(of, move.run)
    const { mail, expires, aim } = of
    const { ceremony } = mail
    const round = of.round + 1
    const packet = pack(mail, round, move.out)
    if (move.kind === 'next') move.onPacked?.()
    if (packet === undefined && move.kind === 'next') move.discard?.()
    if (packet === undefined)
      return aborted(ceremony, { reason: 'a key that seals nothing', culprits: [], burned: [] })
    if (move.kind === 'next') {
      const { proceed, discard } = move
      this.open.set(toHex(ceremony), { mail, round, expires, aim, proceed, discard })
    }
    return { kind: 'packet', ceremony, packet }
  }

  private later(of: Session, run: () => Promise<() => Move>): Said {
    const name = toHex(of.mail.ceremony)
    const working = { isClosed: false }
    this.working.set(name, working)
    const resume = (next: () => Move): Said => {
      this.working.delete(name)
      const move = next()
      if (!working.isClosed || move.kind === 'end') return this.settle(of, move)
      if (move.kind === 'next') move.discard?.()
      return refused('the session was closed')
    }
    return { kind: 'later', run: async () => run().then((next) => () => resume(next)) }
  }
}

function ended({ discard }: Open, reply: SessionReply): SessionReply {
  discard?.()
  return reply
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
