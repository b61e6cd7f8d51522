import { toHex } from '@quorate/core/bytes'
import { Kept } from '@quorate/core/kept'
import type { Database } from '../database/database.ts'
import type { CredentialRow } from './credentials.ts'
import type { IdentityTables } from './tables.ts'

/**
 * What this process has read or written a moment ago, and need not ask PostgreSQL for again: a client's next
 * call most often reaches the same server. It is never the last word. Whoever may do what is read
 * from the records, and what happens once is decided by the statement that does it.
 */
export type Recent = {
  /** By names on the wire. */
  readonly users: KeptFor<UserRow>
  /** Of a token, which has them from its beginning. */
  readonly tokens: KeptFor<readonly CredentialRow[]>
  /** Nobody has signed these, by the hash of their identifier. */
  readonly challenges: KeptFor<OpenChallenge>
  /** Signed, and not yet come for, by the hash of the token. */
  readonly actions: KeptFor<SignedChallenge>
  readonly keepAction: (signed: SignedChallenge) => void
}
type SignedChallenge = IdentityTables['challenges']

export type UserRow = {
  readonly organization: Uint8Array
  readonly user: Uint8Array
  readonly username: string
  readonly kind: 'employee' | 'endUser' | 'serviceAccount'
}
/** What of a challenge stays as it was issued. */
export type OpenChallenge = Pick<
  IdentityTables['challenges'],
  'organization' | 'request' | 'user' | 'token' | 'preimage' | 'expires_at'
>

/** Names may change, by an erasure: nobody sees the old one for longer. */
const namesForMs = 1_000
/** Time to sign, and to come with the signature. */
const challengesForMs = 60_000
const entriesMax = 1_024
/** So that a thousand of them take no more than a few megabytes. */
const payloadKeptMax = 8 * 1024

const memories = new WeakMap<Database, Recent>()

/** One for each pool of connections, which is one for each server. */
export function recentOf(database: Database): Recent {
  const known = memories.get(database)
  if (known !== undefined) return known
  const actions = new KeptFor<SignedChallenge>(challengesForMs)
  const made: Recent = {
    users: new KeptFor(namesForMs),
    tokens: new KeptFor(namesForMs),
    challenges: new KeptFor(challengesForMs),
    actions,
    keepAction: (signed) => {
      const isSmall = (signed.payload?.length ?? 0) <= payloadKeptMax
      if (signed.action !== null && isSmall) actions.put(toHex(signed.action), signed)
    },
  }
  memories.set(database, made)
  return made
}

/** So many values for so long; what is over goes with what is put a while later. */
export class KeptFor<V> {
  readonly #entries = new Kept<{ readonly value: V; readonly until: number }>(entriesMax)
  readonly #forMs: number
  readonly #clock: () => number
  #agedAt: number

  constructor(forMs: number, clock: () => number = () => performance.now()) {
    this.#forMs = forMs
    this.#clock = clock
    this.#agedAt = clock()
  }

  get size(): number {
    return this.#entries.size
  }

  get(name: string): V | undefined {
    const entry = this.#entries.get(name)
    return entry !== undefined && this.#clock() < entry.until ? entry.value : undefined
  }

  /** Whoever takes it is the only one who does. */
  take(name: string): V | undefined {
    const value = this.get(name)
    this.#entries.drop(name)
    return value
  }

  put(name: string, value: V): void {
    const now = this.#clock()
    const passed = now - this.#agedAt
    if (passed >= this.#forMs) {
      if (passed < 2 * this.#forMs) this.#entries.age()
      else this.#entries.clear()
      this.#agedAt = now
    }
    this.#entries.put(name, { value, until: now + this.#forMs })
  }
}
