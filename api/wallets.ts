import { z } from 'zod'

import { tagsMax } from '@quorate/authority/records'
import { isTag, tagBytesMax } from '@quorate/authority/tag'

import { endpoint } from './endpoint.ts'
import {
  delegation,
  deriveFrom,
  isOneDelegation,
  isPair,
  notAPair,
  notOneDelegation,
} from './keys.ts'
import { pageOf, pageQuery } from './page.ts'
import { ofWallet } from './paths.ts'
import { wallet } from './wallet.ts'
import { curve, date, id, network, nickname, scheme, store } from './words.ts'

const tag = z.string().refine(isTag, `1 to ${tagBytesMax} printable bytes`)
const tags = z.array(tag).max(tagsMax)

const signingKey = z
  .strictObject({
    id: id.optional(),
    scheme: scheme.optional(),
    curve: curve.optional(),
    storeId: store.optional(),
    deriveFrom: deriveFrom.optional(),
  })
  .refine(isPair, notAPair)
  .refine(({ id, deriveFrom }) => id === undefined || deriveFrom === undefined, {
    ...{ error: 'is of a key that is there, or derived', path: ['deriveFrom'] },
  })

export const createWallet = endpoint('wallets.createWallet', {
  summary: 'Make a wallet, on a key of its own or on one that is there.',
  body: z
    .strictObject({
      network,
      name: nickname.optional(),
      signingKey: signingKey.optional(),
      externalId: nickname.optional(),
      tags: tags.optional(),
      ...delegation,
    })
    .refine(isOneDelegation, notOneDelegation),
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
  params: ofWallet,
  returns: wallet,
})

export const updateWallet = endpoint('wallets.updateWallet', {
  summary: 'Give a wallet another name or external id, or none.',
  params: ofWallet,
  body: z.strictObject({
    name: nickname.nullable().optional(),
    externalId: nickname.nullable().optional(),
  }),
  returns: wallet,
})

export const delegateWallet = endpoint('wallets.delegateWallet', {
  summary: 'Give the wallet’s key to an end user, with every wallet on it, for ever.',
  params: ofWallet,
  body: z.strictObject({ userId: id }),
  returns: z.object({ walletId: z.string(), status: z.literal('Delegated') }),
})

export const tagWallet = endpoint('wallets.tagWallet', {
  summary: 'Add tags to a wallet.',
  params: ofWallet,
  body: z.strictObject({ tags }),
  returns: z.object({}),
})

export const untagWallet = endpoint('wallets.untagWallet', {
  summary: 'Take tags from a wallet.',
  params: ofWallet,
  body: z.strictObject({ tags }),
  returns: z.object({}),
})

const quotes = z.object({ USD: z.number() })
const asset = {
  symbol: z.string().optional(),
  decimals: z.int(),
  balance: z.string(),
  verified: z.boolean().optional(),
  quotes: quotes.optional(),
}

export const getWalletAssets = endpoint('wallets.getWalletAssets', {
  summary: 'What the wallet holds, by the chain’s word; with prices if they are asked for.',
  params: ofWallet,
  query: z.object({ netWorth: z.literal('true').optional() }),
  returns: z.object({
    walletId: z.string(),
    network,
    assets: z.array(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('Native'), ...asset }),
        z.object({ kind: z.literal('Erc20'), contract: z.string(), ...asset }),
      ]),
    ),
    netWorth: quotes.optional(),
  }),
})

const piece = { contract: z.string(), tokenId: z.string(), symbol: z.string().optional() }

export const getWalletNfts = endpoint('wallets.getWalletNfts', {
  summary: 'The pieces of collections that the wallet holds, by their contracts’ word.',
  params: ofWallet,
  returns: z.object({
    walletId: z.string(),
    network,
    nfts: z.array(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('Erc721'), ...piece, tokenUri: z.string().optional() }),
        /** Of ours: the documented kinds have none for these. */
        z.object({ kind: z.literal('Erc1155'), ...piece, balance: z.string() }),
      ]),
    ),
  }),
})

const assetMetadata = z.object({
  symbol: z.string().optional(),
  decimals: z.int().optional(),
  verified: z.boolean().optional(),
})

const moved = {
  walletId: z.string(),
  network,
  direction: z.enum(['In', 'Out']),
  blockNumber: z.int(),
  /** Empty where nobody knows it: see `seenBy`. */
  txHash: z.string(),
  /** Of ours: how much it was and which way it went is all that is known, since the balance has changed. */
  seenBy: z.literal('Balance').optional(),
  index: z.string().optional(),
  timestamp: date,
  metadata: z.object({ asset: assetMetadata, fee: assetMetadata.optional() }),
  fee: z.string().optional(),
  verified: z.boolean().optional(),
}
const movedToken = {
  ...moved,
  contract: z.string(),
  from: z.string(),
  to: z.string(),
  symbol: z.string().optional(),
}
const movement = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('NativeTransfer'),
    ...moved,
    from: z.string().optional(),
    to: z.string().optional(),
    value: z.string(),
    symbol: z.string(),
    decimals: z.int(),
  }),
  z.object({
    kind: z.literal('Erc20Transfer'),
    ...movedToken,
    value: z.string(),
    decimals: z.int(),
  }),
  z.object({ kind: z.literal('Erc721Transfer'), ...movedToken, tokenId: z.string() }),
  /** Of ours: the documented kinds have none for these. */
  z.object({
    kind: z.literal('Erc1155Transfer'),
    ...movedToken,
    tokenId: z.string(),
    value: z.string(),
  }),
])
export type Movement = z.output<typeof movement>

export const getWalletHistory = endpoint('wallets.getWalletHistory', {
  summary: 'What has happened to the wallet on the chain, newest first, page by page.',
  params: ofWallet,
  query: z.object({
    ...pageQuery,
    direction: z.enum(['In', 'Out']).optional(),
    kind: z.string().max(64).optional(),
    contract: z.string().max(128).optional(),
  }),
  returns: pageOf(movement).extend({ walletId: z.string(), network }),
})

const time = z.string().refine(isTime, 'a time such as 2026-01-31T12:00:00Z')

/** With an offset or in UTC: a time of nowhere would be another one for each reader. */
function isTime(text: string): boolean {
  const form = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/
  return form.test(text) && !Number.isNaN(Date.parse(text))
}

export const listOrgWalletHistory = endpoint('wallets.listOrgWalletHistory', {
  summary:
    'What has happened to all wallets within a time, newest first; as a table for `text/csv`.',
  query: z.object({ ...pageQuery, startTime: time, endTime: time }),
  returns: pageOf(
    z.object({
      timestamp: date,
      walletId: z.string(),
      network: z.string(),
      direction: z.string(),
      from: z.string().optional(),
      to: z.string().optional(),
      amount: z.string().optional(),
      tokenId: z.string().optional(),
      asset: z.string().optional(),
      symbol: z.string().optional(),
      decimals: z.string().optional(),
      fee: z.string().optional(),
      feeSymbol: z.string().optional(),
      feeDecimals: z.string().optional(),
      txHash: z.string(),
    }),
  ).extend({ orgId: z.string() }),
})
