import type { EvmAsk } from '@quorate/chains/evm/index'
import { findEvmNetwork } from '@quorate/chains/networks/evm'
import { fromHex } from '@quorate/core/bytes'
import { Failure } from '@quorate/core/failure'
import { checksummed, readAddress } from '@quorate/effects/evm/address'
import { readTransactionRequest, type TransactionRequest } from '@quorate/effects/evm/request'
import type { Effect } from '@quorate/effects/effect'
import { noFacts, type Facts } from '@quorate/effects/facts'
import { readIntent, type Intent, type TransactionBody } from '@quorate/effects/intent'
import type { UseOperation } from '@quorate/effects/intent'
import type { EvmNetwork } from '@quorate/effects/networks'
import { isSponsored, plan, type PlanInput } from '@quorate/effects/plan'
import { isReplacement, type ReplacementIntent } from '@quorate/effects/replacement'
import { decodeUnsigned } from '@quorate/effects/evm/transaction'
import { callOf } from './tokens.ts'

/** Who signs, and where. */
export type Payer = {
  readonly network: EvmNetwork
  /** Compressed. */
  readonly publicKey: Uint8Array
  readonly address: string
}

/** @throws Failure `request.unsupported`, `body.malformed` */
export function readableIntent<K extends UseOperation>(
  operation: K,
  payload: string,
): Extract<Intent, { kind: K }> {
  const read = readIntent(operation, payload)
  if (read.ok) return read.intent as Extract<Intent, { kind: K }>
  throw read.unsupported ? unsupported(read.reason) : malformed(read.reason)
}

/**
 * An intent as the chain's adapter takes it; what it leaves open, the chain has to fill.
 * @returns nothing for whole bytes, which leave nothing open
 * @throws Failure `request.refused`, `request.unsupported`
 */
export function askOf(
  intent: Intent | ReplacementIntent,
  payer: Pick<Payer, 'network' | 'address'>,
): EvmAsk | undefined {
  const { network, address: from } = payer
  if (isReplacement(intent)) return replacementAsk(intent, payer)
  if (intent.kind === 'transfer') {
    const type = network.isLegacy ? 0 : 2
    return { type, from, priority: intent.priority, ...callOf(intent, from) }
  }
  const body = bodyOf(intent)
  if (body === undefined || body.form === 'bytes') return undefined
  const { to, authorizations, ...request } = readTransactionRequest(body.object, network)
  const asked = { ...request, from, priority: 'Standard' as const, ...recipient(to) }
  if (authorizations === undefined) return asked
  const given = authorizations.map((one) => ({ ...one, address: checksummed(one.address) }))
  return { ...asked, authorizations: given }
}

/** The fees that it once named are those that are to be outbid. */
function replacementAsk(
  intent: ReplacementIntent,
  payer: Pick<Payer, 'network' | 'address'>,
): EvmAsk {
  const priority = 'Fast'
  const { network, address: from } = payer
  const type = network.isLegacy ? 0 : 2
  const original = intent.kind === 'speedUp' ? intent.original : undefined
  if (original === undefined)
    return { type, from, priority, to: from, value: 0n, data: new Uint8Array() }
  const known = askOf(original, payer) ?? askOfWhole(original, from)
  const { gasPrice: _1, maxFeePerGas: _2, maxPriorityFeePerGas: _3, ...ask } = known
  return { ...ask, priority }
}

/** Of whole bytes, only as far as a chain has to be asked of them: they are not built from this. */
function askOfWhole(original: Intent, from: string): EvmAsk {
  const body = original.kind === 'transfer' ? undefined : bodyOf(original)
  if (body?.form !== 'bytes') throw new TypeError('whatever is not whole leaves something open')
  const { to, value, data, nonce, gasLimit, type } = decodeUnsigned(body.bytes)
  const kind = type === 0 || type === 1 ? 0 : 2
  return { type: kind, from, ...recipient(to), value, data, nonce, gasLimit, priority: 'Fast' }
}

/**
 * What would happen, as the signers will see it.
 * @throws Failure `body.malformed`, `request.unsupported`, `fee.above_ceiling`, `address.malformed`
 */
export function planned(
  payer: Payer,
  intent: Intent | ReplacementIntent,
  facts: Facts,
  sponsored?: PlanInput['sponsored'],
): Effect {
  const { network, publicKey } = payer
  const { scheme, curve } = network
  const made = plan({ network, publicKey, scheme, curve, intent, facts, sponsored })
  if (made.ok) return made.effect
  throw malformed(made.reason)
}

/**
 * Everything that can be known to be wrong before a chain is asked: refused while the caller waits,
 * and before anything is written down.
 */
export function checkIntent(payer: Payer, intent: Intent | ReplacementIntent): Effect {
  if (intent.kind === 'transfer')
    for (const text of [intent.to, ...(intent.asset === 'Native' ? [] : [intent.contract])])
      if (readAddress(text) === undefined)
        throw new Failure('address.malformed', { text: text.slice(0, 128) })
  const { id } = payer.network
  if (intent.kind === 'transfer' && intent.asset === 'Native' && findEvmNetwork(id)?.noCoin)
    throw unsupported(`${id} has no coin of its own: what is paid there is a token`)
  if (isSponsored(intent)) return planned(payer, intent, { family: 'sponsored' }, anySponsor)
  const ask = translated(() => askOf(intent, payer))
  return planned(payer, intent, ask === undefined ? noFacts : provisional(payer.network, ask))
}

/** Who it is changes nothing of what an account would do. Its key is the generator of secp256k1 (SEC 2). */
export const anySponsor = {
  request: new Uint8Array(32),
  executeBefore: 0,
  sponsor: fromHex('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'),
}

/** Slots above are beyond what a node's answers and our rows can count. */
export const slotMax = BigInt(Number.MAX_SAFE_INTEGER)

/** Facts that repeat what was fixed and are as low as can be elsewhere. */
function provisional(network: EvmNetwork, ask: EvmAsk): Facts {
  const { gasLimit = 21_000n, maxPriorityFeePerGas: tip = 0n, nonce = 0n } = ask
  if (nonce > slotMax) throw malformed('the nonce is out of range')
  const priced = { family: 'evm', nonce, gasLimit } as const
  const price = ask.type === 0 ? (ask.gasPrice ?? 0n) : (ask.maxFeePerGas ?? tip)
  if (gasLimit * price > network.feeCeiling) throw aboveCeiling(network, gasLimit * price)
  return ask.type === 0
    ? { ...priced, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, gasPrice: price }
    : { ...priced, maxFeePerGas: price, maxPriorityFeePerGas: tip }
}

export function aboveCeiling({ id: network, feeCeiling }: EvmNetwork, fee: bigint): Failure {
  return new Failure('fee.above_ceiling', {
    network,
    fee: fee.toString(),
    ceiling: feeCeiling.toString(),
  })
}

function bodyOf(intent: Exclude<Intent, { kind: 'transfer' }>): TransactionBody | undefined {
  if (intent.kind === 'transaction')
    return intent.transaction.form === 'operations' ? undefined : intent.transaction
  if (intent.kind === 'derivation') return undefined
  return intent.ask.kind === 'Transaction' ? intent.ask.transaction : undefined
}

function recipient(to: TransactionRequest['to']): { readonly to?: string } {
  return to === undefined ? {} : { to: checksummed(to) }
}

/** What the signers would refuse is the caller's to mend, as long as nobody has been asked. */
function translated<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof Failure && error.code === 'request.refused')
      throw malformed((error as Failure<'request.refused'>).context.reason)
    throw error
  }
}

function malformed(message: string): Failure {
  return new Failure('body.malformed', { issues: [{ path: 'body', message }] })
}

function unsupported(reason: string): Failure {
  return new Failure('request.unsupported', { reason })
}
