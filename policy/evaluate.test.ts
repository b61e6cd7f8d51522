import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Opinions, Outflow, Price, Spending } from '@quorate/core/outflow'
import type { Activity } from './activity.ts'
import { evaluate, type NamedPolicy } from './evaluate.ts'
import type { Action, Filters, Policy, Rule } from './policy.ts'
import { worthOf } from './worth.ts'

const time = Date.UTC(2026, 0, 31)
const hour = 3_600_000
const native = 'EthereumSepolia/Native'
const to = `0x${'77'.repeat(20)}`
const ether = 10n ** 18n
const usd = 1_000_000n

const price: Price = {
  asset: native,
  currency: 'USD',
  micros: 2_000n * usd,
  decimals: 18,
  source: 'treasury',
  at: time,
}
const screening = { address: to, isListed: false, source: 'sanctions', at: time }
const facts: Opinions = { prices: [price], screenings: [screening] }
const fresh: Spending = {
  uses: () => ({ count: 0, micros: 0n, unpriced: 0, unknown: 0 }),
  asset: () => 0n,
  hasMoved: () => false,
}
const spent = (uses: Partial<ReturnType<Spending['uses']>>, asset = 0n): Spending => ({
  uses: (since) => ({ ...fresh.uses(since), ...uses }),
  asset: () => asset,
  hasMoved: () => asset > 0n,
})

/** Two ether and half a one of fee: 5,000 USD. */
const outflow: Outflow = {
  ...{ isKnown: true, isRaw: false },
  movements: [{ asset: native, to, amount: 2n * ether }],
  fee: { asset: native, amount: ether / 2n },
}
const unknown: Outflow = { ...outflow, isKnown: false }
const raw: Outflow = { isKnown: false, isRaw: true, movements: [], fee: undefined }
const message: Outflow = { isKnown: true, isRaw: false, movements: [], fee: undefined }

const everything: Filters = { ids: undefined, hasAny: undefined, hasAll: undefined }
const block: Action = { kind: 'Block' }
const approval: Action = {
  kind: 'RequestApproval',
  groups: [
    {
      ...{ name: undefined, quorum: 1, approvers: undefined },
      ...{ initiatorCanApprove: false, serviceAccountsCanApprove: false },
    },
  ],
  autoRejectTimeout: undefined,
}
const named = (id: string, change: Partial<Policy>): NamedPolicy => {
  const rule = { kind: 'AlwaysTrigger' } as const
  const bare = { name: id, activityKind: 'Wallets:Sign', rule, action: block } as const
  return { id, policy: { ...bare, filters: everything, ...change } }
}

type Sign = Extract<Activity, { kind: 'Wallets:Sign' }>
type Case = Partial<Omit<Sign, 'kind'>> & { facts?: Opinions; spending?: Spending }

function findingOf(rule: Rule, given: Case = {}) {
  const { facts: known = facts, spending = fresh, ...activity } = given
  const { evaluations } = evaluate(
    [named('plc-1', { rule })],
    {
      kind: 'Wallets:Sign',
      wallets: [],
      outflow,
      isCounted: false,
      excess: undefined,
      ...activity,
    },
    { facts: known, spending, time },
  )
  const [evaluation] = evaluations
  assert.ok(evaluation)
  return evaluation
}
const isTriggered = (rule: Rule, given?: Case) => findingOf(rule, given).triggered

const amount = (limit: bigint): Rule => {
  return { kind: 'TransactionAmountLimit', currency: 'USD', limit }
}
const amounts = (limit: bigint): Rule => {
  return { kind: 'TransactionAmountVelocity', currency: 'USD', limit, timeframe: 60 }
}
const units = (limit: bigint): Rule => {
  return { kind: 'TransactionAssetLimit', asset: native, limit }
}
const allUnits = (limit: bigint): Rule => {
  return { kind: 'TransactionAssetVelocity', asset: native, limit, timeframe: 60 }
}
const count = (limit: number): Rule => {
  return { kind: 'TransactionCountVelocity', limit, timeframe: 60 }
}
const whitelist = (...addresses: string[]): Rule => {
  return { kind: 'TransactionRecipientWhitelist', addresses }
}
const screened: Rule = { kind: 'TransactionRecipientScreening' }
const much = 10n ** 15n

describe('limits on pieces of a collection (ERC-721)', () => {
  const contract = `0x${'c0'.repeat(20)}`
  const [pieces, coin] = [`EthereumSepolia/Erc721/${contract}`, `EthereumSepolia/Erc20/${contract}`]
  const moves = (asset: string, amount = 1n) => ({
    outflow: { ...message, movements: [{ asset, to, amount }] },
  })
  const rules: readonly Rule[] = [
    { kind: 'TransactionAssetLimit', asset: pieces, limit: 1n },
    { kind: 'TransactionAssetVelocity', asset: pieces, limit: 1n, timeframe: 60 },
  ]

  it('count pieces, and not the coins of another contract', () => {
    for (const rule of rules) {
      assert.equal(isTriggered(rule, moves(pieces)), false)
      assert.equal(isTriggered(rule, moves(pieces, 2n)), true)
      assert.equal(isTriggered(rule, moves(coin.replace('c0', 'c1'), 9n)), false)
    }
  })

  it('are triggered by bytes that approve a piece where they would approve coins', () => {
    for (const rule of rules) {
      const { triggered, reason } = findingOf(rule, moves(coin, 0n))
      assert.deepEqual([triggered, /does not say/.test(reason)], [true, true])
    }
    // Of no amount that counts: it may have been piece 0.
    const spending: Spending = { ...fresh, hasMoved: (asset) => asset === coin }
    const [limit, velocity] = rules
    assert.ok(limit && velocity)
    assert.equal(isTriggered(velocity, { ...moves(pieces), spending }), true)
    assert.equal(isTriggered(limit, { ...moves(pieces), spending }), false)
  })

  it('have their like: on a coin, they are triggered by whatever moves a piece of it (ERC-404)', () => {
    const spending: Spending = { ...fresh, hasMoved: (asset) => asset === pieces }
    const ofCoin = rules.map((rule) => ({ ...rule, asset: coin, limit: much }) as Rule)
    for (const rule of ofCoin) {
      assert.match(findingOf(rule, moves(pieces)).reason, /does not say/)
      assert.equal(isTriggered(rule, moves(pieces.replace('c0', 'c1'))), false)
      assert.equal(isTriggered(rule, moves(coin)), false)
    }
    const [limit, velocity] = ofCoin
    assert.ok(limit && velocity)
    assert.equal(isTriggered(velocity, { ...moves(coin), spending }), true)
    assert.equal(isTriggered(limit, { ...moves(coin), spending }), false)
  })

  it('know that one contract may be of several standards (ERC-721 and ERC-1155)', () => {
    const units = pieces.replace('Erc721', 'Erc1155')
    const names = [coin, pieces, units]
    for (const asset of names)
      for (const other of names.filter((name) => name !== asset)) {
        const spending: Spending = { ...fresh, hasMoved: (one) => one === other }
        const [limit, velocity] = rules.map((rule) => ({ ...rule, asset, limit: much }) as Rule)
        assert.ok(limit && velocity)
        for (const rule of [limit, velocity]) {
          assert.match(findingOf(rule, moves(other)).reason, /does not say/)
          assert.equal(isTriggered(rule, moves(other.replace('c0', 'c1'))), false)
          assert.equal(isTriggered(rule, moves(asset)), false)
        }
        assert.equal(isTriggered(velocity, { ...moves(asset), spending }), true)
        assert.equal(isTriggered(limit, { ...moves(asset), spending }), false)
      }
  })
})

describe('worth', () => {
  it('is every movement and the fee, each rounded up, at the dearest price that is fresh', () => {
    assert.equal(worthOf(outflow, facts, time), 5_000n * usd)
    const dust = Array.from({ length: 3 }, () => ({ asset: native, to, amount: 1n }))
    assert.equal(worthOf({ ...message, movements: dust }, facts, time), 3n)
    const dearer = { ...price, source: 'other', micros: 4_000n * usd }
    assert.equal(worthOf(outflow, { ...facts, prices: [price, dearer] }, time), 10_000n * usd)
    const old = { ...dearer, at: time - hour - 1 }
    assert.equal(worthOf(outflow, { ...facts, prices: [price, old] }, time), 5_000n * usd)
    assert.equal(worthOf(message, facts, time), 0n)
  })

  it('is nothing that anybody could say without a fresh, usable price of everything', () => {
    for (const change of [
      { at: time - hour - 1 },
      { at: time + 1 },
      { micros: 0n },
      { decimals: 37 },
      { decimals: -1 },
      { decimals: 1.5 },
      { asset: 'EthereumSepolia/Native ' },
    ])
      assert.equal(
        worthOf(outflow, { ...facts, prices: [{ ...price, ...change }] }, time),
        undefined,
      )
    assert.equal(
      worthOf(outflow, { ...facts, prices: [{ ...price, at: time - hour }] }, time),
      5_000n * usd,
    )
    const foreign = { ...outflow, fee: { asset: 'Other/Native', amount: 0n } }
    for (const each of [unknown, raw, { ...outflow, isRaw: true }, foreign])
      assert.equal(worthOf(each, facts, time), undefined)
  })
})

describe('rules', () => {
  it('say which value met which limit', () => {
    const reasons = [
      [amount(4_999_990_000n), 'Transfer amount (USD 5000) is above limit (USD 4999.99).'],
      [amount(5_000n * usd), 'Transfer amount (USD 5000) is within limit (USD 5000).'],
      [count(0), 'Number of transactions (1) is above limit (0).'],
      [units(1n), `Amount of ${native} (2500000000000000000) is above limit (1).`],
      [whitelist('0xother'), `Recipient (${to}) is not on the whitelist.`],
    ] as const
    for (const [rule, reason] of reasons) assert.equal(findingOf(rule).reason, reason)
    assert.match(
      findingOf(amount(much), { facts: { prices: [], screenings: [] } }).reason,
      /unknown: there is no price of EthereumSepolia\/Native/,
    )
  })

  it('are triggered above a limit, and not at it, the fee included', () => {
    assert.equal(isTriggered(amount(5_000n * usd)), false)
    assert.equal(isTriggered(amount(5_000n * usd - 1n)), true)
    assert.equal(isTriggered(units((5n * ether) / 2n)), false)
    assert.equal(isTriggered(units((5n * ether) / 2n - 1n)), true)
  })

  it('add up what was before within the window, and count what is counted but once', () => {
    const spending = spent({ count: 2, micros: 10n * usd }, ether)
    for (const [rule, next] of [
      [amounts(5_010n * usd), amounts(5_010n * usd - 1n)],
      [allUnits((7n * ether) / 2n), allUnits((7n * ether) / 2n - 1n)],
      [count(3), count(2)],
    ] as const) {
      assert.equal(isTriggered(rule, { spending }), false)
      assert.equal(isTriggered(next, { spending }), true)
      assert.equal(isTriggered(next, { spending, isCounted: true }), false)
    }
    const asked: number[] = []
    const uses = (since: number) => (asked.push(since), fresh.uses(since))
    isTriggered(count(1), { spending: { ...fresh, uses } })
    assert.deepEqual(asked, [time - hour])
  })

  it('of a replacement count what it may cost more, and nothing that leaves', () => {
    const spending = spent({ count: 2, micros: 10n * usd }, ether)
    const excess = { asset: native, amount: ether / 1_000n }
    const replacing = { spending, isCounted: true, excess }
    for (const [rule, next] of [
      [amounts(12n * usd), amounts(12n * usd - 1n)],
      [allUnits(ether + ether / 1_000n), allUnits(ether + ether / 1_000n - 1n)],
      [count(2), count(1)],
      [amount(5_000n * usd), amount(5_000n * usd - 1n)],
    ] as const) {
      assert.equal(isTriggered(rule, replacing), false, rule.kind)
      assert.equal(isTriggered(next, replacing), true, rule.kind)
    }
    const gas = { ...replacing, facts: { prices: [], screenings: [] } }
    assert.equal(isTriggered(amounts(much), gas), true)
  })

  it('are triggered by a use within the window that nobody could price or tell', () => {
    assert.equal(isTriggered(amounts(much), { spending: spent({ unpriced: 1 }) }), true)
    assert.equal(isTriggered(amounts(much), { spending: spent({ unknown: 1 }) }), true)
    assert.equal(isTriggered(allUnits(100n * ether), { spending: spent({ unknown: 1 }) }), true)
    assert.equal(isTriggered(allUnits(100n * ether), { spending: spent({ unpriced: 1 }) }), false)
  })

  it('on amounts, assets and recipients are all triggered by what is raw or unknown', () => {
    const bounded = [amount(much), amounts(much), units(2n ** 255n), allUnits(2n ** 255n)]
    for (const rule of [...bounded, whitelist(to), screened]) {
      assert.equal(isTriggered(rule), false, rule.kind)
      for (const each of [unknown, raw, { ...outflow, isRaw: true }])
        for (const isCounted of [false, true])
          assert.equal(isTriggered(rule, { outflow: each, isCounted }), true, rule.kind)
    }
    for (const rule of bounded) assert.equal(isTriggered(rule, { outflow: message }), false)
    for (const rule of [whitelist(to), screened])
      assert.equal(isTriggered(rule, { outflow: message }), true)
    // A cancellation costs its fee, which goes to no recipient.
    const nothing = { ...outflow, movements: [] }
    for (const rule of [whitelist(to), screened])
      assert.equal(isTriggered(rule, { outflow: nothing }), false)
    assert.equal(isTriggered(whitelist(to), { outflow: { ...nothing, isKnown: false } }), true)
  })

  it('on raw bytes are triggered by these and not by what is only not understood', () => {
    assert.equal(isTriggered({ kind: 'RawSigning' }, { outflow: raw }), true)
    assert.equal(isTriggered({ kind: 'RawSigning' }, { outflow: unknown }), false)
  })

  it('on recipients want each of them, letter by letter', () => {
    assert.equal(isTriggered(whitelist(to, '0xother')), false)
    assert.equal(isTriggered(whitelist(to.toUpperCase())), true)
    assert.equal(isTriggered(whitelist()), true)
    const second = { asset: native, to: '0xother', amount: 0n }
    const two = { ...outflow, movements: [...outflow.movements, second] }
    assert.equal(isTriggered(whitelist(to), { outflow: two }), true)
    assert.equal(isTriggered(screened, { outflow: two }), true)
  })

  it('on screening want somebody to have looked today, and forget no listing', () => {
    const about = (...screenings: Opinions['screenings']) => ({ facts: { prices: [], screenings } })
    const day = 24 * hour
    assert.equal(isTriggered(screened, about({ ...screening, at: time - day })), false)
    assert.equal(isTriggered(screened, about({ ...screening, at: time - day - 1 })), true)
    assert.equal(isTriggered(screened, about({ ...screening, at: time + 1 })), true)
    assert.equal(isTriggered(screened, about()), true)
    const listed = { ...screening, isListed: true, at: time - 1_000 * day }
    assert.equal(isTriggered(screened, about(screening, listed)), true)
  })
})

describe('policies together', () => {
  const at = { facts, spending: fresh, time }
  const counting = { isCounted: false, excess: undefined }
  const sign: Sign = { kind: 'Wallets:Sign', wallets: [], outflow, ...counting }
  const verdictOf = (...policies: NamedPolicy[]) => evaluate(policies, sign, at).verdict

  it('block before they hold, and hold before they only note', () => {
    const noted = named('plc-1', { action: { kind: 'NoAction' } })
    const held = named('plc-2', { action: approval })
    const blocked = named('plc-3', {})
    assert.equal(verdictOf(), 'allow')
    assert.equal(verdictOf(noted), 'allow')
    assert.equal(verdictOf(held, noted), 'hold')
    assert.equal(verdictOf(held, blocked, noted), 'deny')
    const idle = named('plc-4', { rule: { kind: 'RawSigning' }, action: approval })
    const { evaluations, heldBy } = evaluate([idle, held, noted], sign, at)
    assert.deepEqual(
      evaluations.map(({ policyId, triggered }) => [policyId, triggered]),
      [
        ['plc-1', true],
        ['plc-2', true],
        ['plc-4', false],
      ],
    )
    assert.deepEqual(heldBy, [held])
  })

  const applies = (filters: Partial<Filters>, wallets: Sign['wallets']) =>
    evaluate([named('x', { filters: { ...everything, ...filters } })], { ...sign, wallets }, at)
      .evaluations.length > 0
  const hot = { id: 'wa-1', tags: ['hot', 'eu'] }
  const cold = { id: 'wa-2', tags: ['cold'] }

  it('apply to a key when they would to any of its wallets', () => {
    assert.ok(applies({ ids: ['wa-2', 'wa-3'] }, [hot, cold]))
    assert.ok(!applies({ ids: ['wa-3'] }, [hot, cold]))
    assert.ok(applies({ hasAny: ['cold', 'x'] }, [hot, cold]))
    assert.ok(!applies({ hasAny: ['x'] }, [hot, cold]))
    assert.ok(applies({ hasAll: ['hot', 'eu'] }, [hot, cold]))
    assert.ok(applies({ hasAll: ['hot', 'cold'] }, [hot, cold]))
    assert.ok(!applies({ hasAll: ['hot', 'x'] }, [hot, cold]))
    assert.ok(!applies({ ids: ['wa-1'], hasAny: ['x'] }, [hot, cold]))
  })

  it('apply to a key without wallets when they have no filter', () => {
    assert.ok(applies({}, []))
    for (const filters of [{ ids: ['wa-1'] }, { hasAny: ['hot'] }, { hasAll: ['hot'] }])
      assert.ok(!applies(filters, []))
  })

  it('of another kind of activity do not apply, nor those for another thing', () => {
    const policy = named('plc-1', {
      ...{ activityKind: 'Permissions:Assign', filters: { ...everything, ids: ['pm-1'] } },
    })
    const asked = (kind: 'Permissions:Assign' | 'Permissions:Modify', id: string) =>
      evaluate([policy], { kind, id }, at).verdict
    assert.equal(asked('Permissions:Assign', 'pm-1'), 'deny')
    assert.equal(asked('Permissions:Assign', 'pm-2'), 'allow')
    assert.equal(asked('Permissions:Modify', 'pm-1'), 'allow')
    assert.equal(evaluate([policy], sign, at).verdict, 'allow')
  })
})
