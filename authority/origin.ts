/**
 * Origins, domains and addresses, as far as rules need them: plain text comparisons of the one form
 * in which browsers write them (RFC 6454, section 6.2), since no two versions of a URL parser have
 * to agree on anything else.
 */

/** Letters, digits and hyphens (RFC 1123, section 2.1); other scripts come in their ASCII form. */
const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
/** The last label of a name has a letter, or it would be an address (RFC 3696, section 2). */
const domain = new RegExp(`^(?:${label}\\.)*(?=[a-z0-9-]*[a-z])${label}$`)
const origin = /^(https?):\/\/([a-z0-9.-]+|\[::1\])(?::([1-9][0-9]{0,4}))?$/
const portMax = 65_535
const defaultPort = { https: '443', http: '80' } as const

/**
 * May pages of this origin use passkeys of this relying party? Its id is the origin's host or a
 * parent domain of it (Web Authentication level 2, section 5.1.2). Which parents belong to
 * nobody, such as `co.uk`, a browser knows and refuses; here it takes a dot.
 */
export function isRelyingParty(named: { readonly id: string; readonly origin: string }): boolean {
  const { id } = named
  const parts = readOrigin(named.origin)
  if (parts === undefined || id.length > 253 || !domain.test(id)) return false
  if (!id.includes('.') && id !== 'localhost') return false
  const { scheme, host } = parts
  const isSafe = scheme === 'https' || host === 'localhost' || host.endsWith('.localhost')
  return isSafe && (host === id || host.endsWith(`.${id}`))
}

/** With https, or with http on the machine itself. No user, no fragment, nothing but ASCII. */
export function isWebAddress(text: string): boolean {
  const [, base = '', rest = ''] = /^(https?:\/\/[^/?#]+)([!-~]*)$/.exec(text) ?? []
  const parts = readOrigin(base)
  return parts !== undefined && !rest.includes('#') && isPrivate(parts)
}

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

function isPrivate({ scheme, host }: { readonly scheme: string; readonly host: string }): boolean {
  return scheme === 'https' || loopback.has(host)
}

function readOrigin(text: string): { readonly scheme: string; readonly host: string } | undefined {
  const [, scheme = '', host = '', port] = origin.exec(text) ?? []
  if (scheme !== 'https' && scheme !== 'http') return undefined
  if (port === defaultPort[scheme] || Number(port ?? 0) > portMax) return undefined
  return { scheme, host }
}
