import { checkedClientDataFor } from '@quorate/authority/client-data'
import { requestHash } from '@quorate/authority/request'
import { fromBase64url, toBase64url } from '@quorate/core/bytes'
import { bearerOf } from './bearer.ts'
import type { Challenge } from './check-request.ts'
import { Expectations, requestBy, type SdkRequest } from './expectations.ts'

/** A key that signs what a checking client hands it: in a file, a browser, or a device. */
export type SigningKey = {
  readonly credId: string
  /** Ed25519 as it is, ECDSA over SHA-256 as DER. */
  readonly sign: (clientData: Uint8Array) => Promise<Uint8Array>
}

/** As the official client hands a challenge to its signer, with our members beside. */
export type SdkChallenge = Challenge & { readonly challengeIdentifier: string }
export type KeyFactor = {
  readonly kind: 'Key'
  readonly credentialAssertion: {
    readonly credId: string
    readonly clientData: string
    readonly signature: string
  }
}

export type CheckingOptions = {
  /** Full id, from `trustFrom` or `idOf(genesis, 'organization')`. */
  readonly organization: Uint8Array
  /** Whose requests these are; a login has none yet. */
  readonly authToken?: string
  /** The most that one request may let the server spend on fees, in the network's smallest unit. */
  readonly maxFee?: bigint
  readonly now?: () => number
}

/** A hundredth of an ether: twenty times what a plain transfer costs on a busy day. */
const maxFeeDefault = 10n ** 16n

function expectationsOf(options: CheckingOptions): Expectations {
  const { organization, authToken, maxFee = maxFeeDefault, now = Date.now } = options
  const bearer = authToken === undefined ? undefined : bearerOf(authToken)
  return new Expectations({ organization, bearer, maxFee, now })
}

export type CheckingPair = {
  /** Give it to the official client as its signer. */
  readonly signer: { sign(challenge: unknown): Promise<KeyFactor> }
  /** The official client, noting what it is asked for. Use this one and no other. */
  readonly over: <T extends object>(client: T) => T
  /** A login with the same signer; nothing else is signed meanwhile. */
  readonly loggingIn: <T>(run: () => Promise<T>) => Promise<T>
}

/**
 * A pair for the official SDK, whose signer is never told for what it signs: a proxy around the
 * client notes what the application asks for, and the signer signs only a challenge that is the hash
 * of just that. Its clientData bears the request's hash besides, which signers of an organization
 * can insist on (`requireChecked`): a stock signer never writes it, whatever a server sends it.
 *
 *     const pair = checkingPair(key, { organization, authToken })
 *     const client = pair.over(new DfnsApiClient({ ...options, signer: pair.signer }))
 */
export function checkingPair(key: SigningKey, options: CheckingOptions): CheckingPair {
  const expectations = expectationsOf(options)
  return {
    signer: {
      sign: async (given) => {
        const challenge = challengeIn(given)
        expectations.take(challenge)
        return checkedFactor(key, challenge)
      },
    },
    over: (client) =>
      wrapped(client, (name, request, run) => {
        const asked = requestBy(name, request)
        return asked === undefined ? run() : expectations.during(asked, run)
      }),
    loggingIn: (run) => expectations.duringLogin(run),
  }
}

/** What a delegated client of the official SDK has for one call: its two halves, by name. */
type Halves = Readonly<Record<string, unknown>>
/** Passkeys and the like, of the official SDK. */
export type FirstSigner = { sign(challenge: never): Promise<unknown> }

/**
 * The same for passkeys: a browser's clientData says nothing of the request, so a key of this
 * client's own (the checker key, a second credential of the user) says it as second factor. The
 * passkey is touched only for a challenge that was checked. Over `DfnsDelegatedApiClient`, since
 * the plain client sends no second factor.
 *
 *     const client = checkedPasskeys(delegated, { passkey, checker, organization, authToken })
 *     await client.wallets.createWallet({ body })
 *
 * @returns methods without `Init` and `Complete`, as those of the plain client
 */
export function checkedPasskeys<T>(
  delegated: object,
  options: CheckingOptions & { readonly passkey: FirstSigner; readonly checker: SigningKey },
): T {
  const expectations = expectationsOf(options)
  const call = async (part: Halves, name: string, method: string, request?: SdkRequest) => {
    const [init, complete] = [part[`${method}Init`], part[`${method}Complete`]]
    const plain = part[method]
    const asked = requestBy(name, request)
    if (asked === undefined || typeof init !== 'function' || typeof complete !== 'function') {
      if (typeof plain !== 'function') throw new TypeError(`the client has no ${name}`)
      return Reflect.apply(plain, part, [request])
    }
    return expectations.during(asked, async () => {
      const given: unknown = await Reflect.apply(init, part, [request])
      const challenge = challengeIn(given)
      expectations.take(challenge)
      const firstFactor = await options.passkey.sign(given as never)
      const secondFactor = await checkedFactor(options.checker, challenge)
      const { challengeIdentifier } = challenge
      return Reflect.apply(complete, part, [
        request,
        { challengeIdentifier, firstFactor, secondFactor },
      ])
    })
  }
  // The caller names the plain client's type, whose methods these are.
  return new Proxy(delegated, {
    get: (whole, name) => {
      const part: unknown = Reflect.get(whole, name)
      if (typeof name !== 'string' || typeof part !== 'object' || part === null) return part
      return new Proxy(part, {
        get: (inner, method) =>
          typeof method === 'string'
            ? (request?: SdkRequest) => call(inner as Halves, `${name}.${method}`, method, request)
            : Reflect.get(inner, method),
      })
    },
  }) as T
}

type Call = (
  name: string,
  request: SdkRequest | undefined,
  run: () => Promise<unknown>,
) => Promise<unknown>

function wrapped<T extends object>(client: T, call: Call): T {
  return new Proxy(client, {
    get: (whole, name) => {
      const part: unknown = Reflect.get(whole, name)
      if (typeof name !== 'string' || typeof part !== 'object' || part === null) return part
      return new Proxy(part, {
        get: (inner, method) => {
          const run: unknown = Reflect.get(inner, method)
          if (typeof run !== 'function' || typeof method !== 'string') return run
          return (...given: readonly [SdkRequest?]) =>
            call(`${name}.${method}`, given[0], async () => Reflect.apply(run, inner, given))
        },
      })
    },
  })
}

async function checkedFactor(key: SigningKey, challenge: Challenge): Promise<KeyFactor> {
  const clientData = checkedClientDataFor(requestHash(fromBase64url(challenge.preimage)))
  return {
    kind: 'Key',
    credentialAssertion: {
      credId: key.credId,
      clientData: toBase64url(clientData),
      signature: toBase64url(await key.sign(clientData)),
    },
  }
}

/** Whatever a server has sent: a member that is no text matches nothing that was asked for. */
function challengeIn(given: unknown): SdkChallenge {
  const { challenge, preimage, salt, challengeIdentifier } = Object(given) as Readonly<
    Record<string, unknown>
  >
  const text = (value: unknown) => (typeof value === 'string' ? value : '')
  return {
    challenge: text(challenge),
    preimage: text(preimage),
    salt: text(salt),
    challengeIdentifier: text(challengeIdentifier),
  }
}
