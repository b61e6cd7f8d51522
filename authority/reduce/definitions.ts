import { activePoliciesTable, breakTable, definitionTable, policyTable } from '../records.ts'
import { find, refuse, type Judging } from './judging.ts'

/** A policy's canonical form, by its hash. */
export function definitionOf(judging: Judging, hash: Uint8Array): Uint8Array {
  return find(judging, definitionTable, hash)?.policy ?? refuse('there is no such policy')
}

export type ActivePolicy = { readonly policy: Uint8Array; readonly definition: Uint8Array }

/** The active policies on one kind of activity, each with the hash of its canonical form. */
export function activePolicies(judging: Judging, kind: string): readonly ActivePolicy[] {
  return (find(judging, activePoliciesTable, kind)?.policies ?? []).flatMap((policy) => {
    const record = find(judging, policyTable, policy) ?? refuse('there is no such policy')
    return isBroken(judging, policy) ? [] : [{ policy, definition: record.definition }]
  })
}

/** Has its break-glass quorum ended it, and its wait too? Nothing needs to happen at that moment. */
export function isBroken(judging: Judging, policy: Uint8Array): boolean {
  const effectiveAt = find(judging, breakTable, policy)?.effectiveAt
  return effectiveAt !== undefined && judging.step.time >= effectiveAt
}
