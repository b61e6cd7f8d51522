import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { isObject, type Json, parseJson } from '@quorate/core/json'
import { type EvmFacts, noFacts } from './facts.ts'
import { readIntent, type UseOperation } from './intent.ts'
import { tableNetworks } from './networks.ts'
import { factsNeeded, plan } from './plan.ts'

const publicKey = secp256k1.getPublicKey(new Uint8Array(32).fill(7), true)
const facts: EvmFacts = {
  family: 'evm',
  nonce: 7n,
  gasLimit: 21_000n,
  maxFeePerGas: 1n,
  maxPriorityFeePerGas: 1n,
}
const to = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const object = { type: 2, to, value: '0x1', data: '0x00', nonce: 7, gasLimit: '21000' }
const atoms = {
  string: 'x',
  bytes: '0x00',
  bool: true,
  address: to,
  bytes4: '0x00000000',
  uint8: 5,
  int8: -5,
  int256: '-5',
}
const members = Object.keys(atoms).map((type) => ({ name: type, type }))
const typed = {
  kind: 'Eip712',
  types: {
    Vote: [...members, { name: 'deep', type: 'Choice[]' }],
    Choice: [{ name: 'marks', type: 'int8[2][]' }],
  },
  domain: { name: 'x', chainId: 11155111, verifyingContract: to, salt: `0x${'00'.repeat(32)}` },
  message: { ...atoms, deep: [{ marks: [[1, '-2']] }] },
}
/** One good payload of every kind, and the operation that takes it. */
const payloads: readonly (readonly [UseOperation, Json])[] = [
  ['transfer', { kind: 'Native', to, amount: '1', priority: 'Fast', externalId: 'a' }],
  ['transaction', { kind: 'Transaction', transaction: object, externalId: 'a' }],
  ['transaction', { kind: 'Transaction', transaction: '0x02c0' }],
  ['signature', { kind: 'Hash', hash: '00'.repeat(32), network: 'KeyECDSA' }],
  ['signature', { kind: 'Message', message: '0x00', network: 'EthereumSepolia' }],
  ['signature', { kind: 'Transaction', transaction: object, blockchainKind: 'Evm' }],
  ['signature', typed],
]
/** What JavaScript stumbles over where a text, a number or a list was expected. */
const odd: readonly Json[] = [
  { toString: null, valueOf: null },
  { toString: 1, valueOf: {}, toJSON: 'x' },
  { constructor: null, hasOwnProperty: null, prototype: {} },
  { length: 3, 0: 'a' },
  ['-5'],
  [[['0x1']]],
  -5,
  '-5',
  '-',
  '--5',
  '-0x5',
  '',
  '0x',
  null,
  false,
  'Infinity',
  'constructor',
  '\u{1f600}',
  '9'.repeat(80),
  Number.MAX_SAFE_INTEGER,
]
const rounds = 4000

describe('whatever JSON a payload holds', () => {
  it('is judged and never throws, in every position of every kind', () => {
    const next = numbers(1)
    for (const [operation, payload] of payloads)
      for (const place of placesOf(payload))
        for (const value of odd) judged(operation, replaced(payload, place, value))
    for (let i = 0; i < rounds; i++) {
      const [operation, payload] = pick(payloads, next)
      const places = placesOf(payload)
      const once = replaced(payload, pick(places, next), nested(next, 0))
      judged(operation, next(2) === 0 ? once : replaced(once, pick(places, next), pick(odd, next)))
    }
  })

  it('is a number with a sign only as a number or a text', () => {
    for (const value of [-5, '-5', 5, '5']) assert.equal(planned(voteOf(value)).ok, true)
    for (const value of [['-5'], [-5], { toString: null, valueOf: null }, null, true, '-', '--5'])
      assert.equal(planned(voteOf(value)).ok, false, JSON.stringify(value))
  })
})

function voteOf(a: Json): Json {
  return { ...typed, types: { Vote: [{ name: 'a', type: 'int256' }] }, message: { a } }
}

function planned(payload: Json, operation: UseOperation = 'signature') {
  // Through text, so that nothing is tried that the strict parser would not give.
  const read = readIntent(operation, JSON.stringify(parseJson(JSON.stringify(payload))))
  if (!read.ok) return read
  const outcomes = ['EthereumSepolia', 'KeyECDSA'].map((id) => {
    const network = tableNetworks.find(id)
    assert.ok(network)
    const given = factsNeeded(network, read.intent) === 'evm' ? facts : noFacts
    return plan({
      ...{ network, publicKey, scheme: 'ECDSA', curve: 'secp256k1' },
      ...{ intent: read.intent, facts: given },
    })
  })
  return outcomes.find(({ ok }) => ok) ?? { ok: false }
}

function judged(operation: UseOperation, payload: Json): void {
  let thrown: unknown
  try {
    assert.equal(typeof planned(payload, operation).ok, 'boolean')
  } catch (error) {
    thrown = error
  }
  assert.equal(thrown, undefined, `${JSON.stringify(payload)}: ${String(thrown)}`)
}

type Place = readonly string[]

function placesOf(value: Json, at: Place = []): readonly Place[] {
  const within =
    Array.isArray(value) || isObject(value)
      ? Object.entries<Json>(value).flatMap(([name, inner]) => placesOf(inner, [...at, name]))
      : []
  return [at, ...within]
}

function replaced(whole: Json, [name, ...rest]: Place, value: Json): Json {
  if (name === undefined) return value
  if (Array.isArray(whole))
    return whole.map((item: Json, i) => (String(i) === name ? replaced(item, rest, value) : item))
  if (!isObject(whole)) return whole
  return { ...whole, [name]: replaced(whole[name] ?? null, rest, value) }
}

function nested(next: (below: number) => number, depth: number): Json {
  const count = next(4)
  const kind = depth > 4 ? 2 : next(4)
  if (kind === 0) return Array.from({ length: count }, () => nested(next, depth + 1))
  if (kind !== 1) return pick(odd, next)
  const names = ['kind', 'name', 'type', 'length', 'toString', 'valueOf', 'Vote', 'a']
  return Object.fromEntries(
    Array.from({ length: count }, () => [pick(names, next), nested(next, depth + 1)]),
  )
}

function pick<T>(list: readonly T[], next: (below: number) => number): T {
  const picked = list[next(list.length)]
  assert.ok(picked !== undefined)
  return picked
}

/** Marsaglia, "Xorshift RNGs", 32 bits: the same every time. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
