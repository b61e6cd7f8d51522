import type { Json } from '@quorate/core/json'
import type { Match } from '@quorate/authority/operations'
import type { UseOperation } from '@quorate/effects/intent'
import { addressOf } from '@quorate/effects/address'
import { networkOfSignature } from '@quorate/effects/plan'
import type { Caller } from '../auth/caller.ts'
import type { Database } from '../database/database.ts'
import { findKey } from '../keys/find.ts'
import { findWallet } from '../wallets/find.ts'
import { aboveCeiling, askOf, checkIntent, readableIntent, type Payer } from './ask.ts'
import { evmNetwork, type Chains } from './chains.ts'
import { estimate, feeMaxOf } from './facts.ts'
import { requireTokens, tokenMoveOf, tokenWords } from './tokens.ts'

export type QuoteDeps = { readonly database: Database; readonly chains: Chains }

const useOperations: Readonly<Record<string, UseOperation>> = {
  'wallets.transferAsset': 'transfer',
  'wallets.broadcastTransaction': 'transaction',
  'wallets.generateSignature': 'signature',
  'keys.generateSignature': 'signature',
}

/**
 * The bound on fees that a user is asked to sign: twice what the chain asks for now, so that a rise
 * until it runs needs no second signature, and never more than the network's ceiling.
 *
 * @returns nothing where no fee is ours to choose
 * @throws Failure for everything that is known to be refused later
 */
export async function quoteMaxFee(
  { database, chains }: QuoteDeps,
  caller: Caller,
  match: Match,
  body: Json,
): Promise<bigint | undefined> {
  const operation = useOperations[match.name]
  if (operation === undefined) return undefined
  const intent = readableIntent(operation, JSON.stringify(body))
  if (intent.kind === 'signature' && intent.ask.kind !== 'Transaction') return undefined
  const payer = await payerOf({ database, chains }, caller, match, intent)
  if (payer === undefined) return undefined
  checkIntent(payer, intent)
  const ask = askOf(intent, payer)
  if (ask === undefined) return undefined
  const chain = chains.find(payer.network.id)
  await chain.ready()
  const move = tokenMoveOf(intent)
  if (move !== undefined) {
    await tokenWords(chain, move)
    await requireTokens(chain, payer.address, move)
  }
  const fee = feeMaxOf(await estimate(chain, ask))
  const { feeCeiling } = payer.network
  if (fee > feeCeiling) throw aboveCeiling(payer.network, fee)
  return 2n * fee < feeCeiling ? 2n * fee : feeCeiling
}

/** @returns nothing for a key that signs without any chain */
async function payerOf(
  { database, chains: { networks } }: QuoteDeps,
  caller: Caller,
  { params }: Match,
  intent: ReturnType<typeof readableIntent>,
): Promise<Payer | undefined> {
  const { walletId, keyId = '' } = params
  if (walletId !== undefined) {
    const { network, address, public_key: publicKey } = await findWallet(database, caller, walletId)
    if (address === null && intent.kind === 'signature') return undefined
    return { network: evmNetwork(networks, network), publicKey, address: address ?? '' }
  }
  const { scheme, curve, public_key: publicKey } = await findKey(database, caller, keyId)
  if (intent.kind !== 'signature') return undefined
  const network = networkOfSignature(networks, intent, { scheme, curve })
  if (network?.family !== 'evm' || network.scheme !== scheme || network.curve !== curve)
    return undefined
  return {
    network,
    publicKey,
    address: addressOf(networks, network.id, publicKey) ?? '',
  }
}
