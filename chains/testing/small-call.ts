import { runDelegated, runSingleton, smallAccount } from './small-account.ts'
import { coin, runCoin } from './small-coin.ts'
import type { Around, Call, Draft, Outcome } from './small-state.ts'

/** What every transaction takes, and a payment to an account without code no more (Yellow Paper, G_transaction). */
export const gasOfPayment = 21_000n

/** What a call does, by whatever is at the address that it goes to. A draft in which one has failed is of no use. */
export function perform(call: Call, draft: Draft, around: Around): Outcome {
  const { from, to, value } = call
  if (to === coin.address) return performInCoin(call, draft)
  if (value > 0n) {
    if (draft.account(from).balance < value) return { ok: false, gas: 0n }
    draft.pay(call)
  }
  const run = { draft, around, perform: (next: Call) => perform(next, draft, around) }
  if (to === smallAccount.address) return runSingleton(call, run)
  if (draft.account(to).delegate === smallAccount.address) return runDelegated(call, run)
  return { ok: true, output: '0x', gas: 0n, logs: [] }
}

function performInCoin(call: Call, draft: Draft): Outcome {
  const ran = runCoin(call, (holder) => draft.account(holder).units)
  const gas = ran.gasUsed - gasOfPayment
  if (!ran.ok) return { ok: false, gas }
  const { output, logs, moved } = ran
  if (moved !== undefined) draft.payUnits({ from: call.from, to: moved.to, value: moved.amount })
  return { ok: true, output, gas, logs }
}
