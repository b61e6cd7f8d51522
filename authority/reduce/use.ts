import { equalBytes } from '@quorate/core/bytes'
import {
  keyTable,
  requestTable,
  slotTable,
  walletTable,
  type RecordOf,
  type Write,
} from '../records.ts'
import { settingsOf, waitingRecovery } from '../standing.ts'
import type { Use } from '../step.ts'
import { subjectId, type Authored } from './author.ts'
import { judgeGate, useActivity, type UseActivity } from './gate.ts'
import { own } from './held.ts'
import { find, recordsOf, refuse, type Judging, type SignablePlan } from './judging.ts'
import { isRawAllowed } from './key.ts'
import { judgeUnfrozen, type KeyRecord } from './ownership.ts'
import { excessOf, judgeReplacement, usesAt } from './replacement.ts'
import { spend } from './spending.ts'
import { judgeSponsor, sponsoredBy } from './sponsor.ts'
import { put, type Reduced } from './writes.ts'

const actions = {
  'wallets.transferAsset': 'transfer',
  'wallets.broadcastTransaction': 'transaction',
  'wallets.generateSignature': 'signature',
  'keys.generateSignature': 'signature',
  'keys.deriveKey': 'derivation',
  'wallets.speedUpTransfer': 'speedUp',
  'wallets.speedUpTransaction': 'speedUp',
  'wallets.cancelTransfer': 'cancellation',
  'wallets.cancelTransaction': 'cancellation',
} as const
/** Those that name a key by itself, and no wallet. */
const direct: ReadonlySet<string> = new Set(['keys.generateSignature', 'keys.deriveKey'])
const usesPerSlotMax = 64

/**
 * A use of a key, in the key's own stream: the exact bytes are rebuilt from what was signed and a
 * closed list of facts, the request gets its one slot for ever, and a slot its one request.
 */
export function reduceUse(judging: Judging, authored: Authored): Reduced {
  const { request, preimage, step } = judging
  const { use, plan, activity } = planUse(judging, authored)
  if (own(judging, requestTable, request) !== undefined) refuse('the request has been used')
  judgeGate(judging, activity)
  return {
    operation: { kind: 'use', ...use },
    writes: [
      put(requestTable, [request], {
        slot: use.slot,
        digests: use.digests,
        fee: use.fee,
        executeBefore: preimage.executeBefore,
        time: step.time,
      }),
      ...takeSlot(judging, use, plan),
      ...(activity === undefined ? [] : countedOf(judging, plan, activity)),
    ],
  }
}

/** What leaves is counted once, however many transactions there are of which the chain takes one. */
export function countedOf(
  judging: Judging,
  { outflow, replaces }: SignablePlan,
  { excess: fee }: Pick<UseActivity, 'excess'>,
): readonly Write[] {
  if (replaces === undefined) return spend(judging, outflow)
  return fee === undefined
    ? []
    : spend(judging, { isKnown: true, isRaw: false, movements: [], fee }, 0)
}

/** The same request, slot and digests, judged afresh. Nothing is counted again. */
export function reduceRenewal(judging: Judging, authored: Authored): Reduced {
  const { use, activity } = planUse(judging, authored)
  const renewed = renewalOf(judging, use)
  judgeGate(judging, activity)
  return {
    operation: { kind: 'renew', ...use },
    writes: [renewed],
  }
}

/** The request's record, in which nothing is new but the time. */
export function renewalOf(
  judging: Judging,
  { slot, digests }: Pick<Use, 'slot' | 'digests'>,
): Write {
  const known = own(judging, requestTable, judging.request)
  if (known === undefined) return refuse('there is nothing to renew')
  const isSame =
    known.slot === slot &&
    known.digests.length === digests.length &&
    known.digests.every((digest, i) => equalBytes(digest, digests[i] ?? new Uint8Array()))
  if (!isSame) refuse('a renewal signs what was agreed and nothing else')
  return put(requestTable, [judging.request], { ...known, time: judging.step.time })
}

type Planned = {
  readonly use: Use
  readonly plan: SignablePlan
  /** What policies are asked about; nothing where there are none on the key. */
  readonly activity: UseActivity | undefined
}

/** Which key, whether the caller may use it, and what exactly it would sign. */
export function planUse(judging: Judging, authored: Authored): Planned {
  const { match } = authored
  const { step, evidence, preimage, rules } = judging
  if (!Object.hasOwn(actions, match.name)) return refuse('the request uses no key')
  const action = actions[match.name as keyof typeof actions]
  const { key, wallet, network } = signingKey(judging, match.name)
  const { terms } = key
  if (step.stream.kind !== 'key' || !equalBytes(step.stream.id, terms.key))
    refuse('the use stands in the stream of another key')
  judgeOwner(judging, authored, key)
  const sponsor = wallet && judgeSponsor(judging, authored, { wallet, network })
  const plan = rules.plan({
    operation: match.name,
    payload: evidence.payload,
    network,
    scheme: terms.scheme,
    curve: terms.curve,
    untweaked: terms.untweaked === 'yes',
    publicKey: key.publicKey,
    rawAllowed: isRawAllowed(judging, key),
    maxFee: preimage.maxFee,
    facts: evidence.facts,
    sponsored: sponsor && sponsoredBy(judging, sponsor),
  })
  if (!plan.ok) return refuse(plan.reason)
  const { slot, fee, digests } = plan
  judgeReplacement(judging, match.name, plan)
  return {
    use: { key: terms.key, wallet, network: plan.network, action, slot, fee, digests },
    plan,
    activity: useActivity(judging, key, { ...plan, excess: excessOf(judging, plan) }),
  }
}

/**
 * Whose key it is: an end user uses what was delegated to him and nothing else, and of that nobody
 * else uses anything. A key that waits to be delegated is its maker's until then.
 */
export function judgeOwner(judging: Judging, { user, record }: Authored, key: KeyRecord): void {
  const { owner, delegableBy, status } = key
  if (status !== 'active') refuse('the key is archived')
  if (owner !== undefined && !equalBytes(owner, user)) refuse("the key is another user's")
  if (owner === undefined && record.kind === 'endUser') refuse('the key was not delegated')
  if (delegableBy !== undefined && owner === undefined && !equalBytes(delegableBy, user))
    refuse('the key waits to be delegated')
  judgeUnfrozen(judging, key)
  const isHeld =
    waitingRecovery(record, judging.step.time) !== undefined &&
    settingsOf(recordsOf(judging)).recovery.usesWhileWaiting === 'refused'
  if (isHeld) refuse('a recovery of this user is waiting')
}

function signingKey(
  judging: Judging,
  operation: string,
): { key: RecordOf<typeof keyTable>; wallet: Uint8Array | undefined; network: string } {
  const isDirect = direct.has(operation)
  const walletId = isDirect ? undefined : subjectId(judging, 'walletId')
  const wallet = walletId === undefined ? undefined : find(judging, walletTable, walletId)
  if (!isDirect && wallet === undefined) refuse('there is no such wallet')
  const key = find(judging, keyTable, wallet?.key ?? subjectId(judging, 'keyId'))
  if (key === undefined) return refuse('there is no such key')
  return { key, wallet: walletId, network: wallet?.network ?? '' }
}

/**
 * Two requests at one slot are two transactions of which the chain takes one: fine when the user
 * himself named the slot, in the payload or by what is there; never when the server chose it.
 */
export function takeSlot(
  judging: Judging,
  use: Pick<Use, 'network' | 'slot' | 'fee'>,
  plan: SignablePlan,
): readonly Write[] {
  if (use.slot === undefined) return []
  const uses = usesAt(judging, plan)
  const isNamed = plan.slotNamed || plan.replaces !== undefined
  if (uses.length > 0 && !isNamed) refuse('the slot is taken by another request')
  if (uses.length >= usesPerSlotMax) refuse('the slot is taken too often')
  const { request } = judging
  const effect = plan.replaces === undefined ? request : plan.replaces.effect
  const added = { request, fee: use.fee, effect }
  return [put(slotTable, [use.network, use.slot], { uses: [...uses, added] })]
}
