import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isFailure } from '@quorate/core/failure'
import { type Json, parseJsonWithDecimals } from '@quorate/core/json'
import { evaluate, type Evaluation, type NamedPolicy } from './evaluate.ts'
import { decodePolicy, encodePolicy, writePolicy } from './format.ts'
import type { Policy, Rule } from './policy.ts'
import { readPolicy } from './read.ts'
import {
  activityFrom,
  type Draw,
  momentFrom,
  namedPolicyFrom,
  numbersFrom,
  pick,
  policyFrom,
} from './testing/generate.ts'

/** QUORATE_TEST_POLICIES=100000 for a long run. */
const runs = Number(process.env['QUORATE_TEST_POLICIES'] ?? 1_500)
const strictness = { allow: 0, hold: 1, deny: 2 }
const strictnessOf = ({ verdict }: Evaluation) => strictness[verdict]

function each(check: (next: Draw) => void): void {
  for (let run = 0; run < runs; run++) {
    const next = numbersFrom(run)
    try {
      check(next)
    } catch (cause) {
      throw new Error(`with the numbers from ${run}`, { cause })
    }
  }
}

function askedFrom(next: Draw) {
  const policies = Array.from({ length: next(6) }, () => namedPolicyFrom(next))
  return { policies, activity: activityFrom(next), moment: momentFrom(next) }
}

describe('evaluation', () => {
  it('comes to every verdict, so that the properties below are about something', () => {
    const seen = new Map<string, number>()
    each((next) => {
      const { policies, activity, moment } = askedFrom(next)
      const { verdict, evaluations } = evaluate(policies, activity, moment)
      seen.set(verdict, (seen.get(verdict) ?? 0) + 1)
      for (const { triggered } of evaluations) seen.set(`${triggered}`, 1)
    })
    for (const verdict of Object.keys(strictness)) assert.ok((seen.get(verdict) ?? 0) > runs / 20)
    assert.ok(seen.has('true') && seen.has('false'))
  })

  it('never allows more with one policy more', () => {
    each((next) => {
      const { policies, activity, moment } = askedFrom(next)
      const before = evaluate(policies, activity, moment)
      const after = evaluate([...policies, namedPolicyFrom(next)], activity, moment)
      assert.ok(strictnessOf(after) >= strictnessOf(before))
      assert.ok(before.heldBy.every((policy) => after.heldBy.includes(policy)))
    })
  })

  it('does not depend on the order of policies', () => {
    each((next) => {
      const { policies, activity, moment } = askedFrom(next)
      const shuffled = policies.toSorted(() => next(3) - 1)
      assert.deepEqual(evaluate(shuffled, activity, moment), evaluate(policies, activity, moment))
    })
  })

  it('never allows more under a tighter limit', () => {
    each((next) => {
      const { policies, activity, moment } = askedFrom(next)
      const tighter = policies.map(({ id, policy }): NamedPolicy => {
        return { id, policy: { ...policy, rule: tightened(policy.rule, next) } }
      })
      const [before, after] = [policies, tighter].map((all) => evaluate(all, activity, moment))
      assert.ok(before && after && strictnessOf(after) >= strictnessOf(before))
    })
  })

  it('gives a reason for each policy that applies, and the same from its bytes', () => {
    each((next) => {
      const { policies, activity, moment } = askedFrom(next)
      const outcome = evaluate(policies, activity, moment)
      assert.ok(outcome.evaluations.every(({ reason }) => /^[A-Z].*\.$/.test(reason)))
      const copies = policies.map(({ id, policy }) => ({ id, policy: copyOf(policy) }))
      assert.deepEqual(evaluate(copies, activity, moment), outcome)
    })
  })
})

describe('forms of a policy', () => {
  it('lead back to it: bytes, JSON, and the text of that', () => {
    each((next) => {
      const policy = policyFrom(next)
      assert.deepEqual(copyOf(policy), policy)
      const text = JSON.stringify(writePolicy(policy))
      assert.deepEqual(readPolicy(parseJsonWithDecimals(text)), { ok: true, policy })
    })
  })

  it('have one encoding, and bytes that are none are refused and nothing else', () => {
    each((next) => {
      const bytes = encodePolicy(policyFrom(next))
      const at = next(bytes.length)
      bytes[at] = next(256)
      const cut = next(4) === 0 ? bytes.subarray(0, next(bytes.length)) : bytes
      const read = decodedOr(cut)
      if (read === undefined) return
      assert.deepEqual(encodePolicy(read), cut)
      assert.deepEqual(readPolicy(writePolicy(read)), { ok: true, policy: read })
    })
  })

  it('are read from any JSON or refused, and never throw', () => {
    const odd: readonly Json[] = [
      ...[null, true, -1, 0.5, 1e300, '', 'constructor', [], {}, [[]], '\ud800', '9'.repeat(100)],
      { in: [1] },
      { toString: null, length: 1 },
    ]
    each((next) => {
      let body: Json = writePolicy(policyFrom(next))
      for (let i = 0; i < 1 + next(3); i++) body = altered(body, pick(odd, next), next)
      const read = readPolicy(body)
      if (read.ok) assert.deepEqual(copyOf(read.policy), read.policy)
      else assert.notEqual(read.reason, '')
    })
  })
})

function copyOf(policy: Policy): Policy {
  return decodePolicy(encodePolicy(policy))
}

function decodedOr(bytes: Uint8Array): Policy | undefined {
  try {
    return decodePolicy(bytes)
  } catch (error) {
    assert.ok(isFailure(error, 'bytes.malformed'), String(error))
    return undefined
  }
}

function tightened(rule: Rule, next: Draw): Rule {
  if (rule.kind === 'TransactionRecipientWhitelist')
    return { ...rule, addresses: rule.addresses.slice(next(2)) }
  if (rule.kind === 'TransactionCountVelocity') return { ...rule, limit: next(rule.limit + 1) }
  // A longer window holds more uses.
  if ('timeframe' in rule)
    return { ...rule, limit: rule.limit / BigInt(1 + next(3)), timeframe: rule.timeframe + next(9) }
  return 'limit' in rule ? { ...rule, limit: rule.limit / BigInt(1 + next(3)) } : rule
}

/** Something, somewhere in it, is another. */
function altered(whole: Json, value: Json, next: Draw): Json {
  if (typeof whole !== 'object' || whole === null || next(4) === 0) return value
  if (Array.isArray(whole)) {
    const at = next(whole.length + 1)
    return [...whole.slice(0, at), altered(whole[at] ?? null, value, next), ...whole.slice(at + 1)]
  }
  const names = [...Object.keys(whole), 'surplus']
  const name = pick(names, next)
  const members = whole as { readonly [name: string]: Json }
  return { ...members, [name]: altered(members[name] ?? null, value, next) }
}
