import { readFileSync } from 'node:fs'
import type { OwnNetwork } from '@quorate/authority/manifest'
import { isObject, parseFile, type Json } from '@quorate/core/json'
import { isAddress } from 'viem'

/**
 * Networks of an operator's own, for a manifest that is to be made:
 * `{"MyChain": {"chainId": 777001, "feeCeiling": "1000000000000000000", "legacy": false}}`, and
 * `"nativeContract": {"address": "0x…", "units": "1"}` where a contract's ERC-20 calls move the coin itself.
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
        'units of 10^-18 as text, and may be legacy; a nativeContract has an address and its units in the coin’s.',
    )
  return networks.flatMap(([, network]) => network ?? [])
}

function networkIn(id: string, entry: Json): OwnNetwork | undefined {
  if (!isObject(entry)) return undefined
  const { chainId, feeCeiling, legacy = false, nativeContract: said, ...others } = entry
  const nativeContract = said === undefined ? undefined : contractIn(said)
  const isWhole =
    typeof chainId === 'number' &&
    typeof feeCeiling === 'string' &&
    /^[1-9][0-9]{0,76}$/.test(feeCeiling) &&
    typeof legacy === 'boolean' &&
    (said === undefined || nativeContract !== undefined) &&
    Object.keys(others).length === 0
  if (!isWhole) return undefined
  const network = { id, chainId, feeCeiling: BigInt(feeCeiling), legacy }
  return nativeContract === undefined ? network : { ...network, nativeContract }
}

/** A slip in the address would have limits on the coin miss what leaves by it: a checksum is held to. */
function contractIn(said: Json): OwnNetwork['nativeContract'] {
  if (!isObject(said)) return undefined
  const { address, units, ...others } = said
  const isWhole =
    typeof address === 'string' &&
    isAddress(address) &&
    typeof units === 'string' &&
    /^[1-9][0-9]{0,18}$/.test(units) &&
    Object.keys(others).length === 0
  return isWhole ? { address: address.toLowerCase(), units: BigInt(units) } : undefined
}
