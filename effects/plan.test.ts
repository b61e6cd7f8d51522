import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concat, fromHex, toHex, toUtf8 } from '@quorate/core/bytes'
import { hashAuthorization } from 'viem/utils'
import { hashMessage, type Hex, hashTypedData, keccak256, serializeTransaction } from 'viem'
import type { Effect } from './effect.ts'
import { addressOfKey } from './evm/address.ts'
import { encodeRlp } from './evm/rlp.ts'
import { type EvmFacts, type Facts, noFacts } from './facts.ts'
import { readIntent, type UseOperation } from './intent.ts'
import { tableNetworks } from './networks.ts'
import { factsNeeded, networkOfSignature, plan, type Plan } from './plan.ts'

const publicKey = secp256k1.getPublicKey(new Uint8Array(32).fill(7), true)
const recipient = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const gwei = 10n ** 9n
const facts: EvmFacts = {
  family: 'evm',
  nonce: 7n,
  gasLimit: 21_000n,
  maxFeePerGas: 30n * gwei,
  maxPriorityFeePerGas: gwei,
}
const legacyFacts: EvmFacts = {
  ...facts,
  maxFeePerGas: 0n,
  maxPriorityFeePerGas: 0n,
  gasPrice: 30n * gwei,
}
const transfer = { kind: 'Native', to: recipient, amount: '1000000000000000' }

describe('a transfer', () => {
  it('becomes the very bytes viem builds from payload and facts', () => {
    const effect = allowed('transfer', transfer, facts)
    const unsigned = serializeTransaction({
      type: 'eip1559',
      chainId: 11155111,
      nonce: 7,
      gas: 21_000n,
      maxFeePerGas: 30n * gwei,
      maxPriorityFeePerGas: gwei,
      to: recipient,
      value: 10n ** 15n,
    })
    assert.equal(`0x${toHex(effect.unsigned ?? new Uint8Array())}`, unsigned)
    assert.equal(digestOf(effect), keccak256(unsigned))
    const { kind, slot, from, to, value, feeMax, raw } = effect
    assert.deepEqual(
      { kind, slot, from, to, value, feeMax, raw },
      {
        kind: 'transfer',
        slot: 7n,
        from: addressOfKey(publicKey),
        to: recipient,
        value: 10n ** 15n,
        feeMax: 21_000n * 30n * gwei,
        raw: false,
      },
    )
  })

  const others: Readonly<Record<string, Partial<EvmFacts>>> = {
    'a fee above the ceiling': { maxFeePerGas: 2_400n * gwei },
    'gas that lifts the fee above the ceiling': { gasLimit: 2_000_000n },
    'a priority fee above the whole fee': { maxPriorityFeePerGas: 31n * gwei },
    'less gas than any transaction needs': { gasLimit: 20_999n },
    'a nonce no account can have': { nonce: 2n ** 64n - 1n },
    'the gas price of another type': { gasPrice: gwei },
  }
  for (const [name, change] of Object.entries(others))
    it(`is refused with ${name}`, () => {
      refuse('transfer', transfer, { ...facts, ...change })
    })

  it('is refused without facts, or under a name service, a wrong checksum, a memo', () => {
    refuse('transfer', transfer, noFacts)
    refuse('transfer', { ...transfer, to: 'vitalik.eth' }, facts)
    refuse('transfer', { ...transfer, to: recipient.replace('aA', 'Aa') }, facts)
    refuse('transfer', { ...transfer, memo: 'rent' }, facts)
  })

  it('is refused on a network without transactions and for a key of another scheme or curve', () => {
    refuse('transfer', transfer, noFacts, 'KeyECDSA')
    const network = tableNetworks.find('EthereumSepolia')
    const read = readIntent('transfer', JSON.stringify(transfer))
    assert.ok(network && read.ok)
    for (const [scheme, curve] of [
      ['EdDSA', 'secp256k1'],
      ['ECDSA', 'stark'],
    ] as const) {
      const outcome = plan({ network, publicKey, scheme, curve, intent: read.intent, facts })
      assert.equal(outcome.ok, false)
    }
  })

  it('changes its bytes with every single fact', () => {
    const digests = [
      facts,
      { ...facts, nonce: 8n },
      { ...facts, gasLimit: 21_001n },
      { ...facts, maxFeePerGas: 31n * gwei },
      { ...facts, maxPriorityFeePerGas: 2n * gwei },
    ].map((each) => digestOf(allowed('transfer', transfer, each)))
    assert.equal(new Set(digests).size, digests.length)
  })
})

describe('what an account with code of its own is asked to do (EIP-7702)', () => {
  it('is raw to policies, whatever function it names: the code alone says what that does', () => {
    const own = addressOfKey(publicKey)
    const data = `0xa9059cbb${'00'.repeat(64)}`
    const ask = (to: string) => ({ kind: 'Transaction', transaction: { to, data } })
    const { outflow } = allowed('transaction', ask(own), facts)
    assert.deepEqual([outflow.isRaw, outflow.isKnown], [true, false])
    assert.equal(allowed('transaction', ask(recipient), facts).outflow.isKnown, true)
  })
})

describe('a transaction given as an object', () => {
  const full = {
    to: recipient,
    value: '0x10',
    data: '0xa9059cbb',
    nonce: 7,
    gasLimit: '21000',
    maxFeePerGas: String(30n * gwei),
    maxPriorityFeePerGas: '0x3b9aca00',
  }
  const ask = (transaction: unknown): unknown => ({ kind: 'Transaction', transaction })

  it('becomes the bytes viem builds, type 2 unless it says 0', () => {
    const shared = { chainId: 11155111, nonce: 7, gas: 21_000n, to: recipient, value: 16n } as const
    const dynamic = serializeTransaction({
      ...shared,
      type: 'eip1559',
      data: '0xa9059cbb',
      maxFeePerGas: 30n * gwei,
      maxPriorityFeePerGas: gwei,
    })
    for (const type of [{}, { type: 2 }, { type: '2' }, { type: '0x2' }, { type: '0x02' }])
      assert.equal(
        digestOf(allowed('transaction', ask({ ...full, ...type }), facts)),
        keccak256(dynamic),
      )
    const legacy = serializeTransaction({ ...shared, type: 'legacy', gasPrice: 30n * gwei })
    const object = { type: 0, to: recipient, value: 16 }
    assert.equal(digestOf(allowed('transaction', ask(object), legacyFacts)), keccak256(legacy))
  })

  it('may leave everything but its purpose to the facts', () => {
    const effect = allowed('transaction', ask({ to: recipient }), facts)
    assert.deepEqual([effect.slot, effect.value, effect.to], [7n, 0n, recipient])
  })

  for (const [name, change] of Object.entries<Partial<EvmFacts>>({
    nonce: { nonce: 8n },
    gasLimit: { gasLimit: 21_001n },
    maxFeePerGas: { maxFeePerGas: 29n * gwei },
    maxPriorityFeePerGas: { maxPriorityFeePerGas: 2n * gwei },
  }))
    it(`keeps the ${name} its author fixed, whatever the facts say`, () => {
      const reason = refuse('transaction', ask(full), { ...facts, ...change })
      assert.match(reason, new RegExp(`change ${name}`))
    })

  it('may create a contract, but not out of nothing', () => {
    const effect = allowed('transaction', ask({ data: '0x6000' }), facts)
    assert.equal(effect.to, undefined)
    refuse('transaction', ask({ value: '1' }), facts)
  })

  const refusals: Readonly<Record<string, object>> = {
    'a member nobody knows': { to: recipient, accessList: [] },
    'an authorization list': { type: 4, to: recipient, authorizationList: [] },
    'type 1': { type: 1, to: recipient },
    'the gas price of a type 0 in a type 2': { to: recipient, gasPrice: '1' },
    'the fees of a type 2 in a type 0': { type: 0, to: recipient, maxFeePerGas: '1' },
    'a recipient of null': { to: null, data: '0x6000' },
    'an empty recipient': { to: '', data: '0x6000' },
    'a negative value': { to: recipient, value: '-1' },
    'a value of 2^256': { to: recipient, value: String(2n ** 256n) },
    'half a byte of data': { to: recipient, data: '0x1' },
  }
  for (const [name, transaction] of Object.entries(refusals))
    it(`is refused with ${name}`, () => {
      refuse('transaction', ask(transaction), facts)
    })

  it('is refused with the facts of the other type', () => {
    refuse('transaction', ask({ to: recipient }), legacyFacts)
    refuse('transaction', ask({ type: 0, to: recipient }), { ...facts, gasPrice: gwei })
    refuse('transaction', ask({ type: 0, to: recipient }), facts)
    const { gasPrice: _, ...priceless } = legacyFacts
    refuse('transaction', ask({ type: 0, to: recipient }), priceless)
  })
})

describe('a transaction given as bytes', () => {
  const tx = {
    type: 'eip1559',
    chainId: 11155111,
    nonce: 12,
    gas: 50_000n,
    maxFeePerGas: gwei,
    to: recipient,
    value: 3n,
  } as const
  const ask = (transaction: string): unknown => ({ kind: 'Transaction', transaction })

  it('is signed as it stands, its nonce being the slot', () => {
    for (const operation of ['transaction', 'signature'] as const) {
      const effect = allowed(operation, ask(serializeTransaction(tx)), noFacts)
      assert.equal(digestOf(effect), keccak256(serializeTransaction(tx)))
      assert.deepEqual([effect.kind, effect.slot, effect.value], ['transaction', 12n, 3n])
    }
  })

  it('may come without 0x', () => {
    allowed('transaction', ask(serializeTransaction(tx).slice(2)), noFacts)
  })

  it('is refused beside facts, for another chain, or above the fee ceiling', () => {
    refuse('transaction', ask(serializeTransaction(tx)), facts)
    refuse('transaction', ask(serializeTransaction({ ...tx, chainId: 1 })), noFacts)
    refuse('transaction', ask(serializeTransaction({ ...tx, gas: 50_000_001n })), noFacts)
  })

  it('is signed with an access list, and counted at its gas price', () => {
    const { maxFeePerGas: gasPrice, type: _, ...rest } = tx
    const unsigned = serializeTransaction({ ...rest, type: 'eip2930', gasPrice, accessList: [] })
    const effect = allowed('transaction', ask(unsigned), noFacts)
    assert.equal(digestOf(effect), keccak256(unsigned))
    assert.equal(effect.feeMax, rest.gas * gasPrice)
    const dear = { ...rest, type: 'eip2930', gasPrice: 10n ** 16n, accessList: [] } as const
    refuse('transaction', ask(serializeTransaction(dear)), noFacts)
  })

  it('is refused when not a byte of it may be misread', () => {
    const bytes = fromHex(serializeTransaction(tx).slice(2))
    const preEip155 = encodeRlp(Array.from({ length: 6 }, () => new Uint8Array([9])))
    for (const hex of [
      `${toHex(bytes)}00`,
      toHex(bytes.subarray(0, -1)),
      toHex(preEip155),
      toHex(concat(new Uint8Array([4]), bytes.subarray(1))),
      toHex(toUtf8('anything else')),
      '',
    ])
      refuse('transaction', ask(hex), noFacts)
  })
})

describe('a transaction that gives accounts code (EIP-7702)', () => {
  const contract = `0x${'c0'.repeat(20)}` as const
  const signed = { r: `0x${'11'.repeat(32)}`, s: `0x${'22'.repeat(32)}`, yParity: 1 } as const
  const one = { chainId: 11155111, address: contract, nonce: 3 }
  const object = { type: 4, to: recipient, value: '5', authorizationList: [{ ...one, ...signed }] }
  const ask = (transaction: unknown): unknown => ({ kind: 'Transaction', transaction })
  const unsigned = serializeTransaction({
    ...{ type: 'eip7702', chainId: 11155111, nonce: 7, gas: 21_000n, to: recipient, value: 5n },
    ...{ maxFeePerGas: 30n * gwei, maxPriorityFeePerGas: gwei },
    authorizationList: [{ ...one, ...signed }],
  })

  it('becomes the bytes viem builds, be it an object or bytes', () => {
    const piece = `0x${'11'.repeat(32)}${'22'.repeat(32)}1c`
    for (const authorizationList of [object.authorizationList, [{ ...one, signature: piece }]]) {
      const effect = allowed('transaction', ask({ ...object, authorizationList }), facts)
      assert.equal(digestOf(effect), keccak256(unsigned))
    }
    assert.equal(digestOf(allowed('transaction', ask(unsigned), noFacts)), keccak256(unsigned))
  })

  it('is raw to policies, whatever it seems to do, and within the ceiling of fees', () => {
    for (const [transaction, given] of [
      [object, facts],
      [unsigned, noFacts],
    ] as const) {
      const { outflow } = allowed('transaction', ask(transaction), given)
      assert.deepEqual([outflow.isRaw, outflow.isKnown], [true, false])
      assert.deepEqual(outflow.movements[0]?.amount, 5n)
    }
    refuse('transaction', ask(object), { ...facts, maxFeePerGas: 2_400n * gwei })
  })

  it('is refused without a recipient or an authorization, or with half of one', () => {
    const { to: _, ...nowhere } = object
    const given = (authorization: object) => ({ ...object, authorizationList: [authorization] })
    for (const transaction of [
      nowhere,
      { ...object, authorizationList: [] },
      { ...object, authorizationList: undefined },
      { ...object, authorizationList: Array(257).fill(object.authorizationList[0]) },
      { ...object, gasPrice: '1' },
      { ...object, type: 2 },
      given(one),
      given({ ...one, ...signed, s: undefined }),
      given({ ...one, ...signed, yParity: 256 }),
      given({ ...one, ...signed, nonce: `${2n ** 64n}` }),
      given({ ...one, ...signed, address: recipient.replace('aA', 'Aa') }),
      given({ ...one, ...signed, v: 28 }),
      given({ ...one, signature: `0x${'11'.repeat(64)}` }),
      given({ ...one, signature: `0x${'11'.repeat(65)}` }),
      given({ ...one, ...signed, signature: `0x${'11'.repeat(64)}1b` }),
    ])
      refuse('transaction', ask(transaction), facts)
  })
})

describe('a signature', () => {
  const typedData = {
    types: { Mail: [{ name: 'contents', type: 'string' }] },
    domain: { name: 'Post', chainId: 11155111, verifyingContract: recipient },
    message: { contents: 'Hello' },
  }
  const permit = {
    types: { Permit: [{ name: 'spender', type: 'address' }] },
    domain: { name: 'Token', chainId: 11155111 },
    message: { spender: recipient },
  }

  it('of a delegation is over what EIP-7702 says, names its chain, and is raw to policies', () => {
    const address = `0x${'c0'.repeat(20)}` as const
    const ask = { kind: 'Eip7702', address, nonce: 3, chainId: 11155111 }
    const effect = allowed('signature', ask, noFacts)
    const { chainId, nonce } = ask
    assert.equal(digestOf(effect), hashAuthorization({ address, chainId, nonce }))
    assert.deepEqual([effect.outflow.isRaw, effect.slot, effect.unlimited], [true, undefined, true])
    for (const change of [
      { chainId: 1 },
      { chainId: 0 },
      { nonce: `${2n ** 64n - 1n}` },
      { address: recipient.replace('aA', 'Aa') },
    ])
      refuse('signature', { ...ask, ...change }, noFacts)
    refuse('signature', ask, noFacts, 'KeyECDSA')
  })

  it('of a message on an EVM network is a personal one, as in viem', () => {
    const named = allowed('signature', { kind: 'Eip191', message: '0xdeadbeef' }, noFacts)
    assert.equal(digestOf(named), hashMessage({ raw: '0xdeadbeef' }))
    refuse('signature', { kind: 'Eip191', message: '0xdeadbeef' }, noFacts, 'KeyECDSA')
    const effect = allowed('signature', { kind: 'Message', message: '0xdeadbeef' }, noFacts)
    assert.equal(digestOf(effect), hashMessage({ raw: '0xdeadbeef' }))
    assert.deepEqual([effect.kind, effect.raw, effect.slot], ['message', false, undefined])
  })

  it('takes no facts: they would enter the log for nothing', () => {
    refuse('signature', { kind: 'Message', message: '0x00' }, facts)
    refuse('signature', { kind: 'Eip712', ...typedData }, facts)
    refuse('signature', { kind: 'Hash', hash: '11'.repeat(32) }, facts)
  })

  it('of typed data on an EVM network is as in viem', () => {
    const effect = allowed('signature', { kind: 'Eip712', ...typedData }, noFacts)
    assert.equal(
      digestOf(effect),
      hashTypedData({
        types: { Mail: [{ name: 'contents', type: 'string' }] },
        primaryType: 'Mail',
        domain: { name: 'Post', chainId: 11155111, verifyingContract: recipient },
        message: { contents: 'Hello' },
      }),
    )
    assert.deepEqual([effect.to, effect.unlimited, effect.raw], [recipient, false, false])
  })

  it('of a permit is marked as handing over assets', () => {
    for (const name of ['Permit', 'PermitBatch', 'SafeTx', 'TransferWithAuthorization']) {
      const renamed = { ...permit, types: { [name]: permit.types.Permit } }
      assert.ok(allowed('signature', { kind: 'Eip712', ...renamed }, noFacts).unlimited)
    }
  })

  it('of typed data for another chain is refused', () => {
    const domain = { ...permit.domain, chainId: 1 }
    refuse('signature', { kind: 'Eip712', ...permit, domain }, noFacts)
  })

  it('of a permit that names no chain, and so holds on all, is refused', () => {
    const domain = { name: 'Token' }
    refuse('signature', { kind: 'Eip712', ...permit, domain }, noFacts)
    allowed('signature', { kind: 'Eip712', ...typedData, domain }, noFacts)
  })

  it('of a hash is raw on every network', () => {
    const hash = '11'.repeat(32)
    for (const network of ['EthereumSepolia', 'KeyECDSA']) {
      const effect = allowed('signature', { kind: 'Hash', hash }, noFacts, network)
      assert.deepEqual([effect.kind, effect.raw, digestOf(effect)], ['raw', true, `0x${hash}`])
    }
  })

  it('of an Ed25519 message or hash is raw: the bytes themselves', () => {
    for (const [body, bytes] of [
      [{ kind: 'Message', message: '0xabcdef' }, fromHex('abcdef')],
      [{ kind: 'Hash', hash: '22'.repeat(32) }, new Uint8Array(32).fill(0x22)],
    ] as const) {
      const effect = allowed('signature', body, noFacts, 'KeyEdDSA')
      assert.ok(effect.raw)
      assert.deepEqual(effect.signing, [{ message: bytes }])
    }
  })

  it('by an unbound key is refused unless of a hash, and says so', () => {
    for (const body of [
      { kind: 'Message', message: '0x00' },
      { kind: 'Transaction', transaction: '0x02c0' },
      { kind: 'Eip712', ...typedData },
    ])
      assert.match(refuse('signature', body, noFacts, 'KeyECDSA'), /use Hash/)
  })

  it('names no other network and no other kind of chain than the one that applies', () => {
    const body = { kind: 'Message', message: '0x00' }
    allowed('signature', { ...body, network: 'EthereumSepolia', blockchainKind: 'Evm' }, noFacts)
    refuse('signature', { ...body, network: 'Ethereum' }, noFacts)
    refuse('signature', { ...body, blockchainKind: 'Tron' }, noFacts)
    const hash = { kind: 'Hash', hash: '11'.repeat(32) }
    refuse('signature', { ...hash, blockchainKind: 'Evm' }, noFacts, 'KeyECDSA')
  })

  it('by a key told no more than the kind of chain is for the one that its bytes name', () => {
    const key = { scheme: 'ECDSA', curve: 'secp256k1' } as const
    const networkOf = (ask: object) => {
      const read = readIntent('signature', JSON.stringify({ blockchainKind: 'Evm', ...ask }))
      assert.ok(read.ok && read.intent.kind === 'signature')
      return networkOfSignature(tableNetworks, read.intent, key)?.id
    }
    const delegation = { kind: 'Eip7702', address: recipient, nonce: 0 }
    const whole = serializeTransaction({ chainId: 8453, type: 'eip1559', nonce: 0, to: recipient })
    for (const [ask, expected] of [
      [{ kind: 'Message', message: '00' }, 'Ethereum'],
      [{ kind: 'Eip191', message: '00' }, 'Ethereum'],
      [{ ...delegation, chainId: 11155111 }, 'EthereumSepolia'],
      [{ kind: 'Eip712', ...typedData }, 'EthereumSepolia'],
      [{ kind: 'Transaction', transaction: whole }, 'Base'],
      [{ ...delegation, chainId: 0 }, 'KeyECDSA'],
      [{ ...delegation, chainId: `${2n ** 200n}` }, 'KeyECDSA'],
      [{ kind: 'Eip712', ...typedData, domain: { name: 'Post' } }, 'KeyECDSA'],
      [{ kind: 'Eip712', ...typedData, domain: { chainId: 'x' } }, 'KeyECDSA'],
      [{ kind: 'Transaction', transaction: '0x02c0' }, 'KeyECDSA'],
      [{ kind: 'Transaction', transaction: { type: 2, to: recipient } }, 'KeyECDSA'],
      [{ kind: 'Hash', hash: '11'.repeat(32) }, 'KeyECDSA'],
    ] as const)
      assert.equal(networkOf(ask), expected, JSON.stringify(ask))
    assert.equal(networkOf({ kind: 'Message', message: '00', blockchainKind: 'Tron' }), 'KeyECDSA')
  })

  it('of a hash on the Stark curve is one below 2^251', () => {
    for (const [first, ok] of [
      ['07', true],
      ['08', false],
      ['ff', false],
    ] as const) {
      const hash = `${first}${'ff'.repeat(31)}`
      assert.equal(attempt('signature', { kind: 'Hash', hash }, noFacts, 'KeyECDSAStark').ok, ok)
      assert.equal(attempt('signature', { kind: 'Hash', hash }, noFacts, 'KeyECDSA').ok, true)
    }
  })

  it('by a key follows the network it names, or else the pseudo network of its scheme', () => {
    const of = (network: object, curve: Curve = 'secp256k1'): string | undefined => {
      const body = { kind: 'Message', message: '0x00', ...network }
      const read = readIntent('signature', JSON.stringify(body))
      assert.ok(read.ok && read.intent.kind === 'signature')
      return networkOfSignature(tableNetworks, read.intent, { scheme: 'ECDSA', curve })?.id
    }
    assert.equal(of({}), 'KeyECDSA')
    assert.equal(of({}, 'stark'), 'KeyECDSAStark')
    assert.equal(of({ network: 'EthereumSepolia' }), 'EthereumSepolia')
    assert.equal(of({ network: 'Nowhere' }), undefined)
  })
})

type Curve = 'secp256k1' | 'stark'
type Digest = { readonly digest: Uint8Array }

function digestOf({ signing }: Effect): Hex {
  const [entry, ...more] = signing
  assert.ok(entry !== undefined && 'digest' in entry && more.length === 0)
  return `0x${toHex((entry satisfies Digest).digest)}`
}

function attempt(operation: UseOperation, body: unknown, given: Facts, networkId: string): Plan {
  const network = tableNetworks.find(networkId)
  assert.ok(network)
  const read = readIntent(operation, JSON.stringify(body))
  if (!read.ok) return read
  const outcome = plan({
    network,
    publicKey,
    scheme: network.scheme,
    curve: network.curve,
    intent: read.intent,
    facts: given,
  })
  if (outcome.ok) assert.equal(factsNeeded(network, read.intent), given.family)
  return outcome
}

function allowed(
  operation: UseOperation,
  body: unknown,
  given: Facts,
  networkId = 'EthereumSepolia',
): Effect {
  const outcome = attempt(operation, body, given, networkId)
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.reason)
  return outcome.effect
}

function refuse(
  operation: UseOperation,
  body: unknown,
  given: Facts,
  networkId = 'EthereumSepolia',
): string {
  const outcome = attempt(operation, body, given, networkId)
  assert.ok(!outcome.ok, 'should have been refused')
  return outcome.reason
}
