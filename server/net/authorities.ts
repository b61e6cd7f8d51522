import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

/** What no operator has more of. */
const authoritiesMax = 100

/**
 * The certificates in a file of PEM, each by itself: for `Surroundings.authorities`.
 *
 * @param name empty: there is no file
 * @throws Error for a file that cannot be used, which names it
 */
export function readAuthorities(name: string): readonly string[] {
  if (name === '') return []
  const found = readFileSync(name, 'utf8').match(
    /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g,
  )
  if (found === null) throw new Error(`There is no certificate in ${name}.`)
  if (found.length > authoritiesMax)
    throw new Error(`There are more than ${authoritiesMax} certificates in ${name}.`)
  for (const [i, pem] of found.entries()) assertReadable(pem, `Certificate ${i + 1} of ${name}`)
  return found
}

/** OpenSSL passes over what it cannot read, and nobody would learn of it. */
function assertReadable(pem: string, which: string): void {
  try {
    void new X509Certificate(pem)
  } catch (cause) {
    throw new Error(`${which} cannot be read.`, { cause })
  }
}
