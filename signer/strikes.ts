import { concat, toHex } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import type { SessionCall, SessionReply } from '@quorate/wire/link'
import { encodePacket } from '@quorate/wire/packet'
import type { CeremonyDeps } from './ceremonies/deps.ts'

/** The largest evidence that is kept whole; of more, its hash. There is one of each peer and reason. */
const evidenceBytesMax = 256 * 1024

/**
 * In the transaction behind the answer: whoever this signer says has sent what was wrong is written
 * down, with the packet that he has signed. An operator reads it; nothing here acts on it.
 */
export function noteStrikes(
  { store, log, clock }: Pick<CeremonyDeps, 'store' | 'log' | 'clock'>,
  call: SessionCall,
  reply: SessionReply,
): void {
  if (reply.kind !== 'aborted' || call.kind !== 'advance') return
  for (const peer of reply.culprits) {
    const packets = call.packets.filter(({ header }) => header.from === peer)
    const whole = concat(...packets.map(encodePacket))
    const evidence = whole.length > evidenceBytesMax ? sha256(whole) : whole
    store.peers.strike({ peer, reason: reply.reason, at: clock.surely(), evidence })
    log({ event: 'strike', peer, reason: reply.reason, ceremony: toHex(reply.ceremony) })
  }
}
