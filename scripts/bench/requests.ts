import diagnostics from 'node:diagnostics_channel'
import type { ClientRequest } from 'node:http'

type Message = { readonly request: ClientRequest }

/**
 * From now on, how long each kind of HTTP request of this process waited for the head of its
 * answer: the official client cannot be asked, but it goes through `node:http`.
 */
export function watchRequests(): { readonly times: Map<string, number[]>; stop(): void } {
  const times = new Map<string, number[]>()
  const begun = new WeakMap<ClientRequest, number>()
  // Not `request.start`, which comes when the request has been written: the answer may be there by then.
  const begin = (message: unknown) =>
    void begun.set((message as Message).request, performance.now())
  const end = (message: unknown) => {
    const { request } = message as Message
    const from = begun.get(request)
    if (from === undefined) return
    const name = `${request.method} ${request.path.replace(/\/[a-z]+-[a-z2-7-]{28}/g, '/…')}`
    times.set(name, [...(times.get(name) ?? []), performance.now() - from])
  }
  diagnostics.subscribe('http.client.request.created', begin)
  diagnostics.subscribe('http.client.response.finish', end)
  const stop = () => {
    diagnostics.unsubscribe('http.client.request.created', begin)
    diagnostics.unsubscribe('http.client.response.finish', end)
  }
  return { times, stop }
}
