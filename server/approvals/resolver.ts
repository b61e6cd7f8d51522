import type { OperationName } from '@quorate/authority/operations'
import type { ApprovalStatus } from './find.ts'
import type { ApprovalRow } from './tables.ts'

/** What became of a held request: a refusal of what was approved is a failure. */
export type Outcome =
  | { readonly outcome: 'Applied' | 'Rejected' }
  | { readonly outcome: 'Failed'; readonly reason: string }

/** The room that has the held thing itself. */
export type Resolver = {
  /** Its requests. */
  readonly operations: readonly OperationName[]
  /**
   * Takes it on, or ends it. It may run several times, and at once on several servers; whatever it
   * throws makes it run again later, as long as the request may be used at all.
   */
  readonly resolved: (
    row: ApprovalRow,
    status: Exclude<ApprovalStatus, 'Pending'>,
  ) => Promise<Outcome>
  /** What the activity shows besides its kind, such as `{ transferRequest }`. */
  readonly shown: (row: ApprovalRow) => Promise<object>
}

export function resolverOf(
  { resolvers }: { readonly resolvers: readonly Resolver[] },
  { operation }: Pick<ApprovalRow, 'operation'>,
): Resolver | undefined {
  return resolvers.find(({ operations }) => operations.includes(operation))
}
