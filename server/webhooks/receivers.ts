import {
  openOutward,
  refusalOf,
  type NoAnswer,
  type OutwardFetch,
  type Surroundings,
} from '../net/outward.ts'

/** The way to whoever wants to be told. */
export type Receivers = {
  readonly fetch: OutwardFetch
  /** For an address that is about to be kept. */
  readonly refusal: (url: string) => NoAnswer | undefined
}

/** @throws Error when a network of `surroundings` is none */
export function openReceivers(surroundings: Surroundings): Receivers {
  return {
    fetch: openOutward(surroundings),
    refusal: (url) => refusalOf(url, surroundings),
  }
}

/** In words, for the answer to whoever has chosen the address. */
export const noAnswerWords: { readonly [Why in NoAnswer]: string } = {
  'url-refused': 'the URL is not one that events are sent to: https, without a password',
  'name-unknown': 'the name is not known',
  'address-refused': 'the address is not a public one',
  'no-connection': 'there was no connection, or none that can be believed',
  'too-slow': 'there was no answer in time',
  'too-large': 'the answer was too large',
}
