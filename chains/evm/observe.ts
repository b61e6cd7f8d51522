import { Failure } from '@quorate/core/failure'
import type { Network, Rpc } from '../adapter.ts'
import { type Fields, readFields, readQuantity } from './answer.ts'
import { quoteFees, quoteGasPrice } from './fees.ts'
import { type EvmAsk, type EvmAuthorization, type EvmFacts, toHexText } from './transaction.ts'

/** A plain payment to an account without code costs exactly this. */
const gasOfPayment = 21_000n
/** Between estimate and inclusion, a contract's state may change what it costs. */
const gasMarginPercent = 120n
/**
 * Where EIP-7825 is in force, as on Ethereum since Osaka, a transaction that names more is invalid: no node takes
 * it, and nothing else gets past its nonce. Elsewhere this costs a part of the margin and nothing else.
 */
const gasOfTransactionMax = 1n << 24n
/** The blocks of any network take as much: for less, none is asked. */
const gasOfBlockLeast = 1_000_000n

/** @throws Failure `chain.refused` when the node is of another chain */
export async function checkChain(rpc: Rpc, network: Network): Promise<void> {
  const chainId = readQuantity(await rpc('eth_chainId', []))
  if (chainId !== BigInt(network.chainId))
    throw new Failure('chain.refused', {
      network: network.id,
      reason: `the node is of chain ${chainId}, not ${network.chainId}`,
    })
}

/** @throws Failure `chain.refused` when it could not be carried out as things stand, or in no block */
export async function observe(rpc: Rpc, ask: EvmAsk): Promise<EvmFacts> {
  const [nonce, gasLimit, fees] = await Promise.all([
    ask.nonce ?? pendingNonce(rpc, ask.from),
    ask.gasLimit === undefined
      ? estimateGas(rpc, ask)
      : gasInBlock(rpc, { needed: ask.gasLimit, wished: ask.gasLimit }),
    ask.type === 0 ? observeGasPrice(rpc, ask) : observeFees(rpc, ask),
  ])
  return { family: 'evm', nonce, gasLimit, ...fees }
}

/** The next nonce, what waits in the node's pool included. */
export async function pendingNonce(rpc: Rpc, address: string): Promise<bigint> {
  return readQuantity(await rpc('eth_getTransactionCount', [address, 'pending']))
}

/** @param blockHash read at that very block (EIP-1898), so that no answer mixes two forks */
export async function balance(rpc: Rpc, address: string, blockHash?: string): Promise<bigint> {
  const at = blockHash === undefined ? 'latest' : { blockHash, requireCanonical: true }
  return readQuantity(await rpc('eth_getBalance', [address, at]))
}

/** @throws Failure `funds.insufficient` when amount and highest fee together exceed the balance */
export async function requireFunds(rpc: Rpc, ask: EvmAsk, facts: EvmFacts): Promise<void> {
  const needed = ask.value + facts.gasLimit * (facts.gasPrice ?? facts.maxFeePerGas)
  const available = await balance(rpc, ask.from)
  if (available < needed)
    throw new Failure('funds.insufficient', {
      needed: needed.toString(),
      available: available.toString(),
    })
}

async function estimateGas(rpc: Rpc, ask: EvmAsk): Promise<bigint> {
  const call = {
    from: ask.from,
    ...(ask.to === undefined ? {} : { to: ask.to }),
    value: `0x${ask.value.toString(16)}`,
    ...(ask.data.length === 0 ? {} : { data: toHexText(ask.data) }),
    ...(ask.authorizations === undefined
      ? {}
      : { type: '0x4', authorizationList: ask.authorizations.map(authorizationText) }),
  }
  const gas = readQuantity(await rpc('eth_estimateGas', [call]))
  if (gas === gasOfPayment) return gas
  const wished = (gas * gasMarginPercent) / 100n
  const most = gas <= gasOfTransactionMax ? gasOfTransactionMax : wished
  return gasInBlock(rpc, { needed: gas, wished: least(wished, most) })
}

/**
 * What is wished for, as far as the newest block would have taken it; all of it where the node does not tell.
 * @throws Failure `chain.refused` where a block takes less than is needed
 */
async function gasInBlock(
  rpc: Rpc,
  { needed, wished }: { readonly needed: bigint; readonly wished: bigint },
): Promise<bigint> {
  if (wished <= gasOfBlockLeast) return wished
  const block = await rpc('eth_getBlockByNumber', ['latest', false])
  const { gasLimit }: Fields = block === null ? {} : readFields(block)
  const limit = gasLimit === undefined || gasLimit === null ? 0n : readQuantity(gasLimit)
  // Some networks have no such limit, and say 0.
  if (limit === 0n) return wished
  if (limit >= needed) return least(wished, limit)
  const reason = `it needs ${needed} gas, and a block takes ${limit}`
  throw new Failure('chain.refused', { network: 'evm', reason })
}

function authorizationText({ address, ...numbers }: EvmAuthorization): object {
  const texts = Object.entries(numbers).map(([name, value]) => [name, `0x${value.toString(16)}`])
  return { address, ...Object.fromEntries(texts) }
}

async function observeGasPrice(
  rpc: Rpc,
  ask: EvmAsk,
): Promise<Pick<EvmFacts, 'gasPrice' | 'maxFeePerGas' | 'maxPriorityFeePerGas'>> {
  const gasPrice = ask.gasPrice ?? (await quoteGasPrice(rpc, ask.priority))
  return { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n, gasPrice }
}

async function observeFees(
  rpc: Rpc,
  ask: EvmAsk,
): Promise<Pick<EvmFacts, 'maxFeePerGas' | 'maxPriorityFeePerGas'>> {
  const { maxFeePerGas: fee, maxPriorityFeePerGas: tip } = ask
  if (fee !== undefined && tip !== undefined)
    return { maxFeePerGas: fee, maxPriorityFeePerGas: tip }
  const quote = await quoteFees(rpc, ask.priority)
  // What the caller fixed stands; the other of the two keeps within it.
  if (fee !== undefined)
    return { maxFeePerGas: fee, maxPriorityFeePerGas: least(fee, quote.maxPriorityFeePerGas) }
  if (tip !== undefined) {
    const base = quote.maxFeePerGas - quote.maxPriorityFeePerGas
    return { maxFeePerGas: base + tip, maxPriorityFeePerGas: tip }
  }
  return quote
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
