import { z } from 'zod'

import { endpoint } from './endpoint.ts'
import { isPair, notAPair } from './keys.ts'
import { pageOf, pageQuery } from './page.ts'
import { unsupported } from './unsupported.ts'
import { certificate, curve, date, externalId, id, name, network, scheme } from './words.ts'

const wallet = z.object({
  id: z.string(),
  network,
  /** Absent on the networks that are only keys. */
  address: z.string().optional(),
  signingKey: z.object({ id: z.string(), scheme, curve, publicKey: z.string() }),
  status: z.enum(['Active', 'Inactive', 'Archived']),
  dateCreated: date,
  dateDeleted: date.optional(),
  name: z.string().optional(),
  custodial: z.boolean(),
  externalId: z.string().optional(),
  tags: z.array(z.string()),
  certificate,
})
export type Wallet = z.output<typeof wallet>

const signingKey = z
  .strictObject({
    id: id.optional(),
    scheme: scheme.optional(),
    curve: curve.optional(),
    storeId: unsupported,
    deriveFrom: unsupported,
  })
  .refine(isPair, notAPair)

export const createWallet = endpoint('wallets.createWallet', {
  summary: 'Make a wallet, on a key of its own or on one that is there.',
  body: z.strictObject({
    network,
    name: name.optional(),
    signingKey: signingKey.optional(),
    externalId: externalId.optional(),
    delegateTo: unsupported,
    delayDelegation: unsupported,
    tags: unsupported,
  }),
  returns: wallet,
})

export const listWallets = endpoint('wallets.listWallets', {
  summary: 'Wallets, newest first, page by page.',
  query: z.object({
    ...pageQuery,
    owner: z.string().optional(),
    ownerId: z.string().optional(),
    ownerUsername: z.string().optional(),
  }),
  returns: pageOf(wallet),
})

export const getWallet = endpoint('wallets.getWallet', {
  summary: 'One wallet.',
  params: z.strictObject({ walletId: id }),
  returns: wallet,
})

export const getWalletAssets = endpoint('wallets.getWalletAssets', {
  summary: 'What the wallet holds, by the chain’s word.',
  params: z.strictObject({ walletId: id }),
  returns: z.object({
    walletId: z.string(),
    network,
    assets: z.array(
      z.object({
        kind: z.literal('Native'),
        symbol: z.string().optional(),
        decimals: z.int(),
        balance: z.string(),
        verified: z.boolean().optional(),
      }),
    ),
  }),
})

const assetMetadata = z.object({
  symbol: z.string().optional(),
  decimals: z.int().optional(),
  verified: z.boolean().optional(),
})

export const getWalletHistory = endpoint('wallets.getWalletHistory', {
  summary: 'What has happened to the wallet on the chain, newest first, page by page.',
  params: z.strictObject({ walletId: id }),
  query: z.object({
    ...pageQuery,
    direction: z.enum(['In', 'Out']).optional(),
    kind: z.string().max(64).optional(),
    contract: z.string().max(128).optional(),
  }),
  returns: pageOf(
    z.object({
      kind: z.literal('NativeTransfer'),
      walletId: z.string(),
      network,
      direction: z.enum(['In', 'Out']),
      blockNumber: z.int(),
      txHash: z.string(),
      index: z.string().optional(),
      timestamp: date,
      metadata: z.object({ asset: assetMetadata, fee: assetMetadata.optional() }),
      from: z.string().optional(),
      to: z.string().optional(),
      value: z.string(),
      fee: z.string().optional(),
      symbol: z.string(),
      decimals: z.int(),
      verified: z.boolean().optional(),
    }),
  ).extend({ walletId: z.string(), network }),
})
