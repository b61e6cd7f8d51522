import type { Endpoint } from '@quorate/api/endpoint'
import type { Csv } from './csv.ts'

/** The request as it came, for the comparison with what was signed. Handlers act on `body`. */
export type RawRequest = {
  readonly method: string
  /** Path and query, not decoded. */
  readonly url: string
  /** The body's exact text; empty when there was none. */
  readonly body: string
  /** The header `x-dfns-useraction`. */
  readonly userAction: string | undefined
  /** Its hash, or that of an earlier one under the same idempotency key, which then counts. */
  readonly action?: Uint8Array
  /** By the header `accept`: the few lists that are tables too answer with `Csv`. */
  readonly wantsCsv?: boolean
}

export type OpenInput<Params, Query, Body> = {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly raw: RawRequest
}
export type Input<Params, Query, Body, Caller> = OpenInput<Params, Query, Body> & {
  readonly caller: Caller
}
/**
 * The answer to a request that counts and is not in force: more people must want it. Status 202,
 * which official clients take for just that and nothing else.
 */
export class Held<Answer = unknown> {
  readonly answer: Answer
  constructor(answer: Answer) {
    this.answer = answer
  }
}
type Open = (input: OpenInput<never, never, never>) => Promise<unknown>
type Closed<Caller> = (input: Input<never, never, never, Caller>) => Promise<unknown>

/** An endpoint with what serves it. `open` ones are asked without any token. */
export type Route<Caller> = { readonly endpoint: Endpoint } & (
  | { readonly open: true; readonly handle: Open }
  | { readonly open: false; readonly handle: Closed<Caller> }
)

type Routing<Caller> = {
  route<P, Q, B, A>(
    endpoint: Endpoint<P, Q, B, A>,
    handle: NoInfer<(input: Input<P, Q, B, Caller>) => Promise<A | Held<A> | Csv>>,
  ): Route<Caller>
  openRoute<P, Q, B, A>(
    endpoint: Endpoint<P, Q, B, A>,
    handle: NoInfer<(input: OpenInput<P, Q, B>) => Promise<A>>,
  ): Route<Caller>
}

/**
 * Ties a handler to an endpoint's types. What a handler needs it closes over:
 *
 *     const { route } = routing<Caller>()
 *     export const keyRoutes = ({ findKey }: Deps) => [
 *       route(getKey, async ({ params, caller }) => findKey(caller, params.keyId)),
 *     ]
 */
export function routing<Caller>(): Routing<Caller> {
  return {
    route: (endpoint, handle) => {
      if (endpoint.operation.callers.length === 0) throw misuse(endpoint, 'openRoute')
      return { endpoint: endpoint as Endpoint, open: false, handle }
    },
    openRoute: (endpoint, handle) => {
      if (endpoint.operation.callers.length > 0) throw misuse(endpoint, 'route')
      return { endpoint: endpoint as Endpoint, open: true, handle }
    },
  }
}

function misuse({ name }: { readonly name: string }, better: string): Error {
  return new Error(`${name} is served by ${better}`)
}
