import { isFailure } from '@quorate/core/failure'
import type { Block, BlockTransaction, ChainTransfer, InternalPayment, Rpc } from '../adapter.ts'
import {
  type Fields,
  readAccount,
  readFields,
  readHash,
  readList,
  readQuantity,
  unreadable,
} from './answer.ts'
import { inPieces } from './pieces.ts'
import { sidesOf } from './transfers.ts'

/** Calls within calls: the deepest that the machine goes (Yellow Paper, section 9.1), and the outermost. */
export const callDepthMax = 1_025
/** Calls that move money; the others run in the name, and with the money, of whoever calls. */
const moving: ReadonlySet<unknown> = new Set(['CALL', 'CREATE', 'CREATE2', 'SELFDESTRUCT'])

/**
 * What contracts have paid on in a block, by the node's own trace of it ("callTracer" as Geth has it).
 * A transaction that the node does not trace is left out, since anybody can make one whose trace is too
 * long, and what it has paid on is seen by the balance.
 * @throws Failure `chain.refused` where the node keeps no traces, or has another block's
 */
export async function internalPayments(
  rpc: Rpc,
  block: Block,
): Promise<readonly InternalPayment[]> {
  const { transactions } = block
  if (transactions.length === 0) return []
  const traces = (await listTraces(rpc, block)) ?? (await listTracesOneByOne(rpc, block))
  if (traces.length !== transactions.length) throw unreadable('a trace of each transaction')
  return transactions.flatMap((transaction, i) => {
    if (traces[i] === untraced) return []
    const { txHash, result, error } = readFields(traces[i])
    if (txHash !== undefined && readHash(txHash) !== transaction.hash)
      throw unreadable('traces in the order of the block')
    // As Geth has one among others that has taken too long.
    if (result === undefined && typeof error === 'string') return []
    return paymentsIn(transaction, readFields(result))
  })
}

const tracer = { tracer: 'callTracer' }

/** @returns nothing where the node refuses: it has none, or they are too many for one answer */
async function listTraces(rpc: Rpc, { hash }: Block): Promise<readonly unknown[] | undefined> {
  try {
    return readList(await rpc('debug_traceBlockByHash', [hash, tracer]))
  } catch (error) {
    if (isFailure(error, 'chain.refused')) return undefined
    throw error
  }
}

/** The first by itself: a node that has no traces is not asked for thousands. */
async function listTracesOneByOne(rpc: Rpc, block: Block): Promise<readonly unknown[]> {
  const [first, ...others] = block.transactions
  if (first === undefined) return []
  const trace = await traceOf(rpc, first)
  if (trace === untraced) await checkTraces(rpc, block)
  return [trace, ...(await inPieces(others, (other) => traceOf(rpc, other)))]
}

/** Stands for the trace of a transaction that the node refuses to tell. */
const untraced = Symbol('untraced')

async function traceOf(rpc: Rpc, { hash }: BlockTransaction): Promise<unknown> {
  try {
    return { result: await rpc('debug_traceTransaction', [hash, tracer]) }
  } catch (error) {
    if (isFailure(error, 'chain.refused')) return untraced
    throw error
  }
}

/**
 * Does the node trace anything at this block? Of a call to nobody the answer is short at any node.
 * @throws Failure `chain.refused` if it does not
 */
async function checkTraces(rpc: Rpc, { hash: blockHash }: Block): Promise<void> {
  const call = { from: nobody, to: nobody }
  readFields(await rpc('debug_traceCall', [call, { blockHash }, tracer]))
}

const nobody = `0x${'00'.repeat(20)}`

/** Those of these addresses, once per direction, as `transfersOf` has what is paid outright. */
export function internalTransfersOf(
  block: Block,
  payments: readonly InternalPayment[],
  addresses: ReadonlySet<string>,
): readonly ChainTransfer[] {
  const { number: blockNumber, hash: blockHash, timestamp } = block
  return payments.flatMap(({ position, ...payment }) =>
    sidesOf(payment, addresses).map((side) => ({
      ...{ ...payment, ...side, internal: position, succeeded: true },
      ...{ blockNumber, blockHash, timestamp },
    })),
  )
}

function paymentsIn({ hash, index, from }: BlockTransaction, outermost: Fields) {
  if (readAccount(outermost['from']) !== from) throw unreadable('a trace of the transaction')
  const payments: InternalPayment[] = []
  const walk = (call: Fields, depth: number): void => {
    if (depth > callDepthMax) throw unreadable('calls that can be')
    // What fails is put back, with everything that it has called.
    if (call['error'] !== undefined && call['error'] !== null) return
    const { type, to, value } = call
    const isPayment = depth > 1 && moving.has(type) && typeof to === 'string'
    const amount = isPayment ? readQuantity(value ?? '0x0') : 0n
    if (amount > 0n)
      payments.push({
        ...{ hash, index, position: payments.length, value: amount },
        ...{ from: readAccount(call['from']), to: readAccount(to) },
      })
    for (const inner of readList(call['calls'] ?? [])) walk(readFields(inner), depth + 1)
  }
  walk(outermost, 1)
  return payments
}
