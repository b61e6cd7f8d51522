import { operations, type OperationName } from '@quorate/authority/operations'
import type { Preimage } from '@quorate/authority/request'
import { checkBearer, type Bearer } from './bearer.ts'
import { checkChallenge, checkFee, Misled, type Asked, type Challenge } from './check-request.ts'

/** What a client may have asked for and not yet got: an application does not do more at once. */
const pendingMax = 1_000

/** Whose requests they are, and what every one of them is held to. */
export type Held = {
  /** Full id, from `trustFrom` or `idOf(genesis, 'organization')`. */
  readonly organization: Uint8Array
  /** From `bearerOf(authToken)`; without one the requests may be of any user. */
  readonly bearer: Bearer | undefined
  /** The most that one request may let the server spend on fees, in the network's smallest unit. */
  readonly maxFee: bigint
  readonly now: () => number
}

/**
 * What an application has asked its client for, by the time the client's signer is shown a
 * challenge: a signer of the official SDK never learns for what it signs (threats A3).
 */
export class Expectations {
  private readonly held: Held
  private readonly pending = new Set<Asked>()

  constructor(held: Held) {
    this.held = held
  }

  /** Notes a request while it runs. Nothing else is signed meanwhile, and this only once. */
  async during<T>(asked: Pick<Asked, 'method' | 'path' | 'payload'>, run: () => Promise<T>) {
    return this.noted({ ...asked, purpose: 'action', organization: this.held.organization }, run)
  }

  /** A login signs nothing but itself, and only while somebody logs in. */
  async duringLogin<T>(run: () => Promise<T>): Promise<T> {
    const { organization } = this.held
    const login = { purpose: 'login', method: 'POST', path: '/auth/login', payload: '' } as const
    return this.noted({ ...login, organization }, run)
  }

  private async noted<T>(asked: Asked, run: () => Promise<T>): Promise<T> {
    if (this.pending.size >= pendingMax) throw new Misled('Too many requests wait for a signature.')
    this.pending.add(asked)
    try {
      return await run()
    } finally {
      this.pending.delete(asked)
    }
  }

  /**
   * Takes the one request that this challenge is for, byte for byte.
   * @throws Misled when there is none: then nothing may be signed
   */
  take(challenge: Challenge): Preimage {
    for (const asked of this.pending) {
      const preimage = this.match(challenge, asked)
      if (preimage === undefined) continue
      this.pending.delete(asked)
      return preimage
    }
    throw new Misled('The challenge is for nothing that was asked for.')
  }

  private match(challenge: Challenge, asked: Asked): Preimage | undefined {
    const { bearer, maxFee, now } = this.held
    try {
      const preimage = checkChallenge(challenge, asked, now())
      checkFee(preimage, maxFee)
      if (bearer !== undefined && asked.purpose === 'action') checkBearer(preimage, bearer)
      return preimage
    } catch (error) {
      if (error instanceof Misled) return undefined
      throw error
    }
  }
}

/** Older names that the official client still has for some of its methods. */
const aliases: Readonly<Record<string, OperationName>> = {
  'auth.createUserCredential': 'auth.createCredential',
  'auth.createDelegatedUserLogin': 'auth.delegatedLogin',
  'auth.createDelegatedUserRecovery': 'auth.createDelegatedRecoveryChallenge',
  'auth.createDelegatedUserRegistration': 'auth.createDelegatedRegistrationChallenge',
}

/** As the official client's methods take it: parameters of the path beside the body. */
export type SdkRequest = Readonly<Record<string, unknown>> & { readonly body?: unknown }

/**
 * The request that a method of the official client will send, or nothing for one that signs
 * nothing.
 *
 * @param name as in the client, such as `wallets.createWallet`
 * @throws Misled for a method whose request nobody here can tell: it must not sign anything
 */
export function requestBy(
  name: string,
  given: SdkRequest | undefined,
): Pick<Asked, 'method' | 'path' | 'payload'> | undefined {
  const known = Object.hasOwn(aliases, name) ? aliases[name] : name
  if (known === undefined || !Object.hasOwn(operations, known)) return undefined
  const operation = operations[known as OperationName]
  if (!operation.userAction) return undefined
  const path = operation.path.replaceAll(/:([a-zA-Z]+)/g, (_, parameter: string) => {
    const value = given?.[parameter]
    if (typeof value !== 'string') throw new Misled(`${name} needs ${parameter}.`)
    return encodeURIComponent(value)
  })
  return { method: operation.method, path, payload: JSON.stringify(given?.body ?? {}) }
}
