import { isFailure } from '@quorate/core/failure'
import { isObject, parseJson, type Json, type JsonObject } from '@quorate/core/json'

/** Which node to ask about a network, by the network's id. */
export type Nodes = ReadonlyMap<
  string,
  {
    /** May carry a provider's key. */
    readonly rpcUrl: string
    /** Blocks after which a transaction is settled, its own counted, if not the network's usual. */
    readonly confirmations?: number
  }
>

/** No chain needs as many; past it, somebody has mistaken the unit. */
const confirmationsMax = 10_000

/**
 * Reads what `SERVER_NODES_FILE` holds: `{"EthereumSepolia": {"rpcUrl": "http://…", "confirmations": 2}}`.
 * @param known the networks there are
 * @throws Error with every mistake at once, and without any address
 */
export function readNodes(text: string, known: (network: string) => boolean): Nodes {
  const mistakes: string[] = []
  const entries = Object.entries(objectOf(text)).map(([network, node]) => {
    const found = known(network) ? mistakesIn(node) : ['there is no such network']
    mistakes.push(...found.map((mistake) => `${network}: ${mistake}`))
    return [network, node] as const
  })
  if (mistakes.length > 0)
    throw new Error(`The file of nodes is wrong.\n  ${mistakes.join('\n  ')}`)
  return new Map(entries as [string, Nodes extends ReadonlyMap<string, infer N> ? N : never][])
}

function objectOf(text: string): JsonObject {
  const value = parsed(text)
  if (!isObject(value)) throw new Error('The file of nodes is not a JSON object.')
  return value
}

function parsed(text: string): Json {
  try {
    return parseJson(text)
  } catch (error) {
    if (!isFailure(error, 'json.malformed')) throw error
    throw new Error(`The file of nodes is not JSON: ${error.context.reason}.`)
  }
}

function mistakesIn(node: Json): string[] {
  if (!isObject(node)) return ['not an object']
  const { rpcUrl, confirmations, ...others } = node
  const isUrl = typeof rpcUrl === 'string' && /^https?:/.test(rpcUrl) && URL.canParse(rpcUrl)
  const isCount =
    confirmations === undefined ||
    (typeof confirmations === 'number' && confirmations >= 1 && confirmations <= confirmationsMax)
  return [
    ...(isUrl ? [] : ['rpcUrl is not the address of a node']),
    ...(isCount ? [] : [`confirmations is not a number from 1 to ${confirmationsMax}`]),
    ...Object.keys(others).map((name) => `${name} is not known`),
  ]
}
