import { Failure } from '@quorate/core/failure'
import type { Network, Rpc } from '../adapter.ts'
import { readQuantity } from './answer.ts'
import { quoteFees, quoteGasPrice } from './fees.ts'
import { type EvmAsk, type EvmAuthorization, type EvmFacts, toHexText } from './transaction.ts'

/** A plain payment to an account without code costs exactly this. */
const gasOfPayment = 21_000n
/** Between estimate and inclusion, a contract's state may change what it costs. */
const gasMarginPercent = 120n

/** @throws Failure `chain.refused` when the node is of another chain */
export async function checkChain(rpc: Rpc, network: Network): Promise<void> {
  const chainId = readQuantity(await rpc('eth_chainId', []))
  if (chainId !== BigInt(network.chainId))
    throw new Failure('chain.refused', {
      network: network.id,
      reason: `the node is of chain ${chainId}, not ${network.chainId}`,
    })
}

/** @throws Failure `chain.refused` when the transaction could not be carried out as things stand */
export async function observe(rpc: Rpc, ask: EvmAsk): Promise<EvmFacts> {
  const [nonce, gasLimit, fees] = await Promise.all([
    ask.nonce ?? pendingNonce(rpc, ask.from),
    ask.gasLimit ?? estimateGas(rpc, ask),
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
  return gas === gasOfPayment ? gas : (gas * gasMarginPercent) / 100n
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
