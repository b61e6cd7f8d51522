import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { idsInExport } from '@quorate/client/read-export'
import type { Statement } from '@quorate/authority/statement'
import { fromHex } from '@quorate/core/bytes'
import { idOf } from '@quorate/core/id'
import { mailboxAddresses } from '@quorate/signer/mailbox/mailbox'

/** What was typed is no freeze: the usage is shown below the reason. */
export class Unusable extends Error {
  override readonly name = 'Unusable'
}

export const freezeUsage = `usage: quorate freeze <what> with
  --mailbox <folders and URLs, with commas>  where the signers look; a folder begins with / or .
  --manifest <file>                          of the cluster
  --genesis <64 hex digits>                  of the organization
  --key <credential.pem>                     signs; or
  --passkey <fingerprint> [--page <file>]    writes the page on which a passkey signs
  --author <id>                              whose credential it is, unless the founder's
  --log <file>                               an exported log: ids may then be short names
<what>: organization | user <id> | key <id> | credential <id> | token <id> | recovery <id>
  | approval <id> (is denied) | policy <id> (stays, though its break-glass quorum ends it)
A wallet stands still by its key. An id is 64 hex digits, or its name in the log.`

/** Each word, and what the signers do about it for as long as the log does not say otherwise. */
const kinds = {
  organization: 'freezeOrganization',
  user: 'freezeUser',
  key: 'freezeKey',
  credential: 'revokeCredential',
  token: 'revokeToken',
  recovery: 'cancelRecovery',
  approval: 'denyApproval',
  policy: 'keepPolicy',
} as const satisfies Record<string, Statement['kind']>

export type Wanted = {
  readonly mailboxes: readonly string[]
  readonly manifest: string
  readonly words: Omit<Statement, 'nonce' | 'issuedAt'>
  readonly by:
    | { readonly kind: 'key'; readonly file: string }
    | { readonly kind: 'passkey'; readonly fingerprint: Uint8Array; readonly page?: string }
}

const text = { type: 'string' } as const
const options = {
  ...{ mailbox: text, manifest: text, genesis: text, author: text, log: text },
  ...{ key: text, passkey: text, page: text },
}

/** @throws Unusable */
export async function readFreeze(args: readonly string[]): Promise<Wanted> {
  const { values, positionals } = parsed(args)
  const [what = '', target, ...more] = positionals
  const { manifest, author, log } = values
  const mailboxes = mailboxAddresses(values.mailbox ?? '')
  const genesis = bytesIn(values.genesis)
  if (mailboxes === undefined) throw new Unusable('--mailbox names no mailboxes.')
  if (manifest === undefined) throw new Unusable('--manifest is missing.')
  if (genesis === undefined) throw new Unusable('--genesis is not 64 hex digits.')
  if (!isKind(what) || more.length > 0) throw new Unusable('Nothing to be stopped is named.')
  const kind = kinds[what]
  const isWhole = kind === 'freezeOrganization'
  if (isWhole !== (target === undefined)) throw new Unusable(`No ${what} is named.`)
  const organization = idOf(genesis, 'organization')
  const full = await fullIds(log, values.genesis ?? '', [author, target])
  const words = {
    ...{ organization, kind },
    user: author === undefined ? idOf(genesis, 'user') : full(author),
    target: target === undefined ? organization : full(target),
  }
  return { mailboxes, manifest, words, by: signerIn(values) }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    if (error instanceof TypeError) throw new Unusable(error.message, { cause: error })
    throw error
  }
}

function signerIn({ key, passkey, page }: ReturnType<typeof parsed>['values']): Wanted['by'] {
  if ((key === undefined) === (passkey === undefined))
    throw new Unusable('Give --key or --passkey, one of them.')
  if (key !== undefined) return { kind: 'key', file: key }
  const fingerprint = bytesIn(passkey)
  if (fingerprint === undefined) throw new Unusable('The fingerprint is not 64 hex digits.')
  return { kind: 'passkey', fingerprint, ...(page !== undefined && { page }) }
}

/** The log is verified before it is believed: a false one could have something else stopped. */
async function fullIds(
  log: string | undefined,
  genesis: string,
  named: readonly (string | undefined)[],
): Promise<(id: string) => Uint8Array> {
  const names = named.flatMap((one) =>
    one === undefined || bytesIn(one) !== undefined ? [] : [one],
  )
  const found = new Map<string, Uint8Array>()
  if (log !== undefined && names.length > 0) {
    const lines = createInterface({ input: createReadStream(log, 'utf8'), crlfDelay: Infinity })
    for (const [name, id] of await idsInExport(lines, genesis, names)) found.set(name, id)
  }
  return (id) => {
    const full = bytesIn(id) ?? found.get(id)
    if (full === undefined) throw new Unusable(`${id} is not 64 hex digits, nor in a log given.`)
    return full
  }
}

function isKind(what: string): what is keyof typeof kinds {
  return Object.hasOwn(kinds, what)
}

function bytesIn(hex: string | undefined): Uint8Array | undefined {
  return hex !== undefined && /^[0-9a-f]{64}$/.test(hex) ? fromHex(hex) : undefined
}
