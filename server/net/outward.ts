import http from 'node:http'
import https from 'node:https'
import { BlockList, isIP } from 'node:net'
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { concatAll, fromUtf8 } from '@quorate/core/bytes'
import { openNames, type Address, type Resolve } from './names.ts'

/** For addresses that customers choose: of identity providers, of receivers of events. */
export type OutwardFetch = (ask: OutwardRequest) => Promise<OutwardAnswer>

export type OutwardRequest = {
  readonly url: string
  readonly method: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** From the first look at the name to the last byte of the answer that counts. */
  readonly timeoutMs: number
} & (
  | { readonly answerBytesMax: number; readonly isCut?: false }
  /** Only status and headers count: no text is waited for, and the connection ends a moment later. */
  | { readonly isCut: true }
)

export type OutwardAnswer =
  | {
      readonly ok: true
      readonly status: number
      readonly headers: Readonly<http.IncomingHttpHeaders>
      readonly text: string
    }
  | { readonly ok: false; readonly why: NoAnswer }

/** Enough for whoever set the address up; a stranger is told none of it, or he could map a network. */
export type NoAnswer =
  | 'url-refused'
  | 'name-unknown'
  | 'address-refused'
  | 'no-connection'
  | 'too-slow'
  | 'too-large'

export type Surroundings = {
  /**
   * Networks of one's own that may be reached all the same, such as `10.1.0.0/16`. Plain HTTP is
   * spoken to loopback alone, and only when that is in the list.
   */
  readonly networks?: readonly string[]
  /** Whom to believe about certificates besides the usual authorities, PEM. */
  readonly authorities?: readonly string[]
  readonly resolve?: Resolve
}

/** One for the process: whoever asks for the same name waits for the same answer. */
const resolveName = openNames()

/** Reaches the public internet and nothing else. */
export const outwardFetch = openOutward({})

/**
 * A name is resolved once, all its addresses are judged, and the connection goes to one of those: a
 * name that means something else a moment later gains nothing. Redirects are answers like any other.
 *
 * @throws Error when a network of `surroundings` is none
 */
export function openOutward(surroundings: Surroundings): OutwardFetch {
  const { networks = [], authorities = [], resolve = resolveName } = surroundings
  const own = networksOf(networks)
  const trusted = trustedBesides(authorities)
  return async (ask) => {
    const url = outwardUrl(ask.url)
    if (url === undefined) return { ok: false, why: 'url-refused' }
    const deadline = AbortSignal.timeout(ask.timeoutMs)
    const addresses = await addressesOf(resolve(nameOf(url)), deadline)
    if (addresses.length === 0)
      return { ok: false, why: deadline.aborted ? 'too-slow' : 'name-unknown' }
    if (!addresses.every((one) => isReachable(url, own, one)))
      return { ok: false, why: 'address-refused' }
    return exchange(ask, { url, addresses, trusted, deadline })
  }
}

/**
 * What is certain of an address before its name is looked up: for whoever is about to keep it. What
 * passes may be refused all the same when it is used.
 */
export function refusalOf(
  text: string,
  { networks = [] }: Pick<Surroundings, 'networks'>,
): NoAnswer | undefined {
  const url = outwardUrl(text)
  if (url === undefined) return 'url-refused'
  const own = networksOf(networks)
  const address = nameOf(url)
  if (isIP(address) !== 0)
    return isReachable(url, own, { address, family: isIP(address) }) ? undefined : 'address-refused'
  const mayBePlain = ['127.0.0.1', '::1'].some((one) => isIn(own, { address: one, family: 0 }))
  return url.protocol === 'https:' || mayBePlain ? undefined : 'url-refused'
}

type Trusted = { readonly secureContext?: SecureContext }

/** Made once: to read all the usual authorities takes tens of milliseconds. */
function trustedBesides(authorities: readonly string[]): Trusted {
  if (authorities.length === 0) return {}
  // Named alone, they would stand in the place of the usual ones.
  const ca = [...getCACertificates('default'), ...authorities]
  return { secureContext: createSecureContext({ ca }) }
}

function isReachable({ protocol }: URL, own: BlockList, one: Address): boolean {
  if (protocol === 'https:') return isPublic(one) || isIn(own, one)
  return isIn(loopback, one) && isIn(own, one)
}

/** Longer ones are not addresses but attempts. */
const urlLengthMax = 2_048

function outwardUrl(text: string): URL | undefined {
  const url = text.length <= urlLengthMax ? URL.parse(text) : null
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined
  return url.username === '' && url.password === '' ? url : undefined
}

/** Without the brackets that an IPv6 address wears in a URL. */
function nameOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

/** @returns none when none are known, or not in time */
async function addressesOf(
  found: Promise<readonly Address[]>,
  deadline: AbortSignal,
): Promise<readonly Address[]> {
  try {
    return await beforeDeadline(found, deadline)
  } catch {
    // A resolver's errors say which server it asked; that there is no address is all that counts.
    return []
  }
}

/** Ends at the deadline by itself, whatever becomes of what it waits for. */
async function beforeDeadline<T>(found: Promise<T>, deadline: AbortSignal): Promise<T> {
  const late = Promise.withResolvers<never>()
  const giveUp = () => late.reject(deadline.reason)
  deadline.addEventListener('abort', giveUp)
  if (deadline.aborted) giveUp()
  return Promise.race([found, late.promise]).finally(() =>
    deadline.removeEventListener('abort', giveUp),
  )
}

type Way = {
  readonly url: URL
  readonly addresses: readonly Address[]
  readonly trusted: Trusted
  readonly deadline: AbortSignal
}

async function exchange(ask: OutwardRequest, way: Way): Promise<OutwardAnswer> {
  try {
    const response = await beforeDeadline(send(ask, way), way.deadline)
    const text = await beforeDeadline(readText(response, ask), way.deadline)
    if (text === undefined) return { ok: false, why: 'too-large' }
    return { ok: true, status: response.statusCode ?? 0, headers: response.headers, text }
  } catch {
    // What broke names addresses and certificates; that there is no answer is all that is passed on.
    return { ok: false, why: way.deadline.aborted ? 'too-slow' : 'no-connection' }
  }
}

function send(ask: OutwardRequest, way: Way): Promise<http.IncomingMessage> {
  const { url, addresses, trusted, deadline } = way
  const { resolve, reject, promise } = Promise.withResolvers<http.IncomingMessage>()
  const options: https.RequestOptions = {
    ...trusted,
    method: ask.method,
    headers: { ...ask.headers, 'accept-encoding': 'identity' },
    // A connection of its own: one kept open by a pool was not judged for this request.
    agent: false,
    signal: deadline,
    lookup: pinnedTo(addresses),
  }
  const request = (url.protocol === 'https:' ? https : http).request(url, options, resolve)
  request.on('error', reject)
  // Unasked for: without a listener, Node ends the connection and tells of no answer and no error.
  request.on('upgrade', (_response, socket) => {
    socket.destroy()
    reject(new Error('The answer leaves HTTP.'))
  })
  request.on('close', () => reject(new Error('The connection ended without an answer.')))
  request.end(ask.body)
  return promise
}

/** Node asks for one address or, when it tries several families, for all of them. */
function pinnedTo(addresses: readonly Address[]): NonNullable<https.RequestOptions['lookup']> {
  return (_name, options, callback) => {
    const [first] = addresses
    if (options.all === true) callback(null, [...addresses])
    else if (first !== undefined) callback(null, first.address, first.family)
  }
}

/** Most answers end with the headers or right after them: to those that do, nobody hangs up halfway. */
const seeOffMs = 250

/** What counts has come; what is still on its way is let in for a moment, and kept nowhere. */
function seeOff(response: http.IncomingMessage): void {
  const end = setTimeout(() => response.destroy(), seeOffMs)
  response.on('error', () => undefined).on('close', () => clearTimeout(end))
  response.resume()
}

/** @returns nothing of a text that is too large, and an empty one where it does not count */
async function readText(
  response: http.IncomingMessage,
  ask: OutwardRequest,
): Promise<string | undefined> {
  if (ask.isCut === true) {
    seeOff(response)
    return ''
  }
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response) {
    const bytes: Uint8Array = part
    size += bytes.length
    // Leaving the loop ends the connection.
    if (size > ask.answerBytesMax) return undefined
    parts.push(bytes)
  }
  return fromUtf8(concatAll(parts))
}

/** IANA's registries of special-purpose addresses: what is not reachable from everywhere. */
const specialIpv4 = networksOf([
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
  ...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
])
/** The one block that global unicast addresses come from; all else is special. */
const globalIpv6 = networksOf(['2000::/3'])
/** In that block: protocol assignments and tunnels, which carry an IPv4 address, and examples. */
const specialIpv6 = networksOf(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])
const loopback = networksOf(['127.0.0.0/8', '::1/128'])

function isPublic(one: Address): boolean {
  if (isIP(one.address) === 4) return !isIn(specialIpv4, one)
  return isIP(one.address) === 6 && isIn(globalIpv6, one) && !isIn(specialIpv6, one)
}

/** An IPv4 address in IPv6 clothes counts as the IPv4 address that it is: `BlockList` sees to it. */
function isIn(networks: BlockList, { address }: Address): boolean {
  return isIP(address) !== 0 && networks.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
}

/** Such as `10.1.0.0/16`. */
export function isNetwork(text: string): boolean {
  return networkOf(text) !== undefined
}

function networkOf(text: string) {
  const [, address = '', digits = ''] = /^([0-9a-fA-F.:]+)\/([0-9]{1,3})$/.exec(text) ?? []
  const [version, bits] = [isIP(address), Number(digits)]
  if (version === 0 || bits > (version === 4 ? 32 : 128)) return undefined
  return { address, bits, family: version === 4 ? ('ipv4' as const) : ('ipv6' as const) }
}

function networksOf(texts: readonly string[]): BlockList {
  const networks = new BlockList()
  for (const text of texts) {
    const network = networkOf(text)
    if (network === undefined) throw new Error(`${text} is no network such as 10.1.0.0/16.`)
    networks.addSubnet(network.address, network.bits, network.family)
  }
  return networks
}
