import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export type Heard = {
  readonly path: string
  readonly headers: Readonly<http.IncomingHttpHeaders>
  readonly body: string
}

/** A customer's server: it keeps what it hears, and answers as it is told. */
export type Receiver = {
  readonly url: string
  readonly heard: readonly Heard[]
  /** For all requests from now on. */
  answer: (request: Heard, response: http.ServerResponse) => void
  close(): Promise<void>
}

export const answering =
  (status: number, headers: http.OutgoingHttpHeaders = {}) =>
  (_: Heard, response: http.ServerResponse): void =>
    void response.writeHead(status, headers).end('ok')

export async function startReceiver(): Promise<Receiver> {
  const heard: Heard[] = []
  const server = http.createServer(async (request, response) => {
    const { url: path = '', headers } = request
    const one = { path, headers, body: await text(request) }
    heard.push(one)
    receiver.answer(one, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const receiver: Receiver = {
    ...{ url: `http://127.0.0.1:${port}/events`, heard, answer: answering(200) },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return receiver
}
