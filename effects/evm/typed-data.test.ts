import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import { sha256 } from '@quorate/core/hash'
import type { Json, JsonObject } from '@quorate/core/json'
import { hashTypedData as viemHash, type TypedDataDefinition } from 'viem'
import { hashTypedData } from './typed-data.ts'

type Typed = {
  readonly types: JsonObject
  readonly domain: JsonObject
  readonly message: JsonObject
}

/** The example of EIP-712 ("Example.js" beside the text), with its digest. */
const mail: Typed = {
  types: {
    EIP712Domain: [
      { name: 'name', type: 'string' },
      { name: 'version', type: 'string' },
      { name: 'chainId', type: 'uint256' },
      { name: 'verifyingContract', type: 'address' },
    ],
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'to', type: 'Person' },
      { name: 'contents', type: 'string' },
    ],
  },
  domain: {
    name: 'Ether Mail',
    version: '1',
    chainId: 1,
    verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
  },
  message: {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
}
const mailDigest = 'be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2'

describe('EIP-712', () => {
  it('hashes the example of the standard, with the domain described or not', () => {
    const hashed = hashTypedData(mail)
    assert.equal(toHex(hashed.digest), mailDigest)
    assert.equal(hashed.primaryType, 'Mail')
    assert.equal(hashed.chainId, 1n)
    assert.equal(toHex(hashed.verifyingContract ?? new Uint8Array()), 'cc'.repeat(20))
    const { EIP712Domain: _, ...types } = mail.types
    assert.equal(toHex(hashTypedData({ ...mail, types }).digest), mailDigest)
  })

  it('takes the chain id as a number, decimal text or hex', () => {
    for (const chainId of ['1', '0x1', '0x01'])
      assert.equal(
        toHex(hashTypedData({ ...mail, domain: { ...mail.domain, chainId } }).digest),
        mailDigest,
      )
  })

  it('agrees with viem on random typed data', () => {
    for (let i = 0; i < 200; i++) {
      const { typed, primaryType } = randomTypedData(i)
      const ours = hashTypedData(typed)
      assert.equal(ours.primaryType, primaryType)
      const definition = { ...typed, primaryType } as unknown as TypedDataDefinition
      assert.equal(`0x${toHex(ours.digest)}`, viemHash(definition), JSON.stringify(typed))
    }
  })

  it('follows a type that contains itself in a list', () => {
    const typed = {
      types: { Node: [{ name: 'children', type: 'Node[]' }] },
      domain: { name: 'Tree' },
      message: { children: [{ children: [] }, { children: [{ children: [] }] }] },
    }
    assert.equal(
      `0x${toHex(hashTypedData(typed).digest)}`,
      viemHash({ ...typed, primaryType: 'Node' } as unknown as TypedDataDefinition),
    )
  })
})

describe('EIP-712 refuses', () => {
  const types = (definitions: JsonObject): Partial<Typed> => ({ types: definitions })
  const one = (type: string, value: Json): Partial<Typed> => ({
    types: { T: [{ name: 'v', type }] },
    message: { v: value },
  })
  const person = mail.types['Person'] ?? []
  const refusals: Readonly<Record<string, Partial<Typed>>> = {
    'two types that nobody refers to': types({ ...mail.types, Other: person }),
    'types that all refer to each other': types({
      A: [{ name: 'b', type: 'B[]' }],
      B: [{ name: 'a', type: 'A[]' }],
    }),
    'no types at all': types({}),
    'an unknown type': one('Missing', {}),
    'a type named like a plain one': types({ uint256: [{ name: 'v', type: 'bool' }] }),
    'a type name that forges another': types({ 'A(bool a)B': [{ name: 'v', type: 'bool' }] }),
    'a member name that forges another': types({ T: [{ name: 'a,bool b', type: 'bool' }] }),
    'two members of one name': types({
      T: [
        { name: 'a', type: 'bool' },
        { name: 'a', type: 'bool' },
      ],
    }),
    'a member with more than name and type': types({ T: [{ name: 'v', type: 'bool', x: 1 }] }),
    'an empty domain': { domain: {} },
    'an unknown domain member': { domain: { ...mail.domain, chain: 1 } },
    'a domain described in another order': types({
      ...mail.types,
      EIP712Domain: [...(mail.types['EIP712Domain'] as readonly Json[])].reverse(),
    }),
    'a domain described with a member it lacks': { domain: { name: 'Ether Mail' } },
    'a domain with a wrong type': { domain: { ...mail.domain, chainId: -1 } },
    'an unknown member': { message: { ...mail.message, memo: 'x' } },
    'a missing member': { message: { contents: 'x' } },
    'a list instead of a struct': { message: { ...mail.message, from: [] } },
    'the alias uint': one('uint', 1),
    uint7: one('uint7', 1),
    bytes33: one('bytes33', `0x${'00'.repeat(33)}`),
    bytes0: one('bytes0', '0x'),
    'a number that does not fit': one('uint8', 256),
    'a negative number without a sign bit': one('uint8', -1),
    'a positive number where the sign bit is': one('int8', 128),
    'a negative number below the least': one('int8', -129),
    'a number as empty text': one('uint256', ''),
    'a number with a fraction': one('uint256', '1.5'),
    'a number of a thousand digits': one('uint256', '1'.repeat(1000)),
    'a truth as a number': one('bool', 1),
    'an address with a wrong checksum': one(
      'address',
      '0xcD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826',
    ),
    'an address that is a name': one('address', 'vitalik.eth'),
    'bytes4 of three bytes': one('bytes4', '0x010203'),
    'bytes4 of five bytes': one('bytes4', '0x0102030405'),
    'bytes without 0x': one('bytes', '00'),
    'a list of another length': one('bool[2]', [true]),
    'a list that is none': one('bool[]', { 0: true }),
    'a list of no length': one('bool[0]', []),
    'five dimensions': one('bool[][][][][]', []),
    'a number as text': one('string', 1),
    'too many values': one(
      'bool[]',
      Array.from({ length: 10_001 }, () => true),
    ),
    'too many types': types(
      Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`T${i}`, person])),
    ),
  }
  for (const [name, change] of Object.entries(refusals))
    it(name, () => {
      assert.throws(
        () => hashTypedData({ ...mail, ...change }),
        (error) => isFailure(error, 'request.refused'),
      )
    })

  it('structs nested without end', () => {
    let message: JsonObject = { children: [] }
    for (let i = 0; i < 20; i++) message = { children: [message] }
    assert.throws(
      () =>
        hashTypedData({
          types: { Node: [{ name: 'children', type: 'Node[]' }] },
          domain: { name: 'Tree' },
          message,
        }),
      (error) => isFailure(error, 'request.refused'),
    )
  })
})

/** Up to four structs, each the member of the one before, so that the first is the primary type. */
function randomTypedData(seed: number): { typed: Typed; primaryType: string } {
  const draw = drawer(seed)
  const names = ['Zeta', 'alpha', 'Mid', '_last'].slice(0, 1 + draw(4))
  const types: Record<string, { name: string; type: string }[]> = {}
  const values = new Map<string, () => JsonObject>()
  for (const [i, name] of [...names.entries()].reverse()) {
    const below = names.slice(i + 1)
    const fields = Array.from({ length: 1 + draw(4) }, (_, k) => ({
      name: `f${k}`,
      type: atoms[draw(atoms.length)] ?? 'bool',
    }))
    for (const [k, other] of below.entries()) fields.push({ name: `s${k}`, type: other })
    for (const field of fields) field.type += ['', '', '[]', '[2]', '[2][]'][draw(5)] ?? ''
    types[name] = fields
    values.set(name, () =>
      Object.fromEntries(fields.map((field) => [field.name, valueOf(field.type)])),
    )
  }

  function valueOf(type: string): Json {
    const [, inner, size] = /^(.*)\[(\d*)\]$/.exec(type) ?? []
    if (inner !== undefined)
      return Array.from({ length: size === '' ? draw(3) : Number(size) }, () => valueOf(inner))
    return values.get(type)?.() ?? atomValue(type)
  }

  function atomValue(type: string): Json {
    const digits = (count: number): string =>
      Array.from({ length: count }, () => draw(16).toString(16)).join('')
    const bits = Number(/\d+/.exec(type)?.[0] ?? 0)
    if (type === 'bool') return draw(2) === 1
    if (type === 'address') return `0x${digits(40)}`
    if (type === 'string') return ['', 'grüße', '日本', 'plain text'][draw(4)] ?? ''
    if (type === 'bytes') return `0x${digits(2 * draw(70))}`
    if (type.startsWith('bytes')) return `0x${digits(2 * bits)}`
    const size = BigInt(`0x${digits(bits / 4)}`)
    return String(type.startsWith('u') ? size : BigInt.asIntN(bits, size))
  }

  const [primaryType = ''] = names
  const domain: JsonObject = {
    ...(draw(2) ? { name: 'Domain' } : {}),
    ...(draw(2) ? { version: '2' } : {}),
    chainId: 1 + draw(1000),
    ...(draw(2) ? { verifyingContract: `0x${'ab'.repeat(20)}` } : {}),
    ...(draw(2) ? { salt: `0x${'5a'.repeat(32)}` } : {}),
  }
  return {
    typed: { types, domain, message: values.get(primaryType)?.() ?? {} },
    primaryType,
  }
}

const atoms = [
  ...['bool', 'address', 'string', 'bytes', 'bytes1', 'bytes4', 'bytes31', 'bytes32'],
  ...['uint8', 'uint64', 'uint256', 'int8', 'int128', 'int256'],
]

/** The same numbers every time, so that a failure can be had again. */
function drawer(seed: number): (below: number) => number {
  let count = 0
  return (below) => {
    const [a = 0, b = 0] = sha256(new TextEncoder().encode(`typed data ${seed} ${count++}`))
    return (a * 256 + b) % below
  }
}
