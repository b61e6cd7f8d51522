import { noStep, type ItemKind, type ItemOperation } from '@quorate/authority/step'
import { defaultSettings } from '@quorate/authority/settings'
import type { KeyTerms } from '@quorate/authority/key-certificate'

const id = noStep
const spki = noStep
const confirmed = undefined
const terms: KeyTerms = {
  ...{ organization: id, key: id, request: id, owner: undefined },
  ...{ scheme: 'ECDSA', curve: 'secp256k1', raw: 'no', master: 'no', untweaked: 'no' },
}
const key = { terms, certificate: id, derivation: undefined }
const rootQuorum = { needed: 1, members: [id] }
const use = {
  ...({ key: id, wallet: undefined, network: '', action: 'signature' } as const),
  ...{ slot: undefined, fee: 0n, digests: [id] },
} as const
const sponsorship = {
  ...{ sponsor: id, wallet: id, key: id, network: '', slot: 0n, fee: 0n, digests: [id] },
  does: 'pay',
} as const
const limits = { perOperation: undefined, perDay: undefined, perUserPerDay: undefined }
const credential = {
  ...({ kind: 'Key', publicKey: spki, rank: 'confirmed', relyingParty: undefined } as const),
} as const

/** What an item may say that it does where the rules would not tell the attacker: they refuse first. */
const placeholders: { readonly [K in ItemKind]: Extract<ItemOperation, { kind: K }> } = {
  genesis: { kind: 'genesis', administrator: spki, rootQuorum, manifest: id },
  serviceAccount: { kind: 'serviceAccount', publicKey: spki, permission: undefined, expiresAt: 0 },
  assignment: { kind: 'assignment', permission: id, identity: id, confirmed },
  key: { kind: 'key', key, delegable: 'no', confirmed },
  wallet: {
    ...{ kind: 'wallet', network: '', key: { kind: 'existing', id } },
    ...{ delegable: 'no', tags: [], confirmed },
  },
  use: { kind: 'use', ...use },
  renew: { kind: 'renew', ...use },
  sponsor: { kind: 'sponsor', ...sponsorship },
  sponsorRenewal: { kind: 'sponsorRenewal', ...sponsorship },
  user: { kind: 'user', user: id, userKind: 'employee', origin: 'invited', pinned: undefined },
  userUpdate: { kind: 'userUpdate', user: id, ssoRequired: 'no' },
  userStatus: { kind: 'userStatus', user: id, status: 'active' },
  registration: { kind: 'registration', user: id, credentials: [], wallets: [] },
  confirmation: { kind: 'confirmation', user: id, confirmed },
  credential: { kind: 'credential', user: id, credential },
  credentialCode: { kind: 'credentialCode', user: id, expiresAt: 0 },
  credentialStatus: { kind: 'credentialStatus', user: id, fingerprint: id, status: 'active' },
  recovery: { kind: 'recovery', user: id, credentials: [], generation: 1, effectiveAt: 0 },
  recoveryEnd: { kind: 'recoveryEnd', recovery: id },
  token: { kind: 'token', user: id, publicKey: spki, permission: undefined, expiresAt: 0 },
  tokenStatus: { kind: 'tokenStatus', token: id, status: 'active' },
  permission: { kind: 'permission', name: '', operations: ['Wallets:Read'] },
  permissionUpdate: {
    ...{ kind: 'permissionUpdate', permission: id, name: '', operations: [], status: 'active' },
  },
  assignmentEnd: { kind: 'assignmentEnd', assignment: id },
  settings: {
    ...{ kind: 'settings', proposal: id, settings: defaultSettings, rootQuorum, inForce: 'yes' },
  },
  keyStatus: { kind: 'keyStatus', key: id, status: 'archived' },
  delegation: { kind: 'delegation', key: id, owner: id, confirmed },
  tags: { kind: 'tags', wallet: id, tags: [] },
  update: { kind: 'update', id },
  agreement: { kind: 'agreement', id: '' },
  freeze: { kind: 'freeze', freeze: id, what: 'organization', target: id, status: 'ended' },
  erasure: { kind: 'erasure', user: id },
  policy: { kind: 'policy', definition: id },
  policyUpdate: { kind: 'policyUpdate', policy: id, definition: id, status: 'archived' },
  approval: {
    ...{ kind: 'approval', approval: id },
    opening: {
      ...{ request: id, initiator: id, policies: [{ policy: id, definition: id }] },
      ...{ maxFee: undefined, expiresAt: 0 },
    },
  },
  break: { kind: 'break', policy: id, effectiveAt: 0 },
  breakEnd: { kind: 'breakEnd', policy: id },
  feeSponsor: { kind: 'feeSponsor', wallet: id, network: '', allowEndUser: 'no', limits },
  feeSponsorUpdate: { kind: 'feeSponsorUpdate', sponsor: id, status: 'active', limits },
  decision: { kind: 'decision', approval: id, value: 'approved', status: 'approved' },
}

export function placeholderOf(kind: ItemKind): ItemOperation {
  return placeholders[kind]
}
