import { isObject, parseFile, type Json } from '@quorate/core/json'

/** Which nodes to ask about a network, by the network's id. */
export type Nodes = ReadonlyMap<string, NetworkNodes>

/** One of the two names its nodes, if there are any; any address may carry a provider's key. */
export type NetworkNodes = {
  readonly rpcUrl?: string
  /** In the order in which they are asked. */
  readonly rpcUrls?: readonly string[]
  /** How many of several must say the same before it counts for money; 1 if nothing is said. */
  readonly agree?: number
  /** How many of several may say otherwise than all the others, and are not believed; none if nothing is said. */
  readonly outvoted?: number
  /** Blocks after which a transaction is settled, its own counted, if not the network's usual. */
  readonly confirmations?: number
  /** What a network of the operators' own is called, and its native asset. */
  readonly name?: string
  readonly symbol?: string
  /** Down to where a chain is read. */
  readonly firstBlock?: number
}

/** Each is asked whatever counts for money. */
const nodesMax = 8
/** No chain needs as many; past it, somebody has mistaken the unit. */
const confirmationsMax = 10_000

/** Two million years of the quickest chains. */
const firstBlockMax = Number.MAX_SAFE_INTEGER

/**
 * Reads what `SERVER_NODES_FILE` holds: `{"EthereumSepolia": {"rpcUrl": "http://…", "confirmations": 2}}`, or
 * several: `{"Base": {"rpcUrls": ["https://…", "https://…"], "agree": 2}}`.
 * A network that the manifest names as the operators' own also has its words: `{"MyChain": {"rpcUrl": "http://…",
 * "name": "My Chain", "symbol": "MINE", "confirmations": 5}}`; where they are all there is, what was done there is
 * shown by them, and nothing more is done.
 * @param kindOf the networks there are
 * @throws Error with every mistake at once, and without any address
 */
export function readNodes(text: string, kindOf: (network: string) => NetworkKind): Nodes {
  const mistakes: string[] = []
  const entries = Object.entries(parseFile(text, 'file of nodes')).map(([network, node]) => {
    const kind = kindOf(network)
    const found = kind === undefined ? ['there is no such network'] : mistakesIn(node, kind)
    mistakes.push(...found.map((mistake) => `${network}: ${mistake}`))
    return [network, node] as const
  })
  if (mistakes.length > 0)
    throw new Error(`The file of nodes is wrong.\n  ${mistakes.join('\n  ')}`)
  return new Map(entries as [string, NetworkNodes][])
}

/** In the order in which they are asked. */
export function urlsOf({ rpcUrl, rpcUrls = [] }: NetworkNodes): readonly string[] {
  return rpcUrl === undefined ? rpcUrls : [rpcUrl]
}

/** Could somebody on the way change what the node says? On this machine nobody is on the way. */
export function isInTheClear(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  const isHere = /^(127\.[0-9.]+|\[::1\]|localhost)$/.test(hostname)
  return protocol === 'http:' && !isHere
}

/** Of the tables, of the manifest, or none. */
export type NetworkKind = 'known' | 'own' | undefined

function mistakesIn(node: Json, kind: NetworkKind): string[] {
  if (!isObject(node)) return ['not an object']
  const { name, symbol, ...nodes } = node
  const { rpcUrl, rpcUrls, agree, outvoted, confirmations, firstBlock, ...others } =
    kind === 'own' ? nodes : node
  const count = Array.isArray(rpcUrls) ? rpcUrls.length : 1
  return [
    ...(kind === 'own' ? mistakesInWords({ name, symbol, confirmations }) : []),
    ...(namesNodes(kind, { rpcUrl, rpcUrls }) ? [] : ['either rpcUrl or rpcUrls names its nodes']),
    ...(rpcUrl === undefined || isUrl(rpcUrl) ? [] : ['rpcUrl is not the address of a node']),
    ...(rpcUrls === undefined || isListOfUrls(rpcUrls)
      ? []
      : [`rpcUrls is not a list of 1 to ${nodesMax} addresses, each there once`]),
    ...(agree === undefined || isCount(agree, count)
      ? []
      : ['agree is not a number from 1 to that of the nodes']),
    ...(outvoted === undefined || isCount(outvoted, (count - 1) >> 1)
      ? []
      : ['outvoted is not a number of nodes, from 1, that is less than half of them']),
    ...(confirmations === undefined || isCount(confirmations, confirmationsMax)
      ? []
      : [`confirmations is not a number from 1 to ${confirmationsMax}`]),
    ...(firstBlock === undefined || firstBlock === 0 || isCount(firstBlock, firstBlockMax)
      ? []
      : ['firstBlock is not the number of a block']),
    ...Object.keys(others).map((name) => `${name} is not known`),
  ]
}

/** Only of a network of the operators' own may there be words alone. */
function namesNodes(
  kind: NetworkKind,
  { rpcUrl, rpcUrls }: { readonly [Name in 'rpcUrl' | 'rpcUrls']: Json | undefined },
): boolean {
  if (rpcUrl === undefined && rpcUrls === undefined) return kind === 'own'
  return rpcUrl === undefined || rpcUrls === undefined
}

/** Nobody else can say what a network of the operators' own is called, nor when to take it as settled. */
function mistakesInWords(words: {
  readonly [Name in 'name' | 'symbol' | 'confirmations']: Json | undefined
}): string[] {
  const { name, symbol, confirmations } = words
  return [
    ...(typeof name === 'string' && /^[!-~]( ?[!-~]){0,63}$/.test(name) ? [] : ['it has no name']),
    ...(typeof symbol === 'string' && /^[A-Za-z0-9.]{1,16}$/.test(symbol)
      ? []
      : ['its asset has no symbol']),
    ...(confirmations === undefined ? ['it does not say after how many confirmations'] : []),
  ]
}

function isUrl(value: Json): boolean {
  return typeof value === 'string' && /^https?:/.test(value) && URL.canParse(value)
}

/** One node that is named twice would agree with itself. */
function isListOfUrls(value: Json): boolean {
  return (
    Array.isArray(value) &&
    value.length >= 1 &&
    value.length <= nodesMax &&
    value.every(isUrl) &&
    new Set(value.map((url) => new URL(String(url)).href)).size === value.length
  )
}

function isCount(value: Json, max: number): boolean {
  return typeof value === 'number' && value >= 1 && value <= max
}
