import { idPrefixes, type IdKind } from '@quorate/core/id'
import { parseJson, parseJsonWithDecimals, type Json } from '@quorate/core/json'
import { currentNames } from './permission-names.ts'
import { pathLengthMax, type Purpose } from './request.ts'

/**
 * Everything a caller may ask for, as data: the one table that the router, the permission check,
 * the reducer and the signers all read. A request that is not in it does not exist.
 *
 * Names are those of the official SDK's methods, `<client>.<method>`; ours begin with `quorate.`.
 */
export type Operation = {
  readonly method: Method
  /** A segment that begins with a colon names a parameter. */
  readonly path: string
  /** Members of a query that count when they are signed with the path, and never otherwise. */
  readonly signedQuery: readonly string[]
  /** The caller needs every one of them. */
  readonly permissions: readonly string[]
  /** Needed besides, for what the body holds. */
  readonly permissionsIf: readonly Condition[]
  /** A credential must have signed this very request. */
  readonly userAction: boolean
  /**
   * What its pre-image must be for. Anything else than `action` ends an unsigned way: the challenge
   * was made before the body, which nobody trusted has signed.
   */
  readonly purpose: Purpose
  /** Empty: no token at all. */
  readonly callers: readonly CallerKind[]
  /** May it be asked through a personal access token? */
  readonly pats: boolean
  readonly changes: Change
  /** What gets an id made of this request, each with index 0. */
  readonly creates: readonly IdKind[]
  /** Members of the body that name something by its id. A dot leads one level down; an identity is
   * a user or a token. */
  readonly bodyIds: Readonly<Record<string, IdKind | 'identity'>>
  /**
   * Whose unconfirmed credentials the author vouches for by this request, by the role of a named
   * id: the pre-image then holds the hash of that set as the subject `credentials`.
   */
  readonly confirms: string | undefined
  /** Top-level members of the body that may be personal: no decision rests on them, they can go. */
  readonly erasable: readonly string[]
}
export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
/**
 * `setup` is whoever holds the token that the operator made for the first organization;
 * `newcomer` whoever holds the temporary token of a registration or recovery that has begun.
 */
export type CallerKind = 'employee' | 'endUser' | 'serviceAccount' | 'setup' | 'newcomer'
export type Change =
  | { readonly item: RootItem; readonly stream: 'root' }
  | { readonly item: 'use'; readonly stream: 'key' }
  /** Wherever that stands which it is about. */
  | { readonly item: 'decision'; readonly stream: 'held' }
  | { readonly item: 'none'; readonly stream: 'none' }
/** Every kind of item that stands in a root stream. */
export type RootItem =
  | 'genesis'
  | 'user'
  | 'userUpdate'
  | 'userStatus'
  | 'registration'
  | 'confirmation'
  | 'credential'
  | 'credentialCode'
  | 'credentialStatus'
  | 'recovery'
  | 'recoveryEnd'
  | 'serviceAccount'
  | 'token'
  | 'tokenStatus'
  | 'permission'
  | 'permissionUpdate'
  | 'policy'
  | 'policyUpdate'
  | 'break'
  | 'breakEnd'
  | 'feeSponsor'
  | 'feeSponsorUpdate'
  | 'assignment'
  | 'assignmentEnd'
  | 'settings'
  | 'key'
  | 'keyStatus'
  | 'delegation'
  | 'wallet'
  | 'tags'
  | 'update'
  | 'agreement'
  | 'freeze'
  | 'erasure'
/** `member` as in `bodyIds`. */
type Condition = {
  readonly member: string
  readonly present: readonly string[]
  readonly absent: readonly string[]
}

const nothing: Change = { item: 'none', stream: 'none' }
const use: Change = { item: 'use', stream: 'key' }
const root = (item: RootItem): Change => ({ item, stream: 'root' })
const ifPresent = (member: string, ...present: readonly string[]): Condition => ({
  member,
  present,
  absent: [],
})

const open = {
  signedQuery: [],
  permissions: [],
  permissionsIf: [],
  userAction: false,
  purpose: 'action',
  callers: [],
  pats: true,
  changes: nothing,
  creates: [],
  bodyIds: {},
  confirms: undefined,
  erasable: [],
} satisfies Partial<Operation>
const ask = { ...open, method: 'POST' } as const
const everybody = ['employee', 'endUser', 'serviceAccount'] as const
const staff = ['employee', 'serviceAccount'] as const
const people = ['employee', 'endUser'] as const
const read = { ...open, method: 'GET', callers: everybody } as const
const signed = { ...read, method: 'POST', userAction: true } as const
const setup = { ...open, method: 'POST', callers: ['setup'] } as const
const newcomer = { ...open, method: 'POST', callers: ['newcomer'] } as const
/** A user's own credentials: his own business, without a permission, and never a token's. */
const own = { ...signed, callers: people, pats: false } as const
const ownPat = { ...own, method: 'PUT', changes: root('tokenStatus') } as const
const ofUser = { ...signed, method: 'PUT', callers: staff } as const
const ofAccount = { ...signed, method: 'PUT', callers: staff } as const
const ofSponsor = {
  ...signed,
  method: 'PUT',
  permissions: ['FeeSponsors:Update'],
  callers: staff,
  changes: root('feeSponsorUpdate'),
} as const
const delegated = { ...signed, callers: ['serviceAccount'] } as const

/** Where raw bytes, transactions and transfers all end: one use of one key. */
const signature = {
  ...signed,
  permissions: ['Keys:Signatures:Create'],
  changes: use,
  creates: ['signature'],
  erasable: ['externalId'],
} as const

/** A transaction that takes the place of one, whether that was a transfer or not. */
const replacement = {
  ...signed,
  permissions: ['Wallets:Transactions:Create'],
  changes: use,
  creates: ['transaction'],
} as const

const table = {
  'auth.createUserActionChallenge': { ...read, method: 'POST', path: '/auth/action/init' },
  'auth.createUserActionSignature': { ...read, method: 'POST', path: '/auth/action' },

  'auth.sendLoginCode': { ...ask, path: '/auth/login/code' },
  'auth.createLoginChallenge': { ...ask, path: '/auth/login/init' },
  'auth.login': { ...ask, path: '/auth/login' },
  'auth.logout': {
    ...read,
    method: 'PUT',
    path: '/auth/logout',
    callers: people,
    pats: false,
  },
  'auth.delegatedLogin': {
    ...delegated,
    path: '/auth/login/delegated',
    permissions: ['Auth:Login:Delegated'],
  },
  'auth.socialLogin': { ...ask, path: '/auth/login/social' },
  'auth.ssoLoginInit': { ...ask, path: '/auth/login/sso/init' },
  'auth.ssoLogin': { ...ask, path: '/auth/login/sso' },
  'auth.oidcLoginInit': { ...ask, path: '/auth/login/oidc/init' },
  'auth.oidcLogin': { ...ask, path: '/auth/login/oidc' },
  'auth.exchangeToken': {
    ...read,
    method: 'POST',
    path: '/auth/tokens',
    callers: people,
    pats: false,
  },

  'auth.createUser': {
    ...signed,
    path: '/auth/users',
    permissions: ['Auth:Users:Create'],
    callers: staff,
    pats: false,
    changes: root('user'),
    creates: ['user'],
    erasable: ['email', 'externalId'],
  },
  'auth.listUsers': {
    ...read,
    path: '/auth/users',
    permissions: ['Auth:Users:Read'],
    callers: staff,
  },
  'auth.getUser': {
    ...read,
    path: '/auth/users/:userId',
    permissions: ['Auth:Users:Read'],
    callers: staff,
  },
  'auth.updateUser': {
    ...ofUser,
    path: '/auth/users/:userId',
    permissions: ['Auth:Users:Update'],
    changes: root('userUpdate'),
  },
  'auth.activateUser': {
    ...ofUser,
    path: '/auth/users/:userId/activate',
    permissions: ['Auth:Users:Activate'],
    pats: false,
    changes: root('userStatus'),
  },
  'auth.deactivateUser': {
    ...ofUser,
    path: '/auth/users/:userId/deactivate',
    permissions: ['Auth:Users:Deactivate'],
    pats: false,
    changes: root('userStatus'),
  },
  'auth.archiveUser': {
    ...ofUser,
    method: 'DELETE',
    path: '/auth/users/:userId',
    permissions: ['Auth:Users:Delete'],
    changes: root('userStatus'),
  },
  'quorate.confirmUser': {
    ...signed,
    path: '/auth/users/:userId/confirm',
    permissions: ['Auth:Users:Create'],
    callers: staff,
    pats: false,
    changes: root('confirmation'),
    confirms: 'userId',
  },
  'quorate.listUserCredentials': {
    ...read,
    path: '/auth/users/:userId/credentials',
    permissions: ['Auth:Users:Read'],
    callers: staff,
  },
  'quorate.eraseUser': {
    ...ofUser,
    path: '/auth/users/:userId/erase',
    permissions: ['Auth:Users:Delete'],
    pats: false,
    changes: root('erasure'),
  },

  'auth.resendRegistrationCode': { ...ask, method: 'PUT', path: '/auth/registration/code' },
  'auth.createRegistrationChallenge': { ...ask, path: '/auth/registration/init' },
  'auth.createDelegatedRegistrationChallenge': {
    ...delegated,
    path: '/auth/registration/delegated',
    permissions: ['Auth:Register:Delegated'],
    changes: root('user'),
    creates: ['user', 'assignment'],
    erasable: ['email', 'externalId'],
  },
  'auth.restartDelegatedRegistration': {
    ...delegated,
    path: '/auth/registration/delegated/restart',
    permissions: ['Auth:Register:Delegated'],
  },
  'auth.createSocialRegistrationChallenge': {
    ...ask,
    path: '/auth/registration/social',
    purpose: 'social',
    changes: root('user'),
    creates: ['user', 'assignment'],
    // Not of the call's body: the item's is the name that the provider has vouched for.
    erasable: ['email'],
  },
  'auth.register': {
    ...newcomer,
    path: '/auth/registration',
    purpose: 'register',
    changes: root('registration'),
    creates: ['credential'],
  },
  'auth.registerEndUser': {
    ...newcomer,
    path: '/auth/registration/enduser',
    purpose: 'register',
    changes: root('registration'),
    creates: ['credential', 'wallet', 'key'],
  },

  'auth.createCredentialChallenge': {
    ...ask,
    path: '/auth/credentials/init',
    callers: people,
    pats: false,
  },
  'auth.createCredential': {
    ...own,
    path: '/auth/credentials',
    changes: root('credential'),
    creates: ['credential'],
    erasable: ['credentialName', 'encryptedPrivateKey'],
  },
  'auth.listCredentials': { ...read, path: '/auth/credentials', callers: people },
  'auth.activateCredential': {
    ...own,
    method: 'PUT',
    path: '/auth/credentials/activate',
    changes: root('credentialStatus'),
    bodyIds: { credentialUuid: 'credential' },
  },
  'auth.deactivateCredential': {
    ...own,
    method: 'PUT',
    path: '/auth/credentials/deactivate',
    changes: root('credentialStatus'),
    bodyIds: { credentialUuid: 'credential' },
  },
  'auth.createCredentialCode': {
    ...own,
    path: '/auth/credentials/code',
    changes: root('credentialCode'),
  },
  'auth.createCredentialChallengeWithCode': { ...ask, path: '/auth/credentials/code/init' },
  'auth.createCredentialWithCode': {
    ...ask,
    path: '/auth/credentials/code/verify',
    purpose: 'add-credential',
    changes: root('credential'),
    creates: ['credential'],
    erasable: ['credentialName', 'encryptedPrivateKey'],
  },
  'auth.deleteCredential': {
    ...own,
    method: 'DELETE',
    path: '/auth/credentials/:credentialUuid',
    changes: root('credentialStatus'),
  },

  'auth.sendRecoveryCode': { ...ask, path: '/auth/recover/user/code' },
  'quorate.sendRecoveryCode': { ...ask, method: 'PUT', path: '/auth/recover/user/code' },
  'auth.createRecoveryChallenge': { ...ask, path: '/auth/recover/user/init' },
  'auth.createDelegatedRecoveryChallenge': {
    ...delegated,
    path: '/auth/recover/user/delegated',
    permissions: ['Auth:Recover:Delegated'],
  },
  'auth.recover': {
    ...newcomer,
    path: '/auth/recover/user',
    purpose: 'recover',
    changes: root('recovery'),
    creates: ['recovery', 'credential'],
  },
  'quorate.getRecovery': { ...open, method: 'GET', path: '/auth/recoveries/:recoveryId' },
  'quorate.cancelRecovery': {
    ...own,
    method: 'DELETE',
    path: '/auth/recoveries/:recoveryId',
    changes: root('recoveryEnd'),
  },

  'auth.createServiceAccount': {
    ...signed,
    path: '/auth/service-accounts',
    permissions: ['Auth:ServiceAccounts:Create'],
    permissionsIf: [ifPresent('permissionId', 'Permissions:Assign')],
    callers: ['employee'],
    pats: false,
    changes: root('serviceAccount'),
    creates: ['user', 'token', 'credential', 'assignment'],
    bodyIds: { permissionId: 'permission' },
    erasable: ['name', 'externalId'],
  },
  'auth.listServiceAccounts': {
    ...read,
    path: '/auth/service-accounts',
    permissions: ['Auth:ServiceAccounts:Read'],
    callers: staff,
  },
  'auth.getServiceAccount': {
    ...read,
    path: '/auth/service-accounts/:serviceAccountId',
    permissions: ['Auth:ServiceAccounts:Read'],
    callers: staff,
  },
  'auth.updateServiceAccount': {
    ...ofAccount,
    path: '/auth/service-accounts/:serviceAccountId',
    permissions: ['Auth:ServiceAccounts:Update'],
    changes: root('update'),
    erasable: ['name', 'externalId'],
  },
  'auth.activateServiceAccount': {
    ...ofAccount,
    path: '/auth/service-accounts/:serviceAccountId/activate',
    permissions: ['Auth:ServiceAccounts:Activate'],
    pats: false,
    changes: root('userStatus'),
  },
  'auth.deactivateServiceAccount': {
    ...ofAccount,
    path: '/auth/service-accounts/:serviceAccountId/deactivate',
    permissions: ['Auth:ServiceAccounts:Deactivate'],
    pats: false,
    changes: root('userStatus'),
  },
  'auth.archiveServiceAccount': {
    ...ofAccount,
    method: 'DELETE',
    path: '/auth/service-accounts/:serviceAccountId',
    signedQuery: ['force'],
    permissions: ['Auth:ServiceAccounts:Delete'],
    changes: root('userStatus'),
  },

  'auth.createPersonalAccessToken': {
    ...own,
    path: '/auth/pats',
    permissions: ['Auth:Pats:Create'],
    permissionsIf: [ifPresent('permissionId', 'Permissions:Assign')],
    changes: root('token'),
    creates: ['token', 'credential', 'assignment'],
    bodyIds: { permissionId: 'permission' },
    erasable: ['name', 'externalId'],
  },
  'auth.listPersonalAccessTokens': { ...read, path: '/auth/pats', callers: people },
  'auth.getPersonalAccessToken': { ...read, path: '/auth/pats/:tokenId', callers: people },
  'auth.updatePersonalAccessToken': {
    ...ownPat,
    path: '/auth/pats/:tokenId',
    changes: root('update'),
    erasable: ['name', 'externalId'],
  },
  'auth.activatePersonalAccessToken': { ...ownPat, path: '/auth/pats/:tokenId/activate' },
  'auth.deactivatePersonalAccessToken': { ...ownPat, path: '/auth/pats/:tokenId/deactivate' },
  'auth.archivePersonalAccessToken': { ...ownPat, method: 'DELETE', path: '/auth/pats/:tokenId' },

  'auth.listApplications': { ...read, path: '/auth/apps' },
  'auth.getApplication': { ...read, path: '/auth/apps/:appId' },

  'permissions.createPermission': {
    ...signed,
    path: '/permissions',
    permissions: ['Permissions:Create'],
    changes: root('permission'),
    creates: ['permission'],
  },
  'permissions.listPermissions': {
    ...read,
    path: '/permissions',
    permissions: ['Permissions:Read'],
  },
  'permissions.getPermission': {
    ...read,
    path: '/permissions/:permissionId',
    permissions: ['Permissions:Read'],
  },
  'permissions.updatePermission': {
    ...signed,
    method: 'PUT',
    path: '/permissions/:permissionId',
    permissions: ['Permissions:Update'],
    changes: root('permissionUpdate'),
  },
  'permissions.archivePermission': {
    ...signed,
    method: 'PUT',
    path: '/permissions/:permissionId/archive',
    permissions: ['Permissions:Archive'],
    changes: root('permissionUpdate'),
  },
  'permissions.createAssignment': {
    ...signed,
    path: '/permissions/:permissionId/assignments',
    permissions: ['Permissions:Assign'],
    changes: root('assignment'),
    creates: ['assignment'],
    bodyIds: { identityId: 'identity' },
    confirms: 'identityId',
  },
  'permissions.listAssignments': {
    ...read,
    path: '/permissions/:permissionId/assignments',
    permissions: ['Permissions:Assignments:Read'],
  },
  'permissions.deleteAssignment': {
    ...signed,
    method: 'DELETE',
    path: '/permissions/:permissionId/assignments/:assignmentId',
    signedQuery: ['force'],
    permissions: ['Permissions:Revoke'],
    changes: root('assignmentEnd'),
  },

  'quorate.getSettings': {
    ...read,
    path: '/orgs/settings',
    permissions: ['Orgs:Settings:Read'],
    callers: staff,
  },
  'quorate.updateSettings': {
    ...signed,
    method: 'PUT',
    path: '/orgs/settings',
    permissions: ['Orgs:Settings:Update'],
    callers: ['employee'],
    pats: false,
    changes: root('settings'),
  },
  'quorate.freeze': {
    ...signed,
    path: '/orgs/freezes',
    callers: everybody,
    changes: root('freeze'),
    creates: ['freeze'],
    bodyIds: { userId: 'user', keyId: 'key' },
  },
  'quorate.unfreeze': {
    ...signed,
    method: 'DELETE',
    path: '/orgs/freezes/:freezeId',
    callers: ['employee'],
    pats: false,
    changes: root('freeze'),
  },

  'agreements.getLatestUnacceptedAgreement': {
    ...read,
    path: '/agreements/latest-unaccepted',
    permissions: ['Agreements:Acceptance:Read'],
    callers: staff,
  },
  'agreements.recordAgreementAcceptance': {
    ...signed,
    path: '/agreements/:agreementId/accept',
    permissions: ['Agreements:Acceptance:Create'],
    callers: staff,
    changes: root('agreement'),
  },

  'keys.createKey': {
    ...signed,
    path: '/keys',
    permissions: ['Keys:Create'],
    permissionsIf: [
      ifPresent('delegateTo', 'Keys:Delegate'),
      ifPresent('deriveFrom', 'Keys:ChildKeys:Create'),
    ],
    changes: root('key'),
    creates: ['key'],
    bodyIds: { delegateTo: 'user', 'deriveFrom.keyId': 'key' },
    confirms: 'delegateTo',
    erasable: ['name'],
  },
  'keys.listKeys': { ...read, path: '/keys', permissions: ['Keys:Read'] },
  'keys.getKey': { ...read, path: '/keys/:keyId', permissions: ['Keys:Read'] },
  'keys.updateKey': {
    ...signed,
    method: 'PUT',
    path: '/keys/:keyId',
    permissions: ['Keys:Update'],
    changes: root('update'),
    erasable: ['name'],
  },
  'keys.deleteKey': {
    ...signed,
    method: 'DELETE',
    path: '/keys/:keyId',
    permissions: ['Keys:Delete'],
    callers: staff,
    changes: root('keyStatus'),
  },
  'keys.delegateKey': {
    ...signed,
    path: '/keys/:keyId/delegate',
    permissions: ['Keys:Delegate'],
    callers: staff,
    changes: root('delegation'),
    bodyIds: { delegateTo: 'user' },
    confirms: 'delegateTo',
  },
  'keys.deriveKey': {
    ...signed,
    path: '/keys/:keyId/derive',
    permissions: ['Keys:Derive'],
    changes: use,
  },
  'keys.generateSignature': { ...signature, path: '/keys/:keyId/signatures' },
  'keys.listSignatures': {
    ...read,
    path: '/keys/:keyId/signatures',
    permissions: ['Keys:Signatures:Read'],
  },
  'keys.getSignature': {
    ...read,
    path: '/keys/:keyId/signatures/:signatureId',
    permissions: ['Keys:Signatures:Read'],
  },

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

  'policies.createPolicy': {
    ...signed,
    path: '/v2/policies',
    permissions: ['Policies:Create'],
    callers: staff,
    changes: root('policy'),
    creates: ['policy'],
  },
  'policies.listPolicies': {
    ...read,
    path: '/v2/policies',
    permissions: ['Policies:Read'],
    callers: staff,
  },
  'policies.getPolicy': {
    ...read,
    path: '/v2/policies/:policyId',
    permissions: ['Policies:Read'],
    callers: staff,
  },
  'policies.updatePolicy': {
    ...signed,
    method: 'PUT',
    path: '/v2/policies/:policyId',
    permissions: ['Policies:Update'],
    callers: staff,
    changes: root('policyUpdate'),
  },
  'policies.archivePolicy': {
    ...signed,
    method: 'DELETE',
    path: '/v2/policies/:policyId',
    permissions: ['Policies:Archive'],
    callers: staff,
    changes: root('policyUpdate'),
  },
  'quorate.breakPolicy': {
    ...signed,
    path: '/v2/policies/:policyId/break',
    callers: ['employee'],
    pats: false,
    changes: root('break'),
  },
  'quorate.cancelBreak': {
    ...signed,
    method: 'DELETE',
    path: '/v2/policies/:policyId/break',
    callers: ['employee'],
    pats: false,
    changes: root('breakEnd'),
  },
  'quorate.simulatePolicy': {
    ...read,
    method: 'POST',
    path: '/v2/policies/simulate',
    permissions: ['Policies:Read'],
    callers: staff,
  },
  'policies.listApprovals': {
    ...read,
    path: '/v2/policy-approvals',
    permissions: ['Policies:Approvals:Read'],
    callers: staff,
  },
  'policies.getApproval': {
    ...read,
    path: '/v2/policy-approvals/:approvalId',
    permissions: ['Policies:Approvals:Read'],
    callers: staff,
  },
  'policies.createApprovalDecision': {
    ...signed,
    path: '/v2/policy-approvals/:approvalId/decisions',
    permissions: ['Policies:Approvals:Approve'],
    callers: staff,
    changes: { item: 'decision', stream: 'held' },
    erasable: ['reason'],
  },

  'feeSponsors.createFeeSponsor': {
    ...signed,
    path: '/fee-sponsors',
    permissions: ['FeeSponsors:Create'],
    callers: staff,
    changes: root('feeSponsor'),
    creates: ['feeSponsor'],
    bodyIds: { walletId: 'wallet' },
  },
  'feeSponsors.listFeeSponsors': {
    ...read,
    path: '/fee-sponsors',
    permissions: ['FeeSponsors:Read'],
    callers: staff,
  },
  'feeSponsors.getFeeSponsor': {
    ...read,
    path: '/fee-sponsors/:feeSponsorId',
    permissions: ['FeeSponsors:Read'],
    callers: staff,
  },
  'quorate.updateFeeSponsor': { ...ofSponsor, path: '/fee-sponsors/:feeSponsorId' },
  'feeSponsors.activateFeeSponsor': {
    ...ofSponsor,
    path: '/fee-sponsors/:feeSponsorId/activate',
  },
  'feeSponsors.deactivateFeeSponsor': {
    ...ofSponsor,
    path: '/fee-sponsors/:feeSponsorId/deactivate',
  },
  'feeSponsors.deleteFeeSponsor': {
    ...ofSponsor,
    method: 'DELETE',
    path: '/fee-sponsors/:feeSponsorId',
    permissions: ['FeeSponsors:Delete'],
  },
  'feeSponsors.listSponsoredFees': {
    ...read,
    path: '/fee-sponsors/:feeSponsorId/fees',
    permissions: ['FeeSponsors:Read'],
    callers: staff,
  },

  // A receiver of events gains no right: which there are is the server's to keep, not the log's.
  'webhooks.createWebhook': {
    ...signed,
    path: '/webhooks',
    permissions: ['Webhooks:Create'],
    callers: staff,
    creates: ['webhook'],
  },
  'webhooks.listWebhooks': {
    ...read,
    path: '/webhooks',
    permissions: ['Webhooks:Read'],
    callers: staff,
  },
  'webhooks.getWebhook': {
    ...read,
    path: '/webhooks/:webhookId',
    permissions: ['Webhooks:Read'],
    callers: staff,
  },
  'webhooks.updateWebhook': {
    ...signed,
    method: 'PUT',
    path: '/webhooks/:webhookId',
    permissions: ['Webhooks:Update'],
    callers: staff,
  },
  'webhooks.deleteWebhook': {
    ...signed,
    method: 'DELETE',
    path: '/webhooks/:webhookId',
    permissions: ['Webhooks:Delete'],
    callers: staff,
  },
  'webhooks.pingWebhook': {
    ...signed,
    path: '/webhooks/:webhookId/ping',
    permissions: ['Webhooks:Ping'],
    callers: staff,
  },
  'webhooks.listWebhookEvents': {
    ...read,
    path: '/webhooks/:webhookId/events',
    permissions: ['Webhooks:Events:Read'],
    callers: staff,
  },
  'webhooks.getWebhookEvent': {
    ...read,
    path: '/webhooks/:webhookId/events/:webhookEventId',
    permissions: ['Webhooks:Events:Read'],
    callers: staff,
  },

  'quorate.startGenesis': { ...setup, path: '/orgs/init' },
  'quorate.finishGenesis': {
    ...setup,
    path: '/orgs',
    purpose: 'genesis',
    changes: root('genesis'),
    creates: ['organization', 'user', 'credential', 'permission', 'assignment'],
  },
  'quorate.exportLog': {
    ...read,
    path: '/orgs/log',
    permissions: ['Auth:Logs:Read'],
    callers: staff,
  },
  'quorate.exportJournal': {
    ...read,
    path: '/orgs/journal',
    permissions: ['Auth:Logs:Read'],
    callers: staff,
  },
  'networks.getFees': { ...read, path: '/networks/fees' },
  'networks.callFunction': { ...read, method: 'POST', path: '/networks/:network/call-function' },

  'quorate.getUsage': {
    ...read,
    path: '/orgs/usage',
    permissions: ['Auth:Logs:Read'],
    callers: staff,
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
  'quorate.getTrust': { ...read, path: '/orgs/trust' },
  'quorate.getWalletProof': {
    ...read,
    path: '/wallets/:walletId/proof',
    permissions: ['Wallets:Read'],
  },
  'quorate.getHealth': { ...open, method: 'GET', path: '/health' },
  'quorate.getKeySet': { ...open, method: 'GET', path: '/.well-known/jwks.json' },
} as const satisfies Record<string, Operation>

export type OperationName = keyof typeof table
export const operations: Readonly<Record<OperationName, Operation>> = table
export const operationNames = Object.keys(table) as readonly OperationName[]

/** Every permission that there is today, sorted: what an administrator may do. */
export const permissionNames: readonly string[] = currentNames

/** What a parameter of a path is the id of. */
const pathIds: Readonly<Record<string, IdKind>> = {
  serviceAccountId: 'user',
  userId: 'user',
  credentialUuid: 'credential',
  tokenId: 'token',
  recoveryId: 'recovery',
  freezeId: 'freeze',
  permissionId: 'permission',
  assignmentId: 'assignment',
  keyId: 'key',
  walletId: 'wallet',
  signatureId: 'signature',
  transferId: 'transfer',
  transactionId: 'transaction',
  policyId: 'policy',
  approvalId: 'approval',
  feeSponsorId: 'feeSponsor',
}

export type NamedId = { readonly role: string; readonly kind: IdKind; readonly name: string }
export type Match = {
  readonly name: OperationName
  readonly operation: Operation
  readonly params: Readonly<Record<string, string>>
  /** What was signed of the query; empty for an unsigned one. */
  readonly query: Readonly<Record<string, string>>
}

const patterns = Map.groupBy(
  operationNames.map((name) => ({
    name,
    operation: operations[name],
    segments: operations[name].path.split('/').slice(1),
  })),
  ({ operation, segments }) => `${operation.method} ${segments.length}`,
)

/**
 * Finds the operation that a method and a path ask for. Strict, so that a path has one spelling
 * and two readers cannot disagree about it: every segment percent-encoded exactly as
 * `encodeURIComponent` does, none empty, no `.` or `..`, no slash at the end. A query may follow in
 * a signed path, of the members that the operation knows and no others, each `true` or `false`.
 */
export function matchOperation(method: string, target: string): Match | undefined {
  const [path = '', search, ...more] = target.split('?')
  const segments = more.length > 0 ? undefined : segmentsOf(path)
  if (segments === undefined) return undefined
  for (const { name, operation, segments: pattern } of patterns.get(
    `${method} ${segments.length}`,
  ) ?? []) {
    if (!pattern.every((part, i) => part.startsWith(':') || part === segments[i])) continue
    const params = pattern.flatMap((part, i) =>
      part.startsWith(':') ? [[part.slice(1), segments[i] ?? '']] : [],
    )
    const query = queryOf(operation, search)
    return query && { name, operation, params: Object.fromEntries(params), query }
  }
  return undefined
}

function queryOf(
  { signedQuery }: Operation,
  search: string | undefined,
): Readonly<Record<string, string>> | undefined {
  if (search === undefined) return {}
  const pairs = search.split('&').map((pair) => pair.split('='))
  const names = pairs.map(([name = '']) => name)
  const isKnown =
    new Set(names).size === names.length &&
    pairs.every(
      ([name = '', value = '', ...more]) =>
        signedQuery.includes(name) && /^(true|false)$/.test(value) && more.length === 0,
    )
  return isKnown ? Object.fromEntries(pairs) : undefined
}

/** For the HTTP edge alone: old clients end paths with a slash. Signed paths get no such grace. */
export function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** Limits in a currency may have decimals; every other number of the API is whole. */
const withDecimals: ReadonlySet<OperationName> = new Set([
  ...(['policies.createPolicy', 'policies.updatePolicy', 'quorate.simulatePolicy'] as const),
])

/**
 * The value of a body's text; no text counts as an empty object.
 * @throws Failure `json.malformed`
 */
export function readRequestBody({ name }: Pick<Match, 'name'>, payload: string): Json {
  if (payload === '') return {}
  return withDecimals.has(name) ? parseJsonWithDecimals(payload) : parseJson(payload)
}

/** The permissions that this body needs, without repetition. */
export function permissionsFor(operation: Operation, body: unknown): readonly string[] {
  const conditional = operation.permissionsIf.flatMap(({ member, present, absent }) =>
    memberAt(body, member) === undefined ? absent : present,
  )
  return [...new Set([...operation.permissions, ...conditional])]
}

/** Everything that the path and the body name by an id; `role` is the parameter or the member. */
export function namedIds({ operation, params }: Match, body: unknown): readonly NamedId[] {
  const fromPath = Object.entries(params).flatMap(([role, name]) => {
    const kind = Object.hasOwn(pathIds, role) ? pathIds[role] : undefined
    return kind === undefined ? [] : [{ role, kind, name }]
  })
  const fromBody = Object.entries(operation.bodyIds).flatMap(([role, kind]) => {
    const name = memberAt(body, role)
    return typeof name === 'string' ? [{ role, kind: kindOf(kind, name), name }] : []
  })
  return [...fromPath, ...fromBody]
}

/** An identity is a token if it is named like one, and a user else. */
function kindOf(kind: IdKind | 'identity', name: string): IdKind {
  if (kind !== 'identity') return kind
  return name.startsWith(`${idPrefixes.token}-`) ? 'token' : 'user'
}

function segmentsOf(path: string): readonly string[] | undefined {
  if (!path.startsWith('/') || path.length > pathLengthMax) return undefined
  const decoded = path.slice(1).split('/').map(decodeSegment)
  return decoded.every((segment) => segment !== undefined) ? decoded : undefined
}

function decodeSegment(text: string): string | undefined {
  if (text === '' || text === '.' || text === '..') return undefined
  const decoded = decodeOrNothing(text)
  return decoded !== undefined && encodeURIComponent(decoded) === text ? decoded : undefined
}

function decodeOrNothing(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

function memberAt(body: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, name)
          ? (value as Readonly<Record<string, unknown>>)[name]
          : undefined,
      body,
    )
}
