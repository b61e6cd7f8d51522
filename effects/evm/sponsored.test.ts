import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { bigToBytes, bytesToBig, concat, toHex } from '@quorate/core/bytes'
import {
  encodeFunctionData,
  encodePacked,
  hashTypedData,
  type Hex,
  keccak256,
  parseAbi,
} from 'viem'
import { serializeTransaction } from 'viem'
import { hashAuthorization } from 'viem/utils'
import type { Effect } from '../effect.ts'
import type { AccountSignature, Facts, SponsorshipFacts } from '../facts.ts'
import { noFacts } from '../facts.ts'
import { readIntent, type UseOperation } from '../intent.ts'
import { tableNetworks } from '../networks.ts'
import { factsNeeded, plan, planSponsorship, type Plan } from '../plan.ts'
import { accountContract } from './account.ts'
import { addressOfKey, checksummed } from './address.ts'
import type { Sponsored } from './sponsored.ts'

const chainId = 11155111
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const gwei = 10n ** 9n
const [secret, payer] = [new Uint8Array(32).fill(7), new Uint8Array(32).fill(8)]
const publicKey = secp256k1.getPublicKey(secret, true)
const account = addressOfKey(publicKey) as Hex
const sponsor = secp256k1.getPublicKey(payer, true)
const contract = checksummed(accountContract) as Hex
const recipient = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const token = `0x${'88'.repeat(20)}` as const
const sponsored: Sponsored = {
  ...{ request: new Uint8Array(32).fill(5), executeBefore: 1_700_000_000_999, sponsor },
}

const transfer = { kind: 'Native', to: recipient, amount: '5', feeSponsorId: 'fs-1' }
/** transfer(address,uint256) */
const data = `0xa9059cbb${'77'.repeat(20).padStart(64, '0')}${'9'.padStart(64, '0')}`
const operations = {
  ...{ kind: 'UserOperations', feeSponsorId: 'fs-1' },
  userOperations: [{ to: recipient, value: '5' }, { to: token, data }, { to: recipient }],
}
const facts = { family: 'sponsored' } as const

describe('what somebody else pays for, as its own key signs it', () => {
  it('is the digest that viem makes of the operations, and costs nothing', () => {
    const effect = allowed(plansOf('transaction', operations))
    const packed = concat(
      ...[one(recipient, 5n, '0x'), one(token, 0n, data as Hex), one(recipient, 0n, '0x')],
    )
    assert.deepEqual(digestsOf(effect), [executeHash(packed)])
    const { kind, slot, from, to, value, feeMax, raw, unsigned } = effect
    assert.deepEqual(
      { kind, slot, from, to, value, feeMax, raw, unsigned },
      {
        ...{ kind: 'transaction', slot: undefined, from: account, to: undefined, value: 5n },
        ...{ feeMax: 0n, raw: false, unsigned: undefined },
      },
    )
  })

  it('is one operation where it is a transfer, of whatever', () => {
    const native = allowed(plansOf('transfer', transfer))
    assert.deepEqual(digestsOf(native), [executeHash(one(recipient, 5n, '0x'))])
    assert.deepEqual([native.kind, native.to, native.value], ['transfer', recipient, 5n])
    const coin = { kind: 'Erc20', contract: token, to: `0x${'77'.repeat(20)}`, amount: '9' }
    const moved = allowed(plansOf('transfer', { ...coin, feeSponsorId: 'fs-1' }))
    assert.deepEqual(digestsOf(moved), [executeHash(one(token, 0n, data as Hex))])
  })

  it('lets leave all that its operations do, and no fee', () => {
    const { outflow } = allowed(plansOf('transaction', operations))
    const native = 'EthereumSepolia/Native'
    assert.deepEqual(outflow, {
      ...{ isKnown: true, isRaw: false, fee: undefined },
      movements: [
        { asset: native, to: recipient.toLowerCase(), amount: 5n },
        { asset: `EthereumSepolia/Erc20/${token}`, to: `0x${'77'.repeat(20)}`, amount: 9n },
        { asset: native, to: recipient.toLowerCase(), amount: 0n },
      ],
    })
    const unknown = [
      { to: recipient, value: '5' },
      { to: token, data: '0x12345678' },
    ]
    const opaque = allowed(plansOf('transaction', { ...operations, userOperations: unknown }))
    assert.deepEqual([opaque.outflow.isKnown, opaque.outflow.isRaw], [false, false])
    const own = [{ to: account, data: '0x12345678' }]
    const called = allowed(plansOf('transaction', { ...operations, userOperations: own }))
    assert.deepEqual([called.outflow.isKnown, called.outflow.isRaw], [false, true])
  })

  it('comes with the delegation of the account to the one contract, if the facts say it has none', () => {
    const delegating = { ...facts, delegationNonce: 3n }
    const effect = allowed(plansOf('transfer', transfer, delegating))
    const authorization = hashAuthorization({ chainId, address: contract, nonce: 3 })
    assert.deepEqual(digestsOf(effect), [executeHash(one(recipient, 5n, '0x')), authorization])
    assert.deepEqual([effect.outflow.isKnown, effect.outflow.isRaw], [true, false])
    const late = { ...facts, delegationNonce: 2n ** 64n - 1n }
    assert.match(refusal(plansOf('transfer', transfer, late)), /nonce is out of range/)
  })

  it('is another one for another request, deadline, sponsor, account or chain', () => {
    const digest = (change: Partial<Sponsored>, networkId?: string, key = publicKey) =>
      digestsOf(allowed(plansOf('transfer', transfer, facts, { change, networkId, key })))[0]
    const all = [
      digest({}),
      digest({ request: new Uint8Array(32).fill(6) }),
      digest({ executeBefore: sponsored.executeBefore + 1 }),
      digest({ sponsor: secp256k1.getPublicKey(new Uint8Array(32).fill(9), true) }),
      digest({}, undefined, secp256k1.getPublicKey(new Uint8Array(32).fill(9), true)),
      digest({}, 'Base'),
    ]
    assert.equal(new Set(all).size, all.length)
    // Down to the second, which is what a chain's clock counts in.
    assert.equal(digest({ executeBefore: 1_700_000_000_000 }), all[0])
  })

  it('is refused with other facts, without a sponsor, on a network without one, and of itself', () => {
    for (const other of [noFacts, evmFacts, sponsorship(signedBy(secret, digestOne()))])
      assert.match(refusal(plansOf('transfer', transfer, other)), /not those needed/)
    const { feeSponsorId: _, ...plain } = transfer
    assert.match(refusal(plansOf('transfer', plain, facts)), /not those needed/)
    const alone = attempt('transfer', transfer, facts, { sponsored: undefined })
    assert.match(refusal(alone), /nobody knows who pays/)
    const legacy = plansOf('transfer', transfer, facts, { networkId: 'EthereumClassic' })
    assert.match(refusal(legacy), /no fee sponsors/)
    const itself = plansOf('transfer', transfer, facts, { change: { sponsor: publicKey } })
    assert.match(refusal(itself), /does not sponsor itself/)
  })

  it('is refused with an operation to no address, with too many, with none, and too long', () => {
    const many = (count: number) => Array.from({ length: count }, () => ({ to: recipient }))
    const of = (userOperations: unknown) =>
      plansOf('transaction', { ...operations, userOperations })
    allowed(of(many(16)))
    for (const bad of [[{ to: 'vitalik.eth' }], [{ value: '5' }], many(17), [], 'all', [[]]])
      refusal(of(bad))
    refusal(of([{ to: recipient, gas: '5' }]))
    refusal(of([{ to: recipient, value: 5 }]))
    assert.match(refusal(of([{ to: token, data: `0x${'00'.repeat(121 * 1024)}` }])), /too long/)
    const { feeSponsorId: _, ...unpaid } = operations
    refusal(plansOf('transaction', unpaid))
  })
})

describe('what whoever pays signs', () => {
  it('is the transaction that viem builds: a call of the contract, with what the account has signed', () => {
    const inner = signedBy(secret, digestOne())
    const effect = allowed(sponsorshipOf(sponsorship(inner)))
    const unsigned = serializeTransaction({ type: 'eip1559', ...theirs(inner) })
    assert.equal(`0x${toHex(effect.unsigned ?? new Uint8Array())}`, unsigned)
    assert.deepEqual(digestsOf(effect), [keccak256(unsigned)])
    const { slot, from, to, value, feeMax, raw } = effect
    assert.deepEqual(
      { slot, from, to, value, feeMax, raw },
      {
        ...{ slot: 4n, from: addressOfKey(sponsor), to: contract, value: 0n },
        ...{ feeMax: 300_000n * 30n * gwei, raw: false },
      },
    )
  })

  it('lets nothing leave but its fee', () => {
    const delegation = { nonce: 3n, signature: signedBy(secret, delegationHash(3)) }
    for (const change of [{}, { delegation }]) {
      const facts = { ...sponsorship(signedBy(secret, digestOne())), ...change }
      const { outflow, feeMax } = allowed(sponsorshipOf(facts))
      const fee = { asset: 'EthereumSepolia/Native', amount: feeMax }
      assert.deepEqual(outflow, { isKnown: true, isRaw: false, movements: [], fee })
    }
  })

  it('gives the account its code, if that has signed for it', () => {
    const inner = signedBy(secret, digestOne())
    const signature = signedBy(secret, delegationHash(3))
    const effect = allowed(
      sponsorshipOf({ ...sponsorship(inner), delegation: { nonce: 3n, signature } }),
    )
    const { r, s, yParity } = signature
    const list = [{ chainId, address: contract, nonce: 3, yParity, r: word(r), s: word(s) }]
    const unsigned = serializeTransaction({
      ...{ type: 'eip7702', ...theirs(inner), authorizationList: list },
    })
    assert.equal(`0x${toHex(effect.unsigned ?? new Uint8Array())}`, unsigned)
    for (const other of [
      { nonce: 4n, signature },
      { nonce: 3n, signature: signedBy(payer, delegationHash(3)) },
      { nonce: 3n, signature: signedBy(secret, delegationHash(3, recipient)) },
      { nonce: 3n, signature: turned(signature) },
    ]) {
      const facts = { ...sponsorship(inner), delegation: other }
      assert.match(refusal(sponsorshipOf(facts)), /has not signed its delegation/)
    }
  })

  it('is nothing without the account’s own signature over just these operations', () => {
    const inner = signedBy(secret, digestOne())
    const foreign: readonly AccountSignature[] = [
      signedBy(payer, digestOne()),
      signedBy(secret, executeHash(one(recipient, 6n, '0x'))),
      { ...inner, yParity: inner.yParity === 0 ? 1 : 0 },
      turned(inner),
      { ...inner, r: 0n },
      { ...inner, s: 0n },
      { ...inner, s: order },
      { ...inner, r: 2n ** 300n },
    ]
    for (const one of foreign)
      assert.match(refusal(sponsorshipOf(sponsorship(one))), /has not signed these operations/)
    for (const change of [
      { request: new Uint8Array(32).fill(6) },
      { executeBefore: sponsored.executeBefore + 1_000 },
      { sponsor: secp256k1.getPublicKey(new Uint8Array(32).fill(9), true) },
    ])
      assert.match(refusal(sponsorshipOf(sponsorship(inner), transfer, change)), /has not signed/)
  })

  it('is refused with other facts, for what has no sponsor, and above the network’s ceiling', () => {
    const inner = signedBy(secret, digestOne())
    assert.match(refusal(sponsorshipOf(facts)), /not those needed/)
    const { feeSponsorId: _, ...plain } = transfer
    assert.match(refusal(sponsorshipOf(sponsorship(inner), plain)), /no fee sponsor/)
    const dear = { ...sponsorship(inner), gasLimit: 3_000_000n, maxFeePerGas: 3_000n * gwei }
    assert.match(refusal(sponsorshipOf(dear)), /ceiling/)
  })
})

describe('what a signature for the account’s own code may be', () => {
  it('is raw where it is typed data, since operations are in it only as a hash', () => {
    const typed = (verifyingContract: string) => ({
      kind: 'Eip712',
      types: { Execute: [{ name: 'operations', type: 'bytes32' }] },
      domain: { chainId, verifyingContract },
      message: { operations: `0x${'11'.repeat(32)}` },
    })
    const own = allowed(attempt('signature', typed(account), noFacts, {}))
    assert.deepEqual([own.outflow.isRaw, own.unlimited], [true, true])
    const other = allowed(attempt('signature', typed(recipient), noFacts, {}))
    assert.deepEqual([other.outflow.isRaw, other.unlimited], [false, false])
  })

  it('is the delegation to the one contract that does what the key signs, and to no other', () => {
    const ask = (address: string) => ({ kind: 'Eip7702', address, nonce: 0, chainId })
    const ours = allowed(attempt('signature', ask(contract), noFacts, {}))
    assert.deepEqual(
      [ours.outflow.isKnown, ours.outflow.isRaw, ours.unlimited],
      [true, false, false],
    )
    const other = allowed(attempt('signature', ask(recipient), noFacts, {}))
    assert.deepEqual([other.outflow.isRaw, other.unlimited], [true, true])
  })
})

const evmFacts: Facts = {
  ...{ family: 'evm', nonce: 7n, gasLimit: 21_000n },
  ...{ maxFeePerGas: 30n * gwei, maxPriorityFeePerGas: gwei },
}

function sponsorship(inner: AccountSignature): SponsorshipFacts {
  const fees = { maxFeePerGas: 30n * gwei, maxPriorityFeePerGas: gwei }
  return { family: 'sponsorship', nonce: 4n, gasLimit: 300_000n, ...fees, inner }
}

/** The same transaction, as viem is asked for it. */
function theirs({ r, s, yParity }: AccountSignature) {
  const call = encodeFunctionData({
    abi: parseAbi(['function relay(address, bytes, bytes32, uint256, bytes32, bytes32)']),
    args: [
      ...([account, `0x${toHex(one(recipient, 5n, '0x'))}`, hex(sponsored.request)] as const),
      ...([1_700_000_000n, word(r), word((BigInt(yParity) << 255n) | s)] as const),
    ],
  })
  return {
    ...{ chainId, nonce: 4, gas: 300_000n, to: contract, data: call },
    ...{ maxFeePerGas: 30n * gwei, maxPriorityFeePerGas: gwei },
  }
}

type Change = {
  readonly change?: Partial<Sponsored>
  readonly networkId?: string | undefined
  readonly key?: Uint8Array
}

function plansOf(
  operation: UseOperation,
  body: unknown,
  given: Facts = facts,
  { change = {}, ...rest }: Change = {},
): Plan {
  return attempt(operation, body, given, { sponsored: { ...sponsored, ...change }, ...rest })
}

function attempt(
  operation: UseOperation,
  body: unknown,
  given: Facts,
  {
    networkId = 'EthereumSepolia',
    key = publicKey,
    sponsored: by,
  }: Omit<Change, 'change'> & { readonly sponsored?: Sponsored | undefined },
): Plan {
  const network = tableNetworks.find(networkId)
  assert.ok(network)
  const read = readIntent(operation, JSON.stringify(body))
  if (!read.ok) return read
  const { scheme, curve } = network
  const made = plan({
    ...{ network, publicKey: key, scheme, curve, intent: read.intent, facts: given, sponsored: by },
  })
  if (made.ok) assert.equal(factsNeeded(network, read.intent), given.family)
  return made
}

function sponsorshipOf(
  given: Facts,
  body: unknown = transfer,
  change: Partial<Sponsored> = {},
): Plan {
  const network = tableNetworks.find('EthereumSepolia')
  assert.ok(network)
  const read = readIntent('transfer', JSON.stringify(body))
  assert.ok(read.ok)
  return planSponsorship({
    ...{ network, publicKey, intent: read.intent, facts: given },
    sponsored: { ...sponsored, ...change },
  })
}

function allowed(made: Plan): Effect {
  assert.ok(made.ok, made.ok ? '' : made.reason)
  return made.effect
}

function refusal(made: Plan): string {
  assert.ok(!made.ok, 'should have been refused')
  return made.reason
}

function digestsOf({ signing }: Effect): readonly Hex[] {
  return signing.map((entry) => ('digest' in entry ? hex(entry.digest) : assert.fail()))
}

function one(to: Hex, value: bigint, call: Hex): Uint8Array {
  const size = BigInt(call.length / 2 - 1)
  const types = ['address', 'uint256', 'uint256', 'bytes'] as const
  return bytesOf(encodePacked(types, [to, value, size, call]))
}

function executeHash(packed: Uint8Array): Hex {
  return hashTypedData({
    domain: { chainId, verifyingContract: account },
    types: {
      Execute: [
        { name: 'operations', type: 'bytes32' },
        { name: 'nonce', type: 'bytes32' },
        { name: 'deadline', type: 'uint256' },
        { name: 'sponsor', type: 'address' },
      ],
    },
    primaryType: 'Execute',
    message: {
      ...{ operations: keccak256(packed), nonce: hex(sponsored.request), deadline: 1_700_000_000n },
      sponsor: addressOfKey(sponsor) as Hex,
    },
  })
}

function digestOne(): Hex {
  return executeHash(one(recipient, 5n, '0x'))
}

function delegationHash(nonce: number, address: Hex = contract): Hex {
  return hashAuthorization({ chainId, address, nonce })
}

function signedBy(key: Uint8Array, digest: Hex): AccountSignature {
  const bytes = secp256k1.sign(bytesOf(digest), key, { prehash: false, format: 'recovered' })
  const [r, s] = [bytesToBig(bytes.subarray(1, 33)), bytesToBig(bytes.subarray(33))]
  return { r, s, yParity: bytes[0] === 1 ? 1 : 0 }
}

/** As good a signature of the same key, with the higher of the two values of s. */
function turned({ r, s, yParity }: AccountSignature): AccountSignature {
  return { r, s: order - s, yParity: yParity === 0 ? 1 : 0 }
}

function word(value: bigint): Hex {
  return hex(bigToBytes(value, 32))
}

function hex(bytes: Uint8Array): Hex {
  return `0x${toHex(bytes)}`
}

function bytesOf(text: Hex): Uint8Array {
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
}
