import { keccak_256 } from '@noble/hashes/sha3.js'
import { equalBytes, toHex } from '@quorate/core/bytes'
import type { Outflow } from '@quorate/core/outflow'
import { type Effect, rawOutflow } from '../effect.ts'
import type { Facts } from '../facts.ts'
import type { SignatureIntent, TransactionBody, TransferIntent } from '../intent.ts'
import { refused } from '../json.ts'
import type { EvmNetwork } from '../networks.ts'
import { accountContract } from './account.ts'
import { accountOfKey, addressOfKey, checksummed, readAddress } from './address.ts'
import { personalDigest } from './messages.ts'
import { outflowOfMessage, outflowOfTransaction, outflowOfTypedData } from './outflow.ts'
import { readPermit } from './permits.ts'
import { completeTransaction, readTransactionRequest, type TransactionRequest } from './request.ts'
import {
  decodeUnsigned,
  delegationDigest,
  encodeUnsigned,
  type EvmTransaction,
} from './transaction.ts'
import { requestOfTransfer } from './transfer.ts'
import { hashTypedData } from './typed-data.ts'

export type Context = {
  readonly network: EvmNetwork
  readonly publicKey: Uint8Array
  readonly facts: Facts
}

/** EIP-2681: an account's nonce stays below 2^64 - 1. */
export const nonceMax = 2n ** 64n - 2n
/** What every transaction costs (Yellow Paper, appendix G, G_transaction). */
const gasMin = 21_000n
const gasMax = 2n ** 63n - 1n

/** @throws Failure `request.refused` */
export function transferEffect(intent: TransferIntent, context: Context): Effect {
  const asked = requestOfTransfer(intent, accountOfKey(context.publicKey))
  const request: TransactionRequest = context.network.isLegacy ? { ...asked, type: 0 } : asked
  return { ...effectOf(complete(request, context), context), kind: 'transfer' }
}

/** @throws Failure `request.refused`, `request.unsupported`, `bytes.malformed` */
export function transactionEffect(body: TransactionBody, context: Context): Effect {
  const tx =
    body.form === 'bytes'
      ? readWhole(body.bytes, context)
      : complete(readTransactionRequest(body.object, context.network), context)
  return { ...effectOf(tx, context), kind: 'transaction' }
}

/**
 * From then on the account does what a contract says, whoever asks: nobody can tell what leaves, but
 * of the one contract by which sponsors pay. It
 * uses up a nonce only if somebody brings it to the chain, so that no slot is held for it.
 * @throws Failure `request.refused`
 */
export function delegationEffect(
  { chainId, address, nonce }: Extract<SignatureIntent['ask'], { kind: 'Eip7702' }>,
  context: Context,
): Effect {
  const contract = readAddress(address)
  if (contract === undefined) throw refused('address is not one, or its checksum is wrong')
  // Zero stands for every chain there is.
  if (chainId !== context.network.chainId) throw refused('the authorization names another chain')
  if (nonce > nonceMax) throw refused('the nonce is out of range')
  const digest = delegationDigest({ chainId, address: contract, nonce })
  // The code of this one does what the key signs, each time again, and nothing else.
  const isKnown = equalBytes(contract, accountContract)
  return {
    ...nothingSpent(context),
    ...{ kind: 'delegation', to: checksummed(contract), unlimited: !isKnown },
    outflow: isKnown ? nothingLeaves : rawOutflow,
    signing: [{ digest }],
  }
}

export function messageEffect(message: Uint8Array, context: Context): Effect {
  return {
    ...nothingSpent(context),
    kind: 'message',
    outflow: outflowOfMessage(message),
    signing: [{ digest: personalDigest(message) }],
  }
}

/** @throws Failure `request.refused` */
export function typedDataEffect(
  ask: Extract<SignatureIntent['ask'], { kind: 'Eip712' }>,
  context: Context,
): Effect {
  const { digest, primaryType, typeText, chainId, verifyingContract } = hashTypedData(ask)
  // A permit for another chain would move what this key holds there, past that chain's own rules.
  if (chainId !== undefined && chainId !== context.network.chainId)
    throw refused('the domain names another chain')
  const unlimited = handsOver(primaryType)
  if (unlimited && chainId === undefined) throw refused(`a ${primaryType} has to name its chain`)
  const permit =
    verifyingContract === undefined || chainId === undefined
      ? undefined
      : readPermit(typeText, ask.message, {
          ...{ network: context.network, contract: `0x${toHex(verifyingContract)}` },
        })
  // What an account's own code makes of it, be it operations of which there is only a hash.
  const isOwn =
    verifyingContract !== undefined &&
    equalBytes(verifyingContract, accountOfKey(context.publicKey))
  return {
    ...nothingSpent(context),
    kind: 'typed-data',
    ...(verifyingContract === undefined ? {} : { to: checksummed(verifyingContract) }),
    unlimited: unlimited || isOwn,
    outflow: isOwn ? rawOutflow : outflowOfTypedData(primaryType, permit),
    signing: [{ digest }],
  }
}

/**
 * Types whose signature lets somebody else take assets afterwards: ERC-2612 and Permit2 permits, EIP-3009
 * authorizations, Safe transactions, marketplace orders, forwarded calls (ERC-2771, ERC-4337) and delegations. The name is part
 * of what is signed, so a contract that honours one cannot be asked under another.
 */
const handingOver = new Set([
  'TransferWithAuthorization',
  'ReceiveWithAuthorization',
  'SafeTx',
  'Order',
  'OrderComponents',
  'BulkOrder',
  'ForwardRequest',
  'MetaTransaction',
  'UserOperation',
  'PackedUserOperation',
  'Delegation',
])

function handsOver(primaryType: string): boolean {
  return primaryType.startsWith('Permit') || handingOver.has(primaryType)
}

/** @throws Failure `request.refused` */
export function complete(request: TransactionRequest, { network, facts }: Context): EvmTransaction {
  if (facts.family !== 'evm') throw refused('the facts are not of this network')
  return completeTransaction(request, facts, network.chainId)
}

/** @throws Failure `request.refused`, `bytes.malformed` */
export function readWhole(bytes: Uint8Array, { network }: Context): EvmTransaction {
  const tx = decodeUnsigned(bytes)
  // Follows from the decoder being strict; said again, since everything here rests on it.
  if (!equalBytes(encodeUnsigned(tx), bytes)) throw refused('the transaction has another encoding')
  if (tx.chainId !== network.chainId) throw refused('the transaction names another chain')
  return tx
}

/** @throws Failure `request.refused` */
export function effectOf(tx: EvmTransaction, context: Context): Omit<Effect, 'kind'> {
  checkBounds(tx)
  if (context.network.isLegacy && tx.type !== 0 && tx.type !== 1)
    throw refused('this network has no fee market, and takes transactions of type 0')
  const price = 'gasPrice' in tx ? tx.gasPrice : tx.maxFeePerGas
  const feeMax = tx.gasLimit * price
  // The organization's own, lower ceiling is policy. This one is nobody's to raise.
  if (feeMax > context.network.feeCeiling) throw refused('the fee is above the ceiling')
  const unsigned = encodeUnsigned(tx)
  return {
    ...nothingSpent(context),
    slot: tx.nonce,
    ...(tx.to === undefined ? {} : { to: checksummed(tx.to) }),
    value: tx.value,
    feeMax,
    outflow: outflowOfTransaction(tx, {
      ...{ network: context.network, feeMax, from: accountOfKey(context.publicKey) },
    }),
    signing: [{ digest: keccak_256(unsigned) }],
    unsigned,
  }
}

function checkBounds(tx: EvmTransaction): void {
  if (tx.nonce > nonceMax) throw refused('the nonce is out of range')
  if (tx.gasLimit < gasMin || tx.gasLimit > gasMax) throw refused('the gas limit is out of range')
  if ('maxFeePerGas' in tx && tx.maxPriorityFeePerGas > tx.maxFeePerGas)
    throw refused('the priority fee is above the whole fee')
  // It would only burn what it carries.
  if (tx.to === undefined && tx.data.length === 0)
    throw refused('neither a recipient nor a contract to create')
}

const nothingLeaves: Outflow = { isKnown: true, isRaw: false, movements: [], fee: undefined }

export function nothingSpent({
  publicKey,
}: Pick<Context, 'publicKey'>): Omit<Effect, 'kind' | 'outflow' | 'signing'> {
  return { from: addressOfKey(publicKey), value: 0n, feeMax: 0n, raw: false, unlimited: false }
}
