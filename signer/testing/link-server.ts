import { createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { framed, Unframer } from '@quorate/wire/framing'
import {
  decodeFrame,
  encodeFrame,
  type Call,
  type Frame,
  type Hello,
  type Reply,
} from '@quorate/wire/link'

/**
 * The other end of the link, by hand: it takes whoever has a certificate, and says whatever its
 * test wants, in whatever order. It is not the server, and shares no line with it.
 */
export type LinkServer = {
  readonly port: number
  /** The next signer that dials, after its hello. */
  readonly next: () => Promise<Dialled>
  readonly close: () => Promise<void>
}
export type Dialled = {
  readonly hello: Hello
  /** @returns nothing when the link has ended first */
  readonly ask: (call: Call) => Promise<Reply | undefined>
  readonly sendBytes: (bytes: Uint8Array) => void
  /** Ends the stream and announces that no other is taken, and leaves the connection as it is. */
  readonly sayGoodbye: () => void
  readonly closed: Promise<void>
}

export type LinkTls = { readonly key: string; readonly cert: string; readonly ca: string }

export async function openLinkServer(tls: LinkTls): Promise<LinkServer> {
  const server = createSecureServer({ ...tls, requestCert: true, rejectUnauthorized: true })
  const sessions = new Set<ServerHttp2Session>()
  const arrived: Dialled[] = []
  const waiting: ((dialled: Dialled) => void)[] = []
  server.on('session', (session) => {
    sessions.add(session)
    session.on('error', () => session.destroy())
  })
  // Signers that come with a wrong certificate are of no interest here.
  server.on('sessionError', () => undefined)
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200 })
    void greet(stream).then((dialled) => {
      const taker = waiting.shift()
      if (taker) taker(dialled)
      else arrived.push(dialled)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    next: () => {
      const there = arrived.shift()
      return there ? Promise.resolve(there) : new Promise((resolve) => waiting.push(resolve))
    },
    close: () =>
      new Promise((resolve) => {
        for (const session of sessions) session.destroy()
        server.close(() => resolve())
      }),
  }
}

function greet(stream: ServerHttp2Stream): Promise<Dialled> {
  const unframer = new Unframer()
  const owed = new Map<number, (reply: Reply | undefined) => void>()
  let number = 0
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()))
  stream.on('error', () => stream.destroy())
  stream.once('close', () => {
    for (const settle of owed.values()) settle(undefined)
  })
  const ask = (call: Call): Promise<Reply | undefined> =>
    new Promise((resolve) => {
      if (stream.destroyed) return resolve(undefined)
      owed.set(++number, resolve)
      stream.write(framed(encodeFrame({ kind: 'call', number, call })))
    })
  const sayGoodbye = (): void => {
    stream.session?.goaway(0)
    stream.close()
  }
  const sendBytes = (bytes: Uint8Array) => void stream.write(bytes)
  return new Promise((resolve) => {
    const take = (frame: Frame): void => {
      if (frame.kind === 'hello')
        return resolve({ hello: frame, ask, sendBytes, sayGoodbye, closed })
      if (frame.kind === 'reply') owed.get(frame.number)?.(frame.reply)
    }
    stream.on('data', (chunk: Buffer) => {
      for (const frame of unframer.push(new Uint8Array(chunk)) ?? []) take(decodeFrame(frame))
    })
  })
}
