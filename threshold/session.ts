/**
 * What every protocol here is: a pure state machine. Context, randomness and inbox go in; outbox
 * and next state come out; or a result; or an abort that says who is to blame. No I/O, no clock.
 */

/** A signer's index in the cluster manifest, 1..n. Never taken from the wire. */
export type Party = number

/** Fresh random bytes. Production passes the operating system's; only tests pass a seeded one. */
export type Random = (size: number) => Uint8Array

/** `to: '*'` is a broadcast: the same bytes for everybody else, and entered into the echo. */
export type Outbound = { readonly to: Party | '*'; readonly body: Uint8Array }
export type Inbound = { readonly from: Party; readonly to: Party | '*'; readonly body: Uint8Array }

export type Abort = {
  /** A short name of the failed check, safe to log: never a value. */
  readonly reason: string
  /** Who sent what failed. Empty when the check cannot tell. */
  readonly culprits: readonly Party[]
  /**
   * Peers whose pair setup with this party may have leaked a bit. The runner must mark the pairs
   * burned, durably, before anybody is answered (threshold-signing 6.7): it is a result, not an
   * exception that a retry could swallow.
   */
  readonly burned: readonly Party[]
}

export type Outcome<State, Result> =
  | { readonly kind: 'next'; readonly state: State; readonly out: readonly Outbound[] }
  | { readonly kind: 'done'; readonly result: Result; readonly out: readonly Outbound[] }
  | { readonly kind: 'abort'; readonly abort: Abort }
