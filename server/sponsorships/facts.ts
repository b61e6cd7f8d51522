import { delegationOf, isDeployed } from '@quorate/chains/evm/account/account'
import { pendingNonce } from '@quorate/chains/evm/index'
import { encodeFacts, type SponsoredFacts } from '@quorate/effects/facts'
import { minedNonce } from '../chain/facts.ts'
import type { StepDeps } from '../transfers/outcome.ts'
import type { Outgoing } from '../transfers/tables.ts'
import { findSponsor, type Sponsor } from './sponsor.ts'
import { sponsoredEffect } from './terms.ts'

export async function sponsorOfRow(
  { database, coordinator: log }: Pick<StepDeps, 'database' | 'coordinator'>,
  row: Outgoing,
): Promise<Sponsor> {
  if (row.fee_sponsor === null) throw new TypeError('nobody pays for this')
  return findSponsor({ database, log }, row, row.fee_sponsor)
}

export type Account =
  | { readonly ok: true; readonly facts: SponsoredFacts }
  /** `isFinal`: waiting changes nothing. */
  | { readonly ok: false; readonly isFinal: boolean; readonly why: string }

/** What the account's own signatures rest on: does it run the contract yet, and if not, its nonce. */
export async function accountFacts({ chain }: StepDeps, { address }: Outgoing): Promise<Account> {
  const { rpc, network } = chain
  const no = (isFinal: boolean, why: string) => ({ ok: false, isFinal, why }) as const
  if (!(await isDeployed(rpc)))
    return no(true, `nobody has made the account contract on ${network.id} yet`)
  const kind = await delegationOf(rpc, address)
  if (kind === 'ours') return { ok: true, facts: { family: 'sponsored' } }
  if (kind === 'other') return no(true, 'the wallet runs the code of another contract')
  const delegationNonce = await minedNonce(rpc, address)
  if ((await pendingNonce(rpc, address)) > delegationNonce)
    return no(false, 'a transaction of the wallet itself comes first')
  return { ok: true, facts: { family: 'sponsored', delegationNonce } }
}

/**
 * Facts for policies to be asked on, before anything is given out.
 * @returns nothing where it has to be seen first what the chain says of it
 */
export async function presentSponsoredFacts(
  deps: StepDeps,
  row: Outgoing,
): Promise<Uint8Array | undefined> {
  const account = await accountFacts(deps, row)
  return account.ok ? encodedFacts(deps, row, account.facts) : undefined
}

export async function encodedFacts(
  deps: StepDeps,
  row: Outgoing,
  facts: SponsoredFacts,
): Promise<Uint8Array> {
  const { outflow } = sponsoredEffect(deps.chain, row, await sponsorOfRow(deps, row), facts)
  return encodeFacts({ ...facts, ...(await deps.opine(outflow)) })
}
