import { isFailure } from '@quorate/core/failure'
import { isObject, type Json, type JsonObject, parseJson } from '@quorate/core/json'
import type { Opinions, Outflow, Price } from '@quorate/core/outflow'
import { isAssetName, isText, textLengthMax } from './bounds.ts'
import { textToMicros } from './decimal.ts'
import { decimalsMax } from './worth.ts'

/**
 * What an operator lets its own server or signer know of the world: a JSON text such as
 * `vectors/facts.json`.
 *
 * `price` is of `10 ** decimals` of the smallest unit. `denied` is a whole list: whoever is not on it
 * has been looked at and passed, at the time that it names. Without it nobody has looked.
 */
export type FactFile = {
  readonly prices: readonly Price[]
  readonly denied: DenyList | undefined
}
type DenyList = {
  readonly source: string
  readonly at: number
  readonly addresses: ReadonlySet<string>
}

export type ReadFacts =
  | { readonly ok: true; readonly file: FactFile }
  | { readonly ok: false; readonly reason: string }

/** Room for the longest list below. */
export const factFileLengthMax = 4 * 1024 * 1024
/** Of assets, each from a few sources. */
const pricesMax = 1_024
/** The public lists of sanctions hold some hundred addresses, lists of known thefts thousands. */
const deniedMax = 25_000
const sourceLengthMax = 64

/** Strict: of a file with one mistake nothing counts, and every rule that needs it is triggered. */
export function readFacts(text: string): ReadFacts {
  if (text.length > factFileLengthMax) return { ok: false, reason: 'the file is too long' }
  try {
    const names = ['format', 'prices', 'denied']
    const { format, prices, denied } = objectOf(parseJson(text), 'the file', names)
    if (format !== 'quorate.facts.1') throw refused('format is not quorate.facts.1')
    const read = listOf(prices, { what: 'prices', countMax: pricesMax }).map(priceOf)
    const sources = new Set(read.map(({ asset, source }) => JSON.stringify([asset, source])))
    if (sources.size !== read.length) throw refused('a source has two prices of one asset')
    const list = denied === undefined ? undefined : denyListOf(denied)
    return { ok: true, file: { prices: read, denied: list } }
  } catch (error) {
    if (error instanceof Refused) return { ok: false, reason: error.message }
    if (isFailure(error, 'json.malformed')) return { ok: false, reason: error.context.reason }
    throw error
  }
}

/** Of all that the file says, what is about this. */
export function factsAbout({ prices, denied }: FactFile, { movements, fee }: Outflow): Opinions {
  const assets = new Set([...movements, ...(fee === undefined ? [] : [fee])].map(assetOf))
  const recipients = [...new Set(movements.map(({ to }) => to))]
  return {
    prices: prices.filter(({ asset }) => assets.has(asset)),
    screenings:
      denied === undefined
        ? []
        : recipients.map((address) => {
            const { source, at, addresses } = denied
            return { address, isListed: addresses.has(address), source, at }
          }),
  }
}

const assetOf = ({ asset }: { readonly asset: string }) => asset

function priceOf(value: Json): Price {
  const names = ['asset', 'currency', 'price', 'decimals', 'source', 'at']
  const { asset, currency, price, decimals, source, at } = objectOf(value, 'a price', names)
  if (typeof asset !== 'string' || !isAssetName(asset)) throw refused('asset is not one')
  if (currency !== 'USD') throw refused(`currency of ${asset} is not USD`)
  const micros = typeof price === 'string' ? textToMicros(price) : undefined
  if (micros === undefined || micros === 0n)
    throw refused(`price of ${asset} is not a positive decimal of at most six places`)
  if (typeof decimals !== 'number' || decimals < 0 || decimals > decimalsMax)
    throw refused(`decimals of ${asset} are not 0 to ${decimalsMax}`)
  return { asset, currency, micros, decimals, source: sourceOf(source), at: timeOf(at) }
}

function denyListOf(value: Json): DenyList {
  const { source, at, addresses } = objectOf(value, 'denied', ['source', 'at', 'addresses'])
  const listed = listOf(addresses, { what: 'addresses', countMax: deniedMax })
  return {
    source: sourceOf(source),
    at: timeOf(at),
    addresses: new Set(listed.map(addressOf)),
  }
}

/** Lists are published with checksums, and on EVM case says nothing else (EIP-55). */
function addressOf(value: Json): string {
  if (typeof value !== 'string' || !isText(value, textLengthMax))
    throw refused('an entry of addresses is not an address')
  return /^0x[0-9a-f]{40}$/i.test(value) ? value.toLowerCase() : value
}

function sourceOf(value: Json | undefined): string {
  if (typeof value !== 'string' || !isText(value, sourceLengthMax))
    throw refused(`source is not 1 to ${sourceLengthMax} characters`)
  return value
}

/** UTC to the second: any other way of writing a time would leave something to whoever reads it. */
function timeOf(value: Json | undefined): number {
  const written = typeof value === 'string' && /^\d{4}(?:-\d\d){2}T(?:\d\d:){2}\d\dZ$/.test(value)
  const time = written ? Date.parse(value) : Number.NaN
  if (!written || Number.isNaN(time) || time < 0 || textOfTime(time) !== value)
    throw refused('at is not a time such as 2026-01-31T12:00:00Z')
  return time
}

const textOfTime = (time: number) => new Date(time).toISOString().replace('.000Z', 'Z')

function objectOf(value: Json | undefined, what: string, names: readonly string[]): JsonObject {
  if (!isObject(value)) throw refused(`${what} is not an object`)
  const unknown = Object.keys(value).find((name) => !names.includes(name))
  if (unknown !== undefined)
    throw refused(`${what} has an unknown member ${JSON.stringify(unknown.slice(0, 64))}`)
  return value
}

function listOf(
  value: Json | undefined,
  { what, countMax }: { readonly what: string; readonly countMax: number },
): readonly Json[] {
  if (!Array.isArray(value) || value.length > countMax)
    throw refused(`${what} is not a list of at most ${countMax} entries`)
  return value
}

/** Never leaves this file. */
class Refused extends Error {}

function refused(reason: string): Refused {
  return new Refused(reason)
}
