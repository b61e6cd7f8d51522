import { hashOf } from '@quorate/core/hash'
import { isFailure } from '@quorate/core/failure'
import type { Manifest } from '@quorate/authority/manifest'
import type {
  Plan,
  PlanAsk,
  Rules,
  SignablePlan,
  SponsorshipAsk,
} from '@quorate/authority/reduce/judging'
import { childKeyOf } from '@quorate/effects/child-key'
import { decodeFacts, type Facts } from '@quorate/effects/facts'
import {
  readIntent,
  type Intent,
  type ReadIntent,
  type UseOperation,
} from '@quorate/effects/intent'
import { type Network, type Networks, pseudoNetworkOf } from '@quorate/effects/networks'
import {
  networkOfSignature,
  plan as planEffect,
  planFill,
  planSponsorship as planFor,
} from '@quorate/effects/plan'
import type { Effect } from '@quorate/effects/effect'
import type { ReplacementIntent } from '@quorate/effects/replacement'
import { judgeLimits } from '@quorate/policy/limits'
import { networksOf } from './networks.ts'
import { policyRulesOn } from './policies.ts'
import { readReplacement } from './replacement.ts'

/**
 * May this request become these bytes? Authority says who may ask, effects what the bytes do,
 * policy whether that is within limits; here they meet. Server, signers and verifier run the same.
 */
export function rulesFor(manifest: Manifest): Rules {
  const networks = networksOf(manifest)
  return {
    ...{ manifest, networkOf: networks.find, childOf, policies: policyRulesOn(networks) },
    plan: (ask) => plan(networks, ask),
    planSponsorship: (ask) => planSponsorship(networks, ask),
  }
}

const useOperations: Readonly<Record<string, UseOperation>> = {
  'wallets.transferAsset': 'transfer',
  'wallets.broadcastTransaction': 'transaction',
  'wallets.generateSignature': 'signature',
  'keys.generateSignature': 'signature',
  'keys.deriveKey': 'derivation',
}

function childOf(...of: Parameters<Rules['childOf']>): Uint8Array | undefined {
  return childKeyOf(...of)?.publicKey
}

function plan(networks: Networks, ask: PlanAsk): Plan {
  return restingOn(ask.facts, (facts) => {
    const replacement = readReplacement(ask, facts)
    const read = replacement ?? readOrdinary(ask, facts)
    if (!read.ok) return refused(read.reason)
    const { intent } = read
    const network = applicable(networks, ask, intent)
    if (network === undefined) return refused('the network is unknown')
    const { scheme, curve, untweaked, publicKey, sponsored } = ask
    const key = { publicKey, scheme, curve, untweaked, sponsored }
    const planned = planEffect({ network, ...key, intent, facts })
    const made = concluded(planned, { ask, network, intent, facts })
    return replacement?.ok && made.ok ? { ...made, replaces: { effect: replacement.effect } } : made
  })
}

/** What the key of a sponsor signs around what the request's own key has signed, or in its place. */
function planSponsorship(networks: Networks, ask: SponsorshipAsk): Plan {
  return restingOn(ask.facts, (facts) => {
    const network = networks.find(ask.network)
    if (network === undefined) return refused('there is no such network to pay on')
    const { publicKey, sponsored, fills } = ask
    const read = fills ? filling : readOrdinary(ask, facts)
    if (!read.ok) return refused(read.reason)
    const { intent } = read
    const planned = fills
      ? planFill({ network, sponsored, facts })
      : planFor({ network, publicKey, sponsored, intent, facts })
    return concluded(planned, { ask: { ...ask, rawAllowed: false }, network, intent, facts })
  })
}

const filling = { ok: true, intent: { kind: 'cancellation' } } as const

function restingOn(encoded: Uint8Array, make: (facts: Facts) => Plan): Plan {
  const facts = factsOf(encoded)
  if (facts === undefined) return refused('the facts are not well-formed')
  return make(facts)
}

type Resting = {
  readonly ask: Pick<PlanAsk, 'maxFee' | 'rawAllowed'>
  readonly network: Network
  readonly intent: Intent | ReplacementIntent
  readonly facts: Facts
}

function concluded(
  planned: ReturnType<typeof planEffect>,
  { ask, network, intent, facts }: Resting,
): Plan {
  if (!planned.ok) return refused(planned.reason)
  const { effect } = planned
  const excess = limited(ask, network, facts, effect)
  return excess === undefined ? signable(network, intent, effect) : refused(excess)
}

/** What the payload itself asks for. */
function readOrdinary(
  { operation, payload }: Pick<PlanAsk, 'operation' | 'payload'>,
  facts: Facts,
): ReadIntent {
  const no = (reason: string) => ({ ok: false, unsupported: false, reason }) as const
  const kind = useOperations[operation]
  if (kind === undefined) return no('the request uses no key')
  if (facts.family === 'evm' && facts.original !== undefined)
    return no('the request rests on no other one')
  return readIntent(kind, payload)
}

/** The wallet's own network, or for a key by itself the one that the payload names. */
function applicable(
  networks: Networks,
  ask: PlanAsk,
  intent: Intent | ReplacementIntent,
): Network | undefined {
  if (ask.network !== '') return networks.find(ask.network)
  const { scheme, curve } = ask
  if (intent.kind === 'derivation') return pseudoNetworkOf({ scheme, curve })
  return intent.kind === 'signature'
    ? networkOfSignature(networks, intent, { scheme, curve })
    : undefined
}

/** What the server chose is bounded by what the user signed; everything by the network's ceiling. */
function limited(
  ask: Pick<PlanAsk, 'maxFee' | 'rawAllowed'>,
  network: Network,
  facts: Facts,
  effect: Effect,
): string | undefined {
  if (facts.family !== 'none') {
    if (ask.maxFee === undefined) return 'the request bounds no fee'
    if (effect.feeMax > ask.maxFee) return 'the fee is above what was signed'
  }
  const verdict = judgeLimits({
    feeMax: effect.feeMax,
    feeCeiling: network.family === 'evm' ? network.feeCeiling : 0n,
    raw: effect.raw,
    rawAllowed: ask.rawAllowed,
  })
  return verdict.verdict === 'allow' ? undefined : verdict.reason
}

function signable(
  network: Network,
  intent: Intent | ReplacementIntent,
  effect: Effect,
): SignablePlan {
  const messages = effect.signing.map((one) => ('digest' in one ? one.digest : one.message))
  return {
    ok: true,
    network: network.id,
    slot: effect.slot,
    slotNamed: namesSlot(intent),
    fee: effect.feeMax,
    digests: effect.signing.map((one) =>
      'digest' in one ? one.digest : hashOf('quorate/message/1', one.message),
    ),
    messages,
    outflow: effect.outflow,
  }
}

/** Whole bytes name their nonce, and an object may. */
function namesSlot(intent: Intent | ReplacementIntent): boolean {
  const body =
    intent.kind === 'transaction'
      ? intent.transaction
      : intent.kind === 'signature' && intent.ask.kind === 'Transaction'
        ? intent.ask.transaction
        : undefined
  if (body === undefined) return false
  if (body.form !== 'object') return body.form === 'bytes'
  const { object } = body
  return typeof object === 'object' && object !== null && Object.hasOwn(object, 'nonce')
}

function factsOf(bytes: Uint8Array): Facts | undefined {
  try {
    return decodeFacts(bytes)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}

function refused(reason: string): Plan {
  return { ok: false, reason }
}
