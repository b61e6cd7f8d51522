import {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  list,
  natural,
  oneOf,
  option,
  struct,
  tag,
  text,
  u64,
  u8,
  union,
} from '@quorate/core/codec'
import type { Opinions } from '@quorate/core/outflow'

/**
 * The closed list of what the server may say about a chain. Everything else about the bytes that are
 * signed comes from the payload and from the signers' own copy of the network.
 */
export type Facts = (EvmFacts | NoFacts) & Partial<Opinions>

export type EvmFacts = {
  readonly family: 'evm'
  readonly nonce: bigint
  readonly gasLimit: bigint
  /** Of a type 2 transaction; 0 in a type 0 one. */
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  /** Of a type 0 transaction, and there alone. */
  readonly gasPrice?: bigint
  /** Of a speed-up: the request whose effect it has, as it was signed. Who reads it checks it. */
  readonly original?: Uint8Array
}

/** For requests whose bytes the payload alone decides. */
export type NoFacts = { readonly family: 'none' }
export const noFacts: NoFacts = { family: 'none' }

/** What rests on longer ones is refused: they can still be cancelled. */
export const originalBytesMax = 24 * 1024

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
      original: option(bytes(originalBytesMax)),
    }),
  ],
})
/** More assets or recipients than one request can have. */
export const opinionsMax = 16
const price = struct({
  asset: text(128),
  currency: oneOf({ USD: 1 }),
  micros: natural,
  decimals: u8,
  source: text(64),
  at: u64,
})
const screening = struct({ address: text(128), isListed: bool, source: text(64), at: u64 })
const opinions = struct({
  prices: list(price, opinionsMax),
  screenings: list(screening, opinionsMax),
})
const version = tag('quorate.facts.3')

export const factsCodec: Codec<Facts> = {
  write: (out, facts) => {
    version.write(out, undefined)
    const { prices = [], screenings = [], ...chain } = facts
    if (chain.family === 'none') body.write(out, { kind: 'none' })
    else {
      const { family: kind, ...rest } = chain
      body.write(out, { kind, ...rest, gasPrice: rest.gasPrice, original: rest.original })
    }
    opinions.write(out, { prices, screenings })
  },
  read: (from) => {
    version.read(from)
    const { kind: family, ...rest } = body.read(from)
    const said = opinions.read(from)
    const beside = said.prices.length + said.screenings.length > 0 ? said : {}
    if (family === 'none') return { family, ...beside }
    const { gasPrice, original, ...fees } = rest as Omit<EvmFacts, 'family'>
    return {
      ...{ family, ...fees },
      ...(gasPrice === undefined ? {} : { gasPrice }),
      ...(original === undefined ? {} : { original }),
      ...beside,
    }
  },
}

export function encodeFacts(facts: Facts): Uint8Array {
  return encode(factsCodec, facts)
}

/** @throws Failure `bytes.malformed` */
export function decodeFacts(bytes: Uint8Array): Facts {
  return decode(factsCodec, bytes)
}
