import assert from 'node:assert/strict'
import { delegationOf } from '@quorate/chains/evm/account/account'
import {
  makeWallet,
  network,
  payment,
  request,
  type Treasury,
  type Wish,
} from '../../transfers/testing/treasury.ts'
import type { Outgoing } from '../../transfers/tables.ts'
import type { WalletRow } from '../../wallets/find.ts'
import { sponsorshipsOf } from '../find.ts'
import { carry, type TestSponsor } from './sponsor.ts'

type Place = { readonly treasury: Treasury; readonly sponsor: TestSponsor }

/** What tests of fee sponsors do all the time. @param place where they are by then */
export function askingAt(place: () => Place) {
  /** A payment that the sponsor is to pay for. */
  const ask = (
    wallet: WalletRow,
    body: object = {},
    more: Partial<Wish> & { by?: TestSponsor } = {},
  ): Promise<Outgoing> => {
    const { treasury, sponsor } = place()
    const { by = sponsor, ...wish } = more
    return request(treasury, wallet, {
      body: payment({ feeSponsorId: by.name, ...body }),
      ...wish,
    })
  }
  return {
    ask,
    paid: async (wallet: WalletRow, body: object = {}): Promise<Outgoing> =>
      carry(place().treasury, await ask(wallet, body), 'confirmed'),
    /** The newest of what is sent for it. */
    bidFor: async (row: Outgoing): Promise<Outgoing> =>
      (await sponsorshipsOf(place().treasury.database, row)).at(-1) ?? assert.fail(),
    /** A wallet that has what it is to pay, and nothing for fees. */
    poor: (wei = 1000n): Promise<WalletRow> => makeWallet(place().treasury, wei),
    balance: (address: string | null): Promise<bigint> => {
      const { adapter, rpc } = place().treasury.chains.find(network)
      return adapter.balance(rpc, address ?? '')
    },
    nonceOf: async ({ address }: WalletRow): Promise<number> =>
      Number(await place().treasury.rpc('eth_getTransactionCount', [address, 'latest'])),
    codeOf: ({ address }: WalletRow) => delegationOf(place().treasury.rpc, address ?? ''),
  }
}
