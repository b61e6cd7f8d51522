import assert from 'node:assert/strict'
import { fromHex } from '@quorate/core/bytes'
import type { Movement } from '@quorate/core/outflow'
import { type Abi, decodeFunctionData, encodeFunctionData, parseAbi } from 'viem'
import { isEndless, outflowOfTransaction, permit2 } from '../outflow.ts'
import type { Draw } from './draw.ts'
import { hexText } from './transactions.ts'

type Drawn = readonly [text: string, args: readonly (string | bigint | number)[]]
type Read = {
  readonly standard: 'Erc20' | 'Erc721' | 'Erc1155'
  readonly token: string
  readonly to: string
  readonly amount: bigint
  readonly isWhole: boolean
}

/**
 * Every call that policies understand, half of them damaged: what viem reads, if it would write the very
 * same bytes again, and nothing else.
 */
export function sameCall(draw: Draw, damaged: (draw: Draw, whole: Uint8Array) => Uint8Array): void {
  const [text, args] = draw.below(3) === 0 ? permit2Approval(draw) : tokenCall(draw)
  const abi: Abi = parseAbi([text])
  const whole = fromHex(encodeFunctionData({ abi, args }).slice(2))
  const data = draw.below(2) === 0 ? whole : damaged(draw, whole)
  if (data.length === 0) return
  const to = draw.below(4) === 0 ? draw.bytes(20) : fromHex(permit2.slice(2))
  const { isKnown, movements } = outflowOfTransaction(
    {
      ...{ type: 2, chainId: 1n, nonce: 0n, gasLimit: 21_000n, value: 0n, to, data },
      ...{ maxFeePerGas: 1n, maxPriorityFeePerGas: 1n, accessList: [] },
    },
    { network: { id: 'Ethereum' }, feeMax: 21_000n, from: draw.bytes(20) },
  )
  const theirs = readByViem(text, { data, contract: hexText(to) })
  const expected: readonly Movement[] =
    theirs === undefined
      ? []
      : [
          {
            asset: `Ethereum/${theirs.standard}/${theirs.token}`,
            ...{ to: theirs.to, amount: theirs.amount },
          },
        ]
  assert.deepEqual(movements, expected)
  assert.equal(isKnown, theirs?.isWhole ?? false)
}

const approval = 'function approve(address token, address spender, uint160 amount, uint48 end)'

function permit2Approval(draw: Draw): Drawn {
  const [token, spender] = [draw.bytes(20), draw.bytes(20)].map(hexText)
  return [approval, [token ?? '', spender ?? '', draw.natural(20), Number(draw.natural(6))]]
}

function tokenCall(draw: Draw): Drawn {
  const account = () => hexText(draw.bytes(20))
  const amount = () => draw.natural(32)
  return draw.one<Drawn>([
    ['function transfer(address to, uint256 amount)', [account(), amount()]],
    ['function approve(address to, uint256 amount)', [account(), amount()]],
    ['function increaseAllowance(address to, uint256 amount)', [account(), amount()]],
    [
      'function transferFrom(address from, address to, uint256 amount)',
      [account(), account(), amount()],
    ],
    [
      'function permit(address owner, address to, uint256 amount, uint256 end, uint8 v, bytes32 r, bytes32 s)',
      [
        ...[account(), account(), amount(), amount(), draw.below(256)],
        ...[hexText(draw.bytes(32)), hexText(draw.bytes(32))],
      ],
    ],
    [
      'function safeTransferFrom(address from, address to, uint256 tokenId)',
      [account(), account(), amount()],
    ],
    [
      'function safeTransferFrom(address from, address to, uint256 tokenId, uint256 amount, bytes data)',
      [account(), account(), amount(), amount(), draw.one(['0x', '0x', '0x00'] as const)],
    ],
  ])
}

/** Nothing where it reads nothing, or would write other bytes of what it has read. */
function readByViem(
  text: string,
  { data, contract }: { readonly data: Uint8Array; readonly contract: string },
): Read | undefined {
  const args = argsOf(parseAbi([text]), data)
  if (args === undefined) return undefined
  const named = /function (\w+)/.exec(text)?.[1] ?? ''
  const at = (i: number) => String(args[i]).toLowerCase()
  const number = (i: number) => BigInt(String(args[i]))
  const coin = (i: number) => ({ standard: 'Erc20', to: at(i), amount: number(i + 1) }) as const
  const allowance = (i: number) => ({ ...coin(i), isWhole: !isEndless(number(i + 1)) })
  if (text === approval) return contract === permit2 ? { token: at(0), ...allowance(1) } : undefined
  if (named === 'transferFrom') return { token: contract, ...coin(1), isWhole: false }
  if (named === 'transfer') return { token: contract, ...coin(0), isWhole: true }
  if (named !== 'safeTransferFrom')
    return { token: contract, ...allowance(named === 'permit' ? 1 : 0) }
  const moved = { token: contract, to: at(1), isWhole: true }
  if (args.length === 3) return { standard: 'Erc721', ...moved, amount: 1n }
  return args[4] === '0x' ? { standard: 'Erc1155', ...moved, amount: number(3) } : undefined
}

function argsOf(abi: Abi, data: Uint8Array): readonly unknown[] | undefined {
  try {
    const { args = [] } = decodeFunctionData({ abi, data: hexText(data) })
    return encodeFunctionData({ abi, args }) === hexText(data) ? args : undefined
  } catch {
    // Bytes that it cannot read are what these cases are about.
    return undefined
  }
}
