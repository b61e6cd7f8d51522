import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseJsonWithDecimals } from '@quorate/core/json'
import { encodeFacts } from '@quorate/effects/facts'
import { evaluate, type NamedPolicy } from '@quorate/policy/evaluate'
import { writePolicy } from '@quorate/policy/format'
import {
  activityFrom,
  momentFrom,
  namedPolicyFrom,
  numbersFrom,
} from '@quorate/policy/testing/generate'
import { policyRules } from './policies.ts'

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
