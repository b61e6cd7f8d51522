import { readFileSync } from 'node:fs'
import type { OwnNetwork } from '@quorate/authority/manifest'
import { isObject, parseFile, type Json } from '@quorate/core/json'

/**
 * Networks of an operator's own, for a manifest that is to be made:
 * `{"MyChain": {"chainId": 777001, "feeCeiling": "1000000000000000000", "legacy": false}}`.
 *
 * @param file empty: nothing is said of them
 * @throws Error with every mistake at once
 */
export function readOwnNetworks(file: string): readonly OwnNetwork[] | undefined {
  if (file === '') return undefined
  const read = parseFile(readFileSync(file, 'utf8'), 'file of own networks')
  const networks = Object.entries(read).map(([id, entry]) => [id, networkIn(id, entry)] as const)
  const wrong = networks.flatMap(([id, network]) => (network === undefined ? [id] : []))
  if (wrong.length > 0)
    throw new Error(
      `The file of own networks is wrong at ${wrong.join(', ')}: each has a chainId, a feeCeiling in ` +
        'units of 10^-18 as text, and may be legacy.',
    )
  return networks.flatMap(([, network]) => network ?? [])
}

function networkIn(id: string, entry: Json): OwnNetwork | undefined {
  if (!isObject(entry)) return undefined
  const { chainId, feeCeiling, legacy = false, ...others } = entry
  const isWhole =
    typeof chainId === 'number' &&
    typeof feeCeiling === 'string' &&
    /^[1-9][0-9]{0,76}$/.test(feeCeiling) &&
    typeof legacy === 'boolean' &&
    Object.keys(others).length === 0
  return isWhole ? { id, chainId, feeCeiling: BigInt(feeCeiling), legacy } : undefined
}
