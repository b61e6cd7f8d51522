import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseTransaction, recoverTransactionAddress, type Hex } from 'viem'

/** What stands between a server and a node that itself would take anything. */
export type FakePool = {
  readonly url: string
  /** The words of each refusal. */
  readonly refusals: string[]
  /** The most that one account had in it at a time. */
  readonly most: () => number
  readonly close: () => Promise<void>
}
export type PoolLimits = {
  /** Of one account, to be carried out next and behind a gap. */
  readonly pooled: number
  readonly queued: number
}
type Call = { readonly id: unknown; readonly method: string; readonly params: readonly unknown[] }
const bodyBytesMax = 1024 * 1024

/**
 * A fake pool, and named so: a proxy to a real node that refuses, as others do and this one does not,
 * more transactions of one account than these limits allow. It keeps count by what it has let pass.
 */
export async function startFakePool(node: string, limits: PoolLimits): Promise<FakePool> {
  const refusals: string[] = []
  const passed = new Map<string, Set<number>>()
  let most = 0

  const ask = async (body: string): Promise<string> => {
    const headers = { 'content-type': 'application/json' }
    return (await fetch(node, { method: 'POST', headers, body })).text()
  }
  const countOf = async (address: string): Promise<number> => {
    const params = [address, 'latest']
    const asked = { jsonrpc: '2.0', id: 1, method: 'eth_getTransactionCount', params }
    return Number((JSON.parse(await ask(JSON.stringify(asked))) as { result: string }).result)
  }

  async function refusal(raw: Hex): Promise<string | undefined> {
    const { nonce = 0 } = parseTransaction(raw)
    const from = (
      await recoverTransactionAddress({ serializedTransaction: raw as `0x02${string}` })
    ).toLowerCase()
    const mined = await countOf(from)
    const waiting = new Set([...(passed.get(from) ?? [])].filter((each) => each >= mined))
    let end = mined
    while (waiting.has(end)) end++
    const queued = [...waiting].filter((each) => each > end).length
    if (nonce > end && queued >= limits.queued) return 'account limit exceeded: queue'
    if (nonce === end && end - mined >= limits.pooled) return 'account limit exceeded: pool'
    waiting.add(nonce)
    passed.set(from, waiting)
    most = Math.max(most, waiting.size)
    return undefined
  }

  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts).subarray(0, bodyBytesMax).toString()
    const call = JSON.parse(body) as Call
    const isSending = call.method === 'eth_sendRawTransaction'
    const reason = isSending ? await refusal(call.params[0] as Hex) : undefined
    if (reason !== undefined) refusals.push(reason)
    const error = { code: -32_000, message: reason }
    response.setHeader('content-type', 'application/json')
    response.end(
      reason === undefined
        ? await ask(body)
        : JSON.stringify({ jsonrpc: '2.0', id: call.id, error }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    refusals,
    most: () => most,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
