import assert from 'node:assert/strict'
import { decode, encode } from '@quorate/core/codec'
import type { KeyShare } from '@quorate/threshold/dkg/context'
import { startDkg } from '@quorate/threshold/dkg/round1'
import { dkgStep, forgetDkg, type DkgState } from '@quorate/threshold/dkg/step'
import { encodePair, type PairState } from '@quorate/threshold/ecdsa/pair'
import { pairSetupStep, startPairSetup, type PairSetup } from '@quorate/threshold/ecdsa/pair-setup'
import type { Inbound, Outcome, Random } from '@quorate/threshold/session'
import { answerCodec, fromIn, jobCodec, toOut, type Answer, type Job } from './messages.ts'
import { wipe, wipeDirect } from './wipe.ts'

type Held = (
  | { readonly protocol: 'dkg'; readonly state: DkgState }
  | { readonly protocol: 'pair'; readonly state: PairSetup }
) & {
  /** Overwrites what this and the rounds before it have left behind. */
  readonly leave: () => void
}

/**
 * Sessions between two rounds, by number, and what takes them from one to the next. A session is
 * taken out before it is gone on with, and its bytes are overwritten when it has ended in any way.
 */
export class Sessions {
  private readonly held = new Map<number, Held>()
  private readonly random: Random

  constructor(random: Random) {
    this.random = random
  }

  get size(): number {
    return this.held.size
  }

  /** @param sent a job's bytes, overwritten here. @returns the answer's, if there is one */
  take(sent: Uint8Array): Uint8Array | undefined {
    const job = decode(jobCodec, sent)
    sent.fill(0)
    const answer = this.answer(job)
    if (answer === undefined) return undefined
    const bytes = encode(answerCodec, answer)
    if (answer.kind !== 'next') wipeResult(answer)
    return bytes
  }

  private answer(job: Job): Answer | undefined {
    const { random } = this
    const { id } = job
    switch (job.kind) {
      case 'dkg':
        return this.settleDkg(id, startDkg(job, random), () => undefined)
      case 'pair':
        return this.settlePair(id, startPairSetup(job, random), () => undefined)
      case 'advance':
        return this.advance(id, job.inbox.map(fromIn))
      case 'forget': {
        const held = this.held.get(id)
        held?.leave()
        if (held?.protocol === 'dkg') forgetDkg(held.state)
        this.held.delete(id)
        return undefined
      }
    }
  }

  private advance(id: number, inbox: readonly Inbound[]): Answer {
    const held = this.held.get(id)
    // Whoever asks keeps the same list.
    assert(held !== undefined, 'no such session is held')
    this.held.delete(id)
    const leave = (): void => {
      held.leave()
      wipeDirect(inbox)
    }
    return held.protocol === 'dkg'
      ? this.settleDkg(id, dkgStep(held.state, inbox), leave)
      : this.settlePair(id, pairSetupStep(held.state, inbox), leave)
  }

  private settleDkg(id: number, outcome: Outcome<DkgState, KeyShare>, before: () => void): Answer {
    if (outcome.kind === 'next') {
      const { state, out } = outcome
      // No deeper: its points are values that sessions may share, and its secrets the protocol forgets.
      const leave = (): void => {
        before()
        wipeDirect(out)
      }
      this.held.set(id, { protocol: 'dkg', state, leave })
      return { kind: 'next', id, out: out.map(toOut) }
    }
    before()
    if (outcome.kind === 'abort') return { kind: 'abort', id, ...outcome.abort }
    return { kind: 'share', id, share: outcome.result }
  }

  private settlePair(
    id: number,
    outcome: Outcome<PairSetup, PairState>,
    before: () => void,
  ): Answer {
    if (outcome.kind === 'next') {
      const { state, out } = outcome
      const leave = (): void => {
        before()
        wipe(state)
      }
      this.held.set(id, { protocol: 'pair', state, leave })
      return { kind: 'next', id, out: out.map(toOut) }
    }
    if (outcome.kind === 'abort') {
      before()
      return { kind: 'abort', id, ...outcome.abort }
    }
    const [epoch, secret] = [outcome.result.epoch.slice(), encodePair(outcome.result)]
    before()
    return { kind: 'pair', id, epoch, secret }
  }
}

function wipeResult(answer: Answer): void {
  if (answer.kind === 'share') answer.share.secret.fill(0)
  if (answer.kind === 'pair') answer.secret.fill(0)
}
