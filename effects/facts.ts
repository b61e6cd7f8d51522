import {
  type Codec,
  decode,
  encode,
  natural,
  option,
  struct,
  tag,
  union,
} from '@quorate/core/codec'

/**
 * The closed list of what the server may say about a chain. Everything else about the bytes that are
 * signed comes from the payload and from the signers' own copy of the network.
 */
export type Facts = EvmFacts | NoFacts

export type EvmFacts = {
  readonly family: 'evm'
  readonly nonce: bigint
  readonly gasLimit: bigint
  /** Of a type 2 transaction; 0 in a type 0 one. */
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  /** Of a type 0 transaction, and there alone. */
  readonly gasPrice?: bigint
}

/** For requests whose bytes the payload alone decides. */
export type NoFacts = { readonly family: 'none' }
export const noFacts: NoFacts = { family: 'none' }

const body = union({
  none: [0, struct({})],
  evm: [
    1,
    struct({
      nonce: natural,
      gasLimit: natural,
      maxFeePerGas: natural,
      maxPriorityFeePerGas: natural,
      gasPrice: option(natural),
    }),
  ],
})
const version = tag('quorate.facts.1')

export const factsCodec: Codec<Facts> = {
  write: (out, facts) => {
    version.write(out, undefined)
    if (facts.family === 'none') return body.write(out, { kind: 'none' })
    const { family: kind, ...rest } = facts
    body.write(out, { kind, ...rest, gasPrice: rest.gasPrice })
  },
  read: (from) => {
    version.read(from)
    const { kind: family, ...rest } = body.read(from)
    if (family === 'none') return noFacts
    const { gasPrice, ...fees } = rest as Omit<EvmFacts, 'family'>
    return { family, ...fees, ...(gasPrice === undefined ? {} : { gasPrice }) }
  },
}

export function encodeFacts(facts: Facts): Uint8Array {
  return encode(factsCodec, facts)
}

/** @throws Failure `bytes.malformed` */
export function decodeFacts(bytes: Uint8Array): Facts {
  return decode(factsCodec, bytes)
}
