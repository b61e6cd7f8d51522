import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bigToBytes, concat, equalBytes } from '@quorate/core/bytes'
import type { Outflow } from '@quorate/core/outflow'
import type { Effect } from '../effect.ts'
import type { AccountSignature, SponsoredFacts, SponsorshipFacts } from '../facts.ts'
import type { TransactionIntent, TransferIntent } from '../intent.ts'
import { refused } from '../json.ts'
import type { EvmNetwork } from '../networks.ts'
import {
  accountContract,
  encodeOperations,
  executeDigest,
  relayCall,
  type AccountTerms,
  type Operation,
} from './account.ts'
import { accountOfKey, checksummed } from './address.ts'
import { nativeAsset } from './coin.ts'
import { effectOf, nonceMax, nothingSpent } from './effect.ts'
import { outflowOfOperations } from './outflow.ts'
import { readRecipient } from './request.ts'
import { delegationDigest, type EvmTransaction } from './transaction.ts'
import { requestOfTransfer } from './transfer.ts'

/** Of a request whose fees somebody else pays. */
export type Sponsored = {
  /** What names it: the account does what bears it once. */
  readonly request: Uint8Array
  /** Milliseconds since 1970: until then the chain takes it. */
  readonly executeBefore: number
  /** Compressed public key of the one who pays. */
  readonly sponsor: Uint8Array
}
export type SponsoredIntent = TransferIntent | TransactionIntent

type Account = {
  readonly network: EvmNetwork
  /** Compressed. */
  readonly publicKey: Uint8Array
}

/** Room for what stands around them in a transaction that pools still take. */
const operationsBytesMax = 120 * 1024

/**
 * What the account's own key signs: its operations for the contract whose code it runs, and if it does
 * not run that yet, that it does. It spends no fee and no slot.
 * @throws Failure `request.refused`
 */
export function sponsoredEffect(
  intent: SponsoredIntent,
  { network, publicKey, facts }: Account & { readonly facts: SponsoredFacts },
  sponsored: Sponsored,
): Effect {
  const from = accountOfKey(publicKey)
  const operations = operationsOf(intent, from)
  const digest = digestOf(termsOf(operations, from, sponsored), network, sponsored)
  const { delegationNonce: nonce } = facts
  const delegation = nonce === undefined ? [] : [{ digest: delegationOf(network, nonce) }]
  const [first, ...others] = operations
  const isOne = first !== undefined && others.length === 0
  return {
    ...nothingSpent({ publicKey }),
    kind: intent.kind,
    ...(isOne ? { to: checksummed(first.to) } : {}),
    value: operations.reduce((sum, { value }) => sum + value, 0n),
    outflow: outflowOfOperations(operations, { network, from }),
    signing: [{ digest }, ...delegation],
  }
}

/**
 * The transaction of the one who pays: it carries nothing but what the account has signed, which is
 * verified here, and costs nothing but its fee.
 * @throws Failure `request.refused`
 */
export function sponsorshipEffect(
  intent: SponsoredIntent,
  { network, publicKey, facts }: Account & { readonly facts: SponsorshipFacts },
  sponsored: Sponsored,
): Effect {
  const account = accountOfKey(publicKey)
  const terms = termsOf(operationsOf(intent, account), account, sponsored)
  const digest = digestOf(terms, network, sponsored)
  if (!isSignedBy(publicKey, digest, facts.inner))
    throw refused('the account has not signed these operations')
  const shared = {
    ...{ chainId: network.chainId, nonce: facts.nonce, gasLimit: facts.gasLimit },
    ...{ maxFeePerGas: facts.maxFeePerGas, maxPriorityFeePerGas: facts.maxPriorityFeePerGas },
    ...{ to: accountContract, value: 0n, data: relayCall(terms, facts.inner), accessList: [] },
  }
  const tx: EvmTransaction =
    facts.delegation === undefined
      ? { type: 2, ...shared }
      : {
          type: 4,
          ...shared,
          authorizations: [authorizationOf(facts.delegation, network, publicKey)],
        }
  const effect = effectOf(tx, { network, publicKey: sponsored.sponsor, facts })
  return { ...effect, kind: 'transaction', outflow: feeAlone(network, effect.feeMax) }
}

/** A transfer is one of them. @throws Failure `request.refused` */
export function operationsOf(intent: SponsoredIntent, from: Uint8Array): readonly Operation[] {
  if (intent.kind === 'transfer') {
    const { to, value, data } = requestOfTransfer(intent, from)
    if (to === undefined) throw refused('neither a recipient nor a contract')
    return [{ to, value, data }]
  }
  if (intent.transaction.form !== 'operations') throw refused('only operations have a fee sponsor')
  return intent.transaction.operations.map(({ to, value, data }) => ({
    ...{ to: readRecipient(to), value, data },
  }))
}

function termsOf(
  operations: readonly Operation[],
  account: Uint8Array,
  { request, executeBefore }: Sponsored,
): AccountTerms {
  const encoded = encodeOperations(operations)
  if (encoded.length > operationsBytesMax) throw refused('the operations are too long')
  const deadline = BigInt(Math.floor(executeBefore / 1000))
  return { account, operations: encoded, nonce: request, deadline }
}

function digestOf(
  terms: AccountTerms,
  network: EvmNetwork,
  { sponsor: key }: Sponsored,
): Uint8Array {
  if (!network.hasSponsors) throw refused(`${network.id} has no fee sponsors`)
  const sponsor = accountOfKey(key)
  if (equalBytes(sponsor, terms.account)) throw refused('an account does not sponsor itself')
  return executeDigest(terms, { chainId: network.chainId, sponsor })
}

function delegationOf({ chainId }: EvmNetwork, nonce: bigint): Uint8Array {
  if (nonce > nonceMax) throw refused('the nonce is out of range')
  return delegationDigest({ chainId, address: accountContract, nonce })
}

function authorizationOf(
  { nonce, signature }: NonNullable<SponsorshipFacts['delegation']>,
  network: EvmNetwork,
  publicKey: Uint8Array,
) {
  if (!isSignedBy(publicKey, delegationOf(network, nonce), signature))
    throw refused('the account has not signed its delegation')
  const { r, s, yParity } = signature
  const { chainId } = network
  return { chainId, address: accountContract, nonce, r, s, yParity: BigInt(yParity) }
}

/** As the chain sees it: its contracts work out the key from the lower s (EIP-2) and the parity. */
function isSignedBy(
  publicKey: Uint8Array,
  digest: Uint8Array,
  { r, s, yParity }: AccountSignature,
): boolean {
  const { Fn } = secp256k1.Point
  if (!Fn.isValidNot0(r) || !Fn.isValidNot0(s)) return false
  const signature = concat(new Uint8Array([yParity]), bigToBytes(r, 32), bigToBytes(s, 32))
  const form = { prehash: false, format: 'recovered', lowS: true } as const
  return secp256k1.verify(signature, digest, publicKey, form)
}

function feeAlone(network: EvmNetwork, amount: bigint): Outflow {
  const fee = { asset: nativeAsset(network), amount }
  return { isKnown: true, isRaw: false, movements: [], fee }
}
