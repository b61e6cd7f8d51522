import { createSecureServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { equalBytes } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import type { Manifest } from '@quorate/authority/manifest'
import type { Call, Reply } from '@quorate/wire/link'
import { Link } from './link.ts'

/** `gone`: not connected, cut off before it answered, or so far behind that nobody may ask more. */
export type Answered = Reply | 'timeout' | 'gone'

export type Links = {
  /** Indexes, 1..n, in ascending order. */
  connected(): readonly number[]
  call(signer: number, call: Call, deadlineMs: number): Promise<Answered>
  /** Called for every link that has said who it is. */
  onConnect(listener: (signer: number) => void): void
  readonly port: number
  close(): Promise<void>
}

export type LinkLog = {
  info(context: object, message: string): void
  warn(context: object, message: string): void
}

export type LinkOptions = {
  readonly host: string
  readonly port: number
  readonly manifest: Manifest
  readonly keyPem: string
  readonly certificatePem: string
  /** Of the links' own authority: it alone issues signers' certificates. */
  readonly authorityPem: string
  readonly log: LinkLog
}

/** A signer that has been silent for this long is cut off; it dials again as soon as it can. */
const pingEveryMs = 5_000
const silenceMsMax = 20_000

/** Signers dial; whoever holds the certificate that the manifest names for one is that one. */
export async function openLinks(options: LinkOptions): Promise<Links> {
  const { manifest, log } = options
  const links = new Map<number, Link>()
  const listeners: ((signer: number) => void)[] = []
  const server = createSecureServer({
    key: options.keyPem,
    cert: options.certificatePem,
    ca: options.authorityPem,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  })

  const accept = (signer: number, stream: ServerHttp2Stream): void => {
    stream.respond({ ':status': 200 })
    const link = new Link(stream, { signer, manifest })
    link.opened.then((opened) => {
      if (!opened) return log.warn({ signer }, 'a link did not begin with its hello')
      // A signer has one life at a time: what its last one still owes will not come.
      links.get(signer)?.close()
      links.set(signer, link)
      log.info({ signer }, 'signer connected')
      for (const listener of listeners) listener(signer)
    })
    link.closed.then((reason) => {
      if (links.get(signer) !== link) return
      links.delete(signer)
      log.warn({ signer, reason }, 'signer disconnected')
    })
  }
  server.on('stream', (stream, headers) => {
    stream.on('error', (error) => log.warn({ err: error }, 'link stream failed'))
    const signer = signerOf(stream, manifest)
    const isLink = headers[':method'] === 'POST' && headers[':path'] === '/link'
    if (signer !== undefined && isLink) return accept(signer, stream)
    log.warn({}, 'somebody else dialed the link port')
    stream.respond({ ':status': 403 }, { endStream: true })
    stream.session?.close()
  })
  server.on('sessionError', (error) => log.warn({ err: error }, 'link session failed'))
  await listen(server, options)

  const timer = setInterval(() => {
    for (const link of links.values()) link.ping(silenceMsMax)
  }, pingEveryMs)
  return {
    connected: () => [...links.keys()].sort((a, b) => a - b),
    call: async (signer, call, deadlineMs) =>
      (await links.get(signer)?.call(call, deadlineMs)) ?? 'gone',
    onConnect: (listener) => void listeners.push(listener),
    port: (server.address() as AddressInfo).port,
    close: async () => {
      clearInterval(timer)
      for (const link of links.values()) link.close()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** The authority says that it is one of ours; the manifest says which. */
function signerOf(stream: ServerHttp2Stream, manifest: Manifest): number | undefined {
  const certificate = (stream.session?.socket as TLSSocket | undefined)?.getPeerX509Certificate()
  if (certificate === undefined) return undefined
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  const index = manifest.signers.findIndex(({ tls }) => equalBytes(tls, sha256(spki)))
  return index < 0 ? undefined : index + 1
}

function listen(server: Http2Server, { host, port }: LinkOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
