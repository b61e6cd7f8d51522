import { Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

export type Address = { readonly address: string; readonly family: number }

/** Rejects, or finds none, when nobody knows the name. */
export type Resolve = (name: string) => Promise<readonly Address[]>

export type NameSources = {
  /** Name servers, such as `127.0.0.1:5353`, instead of the system's. */
  readonly servers?: readonly string[]
  readonly hostsFile?: string
}

/** To the first attempt's answer; the second waits twice as long. */
const tryMs = 1_000
const tries = 2
/** Of all attempts at all name servers. Nobody who asks waits longer than that for his whole answer. */
const lookupMsMax = 5_000
/** From the addresses of one family to those of the other, which some name servers never answer for. */
const otherFamilyMs = 1_000

/**
 * Names that customers choose, without `getaddrinfo`: that one cannot be called off, and few of it
 * run at a time in a process, so that names whose servers do not answer would hold up all others.
 * What the hosts file says comes first, then DNS; the name is asked for as it stands.
 */
export function openNames({ servers, hostsFile = '/etc/hosts' }: NameSources = {}): Resolve {
  const underWay = new Map<string, Promise<readonly Address[]>>()
  return (text) => {
    const name = text.replace(/\.$/, '')
    const found =
      underWay.get(name) ?? find(name, { servers, hostsFile }).finally(() => underWay.delete(name))
    underWay.set(name, found)
    return found
  }
}

type Sources = { readonly servers: readonly string[] | undefined; readonly hostsFile: string }

async function find(name: string, { servers, hostsFile }: Sources): Promise<readonly Address[]> {
  if (isIP(name) !== 0) return addressesOf([name])
  const known = hostsOf(await textOf(hostsFile), name)
  if (known.length > 0) return addressesOf(known)
  // RFC 6761, section 6.3: loopback, and nothing to ask anybody for.
  if (/^(.+\.)?localhost$/.test(name)) return addressesOf(['127.0.0.1', '::1'])
  return askServers(name, servers)
}

function addressesOf(texts: readonly string[]): readonly Address[] {
  return texts.map((address) => ({ address, family: isIP(address) }))
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
    throw error
  }
}

/** hosts(5): an address, then its names; what follows a `#` is for people. */
function hostsOf(text: string, name: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const isOf = names.some((one) => one.toLowerCase() === name)
    return isOf && isIP(address) !== 0 ? [address] : []
  })
}

/** One of its own for each name: it is called off with all that it has asked, and keeps nothing. */
async function askServers(
  name: string,
  servers: readonly string[] | undefined,
): Promise<readonly Address[]> {
  const resolver = new Resolver({ timeout: tryMs, tries })
  if (servers !== undefined) resolver.setServers(servers)
  const callOffIn = (ms: number) => setTimeout(() => resolver.cancel(), ms)
  const ends = [callOffIn(lookupMsMax)]
  const hurryOther = (found: readonly string[]) => {
    if (found.length > 0) ends.push(callOffIn(otherFamilyMs))
    return found
  }
  try {
    const [v4, v6] = await Promise.allSettled([
      resolver.resolve4(name).then(hurryOther),
      resolver.resolve6(name).then(hurryOther),
    ])
    const found = [v4, v6].flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    // A name may well have addresses of one family, and a server that answers for no other.
    if (found.length === 0 && v4.status === 'rejected') throw v4.reason
    return addressesOf(found)
  } finally {
    for (const end of ends) clearTimeout(end)
  }
}
