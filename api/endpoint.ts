import { z } from 'zod'

import { operations } from '@quorate/authority/operations'
import type { OperationName } from '@quorate/authority/operations'
import type { Operation } from '@quorate/authority/operations/operation'

/**
 * An operation as HTTP sees it. What is decided by more than HTTP (method, path, permissions,
 * what changes) stands in the table of operations; here is what goes in and what comes out.
 *
 * Schemas check and never transform a body: it goes into the answer as it came, and server and
 * signers act on the signed payload anyway. `returns` drops whatever it does not name, so that a
 * column added to a table is not an answer's new member by accident.
 */
export type Endpoint<Params = unknown, Query = unknown, Body = unknown, Answer = unknown> = {
  readonly name: OperationName
  readonly operation: Operation
  readonly summary: string
  readonly params: z.ZodType<Params>
  readonly query: z.ZodType<Query>
  readonly body: z.ZodType<Body>
  /** What a handler gives it; what it leaves is sent. */
  readonly returns: z.ZodType<unknown, Answer>
}

const noParams = z.strictObject({})
/** Queries are the one place where unknown members are tolerated: nobody signs them. */
const noQuery = z.object({})
const noBody = z.unknown().transform(() => undefined)

type Given<P, Q, B, R> = {
  readonly summary: string
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  readonly returns: R
}

export function endpoint<
  R extends z.ZodType,
  P extends z.ZodType = typeof noParams,
  Q extends z.ZodType = typeof noQuery,
  B extends z.ZodType = typeof noBody,
>(
  name: OperationName,
  given: Given<P, Q, B, R>,
): Endpoint<z.output<P>, z.output<Q>, z.output<B>, z.input<R>> {
  const { summary, params = noParams, query = noQuery, body = noBody, returns } = given
  // The defaults are of the defaults' types, which TypeScript cannot see from the parameters.
  return { name, operation: operations[name], summary, params, query, body, returns } as Endpoint<
    z.output<P>,
    z.output<Q>,
    z.output<B>,
    z.input<R>
  >
}
