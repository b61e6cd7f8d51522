import { z } from 'zod'

import { amount, hexBytes } from './words.ts'
import { supported } from './unsupported.ts'

/** Clients write numbers as numbers, as decimal text and as `0x` text, each in the same field. */
const quantity = z.union([
  z.int().min(0),
  amount,
  z.string().regex(/^0x[0-9a-fA-F]{1,64}$/, 'a whole number, decimal or 0x'),
])
export const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'an address of 20 bytes')
const common = {
  to: address.optional(),
  value: quantity.optional(),
  data: hexBytes.optional(),
  nonce: quantity.optional(),
  gasLimit: quantity.optional(),
}

const marketFees = {
  maxFeePerGas: quantity.optional(),
  maxPriorityFeePerGas: quantity.optional(),
}
/** As many as a block has room for. */
const authorizationsMax = 256
/** What an account signs of itself to have a contract's code run as its own. */
export const delegation = { chainId: quantity, address, nonce: quantity }
/** Of another account or this one (EIP-7702), signed as three numbers or in one piece. */
const authorization = z.union([
  z.strictObject({ ...delegation, yParity: quantity, r: quantity, s: quantity }),
  z.strictObject({ ...delegation, signature: hexBytes }),
])

/** A transaction as an object may leave nonce, gas and fees to us. */
const evmTransaction = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal(0), ...common, gasPrice: quantity.optional() }),
  z.strictObject({ type: z.literal(2).optional(), ...common, ...marketFees }),
  z.strictObject({
    type: z.literal(4),
    ...{ ...common, ...marketFees, to: address },
    authorizationList: z.array(authorization).min(1).max(authorizationsMax),
  }),
])
/** The deprecated kinds have the members of an object in the body itself: `Evm` of one that names no type. */
export const unwrapped = common
export const unwrappedFees = marketFees
export const transaction = z.union([hexBytes, evmTransaction], {
  error: 'neither whole bytes in hex nor a known transaction of type 0, 2 or 4',
})

/** At the depth and size of the largest known typed data (permit batches), with room. */
const typesMax = 64
const membersMax = 128
const typeName = z.string().min(1).max(128)

export const typedData = {
  types: z
    .record(
      typeName,
      z.array(z.strictObject({ name: z.string().max(128), type: typeName })).max(membersMax),
    )
    .refine((types) => Object.keys(types).length <= typesMax, `at most ${typesMax} types`),
  domain: z.strictObject({
    name: z.string().max(256).optional(),
    version: z.string().max(64).optional(),
    chainId: quantity.optional(),
    verifyingContract: address.optional(),
    salt: z
      .string()
      .regex(/^0x[0-9a-fA-F]{64}$/, '32 bytes in hex, with 0x')
      .optional(),
  }),
  message: z.record(z.string(), z.unknown()),
}

export const blockchainKind = supported(['Evm'])
