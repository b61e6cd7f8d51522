import assert from 'node:assert/strict'
import { before, test } from 'node:test'

import { responseChecker } from './checker.ts'
import type { CheckResponse, SdkOperation } from './checker.ts'

let check: CheckResponse
before(async () => {
  check = await responseChecker()
})

const date = '2026-01-31T12:00:00.000Z'
const key = {
  id: 'key-1',
  scheme: 'ECDSA',
  curve: 'secp256k1',
  publicKey: '02ab',
  status: 'Active',
  custodial: true,
  dateCreated: date,
}
const wallet = {
  id: 'wa-1',
  network: 'EthereumSepolia',
  address: '0x',
  signingKey: { id: 'key-1', scheme: 'ECDSA', curve: 'secp256k1', publicKey: '02ab' },
  status: 'Active',
  dateCreated: date,
  custodial: true,
  tags: [],
}
const transfer = {
  id: 'xfr-1',
  walletId: 'wa-1',
  network: 'EthereumSepolia',
  requester: { userId: 'us-1' },
  requestBody: { kind: 'Native', to: '0x', amount: '1' },
  metadata: { asset: { symbol: 'ETH', decimals: 18 } },
  status: 'Executing',
  dateRequested: date,
}
const transaction = {
  id: 'tx-1',
  walletId: 'wa-1',
  network: 'EthereumSepolia',
  requester: { userId: 'us-1', tokenId: 'to-1' },
  requestBody: { kind: 'Transaction', transaction: { type: 2, to: '0x' } },
  status: 'Broadcasted',
  txHash: '0x',
  dateRequested: date,
}
const signature = {
  id: 'sig-1',
  keyId: 'key-1',
  requester: { userId: 'us-1' },
  requestBody: { kind: 'Hash', hash: '00' },
  status: 'Signed',
  signature: { r: '0x', s: '0x', recid: 0 },
  dateRequested: date,
}
const challenge = {
  challenge: 'AA',
  challengeIdentifier: 'a.b.c',
  supportedCredentialKinds: [{ kind: 'Key', factor: 'first', requiresSecondFactor: false }],
  userVerification: 'required',
  attestation: 'none',
  allowCredentials: { key: [{ type: 'public-key', id: 'cr-1' }], webauthn: [] },
  externalAuthenticationUrl: '',
}
const serviceAccount = {
  userInfo: {
    username: 'robot',
    name: 'robot',
    userId: 'us-2',
    kind: 'CustomerEmployee',
    credentialUuid: 'cr-1',
    orgId: 'or-1',
    isActive: true,
    isServiceAccount: true,
    isRegistered: true,
    permissionAssignments: [],
  },
  accessTokens: [
    {
      accessToken: 'a.b.c',
      dateCreated: date,
      credId: 'cr-1',
      isActive: true,
      kind: 'ServiceAccount',
      linkedUserId: 'us-2',
      linkedAppId: '',
      name: 'robot',
      orgId: 'or-1',
      permissionAssignments: [],
      publicKey: 'PEM',
      tokenId: 'to-1',
    },
  ],
}
const permission = {
  id: 'pm-1',
  name: 'ManagedFullAdminAccess',
  operations: ['Wallets:Create'],
  status: 'Active',
  isImmutable: true,
  isArchived: false,
  dateCreated: date,
  dateUpdated: date,
}
const assignment = {
  id: 'as-1',
  permissionId: 'pm-1',
  identityId: 'us-2',
  isImmutable: false,
  dateCreated: date,
  dateUpdated: date,
}
const store = { id: 'ks-1', kind: 'Mpc', keyId: 'key-1' }
const moved = {
  kind: 'NativeTransfer',
  walletId: 'wa-1',
  network: 'EthereumSepolia',
  direction: 'Out',
  blockNumber: 7,
  txHash: '0x',
  timestamp: date,
  metadata: { asset: {} },
  value: '1',
  symbol: 'ETH',
  decimals: 18,
}
const ofWallet = { walletId: 'wa-1', network: 'EthereumSepolia' }

const level = { maxPriorityFeePerGas: '1', maxFeePerGas: '2' }
const fees = {
  ...{ kind: 'Eip1559', network: 'EthereumSepolia', blockNumber: 7, baseFeePerGas: '1' },
  ...{ slow: level, standard: level, fast: level },
}

const good: readonly (readonly [SdkOperation, object])[] = [
  ['auth.createUserActionChallenge', challenge],
  ['auth.createUserActionSignature', { userAction: 'a.b.c' }],
  ['auth.createLoginChallenge', challenge],
  ['auth.login', { token: 'a.b.c' }],
  ['auth.createServiceAccount', serviceAccount],
  ['auth.listServiceAccounts', { items: [serviceAccount] }],
  ['auth.getServiceAccount', serviceAccount],
  ['permissions.listPermissions', { items: [permission] }],
  ['permissions.createAssignment', assignment],
  ['keys.createKey', key],
  ['keys.listKeys', { items: [key], nextPageToken: 'AA' }],
  ['keys.getKey', { ...key, wallets: [{ id: 'wa-1', network: 'KeyECDSA' }], store }],
  ['keys.generateSignature', signature],
  ['keys.listSignatures', { items: [signature], keyId: 'key-1' }],
  ['keys.getSignature', signature],
  ['wallets.createWallet', wallet],
  ['wallets.listWallets', { items: [wallet] }],
  ['wallets.getWallet', wallet],
  ['wallets.transferAsset', transfer],
  ['wallets.listTransfers', { items: [transfer], walletId: 'wa-1' }],
  ['wallets.getTransfer', transfer],
  ['wallets.broadcastTransaction', transaction],
  ['wallets.listTransactions', { items: [transaction], walletId: 'wa-1' }],
  ['wallets.getTransaction', transaction],
  ['wallets.generateSignature', { ...signature, ...ofWallet }],
  ['wallets.listSignatures', { items: [signature], keyId: 'key-1' }],
  ['wallets.getSignature', signature],
  [
    'wallets.getWalletAssets',
    { ...ofWallet, assets: [{ kind: 'Native', decimals: 18, balance: '0' }] },
  ],
  ['wallets.getWalletHistory', { ...ofWallet, items: [moved] }],
  [
    'wallets.getWalletNfts',
    { ...ofWallet, nfts: [{ kind: 'Erc721', contract: '0x', tokenId: '7' }] },
  ],
  ['networks.getFees', fees],
]

test('an answer of the published type is accepted, of every operation that we serve', () => {
  for (const [operation, body] of good) assert.deepEqual(check(operation, body), [], operation)
})

test('further members are accepted, at every depth', () => {
  assert.deepEqual(check('keys.createKey', { ...key, certificate: '00' }), [])
  const signingKey = { ...wallet.signingKey, birth: '00' }
  assert.deepEqual(check('wallets.createWallet', { ...wallet, signingKey }), [])
})

test('an answer that lacks any of its members is refused', () => {
  const optional = new Set(['address', 'txHash', 'signature', 'nextPageToken'])
  for (const [operation, body] of good)
    for (const name of Object.keys(body).filter((member) => !optional.has(member))) {
      const { [name]: _, ...rest } = body as Record<string, unknown>
      assert.notDeepEqual(check(operation, rest), [], `${operation} without ${name}`)
    }
})

test('a value outside of its enum is refused, at every depth', () => {
  const wrong: readonly (readonly [SdkOperation, object])[] = [
    ['keys.createKey', { ...key, status: 'Born' }],
    ['keys.createKey', { ...key, curve: 'p256' }],
    ['keys.listKeys', { items: [key, { ...key, scheme: 'RSA' }] }],
    ['wallets.createWallet', { ...wallet, network: 'Sepolia' }],
    ['wallets.transferAsset', { ...transfer, status: 'Done' }],
    ['wallets.transferAsset', { ...transfer, requestBody: { kind: 'Gift', to: '0x' } }],
    ['wallets.getWalletHistory', { ...ofWallet, items: [{ ...moved, direction: 'Up' }] }],
    ['wallets.getSignature', { ...signature, network: 'KeyECDSA' }],
    ['auth.createLoginChallenge', { ...challenge, userVerification: 'never' }],
  ]
  for (const [operation, body] of wrong) assert.notDeepEqual(check(operation, body), [], operation)
})

test('a value of another type is refused and the problem says where', () => {
  const [problem] = check('keys.createKey', { ...key, custodial: 'yes' })
  assert.match(problem ?? '', /^keys\.createKey \/custodial must be boolean/)
  assert.notDeepEqual(check('wallets.transferAsset', { ...transfer, dateRequested: 7 }), [])
  assert.notDeepEqual(check('keys.createKey', null), [])
  assert.notDeepEqual(check('wallets.listWallets', []), [])
})
