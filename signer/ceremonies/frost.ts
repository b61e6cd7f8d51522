import { concat, toUtf8 } from '@quorate/core/bytes'
import { frostCommit } from '@quorate/threshold/frost/nonces'
import { frostSign } from '@quorate/threshold/frost/sign'
import type { Inbound } from '@quorate/threshold/session'
import { aborted, end, type Move } from './ceremony.ts'
import type { Signing } from './sign.ts'

/** RFC 9591. Round 2 is already the last: it needs the certificate and all that goes with it. */
export function startFrost(signing: Signing): Move {
  const { deps, sid, share, quorum, message } = signing
  const { self, store, random } = deps
  // A machine restored from a snapshot may draw the same randomness, but not in the same life.
  const hedge = concat(sid, self.bootId, toUtf8(String(store.sequence)))
  const { nonces, commitment } = frostCommit({ secret: share.secret, hedge }, random)
  const proceed = (inbox: readonly Inbound[]): Move => {
    const refused = signing.refuses(['certified'])
    if (refused !== undefined) return end(refused)
    const commitments = new Map([...inbox.map(({ from, body }) => [from, body] as const)])
    commitments.set(self.index, commitment)
    if (inbox.length !== quorum.length - 1 || inbox.some(({ to }) => to !== '*'))
      return end(aborted(sid, { reason: 'not one commitment of each', culprits: [], burned: [] }))
    const signed = frostSign({ keyShare: share, quorum, commitments, message, nonces })
    if (!signed.ok) return end(aborted(sid, { ...signed, burned: [] }))
    return { kind: 'last', out: [{ to: '*', body: signed.share }] }
  }
  return { kind: 'next', proceed, out: [{ to: '*', body: commitment }] }
}
