import {
  bool,
  bytes,
  type Codec,
  decode,
  type Decoded,
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
export type Facts = (EvmFacts | SponsoredFacts | SponsorshipFacts | NoFacts) & Partial<Opinions>

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

/** Of a request whose fees somebody else pays, for the account's own signatures. */
export type SponsoredFacts = {
  readonly family: 'sponsored'
  /** Of the account, if it has to be given the code by which it is paid for. */
  readonly delegationNonce?: bigint
}

/** The same request, for the signature of whoever pays. */
export type SponsorshipFacts = {
  readonly family: 'sponsorship'
  /** Of the one who pays. */
  readonly nonce: bigint
  readonly gasLimit: bigint
  readonly maxFeePerGas: bigint
  readonly maxPriorityFeePerGas: bigint
  /** What the account has signed by then. Whoever reads it verifies it. */
  readonly inner: AccountSignature
  readonly delegation?: { readonly nonce: bigint; readonly signature: AccountSignature }
}
export type AccountSignature = {
  readonly r: bigint
  readonly s: bigint
  readonly yParity: 0 | 1
}

/** For requests whose bytes the payload alone decides. */
export type NoFacts = { readonly family: 'none' }
export const noFacts: NoFacts = { family: 'none' }

/** What rests on longer ones is refused: they can still be cancelled. */
export const originalBytesMax = 24 * 1024

const parity: Codec<0 | 1> = {
  write: (out, value) => bool.write(out, value === 1),
  read: (from) => (bool.read(from) ? 1 : 0),
}
const signature = struct({ r: natural, s: natural, yParity: parity })
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
  sponsored: [2, struct({ delegationNonce: option(natural) })],
  sponsorship: [
    3,
    struct({
      nonce: natural,
      gasLimit: natural,
      maxFeePerGas: natural,
      maxPriorityFeePerGas: natural,
      inner: signature,
      delegation: option(struct({ nonce: natural, signature })),
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
    body.write(out, spelledOut(chain))
    opinions.write(out, { prices, screenings })
  },
  read: (from) => {
    version.read(from)
    const chain = inShort(body.read(from))
    const said = opinions.read(from)
    const beside = said.prices.length + said.screenings.length > 0 ? said : {}
    return { ...chain, ...beside }
  },
}

type ChainFacts = EvmFacts | SponsoredFacts | SponsorshipFacts | NoFacts

/** With every member that may be absent. */
function spelledOut(facts: ChainFacts): Decoded<typeof body> {
  switch (facts.family) {
    case 'none':
      return { kind: 'none' }
    case 'evm': {
      const { family: kind, gasPrice, original, ...fees } = facts
      return { kind, ...fees, gasPrice, original }
    }
    case 'sponsored':
      return { kind: 'sponsored', delegationNonce: facts.delegationNonce }
    case 'sponsorship': {
      const { family: kind, delegation, ...rest } = facts
      return { kind, ...rest, delegation }
    }
  }
}

/** Without those that are. */
function inShort(read: Decoded<typeof body>): ChainFacts {
  switch (read.kind) {
    case 'none':
      return noFacts
    case 'evm': {
      const { kind: family, gasPrice, original, ...fees } = read
      return {
        ...{ family, ...fees },
        ...(gasPrice === undefined ? {} : { gasPrice }),
        ...(original === undefined ? {} : { original }),
      }
    }
    case 'sponsored': {
      const { kind: family, delegationNonce } = read
      return { family, ...(delegationNonce === undefined ? {} : { delegationNonce }) }
    }
    case 'sponsorship': {
      const { kind: family, delegation, ...rest } = read
      return { family, ...rest, ...(delegation === undefined ? {} : { delegation }) }
    }
  }
}

export function encodeFacts(facts: Facts): Uint8Array {
  return encode(factsCodec, facts)
}

/** @throws Failure `bytes.malformed` */
export function decodeFacts(bytes: Uint8Array): Facts {
  return decode(factsCodec, bytes)
}
