import { connect, type ClientHttp2Session } from 'node:http2'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectSecurely, type TLSSocket } from 'node:tls'
import { Failure, isFailure } from '@quorate/core/failure'
import { framed, Unframer, writeTogether } from '@quorate/wire/framing'
import {
  decodeFrame,
  encodeFrame,
  frameBytesMax,
  type Call,
  type Frame,
  type Hello,
  type Reply,
} from '@quorate/wire/link'
import type { Log } from './log.ts'

export type LinkOptions = {
  readonly url: string
  /** PEM: who this signer is, and who may speak for the server. */
  readonly tls: { readonly key: string; readonly cert: string; readonly ca: string }
  readonly signer: { readonly hello: Hello; readonly answer: (call: Call) => Promise<Reply> }
  readonly log: Log
}
export type Link = { close(): void }

/** Quick enough that a restarted server is not waited for, slow enough not to storm one that is down. */
const waitMsMin = 100
const waitMsMax = 500
/** A server that has not even taken the greeting by then is not there. */
const connectMsMax = 5_000
/** A dead path shows itself within two of these. */
const pingMs = 10_000
/** Calls in hand at once: what arrives above it is told so, which costs nothing to do. */
const callsMax = 256
/** What those calls weigh together: a handful of the largest. Honest ones are some kilobytes each. */
export const callsBytesMax = 4 * frameBytesMax
/** The server may be a frame ahead before it must wait for this signer. */
const windowBytes = 2 * frameBytesMax
/** Answers that wait to be read: a handful of the largest. */
const unreadBytesMax = 4 * frameBytesMax

/**
 * Dials the server, so that no signer opens a port to the world, and dials again whenever the link
 * breaks. Whatever comes over it proves itself or is judged: the certificate only keeps others off.
 */
export function openLink(options: LinkOptions): Link {
  let closed = false
  let waitMs = waitMsMin
  let current: { destroy(): void } | undefined
  let timer: NodeJS.Timeout | undefined
  const dialAgain = (isGreeted: boolean): void => {
    if (closed) return
    waitMs = isGreeted ? waitMsMin : Math.min(waitMs * 2, waitMsMax)
    timer = setTimeout(start, waitMs)
  }
  const start = (): void => {
    current = dial(options, dialAgain)
  }
  start()
  return {
    close() {
      closed = true
      clearTimeout(timer)
      current?.destroy()
    },
  }
}

/**
 * One link, until it ends, for whichever reason is first. It is not left to the session to say so: one
 * that was told goodbye waits for the other end to hang up, and whoever was stopped meanwhile, or has a
 * dead path, waits for ever.
 */
function dial(
  { url, tls, signer, log }: LinkOptions,
  onClosed: (isGreeted: boolean) => void,
): { destroy(): void } {
  const socket = connectTls(url, tls)
  const session = connect(url, {
    createConnection: () => socket,
    settings: { initialWindowSize: windowBytes },
  })
  let [isGreeted, isOver] = [false, false]
  let reason = ''
  const end = (why = ''): void => {
    if (isOver) return
    isOver = true
    clearTimeout(late)
    clearInterval(pinging)
    session.destroy()
    socket.destroy()
    log({ event: 'link-closed', reason: why || reason })
    onClosed(isGreeted)
  }
  const note = (error: Error): void => {
    reason = error.message
  }
  const late = setTimeout(() => end('no answer in time'), connectMsMax)
  const pinging = setInterval(() => keepAlive(session, end), pingMs)
  for (const part of [socket, session]) part.on('error', note).once('close', () => end())
  session.once('connect', () => session.setLocalWindowSize(windowBytes))
  const stream = session.request({ ':method': 'POST', ':path': '/link' }, { endStream: false })
  stream.once('response', ({ ':status': status }) => {
    clearTimeout(late)
    if (status !== 200) return end(`the server answers ${status}`)
    isGreeted = true
    log({ event: 'link-open' })
  })
  stream.on('error', note).once('close', () => end())
  serve(stream, signer)
  return { destroy: end }
}

/** By TLS 1.3 and nothing older, to whoever the links' own authority vouches for under this name. */
function connectTls(url: string, tls: LinkOptions['tls']): TLSSocket {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return connectSecurely({
    ...tls,
    ...{ host, port: Number(port === '' ? 443 : port), ALPNProtocols: ['h2'] },
    ...(isIP(host) === 0 ? { servername: host } : {}),
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
  })
}

export function serve(stream: Duplex, { hello, answer }: LinkOptions['signer']): void {
  const unframer = new Unframer()
  let [open, openBytes] = [0, 0]
  const send = (number: number, reply: Reply): void => {
    if (stream.destroyed) return
    writeTogether(stream, framed(encodeFrame({ kind: 'reply', number, reply })))
    if (stream.writableLength > unreadBytesMax)
      stream.destroy(new Error('nobody reads the answers'))
  }
  const take = async ({ number, call, size }: Numbered): Promise<void> => {
    if (open >= callsMax || openBytes + size > callsBytesMax) return send(number, { kind: 'busy' })
    open++
    openBytes += size
    try {
      send(number, await answer(call))
    } finally {
      open--
      openBytes -= size
    }
  }
  const receive = (chunk: Uint8Array): void => {
    const calls = callsIn(unframer.push(chunk))
    if (calls === undefined) stream.destroy(new Error('the server talks nonsense'))
    for (const call of calls ?? [])
      // What an answer fails with has stopped the signer already (`onDefect`).
      take(call).catch((error: Error) => stream.destroy(error))
  }
  stream.write(framed(encodeFrame({ kind: 'hello', ...hello })))
  stream.on('data', (chunk: Uint8Array) => {
    try {
      receive(chunk)
    } catch (error) {
      // Nothing has been asked yet that could have failed half-way: it costs the link, not the signer.
      const name = error instanceof Error ? error.name : 'unknown'
      stream.destroy(new Error(`bytes of the server could not be read: ${name}`))
    }
  })
}

type Numbered = Extract<Frame, { kind: 'call' }> & { readonly size: number }

/** Nothing but calls may come from a server: after anything else no byte can be made sense of. */
function callsIn(frames: readonly Uint8Array[] | undefined): readonly Numbered[] | undefined {
  try {
    return frames?.map((bytes) => {
      const frame = decodeFrame(bytes)
      if (frame.kind !== 'call') throw new Failure('bytes.malformed', { expected: 'a call' })
      return { ...frame, size: bytes.length }
    })
  } catch (error) {
    if (isFailure(error, 'bytes.malformed')) return undefined
    throw error
  }
}

function keepAlive(session: ClientHttp2Session, end: (why: string) => void): void {
  if (session.connecting) return
  if (session.destroyed) return end('the session is gone')
  const unanswered = setTimeout(() => end('no answer to a ping'), pingMs)
  session.ping((error) => {
    clearTimeout(unanswered)
    if (error !== null) end('no answer to a ping')
  })
}
