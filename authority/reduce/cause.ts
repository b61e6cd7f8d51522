import { equalBytes, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import {
  completionHash,
  decodePreimage,
  requestHash,
  sponsorshipHash,
  type Preimage,
} from '../request.ts'
import type { Evidence, Item, ItemKind } from '../step.ts'
import { refuse } from './judging.ts'
import { sponsorNamed } from './sponsor.ts'

/** What names all that an item creates, and the item itself: `request` in the tables of steps. */
export function requestOfEvidence(evidence: Evidence): Uint8Array {
  return nameOfCause(causeOf(decodePreimage(evidence.preimage), evidence))
}

/** @throws TypeError for causes that no item has yet */
export function nameOfCause(cause: Item['cause']): Uint8Array {
  if (cause.kind === 'request') return cause.hash
  if (cause.kind === 'completion') return completionHash(cause.preimage, cause.body)
  if (cause.kind === 'rule') return sponsorshipHash(cause.request, cause.bid)
  throw new TypeError(`no item is caused by a ${cause.kind} yet`)
}

/** What is signed as it stands is its own cause; a challenge of another purpose is completed. */
export function causeOf({ purpose }: Preimage, { preimage, payload }: Evidence): Item['cause'] {
  const hash = requestHash(preimage)
  if (purpose === 'action' || purpose === 'genesis') return { kind: 'request', hash }
  return { kind: 'completion', preimage: hash, body: sha256(toUtf8(payload)) }
}

/** Kinds of which one key acts around what another has signed. */
export function actsByRule(kind: ItemKind | undefined): boolean {
  return kind === 'sponsor' || kind === 'sponsorRenewal'
}

export function ruleIn(
  preimage: Preimage,
  { preimage: encoded }: Evidence,
  bid: number,
): Item['cause'] {
  const rule = sponsorNamed({ preimage }) ?? refuse('the request has no fee sponsor')
  return { kind: 'rule', rule, request: requestHash(encoded), bid }
}

/** @returns the standing rule of what acts by one: whatever is asked for itself has none */
export function judgeRule(
  cause: Item['cause'],
  { kind, preimage }: { readonly kind: ItemKind | undefined; readonly preimage: Preimage },
): Uint8Array | undefined {
  const named = cause.kind === 'rule' ? cause.rule : undefined
  if (actsByRule(kind) !== (named !== undefined)) refuse('no standing rule allows such an item')
  const wanted = sponsorNamed({ preimage })
  if (named !== undefined && (wanted === undefined || !equalBytes(named, wanted)))
    refuse('the item names another rule than its user')
  return named
}

export function requestOfRule({ request: hash }: Extract<Item['cause'], { kind: 'rule' }>) {
  return { kind: 'request', hash } as const
}

export function bidOf(cause: Item['cause']): number {
  return cause.kind === 'rule' ? cause.bid : 0
}
