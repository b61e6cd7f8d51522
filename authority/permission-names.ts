/**
 * The names under which rights are given, of three generations: those that the official SDK 0.8.21
 * knows, the ones it still takes besides, and the ones of newer clients. A permission keeps the
 * names that it was made with; what they allow is said by `covers`.
 */
const groups: Readonly<Record<string, readonly string[]>> = {
  'Registry:Addresses': ['Create', 'Delete', 'Read', 'Update'],
  'Registry:ContractSchemas': ['Create', 'Delete', 'Read'],
  'Auth:Logs': ['Read'],
  'Auth:Users': ['Create', 'Read', 'Update', 'Activate', 'Deactivate', 'Delete'],
  'Auth:ServiceAccounts': ['Create', 'Read', 'Update', 'Deactivate', 'Activate', 'Delete'],
  'Auth:Pats': ['Create'],
  'Auth:Register': ['Delegated'],
  'Auth:Login': ['Delegated'],
  'Auth:Recover': ['Delegated'],
  'Agreements:Acceptance': ['Create', 'Read'],
  Events: ['Read'],
  Exchanges: ['Create', 'Read', 'Delete'],
  'Exchanges:Deposits': ['Create'],
  'Exchanges:Withdrawals': ['Create'],
  FeeSponsors: ['Create', 'Read', 'Update', 'Delete', 'Use'],
  Orgs: ['Read', 'Update'],
  'Orgs:Settings': ['Read', 'Update'],
  Permissions: ['Archive', 'Create', 'Read', 'Update', 'Assign', 'Revoke'],
  'Permissions:Assignments': ['Read'],
  Policies: ['Archive', 'Create', 'Read', 'Update'],
  'Policies:Approvals': ['Read', 'Approve'],
  Signers: ['ListSigners'],
  Stakes: ['Create', 'Read', 'Update'],
  Swaps: ['Create', 'Read'],
  Payouts: ['Create', 'Read', 'Write'],
  Allocations: ['Create', 'Update', 'Read'],
  Keys: [
    ...['Create', 'Delete', 'Read', 'Update', 'Reuse'],
    ...['Delegate', 'Import', 'Export', 'Derive'],
  ],
  'Keys:ChildKeys': ['Create'],
  'Keys:Signatures': ['Create', 'Read'],
  KeyStores: ['Read'],
  'KeyStores:Fleets': ['Create', 'Clone'],
  'KeyStores:ProofOfControl': ['Create'],
  'KeyStores:OnchainSignatures': ['Create'],
  'Networks:CantonValidators': ['Create', 'Read', 'Update', 'Delete'],
  Wallets: ['Create', 'Read', 'Update'],
  'Wallets:Tags': ['Add', 'Delete'],
  'Wallets:Transactions': ['Create', 'Read', 'Abort'],
  'Wallets:Transfers': ['Create', 'Read', 'Abort'],
  'Wallets:Offers': ['Read', 'Settle'],
  Vaults: ['Create', 'Read', 'Update'],
  'Vaults:Tags': ['Add', 'Delete'],
  Webhooks: ['Create', 'Read', 'Update', 'Delete', 'Ping'],
  'Webhooks:Events': ['Read'],
  Billing: ['Read', 'Write'],
  Analytics: ['Read'],
}

/** The names of today, sorted by their bytes: what the operator's full access stands for. */
export const currentNames: readonly string[] = Object.entries(groups)
  .flatMap(([group, verbs]) => verbs.map((verb) => `${group}:${verb}`))
  .toSorted((a, b) => (a < b ? -1 : 1))

/** An older or newer name, and today's names that it stands for; none where it has no effect. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  'Alias:Create': ['Registry:Addresses:Create'],
  'Alias:Delete': ['Registry:Addresses:Delete'],
  'Alias:Read': ['Registry:Addresses:Read'],
  'Alias:Update': ['Registry:Addresses:Update'],
  'Wallets:GenerateSignature': ['Keys:Signatures:Create'],
  'Wallets:BroadcastTransaction': ['Wallets:Transactions:Create'],
  'Auth:Action:Sign': [],
  'Auth:Apps:Read': ['Auth:ServiceAccounts:Read'],
  'Auth:Apps:Create': ['Auth:ServiceAccounts:Create'],
  'Auth:Apps:Update': ['Auth:ServiceAccounts:Update'],
  'Auth:Creds:Create': [],
  'Auth:Creds:Read': [],
  'Auth:Creds:Update': [],
  'Auth:Creds:Code:Create': [],
  'Auth:Types:Application': [],
  'Auth:Types:Employee': [],
  'Auth:Types:EndUser': [],
  'Auth:Types:Pat': [],
  'Auth:Types:ServiceAccount': [],
  'Internal:Auth:Types:Staff': [],
  'Auth:Users:Delegate': [
    ...['Auth:Register:Delegated', 'Auth:Login:Delegated', 'Auth:Recover:Delegated'],
  ],
  'PermissionAssignments:Create': ['Permissions:Assign'],
  'PermissionAssignments:Read': ['Permissions:Assignments:Read'],
  'PermissionAssignments:Revoke': ['Permissions:Revoke'],

  'Auth:Delegated:Register': ['Auth:Register:Delegated'],
  'Auth:Delegated:Login': ['Auth:Login:Delegated'],
  'Auth:Delegated:Recover': ['Auth:Recover:Delegated'],
  'Agreements:Read': ['Agreements:Acceptance:Read'],
  'Agreements:Accept': ['Agreements:Acceptance:Create'],
  'Permissions:Delete': ['Permissions:Archive'],
  'Policies:Delete': ['Policies:Archive'],
  'Policies:Evaluations:Read': ['Policies:Approvals:Read'],
  'Policies:Evaluations:Vote': ['Policies:Approvals:Approve'],
  'Payouts:Update': ['Payouts:Write'],
  'Keys:Vrf:Derive': ['Keys:Derive'],
  'Networks:Canton:Validators:Create': ['Networks:CantonValidators:Create'],
  'Networks:Canton:Validators:Read': ['Networks:CantonValidators:Read'],
  'Networks:Canton:Validators:Update': ['Networks:CantonValidators:Update'],
  'Networks:Canton:Validators:Delete': ['Networks:CantonValidators:Delete'],
  'Wallets:Tags:Remove': ['Wallets:Tags:Delete'],
  'Vaults:Tags:Remove': ['Vaults:Tags:Delete'],
  'Billing:Manage': ['Billing:Write'],
  'Activities:Read': ['Events:Read'],
}

const current = new Set(currentNames)

/** Is it a name that a permission may be made with? */
export function isPermissionName(name: string): boolean {
  return current.has(name) || Object.hasOwn(aliases, name)
}

/** What a name allows, in today's names; nothing for one that nobody knows. */
export function meaningOf(name: string): readonly string[] {
  if (current.has(name)) return [name]
  return Object.hasOwn(aliases, name) ? (aliases[name] ?? []) : []
}

/** @param needed one of today's names */
export function covers(names: readonly string[], needed: string): boolean {
  return names.some((name) => meaningOf(name).includes(needed))
}

/** Every name that is accepted, for the check of documents and tests. */
export const acceptedNames: readonly string[] = [...currentNames, ...Object.keys(aliases)]
