import assert from 'node:assert/strict'
import { toUtf8 } from '@quorate/core/bytes'
import { hashOf, sha512, transcript } from '@quorate/core/hash'
import type { Group, GroupName } from '../group/group.ts'
import type { Party } from '../session.ts'

/** A cluster beyond seven costs quadratic traffic and adds operators, not safety. */
export const partiesMax = 7

export type DkgContext = {
  readonly group: GroupName
  /** Everybody's index comes from the cluster manifest by way of this, never from a message. */
  readonly self: Party
  readonly n: number
  readonly t: number
  /** 32 bytes that name this ceremony and no other. */
  readonly sid: Uint8Array
}

/** One party's part of a key. Scalars and points are in the group's published encodings. */
export type KeyShare = {
  readonly group: GroupName
  readonly n: number
  readonly t: number
  readonly self: Party
  readonly secret: Uint8Array
  readonly publicKey: Uint8Array
  /** In index order: entry 0 belongs to party 1. */
  readonly publicShares: readonly Uint8Array[]
  readonly chainCode: Uint8Array
  /** The hash of everything that was broadcast: what the certificates of all parties sign. */
  readonly transcript: Uint8Array
}

export function checkContext({ self, n, t, sid }: DkgContext): void {
  assert(Number.isInteger(n) && n >= 2 && n <= partiesMax)
  assert(Number.isInteger(t) && t >= 2 && t <= n)
  assert(Number.isInteger(self) && self >= 1 && self <= n)
  assert(sid.length === 32)
}

export function partiesOf({ n }: { readonly n: number }): readonly Party[] {
  return Array.from({ length: n }, (_, i) => i + 1)
}

/** A hash under this ceremony: its id, group and parameters are in every one. */
export function hashIn(
  context: DkgContext,
  label: string,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return hashOf(`quorate/dkg/${label}/v1`, ...common(context), ...parts)
}

/** 512 bits reduced, so that the result is uniform whatever the order. */
export function scalarIn(
  group: Group,
  context: DkgContext,
  label: string,
  ...parts: readonly Uint8Array[]
): bigint {
  return group.reduce(sha512(transcript(`quorate/dkg/${label}/v1`, ...common(context), ...parts)))
}

function common({ sid, group, n, t }: DkgContext): readonly Uint8Array[] {
  return [sid, toUtf8(group), Uint8Array.of(n), Uint8Array.of(t)]
}
