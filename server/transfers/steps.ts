import { follow } from '../sponsorships/follow.ts'
import { prepareSponsored } from '../sponsorships/prepare-sponsored.ts'
import { prepareSponsorship } from '../sponsorships/prepare-sponsorship.ts'
import { signSponsored } from '../sponsorships/sign-sponsored.ts'
import { signSponsorship } from '../sponsorships/sign-sponsorship.ts'
import { sendSponsorship, watchSponsorship } from '../sponsorships/watch-sponsorship.ts'
import { unlessProposed } from './agreed.ts'
import { isAtRest, type State } from './lifecycle.ts'
import { awaitApproval, askPolicies } from './hold.ts'
import type { Step } from './outcome.ts'
import { prepare } from './prepare.ts'
import { send } from './send.ts'
import { sign } from './sign.ts'
import type { Outgoing } from './tables.ts'
import { takeSlot } from './take-slot.ts'
import { watch } from './watch.ts'

const steps: { readonly [S in State]?: Step } = {
  asked: askPolicies,
  held: awaitApproval,
  requested: unlessProposed(takeSlot),
  slotted: unlessProposed(prepare),
  prepared: sign,
  signed: send,
  broadcasted: watch,
  included: watch,
}

/** What somebody else pays for: signed without a slot, it follows what is sent for it. */
const sponsoredSteps: typeof steps = {
  ...steps,
  requested: unlessProposed(prepareSponsored),
  prepared: signSponsored,
  signed: follow,
  broadcasted: follow,
  included: follow,
}
/** What is sent for it. */
const sponsorshipSteps: typeof steps = {
  ...steps,
  slotted: unlessProposed(prepareSponsorship),
  prepared: signSponsorship,
  signed: sendSponsorship,
  broadcasted: watchSponsorship,
}

/** The one thing to do next for a row, by what it is and the state that it is in. */
export function nextStep(row: Pick<Outgoing, 'state' | 'kind' | 'fee_sponsor'>): Step | undefined {
  const { state } = row
  const step = stepsOf(row)[state]
  if (step === undefined && !isAtRest(state))
    throw new TypeError(`nothing is to be done in ${state}`)
  return step
}

function stepsOf({ kind, fee_sponsor }: Pick<Outgoing, 'kind' | 'fee_sponsor'>): typeof steps {
  if (kind === 'sponsorship') return sponsorshipSteps
  return fee_sponsor === null ? steps : sponsoredSteps
}
