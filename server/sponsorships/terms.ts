import {
  accountAddress,
  relayData,
  type AccountOperation,
  type AccountTerms,
} from '@quorate/chains/evm/account/account'
import type { EvmAsk, EvmSignature } from '@quorate/chains/evm/index'
import { bytesToBig } from '@quorate/core/bytes'
import type { Effect } from '@quorate/effects/effect'
import type { Facts, SponsorshipFacts } from '@quorate/effects/facts'
import type { TransactionIntent, TransferIntent } from '@quorate/effects/intent'
import { planFill, planSponsorship, type SponsorshipInput } from '@quorate/effects/plan'
import type { EvmNetwork } from '@quorate/effects/networks'
import { planned } from '../chain/ask.ts'
import { callOf } from '../chain/tokens.ts'
import type { Signature } from '../coordinator/coordinator.ts'
import { intentOf, payerOf } from '../transfers/reading.ts'
import type { Outgoing } from '../transfers/tables.ts'
import type { Sponsor } from './sponsor.ts'

/** Where it is to be carried out. */
type On = { readonly traits: EvmNetwork }

/** What a user may ask for that somebody else pays for. */
export type SponsoredIntent = TransferIntent | TransactionIntent

export function sponsoredIntentOf(row: Outgoing): SponsoredIntent {
  const intent = intentOf(row)
  if (intent.kind !== 'transfer' && intent.kind !== 'transaction')
    throw new TypeError('nobody pays for what takes the place of something')
  return intent
}

/** What the account does, by the words of the chain's own library: the signers have others. */
export function operationsOf(intent: SponsoredIntent, from: string): readonly AccountOperation[] {
  if (intent.kind === 'transfer') return [callOf(intent, from)]
  if (intent.transaction.form !== 'operations')
    throw new TypeError('only operations and transfers are paid for')
  return intent.transaction.operations
}

/** Who pays, as far as what is signed depends on it. */
export function sponsoredBy(
  { request, execute_before: executeBefore }: Pick<Outgoing, 'request' | 'execute_before'>,
  { wallet }: Sponsor,
): SponsorshipInput['sponsored'] {
  return { request, executeBefore, sponsor: wallet.public_key }
}

/** What the account signs. */
export function sponsoredEffect(
  { traits }: On,
  row: Outgoing,
  sponsor: Sponsor,
  facts: Facts,
): Effect {
  return planned(payerOf(row, traits), intentOf(row), facts, sponsoredBy(row, sponsor))
}

/** What the sponsor signs. */
export function sponsorshipEffect(
  { traits }: On,
  row: Outgoing,
  sponsor: Sponsor,
  facts: Facts,
): Effect {
  const made = planSponsorship({
    ...{ network: traits, publicKey: row.public_key, facts },
    ...{ intent: intentOf(row), sponsored: sponsoredBy(row, sponsor) },
  })
  if (made.ok) return made.effect
  throw new TypeError(`the signers would not see a sponsorship: ${made.reason}`)
}

/** What it signs where there is nothing to be paid for any more. */
export function fillEffect({ traits }: On, row: Outgoing, sponsor: Sponsor, facts: Facts): Effect {
  const made = planFill({ network: traits, sponsored: sponsoredBy(row, sponsor), facts })
  if (made.ok) return made.effect
  throw new TypeError(`the signers would not fill a slot: ${made.reason}`)
}

export type Signed = Pick<SponsorshipFacts, 'inner' | 'delegation'>

/** The transaction that the sponsor is to send, for the chain to say what it takes. */
export function relayAsk(
  { traits }: On,
  row: Outgoing,
  sponsor: Sponsor,
  { inner, delegation }: Signed,
): EvmAsk {
  const intent = sponsoredIntentOf(row)
  const terms: AccountTerms = {
    account: row.address,
    operations: operationsOf(intent, row.address),
    nonce: row.request,
    deadline: BigInt(Math.floor(row.execute_before / 1000)),
  }
  const call = {
    ...{ from: sponsor.wallet.address, to: accountAddress, value: 0n },
    data: relayData(terms, inner),
    priority: intent.kind === 'transfer' ? intent.priority : 'Standard',
  } as const
  if (delegation === undefined) return { type: 2, ...call }
  const { nonce, signature } = delegation
  const { chainId } = traits
  const authorization = { ...signature, yParity: BigInt(signature.yParity) }
  const authorizations = [{ chainId, address: accountAddress, nonce, ...authorization }]
  return { type: 4, ...call, authorizations }
}

export function accountSignatureOf(signature: Signature | undefined): EvmSignature {
  if (signature?.scheme !== 'ECDSA') throw new TypeError('an account signs by ECDSA')
  const { r, s, recid } = signature
  return { r: bytesToBig(r), s: bytesToBig(s), yParity: (recid & 1) === 1 ? 1 : 0 }
}
