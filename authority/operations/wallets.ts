import { root, ifPresent, staff, read, signed, signature, type Operation } from './operation.ts'

export const walletOperations = {
  'wallets.createWallet': {
    ...signed,
    path: '/wallets',
    permissions: ['Wallets:Create'],
    permissionsIf: [
      { member: 'signingKey.id', present: ['Keys:Reuse'], absent: ['Keys:Create'] },
      ifPresent('signingKey.deriveFrom', 'Keys:ChildKeys:Create'),
      ifPresent('delegateTo', 'Keys:Delegate'),
      ifPresent('tags', 'Wallets:Tags:Add'),
    ],
    changes: root('wallet'),
    creates: ['wallet', 'key'],
    bodyIds: {
      'signingKey.id': 'key',
      'signingKey.deriveFrom.keyId': 'key',
      delegateTo: 'user',
    },
    confirms: 'delegateTo',
    erasable: ['name', 'externalId'],
  },
  'wallets.listWallets': { ...read, path: '/wallets', permissions: ['Wallets:Read'] },
  'wallets.getWallet': { ...read, path: '/wallets/:walletId', permissions: ['Wallets:Read'] },
  'wallets.updateWallet': {
    ...signed,
    method: 'PUT',
    path: '/wallets/:walletId',
    permissions: ['Wallets:Update'],
    changes: root('update'),
    erasable: ['name', 'externalId'],
  },
  'wallets.delegateWallet': {
    ...signed,
    path: '/wallets/:walletId/delegate',
    permissions: ['Keys:Delegate'],
    callers: staff,
    changes: root('delegation'),
    bodyIds: { userId: 'user' },
    confirms: 'userId',
  },
  'wallets.tagWallet': {
    ...signed,
    method: 'PUT',
    path: '/wallets/:walletId/tags',
    permissions: ['Wallets:Tags:Add'],
    callers: staff,
    changes: root('tags'),
  },
  'wallets.untagWallet': {
    ...signed,
    method: 'DELETE',
    path: '/wallets/:walletId/tags',
    permissions: ['Wallets:Tags:Delete'],
    callers: staff,
    changes: root('tags'),
  },
  'wallets.getWalletAssets': {
    ...read,
    path: '/wallets/:walletId/assets',
    permissions: ['Wallets:Read'],
  },
  'wallets.getWalletNfts': {
    ...read,
    path: '/wallets/:walletId/nfts',
    permissions: ['Wallets:Read'],
  },
  // Before that of a wallet, whose path it would be too.
  'wallets.listOrgWalletHistory': {
    ...read,
    path: '/wallets/all/history',
    permissions: ['Wallets:Read'],
    callers: staff,
  },
  'wallets.getWalletHistory': {
    ...read,
    path: '/wallets/:walletId/history',
    permissions: ['Wallets:Read'],
  },
  'wallets.generateSignature': { ...signature, path: '/wallets/:walletId/signatures' },
  'wallets.listSignatures': {
    ...read,
    path: '/wallets/:walletId/signatures',
    permissions: ['Keys:Signatures:Read'],
  },
  'wallets.getSignature': {
    ...read,
    path: '/wallets/:walletId/signatures/:signatureId',
    permissions: ['Keys:Signatures:Read'],
  },
  'quorate.listOrgBalances': {
    ...read,
    path: '/orgs/balances',
    permissions: ['Wallets:Read'],
    callers: staff,
  },
  'quorate.listOrgBalanceTotals': {
    ...read,
    path: '/orgs/balances/totals',
    permissions: ['Wallets:Read'],
    callers: staff,
  },
  'quorate.getWalletProof': {
    ...read,
    path: '/wallets/:walletId/proof',
    permissions: ['Wallets:Read'],
  },
} as const satisfies Record<string, Operation>
