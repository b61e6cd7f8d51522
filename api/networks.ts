import { z } from 'zod'

import type { Json } from '@quorate/core/json'

import { endpoint } from './endpoint.ts'
import { address } from './evm.ts'
import { network } from './words.ts'

const level = z.object({ maxPriorityFeePerGas: z.string(), maxFeePerGas: z.string() })

export const getFees = endpoint('networks.getFees', {
  summary: 'What a transaction costs now, at three degrees of haste. All prices are for one gas.',
  query: z.object({ network }),
  returns: z.object({
    kind: z.literal('Eip1559'),
    network: z.string(),
    blockNumber: z.int(),
    slow: level,
    standard: level,
    fast: level,
    baseFeePerGas: z.string(),
  }),
})

/** Of numbers, in bits: whole bytes, up to a word of the machine. */
const widths = Array.from({ length: 32 }, (_, i) => 8 * (i + 1))
/**
 * The language's own words: a number of no width has 256 bits, `tuple` has components, and nothing
 * has a length of zero.
 */
const abiType = new RegExp(
  String.raw`^(address|bool|string|bytes([1-9]|[12][0-9]|3[0-2])?|u?int(${widths.join('|')})?|tuple)` +
    String.raw`(\[([1-9][0-9]{0,2})?\]){0,3}$`,
)
/** More than any function has that a compiler makes: its stack holds sixteen. */
const parametersMax = 32
/** Structs within structs. */
const depthMax = 4

const parameters = (depth: number): z.ZodType<readonly Parameter[]> =>
  z
    .array(
      z.strictObject({
        name: z.string().max(100),
        type: z.string().max(64).regex(abiType, 'not a type of an ABI'),
        /** Of the compiler's output; nothing is made of it. */
        internalType: z.string().max(256).optional(),
        components: (depth === 0 ? z.never() : parameters(depth - 1)).optional(),
      }),
    )
    .max(parametersMax)
    .refine(
      (list) =>
        list.every(({ type, components = [] }: Parameter) =>
          type.startsWith('tuple') ? components.length > 0 : components.length === 0,
        ),
      'a tuple has components, and nothing else has',
    )

type Parameter = {
  readonly name: string
  readonly type: string
  readonly internalType?: string | undefined
  readonly components?: readonly Parameter[] | undefined
}

export const callFunction = endpoint('networks.callFunction', {
  summary: 'What a contract answers to a call that changes nothing.',
  params: z.strictObject({ network: z.string().max(64) }),
  body: z.strictObject({
    contract: address,
    abi: z.strictObject({
      type: z.literal('function'),
      name: z.string().regex(/^[A-Za-z_$][A-Za-z0-9_$]{0,99}$/, 'the name of a function'),
      stateMutability: z.enum(['view', 'pure']),
      inputs: parameters(depthMax),
      outputs: parameters(depthMax),
      constant: z.boolean().optional(),
      payable: z.literal(false).optional(),
      /** What Vyper's compiler thought that it costs, once. */
      gas: z.int().nonnegative().optional(),
    }),
    /** By the names of the inputs, or a list in their order. */
    calldata: z.union([z.record(z.string(), z.json()), z.array(z.json())]).optional(),
  }),
  returns: z.custom<Json>(),
})
