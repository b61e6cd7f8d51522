import type { Json, JsonObject } from '@quorate/core/json'
import { type Draw } from './draw.ts'
import { hexText } from './transactions.ts'

export type Typed = {
  readonly types: JsonObject
  readonly domain: JsonObject
  readonly message: JsonObject
}

const atoms = [
  ...(['bool', 'address', 'string', 'bytes', 'bytes1', 'bytes4', 'bytes31', 'bytes32'] as const),
  ...(['uint8', 'uint64', 'uint256', 'int8', 'int128', 'int256'] as const),
] as const
const texts = ['', 'grüße', '日本', 'plain text'] as const

/** Up to four structs, each the member of the one before, so that the first is the primary type. */
export function typedDataFrom(draw: Draw): { typed: Typed; primaryType: string } {
  const names = ['Zeta', 'alpha', 'Mid', '_last'].slice(0, 1 + draw.below(4))
  const types: Record<string, { name: string; type: string }[]> = {}
  const values = new Map<string, () => JsonObject>()
  for (const [i, name] of [...names.entries()].reverse()) {
    const fields = Array.from({ length: 1 + draw.below(4) }, (_, k) => ({
      name: `f${k}`,
      type: draw.one<string>(atoms),
    }))
    for (const [k, other] of names.slice(i + 1).entries())
      fields.push({ name: `s${k}`, type: other })
    for (const field of fields) field.type += draw.one(['', '', '[]', '[2]', '[2][]'])
    types[name] = fields
    values.set(name, () =>
      Object.fromEntries(fields.map((field) => [field.name, valueOf(field.type)])),
    )
  }

  function valueOf(type: string): Json {
    const [, inner, size] = /^(.*)\[(\d*)\]$/.exec(type) ?? []
    if (inner !== undefined)
      return Array.from({ length: size === '' ? draw.below(3) : Number(size) }, () =>
        valueOf(inner),
      )
    return values.get(type)?.() ?? atomFrom(draw, type)
  }

  const [primaryType = ''] = names
  const message = values.get(primaryType)?.() ?? {}
  return { typed: { types, domain: domainFrom(draw), message }, primaryType }
}

function atomFrom(draw: Draw, type: string): Json {
  const bits = Number(/\d+/.exec(type)?.[0] ?? 0)
  if (type === 'bool') return draw.below(2) === 1
  if (type === 'address') return hexText(draw.bytes(20))
  if (type === 'string') return draw.one(texts)
  if (type === 'bytes') return hexText(draw.bytes(draw.below(70)))
  if (type.startsWith('bytes')) return hexText(draw.bytes(bits))
  const size = draw.natural(bits / 8)
  return String(type.startsWith('u') ? size : BigInt.asIntN(bits, size))
}

function domainFrom(draw: Draw): JsonObject {
  return {
    ...(draw.below(2) ? { name: 'Domain' } : {}),
    ...(draw.below(2) ? { version: '2' } : {}),
    chainId: 1 + draw.below(1000),
    ...(draw.below(2) ? { verifyingContract: hexText(draw.bytes(20)) } : {}),
    ...(draw.below(2) ? { salt: hexText(draw.bytes(32)) } : {}),
  }
}
