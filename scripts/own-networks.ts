import { readFileSync } from 'node:fs'
import type { OwnNetwork } from '@quorate/authority/manifest'
import { isFailure } from '@quorate/core/failure'
import { isObject, parseJson, type Json } from '@quorate/core/json'

/**
 * Networks of an operator's own, for a manifest that is to be made:
 * `{"MyChain": {"chainId": 777001, "feeCeiling": "1000000000000000000", "legacy": false}}`.
 *
 * @param file empty: there are none
 * @throws Error with every mistake at once
 */
export function readOwnNetworks(file: string): readonly OwnNetwork[] {
  if (file === '') return []
  const read = parsed(readFileSync(file, 'utf8'))
  if (!isObject(read)) throw new Error('The file of own networks is not a JSON object.')
  const networks = Object.entries(read).map(([id, entry]) => [id, networkIn(id, entry)] as const)
  const wrong = networks.flatMap(([id, network]) => (network === undefined ? [id] : []))
  if (wrong.length > 0)
    throw new Error(
      `The file of own networks is wrong at ${wrong.join(', ')}: each has a chainId, a feeCeiling in ` +
        'units of 10^-18 as text, and may be legacy.',
    )
  return networks.flatMap(([, network]) => network ?? [])
}

function parsed(text: string): Json {
  try {
    return parseJson(text)
  } catch (error) {
    if (!isFailure(error, 'json.malformed')) throw error
    throw new Error(`The file of own networks is not JSON: ${error.context.reason}.`)
  }
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
