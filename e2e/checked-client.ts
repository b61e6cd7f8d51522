import assert from 'node:assert/strict'
import { DfnsApiClient } from '@dfns/sdk'
import { AsymmetricKeySigner } from '@dfns/sdk-keysigner'
import { type CheckResponse, responseChecker, type SdkOperation } from './sdk-types/checker.ts'

export type Credentials = {
  readonly authToken: string
  readonly credId: string
  readonly privateKey: string
}

type Host = { readonly baseUrl: string; readonly orgId: string }

/** The parts of the client whose published types the checker has read. */
const parts: readonly string[] = [
  ...['auth', 'feeSponsors', 'keys', 'networks', 'permissions', 'wallets', 'webhooks'],
]

/** The official client as it is published, with a key that signs. */
export function plainClient(
  { baseUrl, orgId }: Host,
  { authToken, credId, privateKey }: Credentials,
): DfnsApiClient {
  const signer = new AsymmetricKeySigner({ credId, privateKey })
  return new DfnsApiClient({ baseUrl, orgId, authToken, signer })
}

export function checkedClient(host: Host, credentials: Credentials): Promise<DfnsApiClient> {
  return checkedAnswers(plainClient(host, credentials))
}

/**
 * A client as it is published, plain or delegated. Between it and the test stands only somebody who
 * holds every answer against the types that the client itself publishes.
 */
export async function checkedAnswers<T extends object>(client: T): Promise<T> {
  const check = await responseChecker()
  return new Proxy(client, {
    get: (whole, name) => {
      const part: unknown = Reflect.get(whole, name)
      if (typeof name !== 'string' || !parts.includes(name) || typeof part !== 'object') return part
      return part === null ? part : checkedPart(part, name, check)
    },
  })
}

function checkedPart(part: object, name: string, check: CheckResponse): object {
  return new Proxy(part, {
    get: (whole, method) => {
      const call: unknown = Reflect.get(whole, method)
      if (typeof call !== 'function' || typeof method !== 'string') return call
      return async (...given: readonly unknown[]) => {
        const answer: unknown = await Reflect.apply(call, whole, given)
        // That the client has a method of this name is all that the type says. Where it keeps no
        // answer its type is `void`, which is `null` in a schema.
        assert.deepEqual(check(answeredBy(name, method), answer ?? null), [])
        return answer
      }
    },
  })
}

/** A delegated client has each signed call in two halves: a challenge, and what the plain one answers. */
function answeredBy(part: string, method: string): SdkOperation {
  if (method.endsWith('Init')) return 'auth.createUserActionChallenge'
  return `${part}.${method.replace(/Complete$/, '')}` as SdkOperation
}
