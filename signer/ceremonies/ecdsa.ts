import { equalBytes } from '@quorate/core/bytes'
import { ecdsaCurve } from '@quorate/threshold/ecdsa/curve'
import type { PairState } from '@quorate/threshold/ecdsa/pair'
import { startEcdsa as startRound1 } from '@quorate/threshold/ecdsa/round1'
import { ecdsaRound2, partedFrom } from '@quorate/threshold/ecdsa/round2'
import { ecdsaRound3 } from '@quorate/threshold/ecdsa/round3'
import type { Inbound, Outcome, Party } from '@quorate/threshold/session'
import { aborted, end, type Move } from './ceremony.ts'
import type { Standing } from './gates.ts'
import { burnPairs, openPairs } from './pairs.ts'
import type { Signing } from './sign.ts'

type Pairs = ReadonlyMap<Party, PairState>

/**
 * DKLs23 in three rounds. The second answers a peer's word with secrets of the pair, so it takes a
 * seal; the third is a share of the signature, so it takes the certificate.
 *
 * A failed check burns its pairs in the transaction behind the answer (threshold-signing 6.7). One
 * call is worked on without a pause, and asks the store before it tests anything: no second guess
 * at a pair can be under way while the first one burns it.
 */
export function startEcdsa(signing: Signing): Move {
  const { deps, share, quorum, sid, message } = signing
  const peers = quorum.filter((party) => party !== share.self)
  const opened = openPairs(deps, signing, peers)
  if (!opened.ok) return end({ ...opened, kind: 'unpaired' })
  const { group, self, n, t, secret, publicKey, publicShares } = share
  const { pairs } = opened
  const first = startRound1(
    {
      ...{ curve: ecdsaCurve(group), self, quorum, n, t, secret, publicKey, publicShares },
      ...{ pairs, sid, digest: message },
    },
    deps.random,
  )
  return moveOf(signing, first, (state) => (inbox) => {
    const stop = mayGoOn(signing, pairs, ['sealed', 'certified'])
    if (stop !== undefined) return stop
    const second = ecdsaRound2(state, inbox)
    // One of two has come to the end of a setup and the other has not: they need another one.
    if (second.kind === 'abort' && second.abort.reason === 'epoch')
      return end({ kind: 'unpaired', peers: partedFrom(state.context, inbox), burned: [] })
    return moveOf(signing, second, (later) => (last) => {
      const refused = mayGoOn(signing, pairs, ['certified'])
      return refused ?? moveOf(signing, ecdsaRound3(later, last), undefined)
    })
  })
}

type After<S> = ((state: S) => (inbox: readonly Inbound[]) => Move) | undefined

function moveOf<S>(signing: Signing, outcome: Outcome<S, unknown>, after: After<S>): Move {
  if (outcome.kind === 'abort') {
    burnPairs(signing.deps, signing.organization, outcome.abort)
    return end(aborted(signing.sid, outcome.abort))
  }
  if (outcome.kind === 'done') return { kind: 'last', out: outcome.out }
  if (after === undefined) throw new Error('a round more than there are')
  return { kind: 'next', out: outcome.out, proceed: after(outcome.state) }
}

/**
 * Before words of the peers are tested: its step has come far enough here, and every pair is still
 * the one it began with.
 */
function mayGoOn(signing: Signing, pairs: Pairs, needed: readonly Standing[]): Move | undefined {
  const { deps, organization } = signing
  const refused = signing.refuses(needed)
  if (refused !== undefined) return end(refused)
  const lost = [...pairs].filter(([peer, { epoch }]) => {
    const kept = deps.store.pairs.find({ organization, peer })
    return kept?.status !== 'usable' || !equalBytes(kept.epoch, epoch)
  })
  const peers = lost.map(([peer]) => peer)
  const burned = peers.filter(
    (peer) => deps.store.pairs.find({ organization, peer })?.status === 'burned',
  )
  if (lost.length > 0) return end({ kind: 'unpaired', peers, burned })
  for (const peer of pairs.keys()) deps.store.pairs.countTest({ organization, peer })
  return undefined
}
