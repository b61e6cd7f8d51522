import { keccak_256 } from '@noble/hashes/sha3.js'
import { bigToBytes, concat, concatAll, toUtf8 } from '@quorate/core/bytes'
import type { Json } from '@quorate/core/json'
import {
  type Members,
  onlyMembers,
  quoted,
  readHex,
  readMembers,
  readNatural,
  readText,
  refused,
} from '../json.ts'
import { readAddress } from './address.ts'

export type HashedTypedData = {
  readonly digest: Uint8Array
  readonly primaryType: string
  /** Its description with all that it refers to, as it is hashed. */
  readonly typeText: string
  readonly chainId?: bigint
  readonly verifyingContract?: Uint8Array
}

type Field = { readonly name: string; readonly type: Type }
type Type =
  | { readonly kind: 'atom'; readonly text: string; readonly encode: Encode }
  | { readonly kind: 'struct'; readonly text: string }
  | { readonly kind: 'array'; readonly text: string; readonly of: Type; readonly length?: number }
type Encode = (value: Json | undefined, what: string) => Uint8Array
type Schema = ReadonlyMap<string, readonly Field[]>
type HashStruct = (name: string, members: Members) => Uint8Array

/** Far above what contracts define; beyond it, nobody could tell a signer's owner what it signs. */
const typesMax = 64
const fieldsMax = 64
const arrayDimensionsMax = 4
const identifierLengthMax = 64
const nestingMax = 16
/** Struct members and array items together: a fraction of a second of hashing. */
const valuesMax = 10_000
const bytesMax = 128 * 1024
/**
 * Descriptions of types together, each with all that it refers to: far above the largest order of a
 * marketplace (some 1,000 characters). Types that refer to each other would square the payload's size.
 */
const typeTextsMax = 64 * 1024

/** The standard's order, "Definition of domainSeparator". */
const domainTypes = {
  name: 'string',
  version: 'string',
  chainId: 'uint256',
  verifyingContract: 'address',
  salt: 'bytes32',
} as const
const domainType = 'EIP712Domain'

/**
 * EIP-712. The API carries no `primaryType`: it is the one type that no other type refers to, and
 * where that leaves a choice nothing is signed.
 * @throws Failure `request.refused`
 */
export function hashTypedData(typed: {
  readonly types: Json
  readonly domain: Json
  readonly message: Json
}): HashedTypedData {
  const definitions = readMembers(typed.types, 'types')
  const domain = readMembers(typed.domain, 'domain')
  const domainSchema = readDomainSchema(domain, definitions.get(domainType))
  const schema = readSchema(definitions)
  const primaryType = primaryTypeOf(schema)
  const separator = structHasher(domainSchema)(domainType, domain)
  const message = structHasher(schema)(primaryType, readMembers(typed.message, 'message'))
  const contract = domain.get('verifyingContract')
  const verifyingContract = typeof contract === 'string' ? readAddress(contract) : undefined
  return {
    digest: keccak_256(concat(new Uint8Array([0x19, 0x01]), separator, message)),
    primaryType,
    typeText: encodeType(primaryType, schema),
    ...(domain.has('chainId') ? { chainId: readNatural(domain.get('chainId'), 'chainId') } : {}),
    ...(verifyingContract === undefined ? {} : { verifyingContract }),
  }
}

/** The domain's members in the standard's order. A definition beside them may only repeat that. */
function readDomainSchema(domain: Members, defined: Json | undefined): Schema {
  const names = Object.entries(domainTypes).filter(([name]) => domain.has(name))
  if (names.length === 0) throw refused('the domain is empty')
  const fields = names.map(([name, type]) => ({ name, type: readType(type, new Set()) }))
  if (defined !== undefined) {
    const given = readFields(domainType, defined, new Set())
    const text = (list: readonly Field[]): string => list.map(fieldText).join()
    if (text(given) !== text(fields)) throw refused(`${domainType} does not describe the domain`)
  }
  return new Map([[domainType, fields]])
}

function readSchema(definitions: Members): Schema {
  const names = [...definitions.keys()].filter((name) => name !== domainType)
  if (names.length > typesMax) throw refused(`more than ${typesMax} types`)
  for (const name of names)
    if (!isIdentifier(name) || atomOf(name) !== undefined)
      throw refused(`a type cannot be named ${quoted(name)}`)
  const structs = new Set(names)
  return new Map(names.map((name) => [name, readFields(name, definitions.get(name), structs)]))
}

function readFields(
  owner: string,
  value: Json | undefined,
  structs: ReadonlySet<string>,
): readonly Field[] {
  if (!Array.isArray(value) || value.length > fieldsMax)
    throw refused(`the type ${quoted(owner)} is not a list of at most ${fieldsMax} members`)
  const fields = value.map((item: Json): Field => {
    const members = readMembers(item, `a member of ${quoted(owner)}`)
    onlyMembers(members, `a member of ${quoted(owner)}`, ['name', 'type'])
    const name = readText(members.get('name'), 'a name', identifierLengthMax)
    if (!isIdentifier(name)) throw refused(`a member cannot be named ${quoted(name)}`)
    return { name, type: readType(readText(members.get('type'), 'a type', 256), structs) }
  })
  if (new Set(fields.map(({ name }) => name)).size !== fields.length)
    throw refused(`the type ${quoted(owner)} has two members of one name`)
  return fields
}

function readType(text: string, structs: ReadonlySet<string>): Type {
  const [, base = '', suffix = ''] = /^([^[\]]+)((?:\[(?:[1-9][0-9]{0,4})?\])*)$/.exec(text) ?? []
  const encode = atomOf(base)
  if (encode === undefined && !structs.has(base)) throw refused(`unknown type ${quoted(text)}`)
  const inner: Type =
    encode === undefined ? { kind: 'struct', text: base } : { kind: 'atom', text: base, encode }
  const dimensions = [...suffix.matchAll(/\[([0-9]*)\]/g)].map(([, size = '']) => size)
  if (dimensions.length > arrayDimensionsMax) throw refused(`too many dimensions: ${quoted(text)}`)
  return dimensions.reduce<Type>(
    (of, size) => ({
      kind: 'array',
      text: `${of.text}[${size}]`,
      of,
      ...(size === '' ? {} : { length: Number(size) }),
    }),
    inner,
  )
}

function primaryTypeOf(schema: Schema): string {
  const referred = new Set<string>()
  for (const [owner, fields] of schema)
    for (const { type } of fields) {
      const name = baseOf(type)
      if (name !== owner) referred.add(name)
    }
  const [primary, ...others] = [...schema.keys()].filter((name) => !referred.has(name))
  if (primary === undefined || others.length > 0)
    throw refused('the primary type is not unique: exactly one type must be unused by the others')
  return primary
}

/** The hash of a struct, "Definition of hashStruct". One hasher has one budget of each kind. */
function structHasher(schema: Schema): HashStruct {
  const typeHashes = new Map<string, Uint8Array>()
  let valuesLeft = valuesMax
  let typeTextLeft = typeTextsMax

  function typeHash(name: string): Uint8Array {
    const known = typeHashes.get(name)
    if (known !== undefined) return known
    const text = encodeType(name, schema)
    typeTextLeft -= text.length
    if (typeTextLeft < 0) throw refused(`types described in more than ${typeTextsMax} characters`)
    const hash = keccak_256(toUtf8(text))
    typeHashes.set(name, hash)
    return hash
  }

  function hashStruct(name: string, members: Members, depth: number): Uint8Array {
    const fields = schema.get(name) ?? []
    const names = fields.map((field) => field.name)
    onlyMembers(members, name, names)
    const encoded = fields.map(({ name: member, type }) =>
      encodeValue(type, members.get(member), `${name}.${member}`, depth + 1),
    )
    return keccak_256(concat(typeHash(name), ...encoded))
  }

  function encodeValue(
    type: Type,
    value: Json | undefined,
    what: string,
    depth: number,
  ): Uint8Array {
    if (depth > nestingMax) throw refused(`nested deeper than ${nestingMax}`)
    if (--valuesLeft < 0) throw refused(`more than ${valuesMax} values`)
    if (type.kind === 'atom') return type.encode(value, what)
    if (type.kind === 'struct') return hashStruct(type.text, readMembers(value, what), depth)
    if (!Array.isArray(value)) throw refused(`${what} is not a list`)
    if (type.length !== undefined && value.length !== type.length)
      throw refused(`${what} does not have ${type.length} items`)
    return keccak_256(concatAll(value.map((item) => encodeValue(type.of, item, what, depth + 1))))
  }

  return (name, members) => hashStruct(name, members, 0)
}

/** "Definition of encodeType": the struct itself, then all it refers to, by name. */
function encodeType(name: string, schema: Schema): string {
  const found = new Set<string>()
  const pending = [name]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next)) continue
    found.add(next)
    for (const { type } of schema.get(next) ?? [])
      if (schema.has(baseOf(type))) pending.push(baseOf(type))
  }
  found.delete(name)
  // Names are ASCII, so that the default order is the order of their bytes.
  return [name, ...[...found].sort()]
    .map((each) => `${each}(${(schema.get(each) ?? []).map(fieldText).join(',')})`)
    .join('')
}

/** "Definition of encodeData" for everything that is no struct and no array. */
function atomOf(text: string): Encode | undefined {
  if (text === 'string') return (value, what) => keccak_256(toUtf8(readText(value, what, bytesMax)))
  if (text === 'bytes') return (value, what) => keccak_256(readPrefixed(value, what, bytesMax))
  if (text === 'bool') return encodeBool
  if (text === 'address') return encodeAddress
  const [, kind, digits] = /^(u?int|bytes)([1-9][0-9]{0,2})$/.exec(text) ?? []
  const size = Number(digits)
  if (kind === 'bytes' && size <= 32) return (value, what) => encodeFixed(value, what, size)
  if (size % 8 !== 0 || size > 256) return undefined
  if (kind === 'uint') return (value, what) => encodeUint(value, what, size)
  if (kind === 'int') return (value, what) => encodeInt(value, what, size)
  return undefined
}

function encodeBool(value: Json | undefined, what: string): Uint8Array {
  if (typeof value !== 'boolean') throw refused(`${what} is not true or false`)
  return bigToBytes(value ? 1n : 0n, 32)
}

function encodeAddress(value: Json | undefined, what: string): Uint8Array {
  const address = typeof value === 'string' ? readAddress(value) : undefined
  if (address === undefined) throw refused(`${what} is not an address, or its checksum is wrong`)
  return concat(new Uint8Array(12), address)
}

function encodeFixed(value: Json | undefined, what: string, size: number): Uint8Array {
  const bytes = readPrefixed(value, what, size)
  if (bytes.length !== size) throw refused(`${what} is not ${size} bytes`)
  return concat(bytes, new Uint8Array(32 - size))
}

function encodeUint(value: Json | undefined, what: string, bits: number): Uint8Array {
  const natural = readNatural(value, what)
  if (natural >= 2n ** BigInt(bits)) throw refused(`${what} does not fit in ${bits} bits`)
  return bigToBytes(natural, 32)
}

/** Two's complement over 32 bytes. */
function encodeInt(value: Json | undefined, what: string, bits: number): Uint8Array {
  const [negative, magnitude] = signOf(value)
  const size = readNatural(magnitude, what)
  const half = 2n ** BigInt(bits - 1)
  if (size > (negative ? half : half - 1n)) throw refused(`${what} does not fit in ${bits} bits`)
  return bigToBytes(BigInt.asUintN(256, negative ? -size : size), 32)
}

/**
 * Only a number or a text has a sign. Nothing else is ever turned into a text to look for one: it
 * may not have a text, or have that of a number.
 */
function signOf(value: Json | undefined): readonly [boolean, Json | undefined] {
  if (typeof value === 'number') return [value < 0, Math.abs(value)]
  if (typeof value !== 'string') return [false, value]
  const isNegative = /^-[0-9]/.test(value)
  return [isNegative, isNegative ? value.slice(1) : value]
}

function readPrefixed(value: Json | undefined, what: string, sizeMax: number): Uint8Array {
  // Without the prefix, "00" might be meant as two characters.
  if (typeof value !== 'string' || !value.startsWith('0x')) throw refused(`${what} lacks its 0x`)
  return readHex(value, what, sizeMax)
}

function baseOf(type: Type): string {
  return type.kind === 'array' ? baseOf(type.of) : type.text
}

function fieldText({ name, type }: Field): string {
  return `${type.text} ${name}`
}

/** What Solidity takes as a name. Anything more could forge the commas of `encodeType`. */
function isIdentifier(name: string): boolean {
  return name.length <= identifierLengthMax && /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name)
}
