import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export type Heard = { readonly signature: string; readonly body: string }

/** A customer's server on this machine. */
export type Receiver = {
  readonly url: string
  readonly heard: readonly Heard[]
  /** Nothing: it never answers. */
  answer: (heard: Heard) => number | undefined
  close(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const heard: Heard[] = []
  const server = http.createServer(async (request, response) => {
    const signature = String(request.headers['x-dfns-webhook-signature'])
    const one = { signature, body: await text(request) }
    heard.push(one)
    const status = receiver.answer(one)
    if (status !== undefined) response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const receiver: Receiver = {
    ...{ url: `http://127.0.0.1:${port}/`, heard, answer: () => 200 },
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return receiver
}
