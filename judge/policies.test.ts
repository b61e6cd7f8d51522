import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseJsonWithDecimals } from '@quorate/core/json'
import { makeCluster } from '@quorate/authority/testing/world'
import { encodeFacts } from '@quorate/effects/facts'
import { evaluate, type NamedPolicy } from '@quorate/policy/evaluate'
import { writePolicy } from '@quorate/policy/format'
import {
  activityFrom,
  momentFrom,
  namedPolicyFrom,
  numbersFrom,
} from '@quorate/policy/testing/generate'
import { rulesFor } from './rules.ts'

const own = { id: 'MyChain', chainId: 777_001, feeCeiling: 1n, legacy: false }
const { policies: policyRules } = rulesFor(makeCluster(undefined, [own]).manifest)

/** QUORATE_TEST_POLICIES=100000 for a long run. */
const runs = Number(process.env['QUORATE_TEST_POLICIES'] ?? 1_500)

/** As it was signed, in the text of a request, and as each signer then keeps it. */
function definitionOf({ policy }: NamedPolicy): Uint8Array {
  const read = policyRules.read(parseJsonWithDecimals(JSON.stringify(writePolicy(policy))))
  return read.ok ? read.definition : assert.fail(read.reason)
}

describe('what a server thinks of a request before it asks, and what a signer makes of the log', () => {
  it('are one verdict, held by the same policies, in whatever order they come', () => {
    const verdicts = new Map<string, number>()
    for (let run = 0; run < runs; run++) {
      const next = numbersFrom(run)
      const drawn = Array.from({ length: next(6) }, () => namedPolicyFrom(next))
      // A name is borne by one thing alone.
      const policies = [...new Map(drawn.map((one) => [one.id, one])).values()]
      const activity = activityFrom(next)
      if (activity.kind.startsWith('Registry:')) continue
      const { facts, spending, time } = momentFrom(next)
      const here = evaluate(policies, activity, { facts, spending, time })
      const there = policyRules.evaluate({
        policies: policies
          .toReversed()
          .map((one) => ({ id: one.id, definition: definitionOf(one) })),
        activity: activity as Parameters<typeof policyRules.evaluate>[0]['activity'],
        facts: encodeFacts({ family: 'none', ...facts }),
        ...{ spending, time },
      })
      verdicts.set(here.verdict, (verdicts.get(here.verdict) ?? 0) + 1)
      assert.equal(there.verdict, here.verdict, `with the numbers from ${run}`)
      assert.deepEqual(
        there.heldBy,
        here.heldBy.map(({ id }) => id),
        `numbers from ${run}`,
      )
    }
    for (const verdict of ['allow', 'hold', 'deny'])
      assert.ok((verdicts.get(verdict) ?? 0) > runs / 20, verdict)
  })
})

describe('a limit on an asset', () => {
  const contract = `0x${'c0'.repeat(20)}`
  const celo = '0x471ece3750da237f93b8e339c536989b8978a438'
  const refusal = (asset: string) => {
    for (const kind of ['TransactionAssetLimit', 'TransactionAssetVelocity'] as const) {
      const timeframe = kind === 'TransactionAssetVelocity' ? { timeframe: 60 } : {}
      const rule = { kind, configuration: { asset, limit: '5', ...timeframe } }
      const action = { kind: 'Block' }
      const read = policyRules.read({ name: 'x', activityKind: 'Wallets:Sign', rule, action })
      if (!read.ok) return read.reason
    }
    return undefined
  }

  it('is on a network that there is, an operator’s own among them, and its name says which not', () => {
    for (const id of ['EthereumSepolia', 'EthereumGoerli', 'MyChain'])
      for (const asset of ['Native', `Erc20/${contract}`])
        assert.equal(refusal(`${id}/${asset}`), undefined)
    for (const id of ['Sepolia', 'EthereumMainnet', 'KeyECDSA', 'MyOtherChain', 'Mychain'])
      assert.equal(refusal(`${id}/Native`), `asset is on ${id}, and there is no such network`)
  })

  it('calls a coin by its own name, and not by that of a contract which moves it', () => {
    for (const standard of ['Erc20', 'Erc721', 'Erc1155'])
      assert.match(refusal(`Celo/${standard}/${celo}`) ?? '', /called Celo\/Native/)
    assert.equal(refusal(`Base/Erc20/${celo}`), undefined)
  })
})
