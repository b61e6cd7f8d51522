import type { Inbound, Outcome } from '../session.ts'
import type { KeyShare } from './context.ts'
import { type Complained, dkgFinish } from './finish.ts'
import { forgetDeal, type Round1 } from './round1.ts'
import { dkgRound2, type Round2 } from './round2.ts'
import { dkgRound3, type Round3 } from './round3.ts'
import { dkgSettle } from './settle.ts'

export type DkgState = Round1 | Round2 | Round3 | Complained

/** Overwrites the secrets of a state that nobody goes on with. */
export function forgetDkg(state: DkgState): void {
  if (state.kind === 'round1' || state.kind === 'round2') forgetDeal(state.deal)
  if (state.kind === 'round3')
    for (const secret of [...state.polynomial, state.secret]) secret?.fill(0)
}

/** The next round, whichever it is. */
export function dkgStep(state: DkgState, inbox: readonly Inbound[]): Outcome<DkgState, KeyShare> {
  switch (state.kind) {
    case 'round1':
      return dkgRound2(state, inbox)
    case 'round2':
      return dkgRound3(state, inbox)
    case 'round3':
      return dkgFinish(state, inbox)
    case 'complained':
      return dkgSettle(state, inbox)
  }
}
