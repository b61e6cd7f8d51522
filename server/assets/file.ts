import { evm } from '@quorate/chains/evm/index'
import { isFailure } from '@quorate/core/failure'
import { isObject, parseFile, type Json } from '@quorate/core/json'

/** A token that the operator vouches for, once its contract says the same. */
export type Listing = {
  readonly network: string
  /** With its checksum. */
  readonly contract: string
  readonly kind: 'Erc20' | 'Erc721' | 'Erc1155'
  readonly symbol: string
  /** Of coins alone. */
  readonly decimals: number | null
}

/** Of each network: a wallet's assets are asked for all of its coins. */
const listingsMax = 200
const decimalsMax = 36
/** Letters, digits, marks and spaces, as of what contracts say: nothing that turns around or hides. */
const symbolForm = /^[\p{L}\p{N}\p{P}\p{S} ]{1,32}$/u
const kinds = ['Erc20', 'Erc721', 'Erc1155'] as const

/**
 * Reads what `SERVER_ASSETS_FILE` holds:
 * `{"Base": [{"kind": "Erc20", "contract": "0x…", "symbol": "USDC", "decimals": 6}]}`.
 * @param isNetwork whether there is one of this name
 * @throws Error with every mistake at once
 */
export function readListings(
  text: string,
  isNetwork: (network: string) => boolean,
): readonly Listing[] {
  const mistakes: string[] = []
  const listings = Object.entries(parseFile(text, 'file of assets')).flatMap(([network, list]) => {
    const read = isNetwork(network)
      ? listingsOf(network, list)
      : { mistakes: ['there is no such network'], listings: [] }
    mistakes.push(...read.mistakes.map((mistake) => `${network}: ${mistake}`))
    return read.listings
  })
  if (mistakes.length > 0)
    throw new Error(`The file of assets is wrong.\n  ${mistakes.join('\n  ')}`)
  return listings
}

type Read = { readonly mistakes: readonly string[]; readonly listings: readonly Listing[] }

function listingsOf(network: string, list: Json): Read {
  if (!Array.isArray(list) || list.length > listingsMax)
    return { mistakes: [`not a list of at most ${listingsMax} assets`], listings: [] }
  const mistakes: string[] = []
  const listings = new Map<string, Listing>()
  for (const [i, value] of list.entries()) {
    const listing = listingOf(network, value)
    const wrong = (what: string) => mistakes.push(`asset ${i + 1}: ${what}`)
    if (typeof listing === 'string') wrong(listing)
    else if (listings.has(listing.contract)) wrong('its contract is there twice')
    else listings.set(listing.contract, listing)
  }
  return { mistakes, listings: [...listings.values()] }
}

/** @returns what is wrong with it, if anything is */
function listingOf(network: string, value: Json): Listing | string {
  if (!isObject(value)) return 'not an object'
  const { kind, contract, symbol, decimals, ...others } = value
  const known = kinds.find((one) => one === kind)
  const address = contractOf(contract)
  if (known === undefined) return `kind is none of ${kinds.join(', ')}`
  if (address === undefined) return 'contract is not an address'
  if (typeof symbol !== 'string' || !symbolForm.test(symbol)) return 'symbol cannot be shown'
  const [surprise] = Object.keys(others)
  if (surprise !== undefined) return `${surprise} is not known`
  const common = { network, contract: address, kind: known, symbol }
  if (known !== 'Erc20')
    return decimals === undefined ? { ...common, decimals: null } : 'only coins have decimals'
  const isCount = typeof decimals === 'number' && decimals >= 0 && decimals <= decimalsMax
  return isCount ? { ...common, decimals } : `decimals is not a number from 0 to ${decimalsMax}`
}

function contractOf(contract: Json | undefined): string | undefined {
  try {
    return typeof contract === 'string' ? evm.parseAddress(contract) : undefined
  } catch (error) {
    if (isFailure(error, 'address.malformed')) return undefined
    throw error
  }
}
