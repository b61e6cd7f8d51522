import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { signedStatementBytesMax } from '@quorate/authority/statement'
import { concatAll, fromUtf8, toHex } from '@quorate/core/bytes'

/**
 * The second mailbox: a place that the server does not own, where anybody may lay statements and
 * signers lay what they have signed about them. A folder, or the same over HTTP (`cli/mailbox.ts`).
 * Nothing in one is believed: whoever holds it can withhold, and no more.
 */
export type Mailbox = {
  readonly names: (signal?: AbortSignal) => Promise<readonly string[]>
  /** Nothing where there is none of this name, or more than a statement may be. */
  readonly read: (name: string, signal?: AbortSignal) => Promise<Uint8Array | undefined>
  readonly lay: (name: string, bytes: Uint8Array, signal?: AbortSignal) => Promise<void>
}

/** The mailbox is not there, or is not one. Its reason bears no address: that may be a secret. */
export class MailboxFault extends Error {
  override readonly name = 'MailboxFault'
}

/** Each is looked at by itself, so this bounds what runs beside a signer's real work. */
export const mailboxesMax = 8
/** For one question with its answer: enough for 16 kilobytes over any line that is of use. */
export const timeoutMs = 5_000
/** Some 4,000 statements with the acknowledgements of seven signers: what `quorate mailbox` lists. */
export const listBytesMax = 4 * 1024 * 1024

export const statementName = (hash: Uint8Array) => `${toHex(hash)}.statement`
export const acknowledgementName = (hash: Uint8Array, signer: string) =>
  `${toHex(hash)}.${signer}.ack`
export const isStatementName = (name: string) => /^[0-9a-f]{64}\.statement$/.test(name)
export const isAcknowledgementName = (name: string) =>
  /^[0-9a-f]{64}\.[A-Za-z0-9._-]{1,64}\.ack$/.test(name)

/**
 * A folder begins with `/` or `.`: a slip in a URL would otherwise be one, and nobody would look there.
 *
 * @returns the addresses of a list with commas; nothing where one of them is no mailbox
 */
export function mailboxAddresses(list: string): readonly string[] | undefined {
  const addresses = list.split(',').map((one) => one.trim())
  const isList =
    addresses.length <= mailboxesMax &&
    addresses.every((one) => (isUrl(one) ? isReachable(new URL(one)) : /^[/.]/.test(one)))
  return isList ? addresses : undefined
}

/** @param address one of `mailboxAddresses` */
export function openMailbox(address: string, patienceMs = timeoutMs): Mailbox {
  return isUrl(address) ? overHttp(new URL(address), patienceMs) : inFolder(address)
}

function isUrl(address: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(address) && URL.canParse(address)
}

/** In the clear on this machine alone: what anybody could change on its way would never arrive. */
function isReachable({ protocol, hostname, username, password, search, hash }: URL): boolean {
  const isPlain = username === '' && password === '' && search === '' && hash === ''
  const isHere = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname)
  return isPlain && (protocol === 'https:' || (protocol === 'http:' && isHere))
}

function inFolder(folder: string): Mailbox {
  const within = async <T>(work: () => T): Promise<T> => {
    try {
      return work()
    } catch (error) {
      if (error instanceof Error && 'syscall' in error)
        throw new MailboxFault(`${Object(error).code}`, { cause: error })
      throw error
    }
  }
  return {
    names: () => within(() => readdirSync(folder)),
    read: (name) =>
      within(() => {
        const file = join(folder, name)
        const stat = statSync(file, { throwIfNoEntry: false })
        const isReadable = stat?.isFile() === true && stat.size <= signedStatementBytesMax
        return isReadable ? new Uint8Array(readFileSync(file)) : undefined
      }),
    lay: (name, bytes) =>
      within(() => {
        // Under its name only when it is whole: somebody may look at any moment.
        const draft = join(folder, `.${name}.${randomBytes(8).toString('hex')}`)
        writeFileSync(draft, bytes)
        renameSync(draft, join(folder, name))
      }),
  }
}

function overHttp(base: URL, patienceMs: number): Mailbox {
  const root = base.href.endsWith('/') ? base.href : `${base.href}/`
  return {
    async names(signal) {
      const { status, body } = await exchange(root, { signal, patienceMs, bytesMax: listBytesMax })
      if (status !== 200) throw new MailboxFault(`status ${status}`)
      if (body === undefined) throw new MailboxFault('too much')
      return textOf(body).split('\n')
    },
    async read(name, signal) {
      const asked = { signal, patienceMs, bytesMax: signedStatementBytesMax }
      const { status, body } = await exchange(root + name, asked)
      if (status === 404) return undefined
      if (status !== 200) throw new MailboxFault(`status ${status}`)
      return body
    },
    async lay(name, bytes, signal) {
      const { status } = await exchange(root + name, {
        signal,
        patienceMs,
        bytes,
        bytesMax: signedStatementBytesMax,
      })
      if (status !== 200 && status !== 201) throw new MailboxFault(`status ${status}`)
    },
  }
}

type Ask = {
  readonly signal: AbortSignal | undefined
  readonly patienceMs: number
  readonly bytes?: Uint8Array
  readonly bytesMax: number
}

/** @returns without a body where that was too large: no more of it is read */
async function exchange(url: string, { signal, patienceMs, bytes, bytesMax }: Ask) {
  const patience = AbortSignal.timeout(patienceMs)
  try {
    const response = await fetch(url, {
      // Whoever is sent elsewhere no longer asks whom its operator has named.
      redirect: 'error',
      signal: signal === undefined ? patience : AbortSignal.any([patience, signal]),
      ...(bytes && {
        method: 'POST',
        body: new Uint8Array(bytes),
        headers: { 'content-type': 'application/octet-stream' },
      }),
    })
    return { status: response.status, body: await bodyWithin(response, bytesMax) }
  } catch (error) {
    // What `fetch` throws (Fetch standard, section 5.6): nobody there, a broken answer, too slow.
    if (error instanceof TypeError) throw new MailboxFault('unreachable', { cause: error })
    if (error instanceof DOMException) throw new MailboxFault('too slow', { cause: error })
    throw error
  }
}

async function bodyWithin(response: Response, bytesMax: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > bytesMax) return undefined
    chunks.push(chunk)
  }
  return concatAll(chunks)
}

function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8(bytes)
  } catch (error) {
    throw new MailboxFault('no list', { cause: error })
  }
}
