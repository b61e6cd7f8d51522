import { readOriginal } from '@quorate/authority/original'
import { decodePreimage, type Preimage } from '@quorate/authority/request'
import { decodeEvidence, type Evidence } from '@quorate/authority/step'
import type { Effect } from '@quorate/effects/effect'
import { decodeFacts } from '@quorate/effects/facts'
import type { TransactionIntent, TransferIntent } from '@quorate/effects/intent'
import type { EvmNetwork } from '@quorate/effects/networks'
import type { ReplacementIntent } from '@quorate/effects/replacement'
import { planned, readableIntent, type Payer } from '../chain/ask.ts'
import type { Outgoing } from './tables.ts'

/** What a row holds, read again from what the user signed each time that it counts. */
export function intentOf(row: Outgoing): OutgoingIntent {
  const { replacement, original } = row
  if (replacement === 'cancellation') return { kind: 'cancellation' }
  if (replacement === 'speedUp')
    return { kind: 'speedUp', original: original === null ? undefined : intentIn(original) }
  if (row.kind === 'sponsorship') throw new TypeError('what is sent for another row has no payload')
  return readableIntent(row.kind, decodeEvidence(row.evidence).payload)
}
export type OutgoingIntent = TransferIntent | TransactionIntent | ReplacementIntent

function intentIn(encoded: Uint8Array): TransferIntent | TransactionIntent {
  const original = readOriginal(encoded)
  if (original === undefined) throw new TypeError('what was stored is not what was signed')
  const kind = original.operation === 'wallets.transferAsset' ? 'transfer' : 'transaction'
  return readableIntent(kind, original.payload)
}

/** @param traits of its network */
export function payerOf(
  { public_key: publicKey, address }: Pick<Outgoing, 'public_key' | 'address'>,
  traits: EvmNetwork,
): Payer {
  return { network: traits, publicKey, address }
}

export function preimageOf(row: Outgoing): Preimage {
  return decodePreimage(decodeEvidence(row.evidence).preimage)
}

/** What fees may come to: as much as was signed for, and no more than the network allows. */
export function feeBoundOf(row: Outgoing, { feeCeiling }: EvmNetwork): bigint {
  const { maxFee = 0n } = preimageOf(row)
  return maxFee < feeCeiling ? maxFee : feeCeiling
}

/** With the facts, once they are written down. */
export function evidenceOf(row: Outgoing): Evidence {
  return { ...decodeEvidence(row.evidence), facts: writtenFacts(row) }
}

/** The transaction that the facts make of the payload, as the signers build it. */
export function effectOf(row: Outgoing, traits: EvmNetwork): Effect {
  return planned(payerOf(row, traits), intentOf(row), decodeFacts(writtenFacts(row)))
}

export function writtenFacts({ facts, state }: Pick<Outgoing, 'facts' | 'state'>): Uint8Array {
  if (facts === null) throw new TypeError(`${state}, and no facts are written down`)
  return facts
}
