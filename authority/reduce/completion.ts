import { equalBytes, toUtf8 } from '@quorate/core/bytes'
import { sha256 } from '@quorate/core/hash'
import { parseJson, type Json } from '@quorate/core/json'
import { provenOf } from '../erasure.ts'
import { matchOperation, type Match } from '../operations.ts'
import { commitTo } from '../request.ts'
import { isFrozen } from '../standing.ts'
import { areSame, judgeTimes } from './author.ts'
import { recordsOf, refuse, type Judging } from './judging.ts'

/** The end of an unsigned way. Nobody whom the signers trust has signed this body. */
export type Completed = { readonly match: Match; readonly body: Json }

/**
 * A registration, a recovery or a code's credential: the challenge was made first, then what it
 * brings. The item names both, and what it may change is for its own rules to bound.
 */
export function judgeCompletion(judging: Judging): Completed {
  const { step, item, evidence, preimage, challenge } = judging
  if (item.cause.kind !== 'completion') return refuse('the item completes nothing')
  const { cause } = item
  const isIts =
    equalBytes(cause.preimage, challenge) &&
    (evidence.salt === undefined || equalBytes(cause.body, sha256(toUtf8(evidence.payload))))
  if (!isIts) refuse('the item completes something else')
  judgeCommitments(judging)
  judgeTimes(judging)
  if (preimage.organization === undefined || !equalBytes(preimage.organization, step.organization))
    refuse('the request is for another organization')
  const match = matchOperation(preimage.method, preimage.path)
  if (match === undefined || match.operation.userAction || match.operation.purpose === 'action')
    return refuse('the request completes nothing')
  if (preimage.purpose !== match.operation.purpose) refuse('the challenge was for something else')
  if (step.seq === 0) refuse('an organization begins with its genesis')
  if (isFrozen(recordsOf(judging), step.organization)) refuse('the organization is frozen')
  return { match, body: parseJson(evidence.payload) }
}

/**
 * The challenge was over nothing; the item commits to the body, under the same salt. Without that
 * salt the item's word for the body's members is proved, and for its hash believed.
 */
function judgeCommitments({ item, evidence, preimage }: Judging): void {
  const { salt } = evidence
  const nothing = commitTo('', salt ?? new Uint8Array(32))
  const body = provenOf(evidence, { ...item, payloadLength: 0 })
  const isSame =
    (salt === undefined || equalBytes(nothing.payload, preimage.payload)) &&
    equalBytes(nothing.fields, preimage.fields) &&
    preimage.payloadLength === 0 &&
    body !== undefined &&
    equalBytes(body.payload, item.payload) &&
    equalBytes(body.fields, item.fields)
  if (!isSame) refuse('the payload is not the one that the item names')
  if (!areSame(item.subjects, preimage.subjects)) refuse('the item names other subjects')
}
