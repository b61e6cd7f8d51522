import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Json } from '@quorate/core/json'
import { decodePolicy, encodePolicy, writePolicy } from './format.ts'
import { readPolicy } from './read.ts'

const group = {
  name: 'board',
  quorum: 2,
  approvers: { userId: { in: ['us-1', 'us-2'] } },
  initiatorCanApprove: true,
  serviceAccountsCanApprove: false,
}
const approval = { kind: 'RequestApproval', approvalGroups: [group], autoRejectTimeout: 60 }
const asset = `EthereumSepolia/Erc20/0x${'ab'.repeat(20)}`
const rules = {
  AlwaysTrigger: {},
  TransactionRecipientWhitelist: { addresses: ['0xaa', '0xbb'] },
  TransactionAmountLimit: { limit: 0.1, currency: 'USD' },
  TransactionAmountVelocity: { limit: 1_000_000_000, currency: 'USD', timeframe: 43_200 },
  TransactionCountVelocity: { limit: 0, timeframe: 1 },
  TransactionAssetLimit: { asset, limit: (2n ** 256n - 1n).toString() },
  TransactionAssetVelocity: { asset: 'EthereumSepolia/Native', limit: '0', timeframe: 5 },
  RawSigning: {},
  TransactionRecipientScreening: {},
}
const body = {
  name: 'Large transfers',
  activityKind: 'Wallets:Sign',
  rule: { kind: 'TransactionAmountLimit', configuration: { limit: 12.345678, currency: 'USD' } },
  action: approval,
  filters: {
    walletId: { in: ['wa-1', 'wa-2'] },
    walletTags: { hasAny: ['hot'], hasAll: ['eu', 'cold'] },
  },
}
const governing = { ...body, rule: { kind: 'AlwaysTrigger', configuration: {} } }
const bodies: readonly Json[] = [
  ...Object.entries(rules).map(([kind, configuration]) => ({
    ...{ ...body, rule: { kind, configuration } },
  })),
  { ...body, action: { kind: 'Block' } },
  { ...body, action: { kind: 'NoAction' } },
  ...['Permissions:Modify', 'Permissions:Assign'].map((activityKind) => ({
    ...{ ...governing, activityKind, filters: { permissionId: { in: ['pm-1'] } } },
  })),
  { ...governing, activityKind: 'Policies:Modify', filters: { policyId: { in: ['plc-1'] } } },
]

function policyIn(value: Json) {
  const read = readPolicy(value)
  assert.ok(read.ok, read.ok ? undefined : read.reason)
  return read.policy
}

function reasonOf(value: Json): string | undefined {
  const read = readPolicy(value)
  return read.ok ? undefined : read.reason
}

function changed(change: { readonly [name: string]: Json }): string | undefined {
  return reasonOf({ ...body, ...change })
}

const configured = (kind: string, configuration: Json) => changed({ rule: { kind, configuration } })
const grouped = (change: { readonly [name: string]: Json }) =>
  changed({ action: { ...approval, approvalGroups: [{ ...group, ...change }] } })
const texts = (count: number) => Array.from({ length: count }, (_, i) => `text ${i}`)

describe('the body of a policy', () => {
  it('is written as it was read, and comes back from its bytes, whatever the kind', () => {
    for (const each of bodies) {
      const policy = policyIn(each)
      assert.deepEqual(writePolicy(policy), each)
      assert.deepEqual(decodePolicy(encodePolicy(policy)), policy)
    }
  })

  it('may leave out what has a meaning when absent', () => {
    const open = { quorum: 1, approvers: {} }
    const policy = policyIn({
      ...{ name: 'x', activityKind: 'Policies:Create', rule: { kind: 'AlwaysTrigger' } },
      action: { kind: 'RequestApproval', approvalGroups: [open], autoRejectTimeout: null },
    })
    assert.deepEqual(policy.filters, { ids: undefined, hasAny: undefined, hasAll: undefined })
    assert.deepEqual(policy.action, {
      kind: 'RequestApproval',
      groups: [
        {
          ...{ name: undefined, quorum: 1, approvers: undefined },
          ...{ initiatorCanApprove: false, serviceAccountsCanApprove: false },
        },
      ],
      autoRejectTimeout: undefined,
    })
  })

  it('has no member that nobody knows, at any depth', () => {
    const surplus = { surplus: 1 }
    for (const reason of [
      changed(surplus),
      changed({ rule: { ...body.rule, ...surplus } }),
      configured('AlwaysTrigger', surplus),
      configured('TransactionAmountLimit', { ...body.rule.configuration, ...surplus }),
      changed({ action: { kind: 'Block', ...surplus } }),
      changed({ action: { kind: 'Block', approvalGroups: [] } }),
      changed({ action: { ...approval, ...surplus } }),
      grouped(surplus),
      grouped({ approvers: surplus }),
      grouped({ approvers: { userId: { in: ['us-1', 'us-2'], ...surplus } } }),
      changed({ filters: surplus }),
      changed({ filters: { walletTags: surplus } }),
      changed({ filters: { walletId: { in: ['wa-1'], ...surplus } } }),
      reasonOf({ ...governing, activityKind: 'Permissions:Modify' }),
      reasonOf({ ...governing, activityKind: 'Registry:Addresses:Modify' }),
    ])
      assert.match(reason ?? '', /unknown member/)
  })

  it('has rules, actions and filters that belong to its kind of activity', () => {
    const bare = { ...governing, filters: {} }
    const block = { kind: 'Block' }
    const allowed = (change: object) => reasonOf({ ...bare, ...change }) === undefined
    for (const activityKind of ['Policies:Modify', 'Policies:Create']) {
      assert.ok(allowed({ activityKind }))
      assert.ok(!allowed({ activityKind, action: block }))
    }
    for (const activityKind of [
      ...['Permissions:Modify', 'Permissions:Assign'],
      ...['Registry:Addresses:Modify', 'Registry:ContractSchemas:Modify'],
    ]) {
      assert.ok(allowed({ activityKind, action: block }))
      assert.ok(!allowed({ activityKind, action: { kind: 'NoAction' } }))
      assert.ok(!allowed({ activityKind, rule: { kind: 'RawSigning' } }))
    }
    assert.ok(!allowed({ activityKind: 'Wallets:IncomingTransaction', action: block }))
    const noted = { kind: 'NoAction' }
    assert.ok(!allowed({ activityKind: 'Wallets:IncomingTransaction', action: noted }))
    assert.ok(!allowed({ activityKind: 'Wallets:Read' }))
    assert.ok(!allowed({ activityKind: 'constructor' }))
  })

  it('is told which rules would need a vendor, and that these are not to be had', () => {
    for (const kind of [
      ...['ChainalysisTransactionPrescreening', 'ChainalysisTransactionScreening'],
      ...['GlobalLedgerTransactionPrescreening', 'TravelRuleTransactionPrescreening'],
    ]) {
      const read = readPolicy({ ...body, rule: { kind, configuration: {} } })
      assert.ok(!read.ok && read.unsupported && read.reason.includes('not connected here'), kind)
    }
    const read = readPolicy({ ...body, rule: { kind: 'toString' } })
    assert.ok(!read.ok && !read.unsupported)
  })

  it('has fiat limits that are exact to the millionth, and none below zero or beyond exactness', () => {
    const limit = (value: number) =>
      configured('TransactionAmountLimit', { limit: value, currency: 'USD' }) === undefined
    for (const value of [0, 0.000001, 1, 12.345678, 999_999_999.999999, 1e9])
      assert.ok(limit(value), String(value))
    for (const value of [-1, -0, 1e-7, 0.1 + 0.2, 1e9 + 1, 1e21, Number.NaN, Infinity])
      assert.ok(!limit(value), String(value))
    assert.ok(configured('TransactionAmountLimit', { limit: '5', currency: 'USD' }))
    assert.ok(configured('TransactionAmountLimit', { limit: 5, currency: 'EUR' }))
    assert.ok(configured('TransactionAmountLimit', { limit: 5 }))
  })

  it('has limits of assets in digits, of an asset whose name can be met', () => {
    const refused = (change: object) =>
      configured('TransactionAssetLimit', { asset, limit: '1', ...change }) !== undefined
    assert.ok(!refused({}))
    for (const limit of [1, '-1', '01', '1.5', '0x1', '', (2n ** 256n).toString(), '9'.repeat(79)])
      assert.ok(refused({ limit }), String(limit))
    for (const wrong of [
      asset.toUpperCase(),
      asset.replace('ab', 'AB'),
      'EthereumSepolia',
      'EthereumSepolia/native',
      'x/Native',
      `${asset}0`,
    ])
      assert.ok(refused({ asset: wrong }), wrong)
  })

  it('has timeframes, counts and times to reject in their ranges', () => {
    const velocity = (change: object) =>
      configured('TransactionCountVelocity', { limit: 1, timeframe: 1, ...change })
    const reject = (autoRejectTimeout: Json) =>
      changed({ action: { ...approval, autoRejectTimeout } })
    for (const good of [velocity({}), velocity({ timeframe: 43_200 }), reject(1), reject(525_600)])
      assert.equal(good, undefined)
    for (const timeframe of [0, -1, 43_201, 1.5, '5', null]) assert.ok(velocity({ timeframe }))
    for (const limit of [-1, 1.5, 10_000_001, '5']) assert.ok(velocity({ limit }))
    for (const time of [0, -1, 525_601, 1.5, '5']) assert.ok(reject(time))
  })

  it('has quorums that its approvers can reach, each of them once', () => {
    const listed = (...ids: string[]) => ({ userId: { in: ids } })
    assert.equal(grouped({ approvers: {}, quorum: 64 }), undefined)
    for (const reason of [
      grouped({ quorum: 0 }),
      grouped({ quorum: 3 }),
      grouped({ quorum: 1.5 }),
      grouped({ approvers: {}, quorum: 65 }),
      grouped({ approvers: listed('us-1', 'us-1') }),
      grouped({ approvers: listed(), quorum: 1 }),
      grouped({ approvers: undefined as unknown as Json }),
      changed({ action: { ...approval, approvalGroups: [] } }),
    ])
      assert.ok(reason)
  })

  it('has an end to every list and text, and to all of them together', () => {
    const whitelist = (addresses: Json) =>
      configured('TransactionRecipientWhitelist', { addresses })
    const groups = (count: number, approvers: Json) => {
      const approvalGroups = texts(count).map((name) => ({ name, quorum: 1, approvers }))
      return changed({ action: { kind: 'RequestApproval', approvalGroups } })
    }
    const users = (count: number) => ({ userId: { in: texts(count) } })
    for (const good of [
      changed({ name: 'é'.repeat(100) }),
      whitelist([]),
      whitelist(texts(256)),
      groups(16, {}),
      groups(1, users(64)),
      changed({ filters: { walletId: { in: texts(64) } } }),
      changed({ filters: { walletTags: { hasAny: texts(64), hasAll: texts(64) } } }),
    ])
      assert.equal(good, undefined)
    for (const bad of [
      changed({ name: '' }),
      changed({ name: 'x'.repeat(101) }),
      changed({ name: '\ud800' }),
      whitelist(texts(257)),
      whitelist(['x'.repeat(129)]),
      whitelist(['']),
      whitelist(['a', 'a']),
      groups(17, {}),
      groups(1, users(65)),
      grouped({ name: 'x'.repeat(101) }),
      changed({ filters: { walletId: { in: texts(65) } } }),
      changed({ filters: { walletId: { in: [] } } }),
      changed({ filters: { walletTags: { hasAny: texts(65) } } }),
      changed({ filters: { walletTags: { hasAny: [] } } }),
      changed({ filters: { walletTags: { hasAll: texts(65) } } }),
    ])
      assert.ok(bad)
    assert.equal(whitelist(texts(256).map((text) => text.padEnd(128))), 'the policy is too large')
  })
})
