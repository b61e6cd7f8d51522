import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { pageOf, pageQuery } from './page.ts'
import { network } from './words.ts'

const asset = {
  kind: z.enum(['Native', 'Erc20', 'Erc721', 'Erc1155']),
  contract: z.string().optional(),
  tokenId: z.string().optional(),
  symbol: z.string().optional(),
  decimals: z.int().optional(),
  verified: z.boolean(),
}

export const listOrgBalances = endpoint('quorate.listOrgBalances', {
  summary: 'What each wallet holds of each asset, as it was last held against the chain.',
  query: z.object({ ...pageQuery, network: network.optional() }),
  returns: pageOf(
    z.object({
      walletId: z.string(),
      network,
      ...asset,
      balance: z.string(),
      /** Of tokens that grow by themselves: how much of it no movement explains. */
      unexplained: z.string().optional(),
      /** At whose end it was so; absent while it is compared anew. */
      blockNumber: z.int().optional(),
    }),
  ),
})

export const listOrgBalanceTotals = endpoint('quorate.listOrgBalanceTotals', {
  summary: 'What all wallets together hold of each asset.',
  query: z.object({ ...pageQuery, network: network.optional() }),
  returns: pageOf(
    z.object({
      network,
      ...asset,
      balance: z.string(),
      /** In how many wallets; of a collection, in how many pieces. */
      count: z.int(),
    }),
  ),
})
