import { setTimeout as sleep } from 'node:timers/promises'

/** A block a second; a busy machine takes longer. */
const waitMsMax = 30_000
const askEveryMs = 100

/**
 * Has the local node's rich account send what makes a contract, unless the contract is there, and
 * waits until it is.
 */
export async function deployOnce(
  rpcUrl: string,
  contract: { readonly address: string; readonly to: string; readonly data: string },
): Promise<void> {
  const { address, to, data } = contract
  const isThere = async () => (await ask(rpcUrl, 'eth_getCode', [address, 'latest'])) !== '0x'
  if (await isThere()) return
  const accounts = await ask(rpcUrl, 'eth_accounts', [])
  const from: unknown = Array.isArray(accounts) ? accounts[0] : undefined
  await ask(rpcUrl, 'eth_sendTransaction', [{ from, to, data }])
  for (let waited = 0; waited < waitMsMax; waited += askEveryMs) {
    if (await isThere()) return
    await sleep(askEveryMs)
  }
  throw new Error(`No contract is at ${address} on the local chain.`)
}

async function ask(rpcUrl: string, method: string, params: readonly unknown[]): Promise<unknown> {
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error }: { result?: unknown; error?: unknown } = Object(await response.json())
  if (result === undefined) throw new Error(`The local chain refused ${method}.`, { cause: error })
  return result
}
