import assert from 'node:assert/strict'
import { type Abi, encodeDeployData, encodeFunctionData, type Hex } from 'viem'
import { type ContractName, contracts } from './contracts.ts'

/** One call to the development node, whose first account is unlocked and rich. */
export type Rpc = (method: string, params: readonly unknown[]) => Promise<unknown>

export type Deployed = {
  readonly address: Hex
  /** Sends a transaction to it and waits for its block. */
  invoke(functionName: string, args: readonly unknown[]): Promise<void>
  /** @returns the answer, as the chain's newest block has it */
  ask(functionName: string, args: readonly unknown[]): Promise<bigint>
}

export async function deploy(
  rpc: Rpc,
  name: ContractName,
  args: readonly unknown[] = [],
): Promise<Deployed> {
  const { code: bytecode } = contracts[name]
  const abi = contracts[name].abi as Abi
  const { contractAddress } = await sent(rpc, {
    data: encodeDeployData({ abi, bytecode, args } as Parameters<typeof encodeDeployData>[0]),
  })
  assert.ok(contractAddress)
  const encoded = (functionName: string, given: readonly unknown[]) =>
    encodeFunctionData({ abi, functionName, args: given })
  return {
    address: contractAddress,
    invoke: async (functionName, given) => {
      await sent(rpc, { to: contractAddress, data: encoded(functionName, given) })
    },
    ask: async (functionName, given) => {
      const call = { to: contractAddress, data: encoded(functionName, given) }
      return BigInt(String(await rpc('eth_call', [call, 'latest'])))
    },
  }
}

/** A block is made for it, whether or not the node makes some by itself. */
async function sent(
  rpc: Rpc,
  transaction: { readonly to?: Hex; readonly data: Hex },
): Promise<{ readonly contractAddress: Hex | null }> {
  const [from] = (await rpc('eth_accounts', [])) as Hex[]
  const hash = await rpc('eth_sendTransaction', [{ from, ...transaction }])
  await rpc('anvil_mine', ['0x1'])
  const receipt = (await rpc('eth_getTransactionReceipt', [hash])) as {
    readonly status: string
    readonly contractAddress: Hex | null
  } | null
  assert.equal(receipt?.status, '0x1')
  return receipt
}
