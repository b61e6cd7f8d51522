import type { WholeEvidence } from '@quorate/authority/step'
import { createWallet, type Wallet } from '@quorate/signer/testing/keys'
import type { Drafted, Place } from '@quorate/signer/testing/ledger'
import { transferRequest } from '@quorate/signer/testing/uses'
import { openCoalition, type Coalition } from './coalition.ts'

/** A coalition before an organization's wallet, and what its user signs. */
export type Payer = Coalition & {
  readonly wallet: Wallet
  readonly place: Place
  /** What a user has signed: one wei at this nonce. */
  asked(nonce: bigint): WholeEvidence
  /** The step of an honest server with that in it. */
  drafted(evidence: WholeEvidence): Drafted
}

export async function openPayer(): Promise<Payer> {
  const coalition = await openCoalition()
  const { world } = coalition
  const wallet = await createWallet(world, 'EthereumSepolia')
  const place = world.keyPlace(wallet.key.id)
  return {
    ...{ ...coalition, wallet, place },
    asked: (nonce) => transferRequest(world, wallet, { nonce }),
    drafted: (evidence) => world.draft(place, [{ kind: 'use', evidence }]),
  }
}
