import { Failure } from '@quorate/core/failure'
import type { Inbound, Outcome, Party } from '../session.ts'

type Aborted = Extract<Outcome<never, never>, { kind: 'abort' }>

/**
 * Names of the checks of pair setup and signing, as they appear in logs. Only the last five are
 * taken after a peer's word has met a secret of this pair, so only they burn.
 */
export type Check =
  | 'inbox' // not one message of each kind from each peer
  | 'malformed' // a length, a point or a scalar that no honest peer sends
  | 'commitment'
  | 'epoch' // the two hold different setups of their pair
  | 'round 1 digest'
  | 'echo'
  | 'base transfer'
  | 'confirmation'
  | 'nonce' // the sum of the nonce points is the identity, or has no usable x
  | 'public key' // the parts of the key do not add up to the public key
  | 'tree'
  | 'extension'
  | 'multiplication'
  | 'nonce product'
  | 'key product'

/** Nothing secret was put to the test: somebody may be to blame, no pair is burned. */
export function blame(reason: Check, ...culprits: readonly Party[]): Aborted {
  return { kind: 'abort', abort: { reason, culprits, burned: [] } }
}

/**
 * A failed test of a peer's word against this pair's secrets: whoever is to blame has bet on bits of
 * them. Every further bet would teach a bit more, so there is no further one.
 */
export function burn(reason: Check, ...peers: readonly Party[]): Aborted {
  return { kind: 'abort', abort: { reason, culprits: peers, burned: peers } }
}

/** What `read` makes of bytes a peer sent; nothing when they are not one canonical value. */
export function received<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof Failure && error.code === 'bytes.malformed') return undefined
    throw error
  }
}

/** The body of the one message of this kind from `from`; nothing when there is none, or several. */
export function only(
  inbox: readonly Inbound[],
  from: Party,
  to: Party | '*',
): Uint8Array | undefined {
  const found = inbox.filter((message) => message.from === from && message.to === to)
  return found.length === 1 ? found[0]?.body : undefined
}
