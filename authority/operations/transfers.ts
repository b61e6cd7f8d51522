import { use, ifPresent, staff, read, signed, type Operation } from './operation.ts'

/** A transaction that takes the place of one, whether that was a transfer or not. */
const replacement = {
  ...signed,
  permissions: ['Wallets:Transactions:Create'],
  changes: use,
  creates: ['transaction'],
} as const

export const transferOperations = {
  'wallets.transferAsset': {
    ...signed,
    path: '/wallets/:walletId/transfers',
    permissions: ['Wallets:Transfers:Create'],
    permissionsIf: [ifPresent('feeSponsorId', 'FeeSponsors:Use')],
    changes: use,
    creates: ['transfer'],
    bodyIds: { feeSponsorId: 'feeSponsor' },
    erasable: ['externalId'],
  },
  'wallets.listTransfers': {
    ...read,
    path: '/wallets/:walletId/transfers',
    permissions: ['Wallets:Transfers:Read'],
  },
  'wallets.getTransfer': {
    ...read,
    path: '/wallets/:walletId/transfers/:transferId',
    permissions: ['Wallets:Transfers:Read'],
  },
  'wallets.broadcastTransaction': {
    ...signed,
    path: '/wallets/:walletId/transactions',
    permissions: ['Wallets:Transactions:Create'],
    permissionsIf: [ifPresent('feeSponsorId', 'FeeSponsors:Use')],
    changes: use,
    creates: ['transaction'],
    bodyIds: { feeSponsorId: 'feeSponsor' },
    erasable: ['externalId'],
  },
  'wallets.listTransactions': {
    ...read,
    path: '/wallets/:walletId/transactions',
    permissions: ['Wallets:Transactions:Read'],
  },
  'wallets.getTransaction': {
    ...read,
    path: '/wallets/:walletId/transactions/:transactionId',
    permissions: ['Wallets:Transactions:Read'],
  },
  'wallets.abortTransfer': {
    ...signed,
    method: 'PUT',
    path: '/wallets/:walletId/transfers/:transferId/abort',
    permissions: ['Wallets:Transfers:Abort'],
  },
  'wallets.abortTransaction': {
    ...signed,
    method: 'PUT',
    path: '/wallets/:walletId/transactions/:transactionId/abort',
    permissions: ['Wallets:Transactions:Abort'],
  },
  'wallets.cancelTransfer': {
    ...replacement,
    path: '/wallets/:walletId/transfers/:transferId/cancel',
  },
  'wallets.cancelTransaction': {
    ...replacement,
    path: '/wallets/:walletId/transactions/:transactionId/cancel',
  },
  'wallets.speedUpTransfer': {
    ...replacement,
    path: '/wallets/:walletId/transfers/:transferId/speed-up',
  },
  'wallets.speedUpTransaction': {
    ...replacement,
    path: '/wallets/:walletId/transactions/:transactionId/speed-up',
  },
  'quorate.listOrgTransfers': {
    ...read,
    path: '/orgs/transfers',
    permissions: ['Wallets:Transfers:Read'],
    callers: staff,
  },
  'quorate.listOrgTransactions': {
    ...read,
    path: '/orgs/transactions',
    permissions: ['Wallets:Transactions:Read'],
    callers: staff,
  },
} as const satisfies Record<string, Operation>
