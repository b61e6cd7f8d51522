import { bytesToBig } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { type Effect, rawOutflow, type ToSign } from './effect.ts'
import {
  type Context,
  delegationEffect,
  messageEffect,
  transactionEffect,
  transferEffect,
  typedDataEffect,
} from './evm/effect.ts'
import { networkNamedIn } from './evm/named-chain.ts'
import { cancellationEffect, speedUpEffect } from './evm/replacement.ts'
import {
  sponsoredEffect,
  sponsorshipEffect,
  type Sponsored,
  type SponsoredIntent,
} from './evm/sponsored.ts'
import type { Facts } from './facts.ts'
import { encodeDerivation, encodeSchnorr } from './instruction.ts'
import type {
  DerivationIntent,
  Intent,
  SignatureIntent,
  TransactionBody,
  TransactionIntent,
} from './intent.ts'
import { quoted, refused, unsupported } from './json.ts'
import { isReplacement, type ReplacementIntent } from './replacement.ts'
import { type EvmNetwork, type Network, type Networks, pseudoNetworkOf } from './networks.ts'

export type PlanInput = {
  readonly network: Network
  /** Compressed. */
  readonly publicKey: Uint8Array
  readonly scheme: Network['scheme']
  readonly curve: Network['curve']
  /** Was the key born to sign as itself? Unless it says so, a Schnorr key signs for script trees. */
  readonly untweaked?: boolean
  readonly intent: Intent | ReplacementIntent
  readonly facts: Facts
  /** Of a request whose fees somebody else pays, and of no other. */
  readonly sponsored?: Sponsored | undefined
}
/** The same request, asked of the key that pays. */
export type SponsorshipInput = {
  readonly network: Network
  /** Of the wallet whose fees are paid, compressed. */
  readonly publicKey: Uint8Array
  readonly intent: Intent | ReplacementIntent
  readonly facts: Facts
  readonly sponsored: Sponsored
}

export type Plan =
  | { readonly ok: true; readonly effect: Effect }
  | { readonly ok: false; readonly reason: string }

/**
 * Rebuilds the bytes to be signed from the payload and the named facts. Whoever is asked to sign
 * anything else compares and refuses; nothing is taken from bytes that the server built.
 */
export function plan(input: PlanInput): Plan {
  return planned(() => effectOf(input))
}

/** The transaction by which somebody else pays for what the request's own key has signed by then. */
export function planSponsorship({ intent, network, facts, ...asked }: SponsorshipInput): Plan {
  return planned(() => {
    if (facts.family !== 'sponsorship') throw refused('the facts are not those needed')
    if (!isSponsored(intent)) throw refused('the request has no fee sponsor')
    if (network.family !== 'evm') throw refused(`${network.id} has no fee sponsors`)
    const { publicKey, sponsored } = asked
    return sponsorshipEffect(intent, { network, publicKey, facts }, sponsored)
  })
}

/** What the one who pays sends to itself where there is nothing to be paid for any more: nothing. */
export function planFill(input: Pick<SponsorshipInput, 'network' | 'sponsored' | 'facts'>): Plan {
  const { network, sponsored, facts } = input
  return planned(() => {
    const isOwn = facts.family === 'evm' && facts.original === undefined
    if (!isOwn) throw refused('the facts are not those needed')
    if (network.family !== 'evm' || !network.hasSponsors)
      throw refused(`${network.id} has no fee sponsors`)
    return cancellationEffect({ network, publicKey: sponsored.sponsor, facts })
  })
}

function planned(effect: () => Effect): Plan {
  try {
    return { ok: true, effect: effect() }
  } catch (error) {
    if (isFailure(error, 'request.refused') || isFailure(error, 'request.unsupported'))
      return { ok: false, reason: error.context.reason }
    if (isFailure(error, 'bytes.malformed'))
      return { ok: false, reason: `not understood: expected ${error.context.expected}` }
    throw error
  }
}

/**
 * The network whose rules a signature under `/keys/{id}/signatures` follows: the one it names, or the one
 * that its bytes name where it says no more than that they are Ethereum's, or the key's pseudo network.
 */
export function networkOfSignature(
  networks: Networks,
  intent: SignatureIntent,
  key: Pick<Network, 'scheme' | 'curve'>,
): Network | undefined {
  if (intent.network !== undefined) return networks.find(intent.network)
  const isEvm = intent.blockchainKind === 'Evm'
  return (isEvm ? networkNamedIn(networks, intent.ask) : undefined) ?? pseudoNetworkOf(key)
}

/** Which facts `plan` will insist on: those of the chain, or none where the payload says it all. */
export function factsNeeded(network: Network, intent: Intent | ReplacementIntent): Facts['family'] {
  if (network.family !== 'evm') return 'none'
  if (isSponsored(intent)) return 'sponsored'
  if (intent.kind === 'transfer' || isReplacement(intent)) return 'evm'
  if (intent.kind === 'derivation') return 'none'
  if (intent.kind === 'transaction') return intent.transaction.form === 'object' ? 'evm' : 'none'
  const { ask } = intent
  return ask.kind === 'Transaction' && ask.transaction.form === 'object' ? 'evm' : 'none'
}

function effectOf(input: PlanInput): Effect {
  const { network, publicKey, scheme, curve, intent, facts } = input
  if (scheme !== network.scheme) throw refused(`${network.id} does not use ${scheme} keys`)
  if (curve !== network.curve) throw refused(`${network.id} does not use keys on ${curve}`)
  // Where the payload leaves nothing open, facts beside it would be a second voice.
  if (facts.family !== factsNeeded(network, intent)) throw refused('the facts are not those needed')
  // A key that signs derives nothing, and the other way round: proofs of the one do not hold for the other.
  if (intent.kind === 'derivation' && scheme === 'DH') return derivationEffect(intent)
  if (intent.kind === 'derivation' || scheme === 'DH')
    throw refused('DH keys derive and do nothing else, and no others do')
  if (intent.kind === 'signature') return signatureEffect(intent, input)
  if (network.family !== 'evm') throw unsupported(`${network.id} has no transactions`)
  const context = { network, publicKey, facts }
  if (isReplacement(intent)) return replacementEffect(intent, context)
  if (isSponsored(intent)) return asSponsored(intent, { ...input, network })
  return intent.kind === 'transfer'
    ? transferEffect(intent, context)
    : transactionEffect(bodyOf(intent), context)
}

/** Does it name somebody who pays its fees? */
export function isSponsored(
  intent: Intent | ReplacementIntent,
): intent is SponsoredIntent & { readonly feeSponsorId: string } {
  const isOutgoing = intent.kind === 'transfer' || intent.kind === 'transaction'
  return isOutgoing && intent.feeSponsorId !== undefined
}

function asSponsored(
  intent: SponsoredIntent,
  { network, publicKey, facts, sponsored }: PlanInput & { readonly network: EvmNetwork },
): Effect {
  if (facts.family !== 'sponsored') throw refused('the facts are not those needed')
  if (sponsored === undefined) throw refused('nobody knows who pays the fees')
  return sponsoredEffect(intent, { network, publicKey, facts }, sponsored)
}

function bodyOf({ transaction }: TransactionIntent): TransactionBody {
  if (transaction.form === 'operations') throw refused('operations need a fee sponsor')
  return transaction
}

function replacementEffect(intent: ReplacementIntent, context: Context): Effect {
  const original = intent.kind === 'speedUp' ? intent.original : undefined
  return original === undefined ? cancellationEffect(context) : speedUpEffect(original, context)
}

function signatureEffect(intent: SignatureIntent, input: PlanInput): Effect {
  const { network, publicKey, scheme, untweaked = false, facts } = input
  const { ask } = intent
  checkBinding(intent, network)
  if (scheme === 'Schnorr') return raw({ message: schnorrMessage(ask, untweaked) })
  if (ask.kind === 'Hash' && ask.merkleRoot !== undefined)
    throw refused('only Schnorr keys have a taprootMerkleRoot')
  if (ask.kind === 'Hash') return rawEffect(hashFor(network, ask.hash), scheme)
  // Ed25519 signs the bytes themselves, and those may well be some chain's transaction.
  if (ask.kind === 'Message' && scheme === 'EdDSA') return rawEffect(ask.message, scheme)
  if (network.family !== 'evm')
    throw unsupported(`an unbound key has no way to hash a ${ask.kind}: use Hash`)
  const context = { network, publicKey, facts }
  switch (ask.kind) {
    case 'Message':
    case 'Eip191':
      return messageEffect(ask.message, context)
    case 'Transaction':
      return transactionEffect(ask.transaction, context)
    case 'Eip712':
      return typedDataEffect(ask, context)
    case 'Eip7702':
      return delegationEffect(ask, context)
  }
}

/** The names in the signed body and the network that applies must be one and the same. */
function checkBinding({ network: named, blockchainKind }: SignatureIntent, network: Network): void {
  if (named !== undefined && named !== network.id)
    throw refused(`the payload names the network ${quoted(named)}, not ${network.id}`)
  if (blockchainKind === undefined) return
  if (network.family === 'pseudo') throw unsupported('name a network instead of a blockchainKind')
  if (blockchainKind !== 'Evm') throw refused(`${network.id} is of the kind Evm`)
}

/**
 * BIP 340 signs messages of any length. Without a root a key signs as itself, which is for those that
 * were born to, and for them alone; a message, which can name none, the others sign as the output
 * without scripts.
 */
function schnorrMessage(ask: SignatureIntent['ask'], untweaked: boolean): Uint8Array {
  if (ask.kind === 'Message') {
    const merkleRoot = untweaked ? undefined : new Uint8Array()
    return encodeSchnorr({ merkleRoot, message: ask.message })
  }
  if (ask.kind !== 'Hash') throw unsupported(`a Schnorr key has no way to hash a ${ask.kind}`)
  const { hash: message, merkleRoot } = ask
  if (untweaked && merkleRoot !== undefined)
    throw unsupported('an untweaked key signs without a taprootMerkleRoot')
  if (!untweaked && merkleRoot === undefined)
    throw unsupported('a Schnorr key signs with a taprootMerkleRoot')
  return encodeSchnorr({ merkleRoot, message })
}

function derivationEffect({ domain, seed }: DerivationIntent): Effect {
  const signing = [{ message: encodeDerivation({ domain, seed }) }]
  // Whoever holds what comes of it holds a key to whatever it protects.
  return { ...nothing, kind: 'derivation', raw: false, signing }
}

/** StarkWare's bound, above which no verifier of the Stark curve takes a hash. */
const starkHashMax = 2n ** 251n

function hashFor({ curve }: Network, hash: Uint8Array): Uint8Array {
  if (curve === 'stark' && bytesToBig(hash) >= starkHashMax)
    throw refused('a hash of 2^251 or more cannot be signed on the Stark curve')
  return hash
}

function rawEffect(bytes: Uint8Array, scheme: Network['scheme']): Effect {
  return raw(scheme === 'ECDSA' ? { digest: bytes } : { message: bytes })
}

function raw(signing: ToSign): Effect {
  return { ...nothing, kind: 'raw', raw: true, signing: [signing] }
}

const nothing = { value: 0n, feeMax: 0n, unlimited: false, outflow: rawOutflow }
