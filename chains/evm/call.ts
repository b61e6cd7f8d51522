import { Failure } from '@quorate/core/failure'
import type { Json } from '@quorate/core/json'
import { decodeFunctionResult, encodeFunctionData, type AbiFunction, type Hex } from 'viem'
import type { Network, Rpc } from '../adapter.ts'
import { answerTooLong } from '../nodes.ts'
import { parseAddress } from './address.ts'
import { canonical, valueIn, valueOut, type Parameter } from './call-values.ts'

export type Call = {
  readonly contract: string
  readonly name: string
  readonly inputs: readonly Parameter[]
  readonly outputs: readonly Parameter[]
  /** As a list in the order of the inputs, or by their names. */
  readonly values: Json
}

/** What nodes let a call use if nothing is said; with it said, none lets a caller have more. */
const gasMax = '0x2faf080'
/**
 * Two thousand words. Parts of an answer may lie over each other, so that what comes out grows with
 * the square of it: this much is a tenth of a second's work at most, five times as much two seconds'.
 */
const answerLengthMax = 2 + 2_000 * 64

/**
 * Asks a contract what it would answer at the newest block; nothing is sent and nothing changes.
 * @returns one output as itself, none as null, several as a list; all whole numbers as text
 * @throws Failure `body.malformed` for values that do not go with the inputs, `address.malformed`,
 *   `chain.refused` when the contract fails or answers something else than its outputs
 */
export async function callFunction(rpc: Rpc, { id }: Network, call: Call): Promise<Json> {
  const { name, outputs } = call
  const inputs = call.inputs.map(canonical)
  const abi = [{ type: 'function', stateMutability: 'view', name, inputs, outputs } as AbiFunction]
  const to = parseAddress(call.contract)
  const data = encoded(abi, call)
  const answer = await rpc('eth_call', [{ to, data, gas: gasMax }, 'latest'])
  if (outputs.length === 0) return null
  const values = decoded(abi, name, answer, id)
  const list = outputs.length === 1 ? [values] : [...(values as readonly unknown[])]
  const [first = null, ...others] = outputs.map((output, i) => valueOut(output, list[i]))
  return others.length === 0 ? first : [first, ...others]
}

function encoded(abi: readonly AbiFunction[], { name, inputs, values }: Call): Hex {
  const args = valueIn({ name: 'calldata', type: 'tuple', components: inputs }, values)
  const list = inputs.map((input, i) => (args as Record<string, unknown>)[input.name || String(i)])
  try {
    return encodeFunctionData({ abi, functionName: name, args: list })
  } catch (error) {
    // viem says what is wrong with a value in its first line; the rest are links to its pages.
    const [message = 'not encodable'] = error instanceof Error ? error.message.split('\n') : []
    throw new Failure('body.malformed', { issues: [{ path: 'calldata', message }] })
  }
}

function decoded(
  abi: readonly AbiFunction[],
  functionName: string,
  answer: unknown,
  network: string,
): unknown {
  const reason = 'the contract did not answer what its outputs say'
  if (typeof answer !== 'string' || !/^0x[0-9a-f]*$/i.test(answer))
    throw new Failure('chain.refused', { network, reason: 'the node did not answer with bytes' })
  if (answer.length > answerLengthMax)
    throw new Failure('chain.refused', { network, reason: answerTooLong })
  try {
    return decodeFunctionResult({ abi, functionName, data: answer as Hex })
  } catch (cause) {
    throw new Failure('chain.refused', { network, reason }, { cause })
  }
}
