import { Failure } from '@quorate/core/failure'
import { unacceptable } from './ceremony.ts'
import type { Verdict } from './roast.ts'
import type { Ended } from './sessions.ts'
import type { Signing, SigningWorld } from './signing.ts'

/** Who is to blame for the sessions of one signature that come to nothing, and what can be mended. */
export class Inquiry {
  private readonly signing: Signing
  private readonly world: SigningWorld
  /** Signers, and pairs, that have been mended: they may only say so. */
  private readonly mended = new Set<string>()
  private readonly refusals = new Map<number, string>()

  constructor(signing: Signing, world: SigningWorld) {
    this.signing = signing
    this.world = world
  }

  judge(outcome: Ended, quorum: readonly number[]): Verdict {
    const verdict = this.verdictOn(outcome, quorum)
    const { kind, signer } = outcome
    if (verdict.kind === 'mending') this.world.attendance.excuse(signer)
    const isKnown = kind === 'banned' || (kind === 'unpaired' && outcome.burned.length > 0)
    const blamed = isKnown ? [] : blamedBy(verdict, quorum)
    for (const one of blamed) this.world.attendance.miss(one)
    const reason = 'reason' in outcome ? outcome.reason : ''
    const context = { kind, reason, signer: this.names([signer]), quorum: this.names(quorum) }
    const said = { ...context, verdict: verdict.kind, blamed: this.names(blamed) }
    this.world.log.warn(said, 'a signing session ended')
    return verdict
  }

  private verdictOn(outcome: Ended, quorum: readonly number[]): Verdict {
    const { signer } = outcome
    switch (outcome.kind) {
      case 'busy':
      case 'missed':
        return { kind: outcome.kind, signer }
      case 'unready':
        return this.mendOnce(signer, []) ?? { kind: 'faulty', signers: [signer] }
      case 'banned':
        return this.banned(outcome, quorum)
      case 'refused':
        return this.refused(outcome)
      case 'unpaired':
        return this.unpaired(outcome, quorum)
      case 'spoiled':
        return this.spoiled(outcome, quorum)
    }
  }

  private refused({ signer, reason }: Extract<Ended, { kind: 'refused' }>): Verdict {
    const mending = this.mendOnce(signer, [])
    if (mending !== undefined) return mending
    this.refusals.set(signer, reason)
    const refusal = this.refusal()
    if (refusal !== undefined) throw refusal
    return { kind: 'faulty', signers: [signer] }
  }

  private banned(
    { signer, ...said }: Extract<Ended, { kind: 'banned' }>,
    quorum: readonly number[],
  ): Verdict {
    const peers = said.peers.filter((peer) => peer !== signer && quorum.includes(peer))
    if (peers.length === 0) return { kind: 'faulty', signers: [signer] }
    this.world.bans.note(signer, peers)
    return { kind: 'parted', signer, peers }
  }

  private unpaired(
    { signer, ...said }: Extract<Ended, { kind: 'unpaired' }>,
    quorum: readonly number[],
  ): Verdict {
    const among = (peers: readonly number[]) =>
      peers.filter((peer) => peer !== signer && quorum.includes(peer))
    const [peers, burned] = [among(said.peers), among(said.burned)]
    if (peers.length === 0) return { kind: 'faulty', signers: [signer] }
    this.world.faults.burn(this.signing.place.organization, signer, burned)
    if (burned.length > 0) return { kind: 'parted', signer, peers: burned }
    return this.mendOnce(signer, peers) ?? { kind: 'parted', signer, peers }
  }

  /** Of one signer's word nobody can tell whether it or whom it accuses is to blame. */
  private spoiled(
    { signer, reason, ...said }: Extract<Ended, { kind: 'spoiled' }>,
    quorum: readonly number[],
  ): Verdict {
    if (reason === unacceptable) return { kind: 'faulty', signers: [signer] }
    const named = [...new Set([...said.culprits, ...said.burned])]
    if (named.some((peer) => peer === signer || !quorum.includes(peer)))
      return { kind: 'faulty', signers: [signer] }
    this.world.faults.burn(this.signing.place.organization, signer, said.burned)
    this.world.faults.accuse(signer, named, reason)
    return named.length > 0 ? { kind: 'parted', signer, peers: named } : { kind: 'spoilt' }
  }

  private mendOnce(signer: number, peers: readonly number[]): Verdict | undefined {
    const name = String([signer, ...peers])
    if (this.mended.has(name)) return undefined
    this.mended.add(name)
    return { kind: 'mending', signer, peers }
  }

  async mend(outcome: Ended, since: number): Promise<boolean> {
    const { place } = this.signing
    const { signer } = outcome
    // It may not have come as far as this step yet.
    if (outcome.kind !== 'unpaired') {
      const isNew = await this.world.catchUp(signer, place)
      if (!isNew && outcome.kind === 'refused') this.refusals.set(signer, outcome.reason)
      return isNew
    }
    const made = await Promise.allSettled(
      outcome.peers.map((peer) => this.world.setUpPair(place.organization, [signer, peer], since)),
    )
    return made.every(({ status }) => status === 'fulfilled')
  }

  /** What everybody said is here: who is wrong is not a matter of anybody's word. */
  expose(
    { reason, culprits }: { readonly reason: string; readonly culprits: readonly number[] },
    quorum: readonly number[],
  ): Verdict {
    const verdict: Verdict =
      culprits.length > 0 ? { kind: 'faulty', signers: culprits } : { kind: 'spoilt' }
    const exposed = blamedBy(verdict, quorum)
    for (const one of exposed) this.world.attendance.miss(one)
    this.world.log.error({ reason, culprits: this.names(exposed) }, 'a signature was spoiled')
    return verdict
  }

  /** More than can be corrupt say no: at least one of them is right. */
  refusal(): Failure | undefined {
    const [reason = ''] = this.refusals.values()
    return this.refusals.size >= this.signing.key.threshold
      ? new Failure('request.refused', { reason })
      : undefined
  }

  private names(signers: readonly number[]): readonly (string | undefined)[] {
    return signers.map((one) => this.world.manifest.signers[one - 1]?.id)
  }
}

/** Who is not to be in the first quorums of the next signatures. */
function blamedBy(verdict: Verdict, quorum: readonly number[]): readonly number[] {
  switch (verdict.kind) {
    case 'faulty':
      return verdict.signers
    case 'missed':
      return [verdict.signer]
    case 'parted':
      return [verdict.signer, ...verdict.peers]
    case 'spoilt':
      return quorum
    case 'busy':
    case 'mending':
      return []
  }
}
