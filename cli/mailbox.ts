import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { verifyEd25519 } from '@quorate/authority/ed25519'
import { readManifest, type Manifest } from '@quorate/authority/manifest'
import {
  acknowledgement,
  readStatement,
  signedStatementBytesMax,
} from '@quorate/authority/statement'
import { concatAll, fromHex, toHex } from '@quorate/core/bytes'
import { isFailure } from '@quorate/core/failure'
import {
  acknowledgementName,
  isAcknowledgementName,
  isStatementName,
  MailboxFault,
  openMailbox,
  statementName,
} from '@quorate/signer/mailbox/mailbox'

const usage = 'usage: quorate mailbox <folder> <port> <manifest> [host, 127.0.0.1 unless given]'

/** With their acknowledgements some 70 megabytes on the disk, and a list that signers still read. */
export const statementsMax = 4_000
/** That no signer has acknowledged: a name is written on a statement before anybody has checked it. */
export const perAuthorMax = 64
/** A browser, a few signers and whoever lays something: none of them stays. */
const connectionsMax = 64
const requestMsMax = 10_000
const headerBytesMax = 4_096

/**
 * `quorate mailbox`: a folder of statements behind a URL. It checks what costs it room, so that
 * rubbish makes way for what signers have signed for having kept; nobody has to believe it, and TLS
 * is for whatever stands in front of it.
 */
export async function mailboxCommand(
  [folder, port, manifestFile, host = '127.0.0.1']: readonly string[],
  print: (line: string) => void,
): Promise<number> {
  if (folder === undefined || manifestFile === undefined || !/^[0-9]{1,5}$/.test(port ?? '')) {
    print(usage)
    return 2
  }
  const manifest = readManifest(new Uint8Array(readFileSync(manifestFile)), verifyEd25519)
  const serving = await serveMailbox({ folder, manifest, port: Number(port), host })
  print(`A mailbox at http://${host}:${serving.port}/ in ${folder}`)
  await new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
  await serving.close()
  return 0
}

export type Serving = { readonly port: number; close(): Promise<void> }
export type Service = {
  readonly folder: string
  readonly manifest: Manifest
  readonly port: number
  readonly host: string
  readonly statementsMax?: number
}

/** @throws Error of the system when the port is taken */
export async function serveMailbox({ port, host, ...kept }: Service): Promise<Serving> {
  mkdirSync(kept.folder, { recursive: true, mode: 0o700 })
  const box = openBox(kept)
  const limits = { maxHeaderSize: headerBytesMax, requestTimeout: requestMsMax }
  const server = createServer({ ...limits, headersTimeout: requestMsMax }, (request, response) => {
    void answer(box, request, response)
  })
  server.maxConnections = connectionsMax
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Entry = { readonly author: string; readonly acknowledgedBy: Set<string> }
type Kept = Pick<Service, 'folder' | 'manifest' | 'statementsMax'>
type Box = {
  readonly names: () => readonly string[]
  readonly read: (name: string) => Promise<Uint8Array | undefined>
  /** @returns the status of an answer (RFC 9110, section 15) */
  readonly lay: (name: string, bytes: Uint8Array) => Promise<number>
}

function openBox(kept: Kept): Box {
  const { folder, manifest } = kept
  const files = openMailbox(folder)
  const entries = entriesIn(kept)
  const limits = { inAll: kept.statementsMax ?? statementsMax, unacknowledged: perAuthorMax }
  const statement = async (name: string, bytes: Uint8Array): Promise<number> => {
    const read = readOrNothing(bytes)
    if (read === undefined || statementName(read.hash) !== name) return 400
    const hash = toHex(read.hash)
    if (entries.has(hash)) return 200
    const author = toHex(read.statement.user)
    const gone = oldestInTheWay(entries, author, limits)
    if (gone === 'everything is acknowledged') return 507
    if (gone !== undefined) {
      rmSync(join(folder, `${gone}.statement`), { force: true })
      entries.delete(gone)
    }
    await files.lay(name, bytes)
    entries.set(hash, { author, acknowledgedBy: new Set() })
    return 201
  }
  const acknowledged = async (name: string, bytes: Uint8Array): Promise<number> => {
    const [hash = '', id = ''] = name.replace(/\.ack$/, '').split(/\.(.*)/s)
    const entry = entries.get(hash)
    if (entry === undefined) return 404
    if (!isAcknowledgement(manifest, { hash, id }, bytes)) return 400
    await files.lay(name, bytes)
    entry.acknowledgedBy.add(id)
    return 201
  }
  return {
    names: () =>
      [...entries].flatMap(([hash, { acknowledgedBy }]) => [
        `${hash}.statement`,
        ...[...acknowledgedBy].map((id) => acknowledgementName(fromHex(hash), id)),
      ]),
    read: (name) => files.read(name),
    lay: (name, bytes) =>
      isStatementName(name) ? statement(name, bytes) : acknowledged(name, bytes),
  }
}

/** What an earlier life has kept, the oldest first. */
function entriesIn({ folder, manifest }: Kept): Map<string, Entry> {
  const read = (name: string) => new Uint8Array(readFileSync(join(folder, name)))
  const names = readdirSync(folder).map((name) => ({
    name,
    time: statSync(join(folder, name)).mtimeMs,
  }))
  const entries = new Map<string, Entry>()
  for (const { name } of names.toSorted((a, b) => a.time - b.time)) {
    const known = isStatementName(name) ? readOrNothing(read(name)) : undefined
    if (known === undefined || statementName(known.hash) !== name) continue
    const hash = toHex(known.hash)
    const acknowledgedBy = manifest.signers.flatMap(({ id }) => {
      const ack = acknowledgementName(known.hash, id)
      const isThere = names.some((one) => one.name === ack)
      return isThere && isAcknowledgement(manifest, { hash, id }, read(ack)) ? [id] : []
    })
    const author = toHex(known.statement.user)
    entries.set(hash, { author, acknowledgedBy: new Set(acknowledgedBy) })
  }
  return entries
}

function readOrNothing(bytes: Uint8Array) {
  try {
    return readStatement(bytes)
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}

function isAcknowledgement(
  manifest: Manifest,
  { hash, id }: { readonly hash: string; readonly id: string },
  bytes: Uint8Array,
): boolean {
  const signer = manifest.signers.find((one) => one.id === id)
  const text = bytes.length === 128 ? Buffer.from(bytes).toString('latin1') : ''
  return (
    signer !== undefined &&
    /^[0-9a-f]{128}$/.test(text) &&
    verifyEd25519(signer.identity, acknowledgement(manifest.hash, fromHex(hash)), fromHex(text))
  )
}

/** @returns what makes way for one more of this author; nothing where there is room */
function oldestInTheWay(
  entries: ReadonlyMap<string, Entry>,
  author: string,
  limits: { readonly inAll: number; readonly unacknowledged: number },
): string | undefined {
  const open = [...entries].filter(([, { acknowledgedBy }]) => acknowledgedBy.size === 0)
  const own = open.filter(([, entry]) => entry.author === author)
  if (own.length >= limits.unacknowledged) return own[0]?.[0]
  if (entries.size < limits.inAll) return undefined
  return open[0]?.[0] ?? 'everything is acknowledged'
}

async function answer(box: Box, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url = '/' } = request
  const name = url.slice(1)
  const isEntry = isStatementName(name) || isAcknowledgementName(name)
  const end = (status: number, body: Uint8Array | string = ''): void => {
    const type = typeof body === 'string' ? 'text/plain' : 'application/octet-stream'
    const headers = { 'content-type': type, 'x-content-type-options': 'nosniff' }
    response.writeHead(status, headers).end(body)
  }
  if (method === 'GET' && name === '') return end(200, box.names().join('\n'))
  if (!isEntry) return end(404)
  try {
    if (method === 'GET') {
      const bytes = await box.read(name)
      return bytes === undefined ? end(404) : end(200, bytes)
    }
    if (method !== 'POST') return end(405)
    const bytes = await bodyOf(request)
    return end(bytes === undefined ? 413 : await box.lay(name, bytes))
  } catch (error) {
    if (!(error instanceof MailboxFault)) throw error
    end(507)
  }
}

/** @returns nothing when it is too large; the rest of it is not waited for */
async function bodyOf(request: IncomingMessage): Promise<Uint8Array | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > signedStatementBytesMax) return undefined
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of request) {
      size += chunk.length
      if (size > signedStatementBytesMax) return undefined
      chunks.push(chunk)
    }
  } catch (error) {
    if (request.complete) throw error
    throw new MailboxFault('whoever sent it has gone', { cause: error })
  }
  return concatAll(chunks)
}
