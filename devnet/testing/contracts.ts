import { readFileSync } from 'node:fs'

/** What the compiler makes of `tokens.sol`: the same bytes wherever it runs. */
export type Compiled = {
  /** As JSON has it, for whatever library a test encodes calls with. */
  readonly abi: readonly unknown[]
  /** Of the transaction that creates it, before the constructor's arguments. */
  readonly code: `0x${string}`
}

export const contractNames = ['Coin', 'OldCoin', 'Boaster', 'Pieces', 'Sets', 'Payer'] as const
export type ContractName = (typeof contractNames)[number]
export const contractsFile = new URL('contracts.json', import.meta.url)

/** Kept beside its source, so that no test waits for a compiler; `contracts.test.ts` compiles it anew. */
export const contracts = JSON.parse(readFileSync(contractsFile, 'utf8')) as Readonly<
  Record<ContractName, Compiled>
>
