import {
  decodeFunctionData,
  encodeAbiParameters,
  encodeEventTopics,
  parseAbi,
  type Hex,
} from 'viem'
import type { Call, Log } from './small-state.ts'

/**
 * A stand-in for a contract: one coin (ERC-20), whose units are part of an account like its ether, so
 * that a chain that turns back takes them along. `devnet/testing/tokens.sol` has the real one, `Coin`.
 */
export const coin = {
  /** In lower case, as all addresses here. */
  address: `0x${'c0'.repeat(20)}`,
  symbol: 'GLD',
  decimals: 6,
  /** What it consists of nobody reads, only that there is something. */
  code: '0xfe',
} as const

type Ran =
  | {
      readonly ok: true
      readonly output: string
      readonly gasUsed: bigint
      /** Nothing for what only asks. */
      readonly moved?: { readonly to: string; readonly amount: bigint }
      readonly logs: readonly Log[]
    }
  | { readonly ok: false; readonly gasUsed: bigint }

const abi = parseAbi([
  'event Transfer(address indexed from, address indexed to, uint256 value)',
  'function transfer(address to, uint256 value) returns (bool)',
  'function balanceOf(address holder) view returns (uint256)',
  'function symbol() view returns (string)',
  'function decimals() view returns (uint8)',
])
/** About what the real one takes: two places written, one of them for the first time; and one read. */
const [gasOfMove, gasOfRefusal] = [52_000n, 24_500n]

/** @param unitsOf what somebody has of it at that moment */
export function runCoin(
  { from, data, value }: Omit<Call, 'to'>,
  unitsOf: (holder: string) => bigint,
): Ran {
  const call = callIn(data)
  // None of its functions takes ether.
  if (call === undefined || value > 0n) return refusal
  switch (call.functionName) {
    case 'symbol':
      return answering('string', coin.symbol)
    case 'decimals':
      return answering('uint8', coin.decimals)
    case 'balanceOf':
      return answering('uint256', unitsOf(call.args[0].toLowerCase()))
    case 'transfer': {
      const [to, amount] = call.args
      if (unitsOf(from) < amount) return refusal
      const moved = { to: to.toLowerCase(), amount }
      return { ...answering('bool', true), moved, logs: [transferLog(from, to, amount)] }
    }
  }
}

const refusal: Ran = { ok: false, gasUsed: gasOfRefusal }

function answering(type: string, value: unknown): Extract<Ran, { ok: true }> {
  const output = encodeAbiParameters([{ type }], [value])
  return { ok: true, output, gasUsed: gasOfMove, logs: [] }
}

function transferLog(from: string, to: Hex, amount: bigint): Log {
  const args = { from: from as Hex, to }
  const topics = encodeEventTopics({ abi, eventName: 'Transfer', args }).map(String)
  return {
    address: coin.address,
    topics,
    data: encodeAbiParameters([{ type: 'uint256' }], [amount]),
  }
}

function callIn(data: string) {
  try {
    return decodeFunctionData({ abi, data: data as Hex })
  } catch {
    // No function of it, or no arguments of that function: a contract says no more than that it fails.
    return undefined
  }
}
