import type { Preimage } from '@quorate/authority/request'
import type { WholeEvidence } from '@quorate/authority/step'
import { nameOf } from '@quorate/core/id'
import { encodeFacts, noFacts, type Facts } from '@quorate/effects/facts'
import { evmFacts, usualMaxFee } from '@quorate/signer/testing/uses'
import type { Place } from '@quorate/signer/testing/ledger'
import { at, without, type Check, type Outcome } from '../attack.ts'
import { made, type Actor, type Made, type Stage, type Wallet } from '../stage.ts'

/** Policies as their owners lay them down, and what they hold. */

export type Policy = {
  readonly activityKind?: string
  readonly rule?: object
  readonly action?: object
  readonly filters?: object
}
export const block = { kind: 'Block' }
export const native = 'EthereumSepolia/Native'

export const minuteMs = 60_000
export const dayMs = 24 * 60 * minuteMs

type Group = {
  /** Anybody of the organization unless said. */
  readonly of?: readonly Actor[]
  readonly quorum?: number
  readonly initiatorCanApprove?: boolean
  readonly serviceAccountsCanApprove?: boolean
}
/** One group of approvers, and more if need be. */
export function approvalBy(group: Group = {}, timeout?: number): object {
  const { of, quorum = 1, ...flags } = group
  const approvers = of === undefined ? {} : { userId: { in: of.map(({ name }) => name) } }
  return {
    kind: 'RequestApproval',
    approvalGroups: [{ quorum, approvers, ...flags }],
    ...(timeout !== undefined && { autoRejectTimeout: timeout }),
  }
}

export function rule(kind: string, configuration: object): object {
  return { kind, configuration }
}

export function bodyOf({ activityKind = 'Wallets:Sign', ...policy }: Policy): object {
  return {
    ...{ name: 'rule', activityKind, rule: { kind: 'AlwaysTrigger' }, action: block },
    ...policy,
  }
}

export async function lay(stage: Stage, policy: Policy): Promise<Made> {
  const asked = stage.ask(stage.admin, { path: '/v2/policies', body: bodyOf(policy) })
  return made(await stage.put('policy', asked), 'policy')
}

export function changing(
  stage: Stage,
  by: Actor,
  { id, name }: Made,
  policy?: Policy,
): WholeEvidence {
  return stage.ask(by, {
    ...{ method: policy === undefined ? 'DELETE' : 'PUT', path: `/v2/policies/${name}` },
    ...{ body: policy === undefined ? {} : bodyOf(policy), ids: { policyId: id } },
  })
}

/** Through the log, so that whoever comes next begins with none. */
export async function archive(stage: Stage, policy: Made): Promise<void> {
  await stage.put('policyUpdate', changing(stage, stage.admin, policy))
}

/** The whole organization is under this policy until the attack is over. */
export async function under(
  stage: Stage,
  policy: Policy,
  run: (policy: Made) => Promise<Outcome>,
): Promise<Outcome> {
  const laid = await lay(stage, policy)
  const outcome = await run(laid)
  await archive(stage, laid)
  return outcome
}

/** A wallet on which nobody but these policies has an eye. */
export async function guarded(stage: Stage, ...policies: readonly Policy[]): Promise<Wallet> {
  const wallet = await stage.createWallet(stage.admin)
  for (const policy of policies) await lay(stage, { ...policy, filters: on(wallet) })
  return wallet
}

export function on({ name }: Made): object {
  return { walletId: { in: [name] } }
}

export type Price = NonNullable<Facts['prices']>[number]
/** What the server says that an ether is worth, in millionths of a dollar. */
export function priced(stage: Stage, nonce: bigint, change: Partial<Price> = {}): Facts {
  return { ...evmFacts(nonce), prices: [priceOf(stage, change)] }
}
export function priceOf({ world }: Stage, change: Partial<Price> = {}): Price {
  return {
    ...({ asset: native, currency: 'USD', micros: 10n ** 9n, decimals: 18 } as const),
    ...{ source: 'treasury', at: world.now, ...change },
  }
}

/** `POST /wallets/{id}/transactions` */
export function transaction(
  stage: Stage,
  { id, name }: Wallet,
  /** As an object, or whole bytes. */
  asked: object | string,
  nonce = 0n,
): WholeEvidence {
  return stage.ask(stage.admin, {
    path: `/wallets/${name}/transactions`,
    body: { kind: 'Transaction', transaction: asked },
    ids: { walletId: id },
    maxFee: usualMaxFee,
    facts: encodeFacts(typeof asked === 'string' ? noFacts : evmFacts(nonce)),
  })
}

/** `POST /wallets/{id}/signatures` of what the payload says in full. */
export function message(stage: Stage, { id, name }: Wallet, body: object): WholeEvidence {
  return stage.ask(stage.admin, {
    ...{ path: `/wallets/${name}/signatures`, body, ids: { walletId: id } },
    ...{ facts: encodeFacts(noFacts), maxFee: usualMaxFee },
  })
}

export type Held = { readonly place: Place; readonly id: Uint8Array; readonly name: string }

/** Waits for its approval from now on. */
export async function hold(stage: Stage, evidence: WholeEvidence, place: Place): Promise<Held> {
  const drafted = await stage.world.put('approval', evidence, place.stream)
  const [item] = drafted.body.items
  if (item?.operation.kind !== 'approval') throw new Error('nothing is held')
  const { approval: id } = item.operation
  return { place, id, name: nameOf('approval', id) }
}

export function deciding(
  stage: Stage,
  by: Actor,
  { id, name }: Pick<Held, 'id' | 'name'>,
  value = 'Approved',
  preimage: Partial<Preimage> = {},
): WholeEvidence {
  return stage.ask(by, {
    path: `/v2/policy-approvals/${name}/decisions`,
    ...{ body: { value }, ids: { approvalId: id }, preimage },
  })
}

export async function decide(
  stage: Stage,
  by: Actor,
  held: Held,
  value?: 'Approved' | 'Denied',
): Promise<void> {
  await stage.put('decision', deciding(stage, by, held, value), held.place)
}

/** A check of which the words of the refusal are those of whoever stands behind it. */
export function held(file: string, code: string, instead: string): Check {
  return without(at(file, 'held by policy', code), [code, instead])
}
export function blocked(file: string, code: string, instead: string): Check {
  return without(at(file, 'blocked by policy', code), [code, instead])
}
