import { isAtRest, type State } from './lifecycle.ts'
import { awaitApproval, askPolicies } from './hold.ts'
import type { Step } from './outcome.ts'
import { prepare } from './prepare.ts'
import { send } from './send.ts'
import { sign } from './sign.ts'
import { takeSlot } from './take-slot.ts'
import { watch } from './watch.ts'

const steps: { readonly [S in State]?: Step } = {
  asked: askPolicies,
  held: awaitApproval,
  requested: takeSlot,
  slotted: prepare,
  prepared: sign,
  signed: send,
  broadcasted: watch,
  included: watch,
}

/** The one thing to do next for a row, by the state that it is in. */
export function nextStep(state: State): Step | undefined {
  const step = steps[state]
  if (step === undefined && !isAtRest(state))
    throw new TypeError(`nothing is to be done in ${state}`)
  return step
}
