import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import type { Json, JsonObject } from '@quorate/core/json'
import { hashTypedData as viemHash, type TypedDataDefinition } from 'viem'
import { drawFrom } from './testing/draw.ts'
import { type Typed, typedDataFrom } from './testing/typed-data.ts'
import { hashTypedData } from './typed-data.ts'

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

  it('refuses types whose descriptions, with all that they refer to, grow out of hand', () => {
    const flags = Array.from({ length: 60 }, (_, i) => ({
      name: `f${i}`.padEnd(60, 'x'),
      type: 'bool',
    }))
    const chain = Array.from({ length: 20 }, (_, i): [string, Json] => [
      `Leaf${i}`,
      i < 19 ? [...flags, { name: 'next', type: `Leaf${i + 1}[]` }] : flags,
    ])
    const owners = (count: number): Typed => {
      const names = Array.from({ length: count }, (_, i) => `Owner${i}`)
      const owner = [{ name: 'leaves', type: 'Leaf0[]' }]
      const root = names.map((type, i) => ({ name: `m${i}`, type }))
      const types = [...chain, ...names.map((name): [string, Json] => [name, owner])]
      return {
        types: { ...Object.fromEntries(types), Root: root },
        domain: { chainId: 1 },
        message: Object.fromEntries(names.map((_, i) => [`m${i}`, { leaves: [] }])),
      }
    }
    const reason = 'types described in more than 65536 characters'
    assert.throws(() => hashTypedData(owners(40)), { context: { reason } })
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
      const { typed, primaryType } = typedDataFrom(drawFrom(i))
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

/** Each is right but for what its name says: the reason proves that nothing else stopped it. */
describe('EIP-712 refuses', () => {
  const bool = (name: string): JsonObject => ({ name, type: 'bool' })
  const one = (type: string, value: Json): Typed =>
    typed({ T: [{ name: 'v', type }] }, { v: value })
  const { EIP712Domain: described, ...mailTypes } = mail.types
  const person = mail.types['Person'] ?? []
  const withDomain = (domain: JsonObject): Typed => ({ ...mail, types: mailTypes, domain })
  const withMessage = (message: JsonObject): Typed => ({ ...mail, message })
  const chain = Object.fromEntries(
    Array.from({ length: 65 }, (_, i) => [
      `T${i}`,
      [{ name: 'v', type: i < 64 ? `T${i + 1}[]` : 'bool' }],
    ]),
  )
  const wide = Array.from({ length: 65 }, (_, i) => bool(`m${i}`))

  const refusals: Readonly<Record<string, readonly [RegExp, Typed]>> = {
    'two types that nobody refers to': [
      /not unique/,
      { ...mail, types: { ...mail.types, Other: person } },
    ],
    'types that all refer to each other': [
      /not unique/,
      typed({ A: [{ name: 'b', type: 'B[]' }], B: [{ name: 'a', type: 'A[]' }] }, { b: [] }),
    ],
    'no types at all': [/not unique/, typed({}, {})],
    'an unknown type': [/unknown type/, one('Missing', {})],
    'a type named like a plain one': [
      /cannot be named/,
      typed({ uint256: [bool('v')] }, { v: true }),
    ],
    'a type name that forges another': [
      /cannot be named/,
      typed({ 'A(bool a)B': [bool('v')] }, { v: true }),
    ],
    'a member name that forges another': [
      /cannot be named/,
      typed({ T: [bool('a,bool b')] }, { 'a,bool b': true }),
    ],
    'two members of one name': [/one name/, typed({ T: [bool('a'), bool('a')] }, { a: true })],
    'a type that is no list': [/not a list/, typed({ T: {} }, {})],
    'a member with more than name and type': [
      /unknown member/,
      typed({ T: [{ ...bool('v'), indexed: true }] }, { v: true }),
    ],
    'more types than anybody defines': [/more than 64 types/, typed(chain, { v: [] })],
    'more members than anybody defines': [
      /at most 64 members/,
      typed({ T: wide }, Object.fromEntries(wide.map(({ name }) => [String(name), true]))),
    ],
    'an empty domain': [/domain is empty/, withDomain({})],
    'an unknown domain member': [/unknown member/, withDomain({ ...mail.domain, chain: 1 })],
    'a domain with a value of another type': [/chainId/, withDomain({ chainId: -1 })],
    'a domain described in another order': [
      /does not describe/,
      {
        ...mail,
        types: { ...mailTypes, EIP712Domain: [...(described as readonly Json[])].reverse() },
      },
    ],
    'a domain described with a member it lacks': [
      /does not describe/,
      { ...mail, domain: { name: 'x' } },
    ],
    'an unknown member': [/unknown member "memo"/, withMessage({ ...mail.message, memo: 'x' })],
    'a missing member': [/Mail.from is not an object/, withMessage({ contents: 'x' })],
    'a missing member of a list type': [
      /not a list/,
      typed({ T: [{ name: 'v', type: 'bool[]' }] }, {}),
    ],
    'a list instead of a struct': [/not an object/, withMessage({ ...mail.message, from: [] })],
    'the alias uint': [/unknown type/, one('uint', 1)],
    uint7: [/unknown type/, one('uint7', 1)],
    uint264: [/unknown type/, one('uint264', 1)],
    bytes33: [/unknown type/, one('bytes33', `0x${'00'.repeat(33)}`)],
    bytes0: [/unknown type/, one('bytes0', '0x')],
    'a number that does not fit': [/8 bits/, one('uint8', 256)],
    'a negative number without a sign bit': [/whole number/, one('uint8', -1)],
    'a positive number where the sign bit is': [/8 bits/, one('int8', 128)],
    'a negative number below the least': [/8 bits/, one('int8', '-129')],
    'a number as empty text': [/whole number/, one('uint256', '')],
    'a number with a fraction': [/whole number/, one('uint256', '1.5')],
    'a number of a thousand digits': [/whole number/, one('uint256', '1'.repeat(1000))],
    'a number of 2^256': [/whole number/, one('uint256', String(2n ** 256n))],
    'a truth as a number': [/true or false/, one('bool', 1)],
    'an address with a wrong checksum': [
      /checksum/,
      one('address', '0xcD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826'),
    ],
    'an address that is a name': [/not an address/, one('address', 'vitalik.eth')],
    'bytes4 of three bytes': [/not 4 bytes/, one('bytes4', '0x010203')],
    'bytes4 of five bytes': [/longer than 4/, one('bytes4', '0x0102030405')],
    'bytes without 0x': [/lacks its 0x/, one('bytes', '00')],
    'half a byte': [/not hex/, one('bytes', '0x0')],
    'a list of another length': [/2 items/, one('bool[2]', [true])],
    'a list that is none': [/not a list/, one('bool[]', { 0: true })],
    'a list of no length': [/unknown type/, one('bool[0]', [])],
    'five dimensions': [/dimensions/, one('bool[][][][][]', [])],
    'a number as text': [/not a text/, one('string', 1)],
    'too many values': [
      /more than 10000/,
      one(
        'bool[]',
        Array.from({ length: 10_001 }, () => true),
      ),
    ],
    'structs nested without end': [
      /nested deeper/,
      typed(
        { Node: [{ name: 'children', type: 'Node[]' }] },
        Array.from({ length: 20 }).reduce<JsonObject>((inner) => ({ children: [inner] }), {
          children: [],
        }),
      ),
    ],
  }
  for (const [name, [reason, bad]] of Object.entries(refusals))
    it(name, () => {
      assert.throws(
        () => hashTypedData(bad),
        (error) => isFailure(error, 'request.refused') && reason.test(error.context.reason),
      )
    })

  it('nothing about the largest and smallest numbers that fit', () => {
    for (const [type, value] of [
      ['uint8', 255],
      ['int8', -128],
      ['int8', 127],
      ['uint256', String(2n ** 256n - 1n)],
      ['int256', String(-(2n ** 255n))],
    ] as const)
      assert.equal(hashTypedData(one(type, value)).primaryType, 'T')
  })
})

function typed(types: JsonObject, message: JsonObject): Typed {
  return { types, domain: { name: 'Test' }, message }
}
