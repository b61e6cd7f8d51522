import { concat, toUtf8 } from '@quorate/core/bytes'
import { decodeSchnorr } from '@quorate/effects/instruction'
import { frostCommit, type Committed, type Committing } from '@quorate/threshold/frost/nonces'
import { frostSign, type FrostSigning, type Signed } from '@quorate/threshold/frost/sign'
import type { Inbound, Random } from '@quorate/threshold/session'
import { taprootCommit, taprootSign } from '@quorate/threshold/taproot/sign'
import { aborted, end, type Move } from './ceremony.ts'
import type { Signing } from './sign.ts'

/** RFC 9591 for Ed25519. */
export function startFrost(signing: Signing): Move {
  const { message } = signing
  return twoRounds(signing, {
    commit: frostCommit,
    sign: (round) => frostSign({ ...round, message }),
  })
}

/** The same for BIP 340. What the key was marked as at birth stands in its terms. */
export function startTaproot(signing: Signing): Move {
  const { merkleRoot, message } = decodeSchnorr(signing.message)
  const birth = signing.terms.untweaked === 'yes' ? 'plain' : 'taproot'
  return twoRounds(signing, {
    commit: taprootCommit,
    sign: (round) => taprootSign({ ...round, birth, merkleRoot, message }),
  })
}

type Rounds = {
  readonly commit: (input: Committing, random: Random) => Committed
  readonly sign: (round: Omit<FrostSigning, 'message'>) => Signed
}

/** Round 2 is already the last: it needs the certificate and all that goes with it. */
function twoRounds(signing: Signing, { commit, sign }: Rounds): Move {
  const { deps, sid, share, quorum } = signing
  const { self, store, random } = deps
  // A machine restored from a snapshot may draw the same randomness, but not in the same life.
  const hedge = concat(sid, self.bootId, toUtf8(String(store.sequence)))
  const { nonces, commitment } = commit({ secret: share.secret, hedge }, random)
  const proceed = (inbox: readonly Inbound[]): Move => {
    const refused = signing.refuses(['certified'])
    if (refused !== undefined) {
      nonces.forget()
      return end(refused)
    }
    const commitments = new Map([...inbox.map(({ from, body }) => [from, body] as const)])
    commitments.set(self.index, commitment)
    if (inbox.length !== quorum.length - 1 || inbox.some(({ to }) => to !== '*')) {
      nonces.forget()
      return end(aborted(sid, { reason: 'not one commitment of each', culprits: [], burned: [] }))
    }
    const signed = sign({ keyShare: share, quorum, commitments, nonces })
    if (!signed.ok) return end(aborted(sid, { ...signed, burned: [] }))
    return { kind: 'last', out: [{ to: '*', body: signed.share }] }
  }
  const discard = (): void => nonces.forget()
  return { kind: 'next', proceed, discard, out: [{ to: '*', body: commitment }] }
}
