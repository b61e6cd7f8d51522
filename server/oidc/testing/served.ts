import http, { type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Served = { readonly url: string; readonly asked: string[]; close(): Promise<void> }

/** On a free port of loopback; `asked` lists method and path of what has come in. */
export async function serve(listener: (url: string) => RequestListener): Promise<Served> {
  const asked: string[] = []
  const server = http.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  const listen = listener(url)
  server.on('request', (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    listen(request, response)
  })
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url, asked, close }
}
